"""One question to one deployment, and the answer in our own words.

Owns the way from a :class:`~yolotop.model.Deployment` to an
:class:`~yolotop.model.Answer`: image, key, dialect, transport, redaction. Must not
know what an answer is worth, who stores it, or when the next question is due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Final

from yolotop import __version__
from yolotop.errors import YolotopError
from yolotop.model import (
    Answer,
    Deployment,
    Detection,
    ErrorKind,
    Prediction,
    ProbeError,
    ProbeKind,
    SecretRef,
)
from yolotop.probe import dialects, messages
from yolotop.probe.dialects import BadResponse, Dialect, RequestSpec
from yolotop.probe.failures import (
    BodyTooLarge,
    ProbeFailure,
    UndecodableBody,
    UnsendableRequest,
)
from yolotop.probe.frames import Frame, FrameError, from_file, synthetic
from yolotop.probe.messages import Reply
from yolotop.probe.refusal import error_sentence
from yolotop.probe.transport import MeasuringTransport
from yolotop.probe.unpack import ACCEPTED
from yolotop.text import MASK, clean, redact, show_url

SCENES: Final = 16
"""Different drawn images. Drawing one costs some 12 ms of CPU, a probe under one."""

BODY_HEAD: Final = 512
"""Bytes of an unreadable answer that are kept for a person to look at."""

MOST_SHELVED: Final = 32 * 1024 * 1024
"""Bytes of image files kept between probes."""

LONGEST_WAIT_S: Final = 7 * 24 * 3600.0
"""A ``Retry-After`` beyond this is a mistake or a joke."""


class Prober:
    """Asks. ``secret`` turns a reference into its value and may raise YolotopError.

    ``now`` is wall-clock time in seconds, for :attr:`Answer.started_at` only.
    """

    def __init__(
        self,
        *,
        secret: Callable[[SecretRef], str],
        now: Callable[[], float] = time.time,
        transport: MeasuringTransport | None = None,
        known: Mapping[str, Dialect] = dialects.KNOWN,
    ) -> None:
        self._secret = secret
        self._now = now
        self._transport = transport or MeasuringTransport()
        self._known = known
        self._shelf = _Shelf()

    async def probe(
        self, deployment: Deployment, kind: ProbeKind, *, seed: int = 0
    ) -> Answer:
        """Ask once. ``seed`` chooses one of :data:`SCENES` drawn images.

        Never raises for what a server, a network or a configuration does: that is an
        Answer with an ``error``. HTTP statuses other than 2xx are not errors here;
        they are left to the judge in ``http_status`` and ``body_head``.
        """
        answer = Answer(deployment.name, kind, started_at=self._now())
        secret: str | None = None
        try:
            dialect = dialects.lookup(deployment.dialect, self._known)
            if deployment.api_key is not None:
                secret = self._secret(deployment.api_key)
            messages.target(deployment.url)  # a bad URL ends here, in our words
            frame = None
            if kind is ProbeKind.PREDICT:
                frame = await self._shelf.frame(deployment.image, seed)
                answer = replace(answer, frame=frame.name, drawn=_drawn(frame))
            spec = (
                dialect.health_request(deployment)
                if frame is None
                else dialect.predict_request(deployment, frame)
            )
            request = _compose(spec, dialect, secret)
            # Drawing an image for the first time takes a while: the start is here.
            answer = replace(answer, started_at=self._now())
            reply = await self._transport.exchange(
                request, deadline_s=deadline_s(deployment)
            )
            return self._read(
                reply, answer, partial(_content, dialect, deployment, frame), secret
            )
        except ProbeFailure as failure:
            return _failed(answer, failure, secret)
        except (YolotopError, FrameError) as error:
            return _internal(answer, str(error), secret)
        except Exception as error:  # noqa: BLE001 - a bug in one probe must end as its answer, not end the collector
            what = f"yolotop itself failed: {type(error).__name__}: {error}"
            return _internal(answer, what, secret)

    async def aclose(self) -> None:
        """Let go of images and of the transport."""
        self._shelf.clear()
        await self._transport.aclose()

    def _read(
        self,
        reply: Reply,
        answer: Answer,
        content: Callable[[Reply], Prediction | None],
        secret: str | None,
    ) -> Answer:
        if secret and len(secret) >= 4 and secret.encode() in reply.body:
            # An echo of the key must not reach the history under any name.
            body = reply.body.replace(secret.encode(), MASK.encode())
            reply = replace(reply, body=body)
        answer = replace(
            answer,
            latency_ms=reply.latency_ms,
            phases=reply.phases,
            http_status=reply.status,
            address=reply.address,
            retry_after_s=retry_after_s(reply.header("retry-after"), self._now()),
        )
        if not reply.ok:
            return replace(answer, body_head=redact(_refusal(reply), secret or ""))
        try:
            return replace(answer, prediction=content(reply))
        except BadResponse as bad:
            message = redact(clean(bad.message, limit=300), secret or "")
            head = clean(reply.body[:BODY_HEAD].decode("utf-8", errors="replace"))
            return replace(
                answer,
                error=ProbeError(ErrorKind.BAD_RESPONSE, message),
                body_head=redact(head, secret or ""),
            )


def deadline_s(deployment: Deployment) -> float:
    """Seconds a probe may take, all in.

    An instance that scales to zero may hold the first request while it starts; giving
    up after ``timeout_s`` would call every cold start an outage.
    """
    if deployment.scale_to_zero:
        return max(deployment.timeout_s, deployment.cold_start_s)
    return deployment.timeout_s


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds from a ``Retry-After`` header: a number or an HTTP date, else None."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        wait = float(value[:12])
    else:
        try:
            at = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        wait = (at - datetime.fromtimestamp(now, UTC)).total_seconds()
    return wait if 0.0 <= wait <= LONGEST_WAIT_S else None


# --- outwards ------------------------------------------------------------------------

_ALWAYS: Final = (
    (b"User-Agent", f"yolotop/{__version__}".encode()),
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", ACCEPTED),
    (b"Connection", b"close"),
)


def _compose(
    spec: RequestSpec, dialect: Dialect, secret: str | None
) -> messages.Request:
    target = messages.target(spec.url)
    headers: list[tuple[bytes, bytes]] = [(b"Host", target.authority), *_ALWAYS]
    if spec.body or spec.method != "GET":
        headers.append((b"Content-Length", b"%d" % len(spec.body)))
    named = spec.headers + (dialect.authorise(secret) if secret else ())
    if target.basic and not secret:
        headers.append((b"Authorization", target.basic))
    try:
        headers += [
            (name.encode("ascii"), value.encode("ascii")) for name, value in named
        ]
    except UnicodeEncodeError:
        # The exception would quote the value, and the value may be the key.
        raise UnsendableRequest(
            "the API key holds characters that an HTTP header cannot carry"
        ) from None
    return messages.Request(
        spec.method.encode("ascii"), target, tuple(headers), spec.body
    )


_BODY_ONLY: Final = (BodyTooLarge, UndecodableBody)

# --- inwards -------------------------------------------------------------------------


def _content(
    dialect: Dialect, deployment: Deployment, frame: Frame | None, reply: Reply
) -> Prediction | None:
    if frame is None:
        dialect.read_health(reply)
        return None
    return dialect.read_predict(reply, deployment, frame)


def _refusal(reply: Reply) -> str:
    location = reply.header("location")
    if 300 <= reply.status < 400 and location:
        return f"redirects to {show_url(location)}"
    return error_sentence(reply.body, reply.content_type)


def _failed(answer: Answer, failure: ProbeFailure, secret: str | None) -> Answer:
    message = redact(failure.message, secret or "")
    answer = replace(
        answer,
        latency_ms=failure.latency_ms,
        phases=failure.phases,
        http_status=failure.status,
        address=failure.address,
    )
    status = failure.status
    if status is not None and status >= 300 and isinstance(failure, _BODY_ONLY):
        # A 401 stays a 401, however badly its page is packed.
        return replace(answer, body_head=message)
    return replace(answer, error=ProbeError(failure.kind, message))


def _internal(answer: Answer, message: str, secret: str | None) -> Answer:
    text = redact(clean(message, limit=400), secret or "")
    return replace(answer, error=ProbeError(ErrorKind.INTERNAL, text))


def _drawn(frame: Frame) -> tuple[Detection, ...] | None:
    if frame.drawn is None:
        return None
    return tuple(Detection(shape.label, None, shape.box) for shape in frame.drawn)


class _Shelf:
    """Images ready to send. A file is read again when its time or size changes."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[_Stamp, Frame]] = {}
        self._drawn: dict[int, Frame] = {}
        self._one_at_a_time = asyncio.Lock()

    def clear(self) -> None:
        self._files.clear()
        self._drawn.clear()

    async def frame(self, image: str, seed: int) -> Frame:
        """Raises FrameError for a file that cannot be used."""
        if image == "synthetic":
            return await self._scene(seed % SCENES)
        # In a thread: a file server that hangs must hold up this probe only.
        frame = await asyncio.to_thread(self._file, image)
        while sum(len(kept.data) for _, kept in self._files.values()) > MOST_SHELVED:
            self._files.pop(next(iter(self._files)))
        return frame

    def _file(self, image: str) -> Frame:
        path = Path(image).expanduser()
        stamp = _stamp(path)
        known = self._files.get(image)
        if known is None or known[0] != stamp:
            known = self._files[image] = (stamp, from_file(path))
        return known[1]

    async def _scene(self, scene: int) -> Frame:
        if scene not in self._drawn:
            # A hundred deployments start with the same scene: draw it once.
            async with self._one_at_a_time:
                if scene not in self._drawn:
                    self._drawn[scene] = await asyncio.to_thread(synthetic, scene)
        return self._drawn[scene]


_Stamp = tuple[int, int]


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)  # from_file will say what is wrong
    return (found.st_mtime_ns, found.st_size)
