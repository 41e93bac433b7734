"""Endpoints that put hostile text into every field that a monitor reads.

Each is a real HTTP server on 127.0.0.1 with one habit. ``echo`` makes them repeat the
key that they were sent, in every form, instead of control sequences.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

import trustme

MARKUP = "[/] [a=b: [@click=app.quit]x[/]"
PAYLOAD = (
    "evil\x1b]52;c;UFdORUQ=\x07\x9b31m\x1bP+q\x1b\\\u202eRLO\u2066\u200b\U000e0041"
    f"\x85\x00\x08{MARKUP}"
)
RAW = ("\x1b]52", "\x1bP", "\x9b", "\u202e", "\u2066", "\u200b", "\U000e0041", "\x85")
"""What of the payload a terminal must never see."""

Habit = Callable[[str, str, str], bytes]
"""Path, text to plant and an unescaped copy for JSON's own escapes → the answer."""


def answer(
    body: bytes, status: str = "200 OK", kind: str = "application/json", *more: bytes
) -> bytes:
    """A whole HTTP/1.1 answer; ``status`` with a reason phrase."""
    head = [f"HTTP/1.1 {status}".encode(), f"Content-Type: {kind}".encode(), *more]
    head += [b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join([*head, b"", body])


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def labels(path: str, text: str, _: str) -> bytes:
    """A prediction with hostile labels, model and task; healthy with a message."""
    if "predict" not in path:
        return answer(_json({"status": text, "detail": text, "model": text}))
    box = {"x1": 1, "y1": 1, "x2": 9, "y2": 9}
    found = [{"name": text, "class": 0, "confidence": 0.9, "box": box}]
    image = {"shape": [320, 320], "results": found, "speed": {"inference": 1.0}}
    about = {"model": text, "task": text, "version": {text: text}}
    return answer(_json({"images": [image], "metadata": about}))


def refuses(_: str, text: str, __: str) -> bytes:
    """500 with JSON, escaped by JSON's own rules."""
    return answer(json.dumps({"detail": text}).encode(), "500 Internal Server Error")


def page(_: str, text: str, __: str) -> bytes:
    """503 with an HTML page."""
    html = f"<title>{text}</title><h1>{text}</h1>".encode("utf-8", "replace")
    return answer(html, "503 Service Unavailable", "text/html")


def reason(_: str, text: str, line: str) -> bytes:
    """A hostile reason phrase and headers."""
    bare = line.encode("utf-8", "replace")
    return answer(
        text.encode("utf-8", "replace"),
        f"418 {line}",
        "text/plain",
        b"Server: " + bare,
        b"WWW-Authenticate: " + bare,
        b"Retry-After: " + bare,
    )


def redirects(_: str, __: str, line: str) -> bytes:
    """Away, to a hostile address."""
    where = b"Location: http://x/" + line.encode("utf-8", "replace")
    return answer(b"", "302 Found", "text/plain", where)


def stranger(_: str, text: str, __: str) -> bytes:
    """Not HTTP."""
    return text.encode("utf-8", "replace") + b"\r\n"


def broken(_: str, text: str, __: str) -> bytes:
    """200 with what is no JSON."""
    return answer(b"{" + text.encode("utf-8", "replace"))


def packed(_: str, __: str, line: str) -> bytes:
    """An encoding nobody knows."""
    how = b"Content-Encoding: " + line.encode("utf-8", "replace")
    return answer(b"x", "200 OK", "application/json", how)


def garbled(_: str, __: str, line: str) -> bytes:
    """A header line that is none."""
    return b"HTTP/1.1 200 OK\r\n" + line.encode("utf-8", "replace") + b" \r\n\r\n"


HABITS: dict[str, Habit] = {
    habit.__name__: habit
    for habit in (
        labels,
        refuses,
        page,
        reason,
        redirects,
        stranger,
        broken,
        packed,
        garbled,
    )
}


@dataclass
class Endpoint:
    """One server. ``requests`` are what it was sent."""

    habit: Habit
    echo: bool = False
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    port: int = 0
    _socket: socket.socket = field(default_factory=socket.socket)

    def start(self) -> None:
        """Listen on loopback."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(peer,), daemon=True).start()

    def _talk(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), peer:
            peer.settimeout(10)
            if self.tls is not None:
                peer = self.tls.wrap_socket(peer, server_side=True)
            request = _read(peer)
            self.requests.append(request)
            path = request.split(b" ")[1].decode("latin-1")
            text = echoes(request) if self.echo else PAYLOAD
            line = text.replace("\n", " ").replace("\x00", "").replace("\x1bP+q", "")
            peer.sendall(self.habit(path, text, line))
            peer.shutdown(socket.SHUT_WR)
            peer.recv(1)
            peer.close()


def _read(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65_536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for row in head.lower().split(b"\r\n"):
        if row.startswith(b"content-length:"):
            length = int(row.partition(b":")[2])
    while len(body) < length:
        body += peer.recv(65_536)
    return head


def key_in(request: bytes) -> str:
    """The bearer key of a request."""
    for row in request.split(b"\r\n"):
        if row.lower().startswith(b"authorization: bearer "):
            return row[22:].decode()
    return ""


def echoes(request: bytes) -> str:
    """The key in every form, as a debugging proxy would print it."""
    key = key_in(request)
    return (
        f"key {key} Authorization: Bearer {key} {quote(key, safe='')} "
        f"{base64.b64encode(key.encode()).decode()} "
        f"{base64.b64encode(b'me:' + key.encode()).decode()} {json.dumps(key)} "
    ) * 4 + key


@contextlib.contextmanager
def endpoints(*, echo: bool = False) -> Iterator[dict[str, Endpoint]]:
    """One of every habit, by its name; without ``echo`` also one with hostile TLS."""
    found = {name: Endpoint(habit, echo) for name, habit in HABITS.items()}
    if not echo:
        authority = trustme.CA(organization_name=MARKUP, organization_unit_name=MARKUP)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        subject = f"evil\x1b]52;c;UFdORUQ=\x07\u202e{MARKUP}"
        authority.issue_cert("elsewhere.example", common_name=subject).configure_cert(
            context
        )
        found["tls"] = Endpoint(labels, echo, context)
    for endpoint in found.values():
        endpoint.start()
    try:
        yield found
    finally:
        for endpoint in found.values():
            endpoint.stop()
