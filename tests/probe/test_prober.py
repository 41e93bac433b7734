"""From a deployment to an answer: keys, images, refusals, and nothing raised."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from PIL import Image

from yolotop.errors import ConfigError
from yolotop.model import Deployment, ErrorKind, Phases, ProbeKind, SecretRef
from yolotop.model.preset import Preset
from yolotop.probe import multipart, pictures
from yolotop.probe.dialects import RequestSpec, by_name
from yolotop.probe.dialects.ultralytics import Ultralytics
from yolotop.probe.frames import Frame, synthetic
from yolotop.probe.prober import (
    LONGEST_WAIT_S,
    SCENES,
    Prober,
    deadline_s,
    retry_after_s,
)

Script = Callable[..., Awaitable[int]]
Play = Callable[..., Awaitable[int]]

NOW = 1_800_000_000.0
KEY = "s3cret-key-value"
REF = SecretRef("env", "KEY")


def prober() -> Prober:
    """A prober whose secret is KEY."""
    return Prober(secret=lambda _: KEY, now=lambda: NOW)


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A complete answer."""
    head = b"".join(line + b"\r\n" for line in headers)
    return (
        b"HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n" % (status, head, len(body))
        + body
    )


class Recorder:
    """Answers every request and keeps what was asked."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.requests: list[bytes] = []

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = b""
        if b"Content-Length: " in head:
            length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
            body = await reader.readexactly(length)
        self.requests.append(head + body)
        writer.write(self.answer)


SEEN = whole(b'{"results":[{"name":"circle","confidence":0.9,"box":[1,2,3,4]}]}')


async def test_a_predict_probe_says_what_was_sent_and_what_came(play: Play) -> None:
    server = Recorder(SEEN)
    deployment = Deployment("d", f"http://127.0.0.1:{await play(server)}", api_key=REF)
    answer = await prober().probe(deployment, ProbeKind.PREDICT, seed=3)
    frame = synthetic(3)
    assert answer.error is None
    assert answer.deployment == "d"
    assert answer.kind is ProbeKind.PREDICT
    assert answer.started_at == NOW
    assert answer.http_status == 200
    assert answer.address == deployment.url.removeprefix("http://")
    assert answer.frame == "synthetic-3"
    assert frame.drawn is not None
    assert answer.drawn is not None
    assert [(d.label, d.box) for d in answer.drawn] == [
        (d.label, d.box) for d in frame.drawn
    ]
    assert answer.prediction is not None
    assert answer.prediction.detections[0].label == "circle"
    assert answer.body_head == ""
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Authorization: Bearer " + KEY.encode() in head
    assert b"Connection: close" in head
    assert b"Accept-Encoding: gzip, deflate" in head
    assert frame.data in body


async def test_a_health_probe_takes_any_2xx(play: Play) -> None:
    server = Recorder(whole(b"ok\n"))
    deployment = Deployment("d", f"http://127.0.0.1:{await play(server)}/predict")
    answer = await prober().probe(deployment, ProbeKind.HEALTH)
    assert answer.error is None
    assert answer.http_status == 200
    assert answer.prediction is None
    assert answer.frame is None
    assert server.requests[0].startswith(b"GET /health HTTP/1.1\r\n")
    assert b"Content-Length" not in server.requests[0]
    assert b"Authorization" not in server.requests[0]


async def test_a_password_in_the_url_is_sent_and_never_shown(play: Play) -> None:
    server = Recorder(whole(b"no", status=b"401 Unauthorized"))
    port = await play(server)
    deployment = Deployment("d", f"http://us%65r:p%40ss@127.0.0.1:{port}")
    answer = await prober().probe(deployment, ProbeKind.HEALTH)
    assert b"Authorization: Basic dXNlcjpwQHNz\r\n" in server.requests[0]
    assert "p%40ss" not in repr(answer)


# --- what is left to the judge -------------------------------------------------------


async def test_a_refusal_is_left_to_the_judge_with_its_sentence(script: Script) -> None:
    port = await script(
        whole(
            b'{"error":"Rate limit exceeded","retryAfter":7}',
            b"retry-after: 7",
            b"content-type: application/json",
            status=b"429 Too Many",
        )
    )
    for kind in ProbeKind:
        answer = await prober().probe(Deployment("d", f"http://127.0.0.1:{port}"), kind)
        assert answer.error is not None
        assert answer.error.kind is ErrorKind.RATE_LIMITED
        assert answer.http_status == 429
        assert answer.body_head == "Rate limit exceeded"
        assert answer.retry_after_s == 7.0


@pytest.mark.parametrize("status", [b"200 OK", b"500 Oops"])
async def test_a_key_that_comes_back_is_not_kept(script: Script, status: bytes) -> None:
    echo = json.dumps({"error": f"key {KEY} is unknown", "authorization": KEY})
    for body in (echo.encode(), f"Bearer {KEY}".encode(), KEY.encode()):
        port = await script(whole(body, status=status))
        deployment = Deployment("d", f"http://127.0.0.1:{port}", api_key=REF)
        answer = await prober().probe(deployment, ProbeKind.PREDICT)
        assert answer.error or answer.body_head
        assert KEY not in repr(answer)
    labelled = whole(b'{"results":[{"name":"%s"}]}' % KEY.encode())
    deployment = Deployment(
        "d", f"http://127.0.0.1:{await script(labelled)}", api_key=REF
    )
    answer = await prober().probe(deployment, ProbeKind.PREDICT)
    assert answer.prediction is not None
    assert KEY not in repr(answer)


async def test_a_refusal_with_an_unreadable_page_is_still_that_refusal(
    script: Script,
) -> None:
    port = await script(
        whole(b"not gzip", b"content-encoding: gzip", status=b"401 Unauthorized")
    )
    answer = await prober().probe(
        Deployment("d", f"http://127.0.0.1:{port}"), ProbeKind.HEALTH
    )
    assert answer.error is None
    assert answer.http_status == 401
    assert answer.body_head == "the body is not the gzip it claims to be"


async def test_escape_sequences_and_markup_stay_text(script: Script) -> None:
    evil = "\x1b]52;c;aGk=\x07[red]boo[/red]\x9b31m\u202e"
    port = await script(
        whole(json.dumps({"detail": evil}).encode(), status=b"503 \x80")
    )
    answer = await prober().probe(
        Deployment("d", f"http://127.0.0.1:{port}"), ProbeKind.PREDICT
    )
    assert answer.http_status == 503
    assert answer.body_head == "␛[red]boo[/red]␛\ufffd"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", None),
        ("-3", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, None),
        (str(int(LONGEST_WAIT_S) + 1), None),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Fri, 99 Dec 9999 99:99:99 GMT", None),
        ("\x1b[31m", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


# --- what is ours to say -------------------------------------------------------------


async def test_a_missing_key_is_said_with_its_cure_and_nothing_is_sent(
    play: Play,
) -> None:
    def missing(ref: SecretRef) -> str:
        raise ConfigError(f"{ref} is not set", hint="export KEY=... and start again")

    server = Recorder(SEEN)
    deployment = Deployment("d", f"http://127.0.0.1:{await play(server)}", api_key=REF)
    answer = await Prober(secret=missing).probe(deployment, ProbeKind.PREDICT)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.INTERNAL
    assert answer.error.message == "env:KEY is not set. export KEY=... and start again"
    assert answer.phases == Phases()
    assert answer.latency_ms is None
    assert server.requests == []


@pytest.mark.parametrize("key", ["qqqq\nqqqq", "ключ-ключ", "wwww\x00wwww"])
async def test_a_key_no_header_can_carry_is_refused_without_showing_it(
    script: Script, key: str
) -> None:
    deployment = Deployment("d", f"http://127.0.0.1:{await script(SEEN)}", api_key=REF)
    answer = await Prober(secret=lambda _: key).probe(deployment, ProbeKind.HEALTH)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.INTERNAL
    assert key not in repr(answer)
    assert key[:4] not in answer.error.message


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"preset": Preset(dialect="ultralitycs")}, 'did you mean "ultralytics"?'),
        ({"url": "ftp://h/"}, "only http://, https:// and http+unix:// URLs"),
        ({"url": "http://["}, "the URL cannot be parsed"),
        ({"image": "/nowhere/at/all.jpg"}, "/nowhere/at/all.jpg: no such file"),
    ],
)
async def test_settings_that_cannot_work_end_as_answers(
    changes: dict[str, object], sentence: str
) -> None:
    settings = {"name": "d", "url": "http://127.0.0.1:9", **changes}
    answer = await prober().probe(Deployment(**settings), ProbeKind.PREDICT)  # type: ignore[arg-type]
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.INTERNAL
    assert sentence in answer.error.message


class Faulty(Ultralytics):
    """A dialect with a bug."""

    @property
    def name(self) -> str:
        """Its own name."""
        return "faulty"

    def health_request(self, deployment: Deployment) -> RequestSpec:
        """Fail as a bug fails."""
        raise KeyError("\x1b[31mbug")


async def test_a_bug_in_a_dialect_ends_as_an_answer() -> None:
    asking = Prober(secret=str, known=by_name([Faulty()]))
    answer = await asking.probe(
        Deployment("d", "http://127.0.0.1:9", preset=Preset(dialect="faulty")),
        ProbeKind.HEALTH,
    )
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.INTERNAL
    assert "yolotop itself failed: KeyError" in answer.error.message
    assert "\x1b" not in answer.error.message


async def test_cancelling_passes(play: Play) -> None:
    arrived = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        arrived.set()
        await reader.read()

    port = await play(mute)
    deployment = Deployment("d", f"http://127.0.0.1:{port}")
    task = asyncio.create_task(prober().probe(deployment, ProbeKind.HEALTH))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_sleeping_instance_may_take_its_time_to_start() -> None:
    awake = Deployment("d", "http://h", timeout_s=3)
    asleep = Deployment("d", "http://h", timeout_s=3, scale_to_zero=True)
    assert deadline_s(awake) == 3
    assert deadline_s(asleep) == 55


# --- images --------------------------------------------------------------------------


async def test_seeds_wrap_around_the_scenes(script: Script) -> None:
    deployment = Deployment("d", f"http://127.0.0.1:{await script(SEEN)}")
    asking = prober()
    names = [
        (await asking.probe(deployment, ProbeKind.PREDICT, seed=seed)).frame
        for seed in (0, 1, SCENES, SCENES + 1)
    ]
    assert names == ["synthetic-0", "synthetic-1"] * 2
    await asking.aclose()


async def test_a_changed_file_is_read_again(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "LOOK_AGAIN_S", 0.0)
    server = Recorder(SEEN)
    picture = tmp_path / "gate.png"
    Image.new("RGB", (64, 48), "red").save(picture)
    url = f"http://127.0.0.1:{await play(server)}"
    deployment = Deployment("d", url, image=str(picture))
    asking = prober()
    first = await asking.probe(deployment, ProbeKind.PREDICT)
    assert (first.error, first.frame, first.drawn) == (None, "gate.png", None)
    await asking.probe(deployment, ProbeKind.PREDICT)
    Image.new("RGB", (64, 48), "blue").save(picture)
    os.utime(picture, ns=(1, 1))
    await asking.probe(deployment, ProbeKind.PREDICT)
    bodies = [request.partition(b"\r\n\r\n")[2] for request in server.requests]
    assert bodies[0] == bodies[1] != bodies[2]
    assert picture.read_bytes() in bodies[2]
    picture.unlink()
    gone = await asking.probe(deployment, ProbeKind.PREDICT)
    assert gone.error is not None
    assert "no such file" in gone.error.message


def test_remembered_bodies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "MOST_REMEMBERED", 10_000)
    monkeypatch.setattr(multipart, "_remembered", type(multipart._remembered)())
    for number in range(20):
        frame = Frame("f", b"x" * 3_000, "image/png", 1, 1, f"{number:064}", None)
        multipart.form("file", frame)
    assert len(multipart._remembered) == 3
    large = Frame("f", b"x" * 30_000, "image/png", 1, 1, "large", None)
    built = multipart.form("file", large, (("conf", "0.5"),))
    assert multipart.form("file", large, (("conf", "0.5"),)) is built
    assert len(multipart._remembered) == 1
