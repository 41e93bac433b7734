"""One question to one deployment, and the answer in our own words.

Owns the way from a :class:`~yolotop.model.Deployment` to an
:class:`~yolotop.model.Answer`: image, request, transport, dialect, redaction. Must not
know what an answer is worth, who stores it, or when the next question is due.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from yolotop.errors import YolotopError
from yolotop.model import (
    Answer,
    Deployment,
    Detection,
    ErrorKind,
    Phases,
    Prediction,
    ProbeError,
    ProbeKind,
    SecretRef,
)
from yolotop.probe import dialects
from yolotop.probe.approach import Approach, Approaches, deadline_s, route_with
from yolotop.probe.dialects import BadResponse, Dialect
from yolotop.probe.failures import BodyTooLarge, ProbeFailure, UndecodableBody
from yolotop.probe.frames import Drawn, Frame, FrameError
from yolotop.probe.headers import worth_showing
from yolotop.probe.messages import Reply
from yolotop.probe.pictures import SCENES, Pictures
from yolotop.probe.recognise import Finding, recognise
from yolotop.probe.refusal import error_sentence
from yolotop.probe.transport import MeasuringTransport
from yolotop.text import clean, redact, redact_bytes, show_url

__all__ = ["SCENES", "Prober", "Shown", "deadline_s", "retry_after_s"]

BODY_HEAD: Final = 512
"""Bytes of an unreadable answer that are kept for a person to look at."""

LONGEST_WAIT_S: Final = 7 * 24 * 3600.0
"""A ``Retry-After`` beyond this is a mistake or a joke."""

READ_ELSEWHERE: Final = 256 * 1024
"""Bytes of a body from which it is read in a thread: 5 ms of JSON on the loop would be
5 ms in the figures of every other probe."""


_NO_PHASES: Final = Phases()


@dataclass(slots=True)
class _Question:
    """One probe under way: what its answer will say, whatever comes."""

    name: str
    kind: ProbeKind
    started_at: float
    secret: str = ""
    frame: Frame | None = None
    doubtful: bool = False
    """Whether more is expected of a prediction than its shape."""
    body: bytes = b""
    digest: str | None = None

    def failed(self, failure: ProbeFailure) -> Answer:
        """No usable answer."""
        message = redact(failure.message, self.secret)
        status = failure.status
        refused = status is not None and status >= 300
        # A 401 stays a 401, however badly its page is packed.
        only_the_body = refused and isinstance(failure, _BODY_ONLY)
        return self._answer(
            latency_ms=failure.latency_ms,
            phases=failure.phases,
            http_status=status,
            address=failure.address,
            tls_expires_at=failure.tls_expires_at,
            error=None if only_the_body else ProbeError(failure.kind, message),
            body_head=message if only_the_body else "",
            headers=worth_showing(failure.headers, self.secret),
        )

    def impossible(self, message: str) -> Answer:
        """It could not even be asked, or we broke."""
        text = redact(clean(message, limit=400), self.secret)
        return self._answer(error=ProbeError(ErrorKind.INTERNAL, text))

    def answered(
        self,
        reply: Reply,
        *,
        retry_after_s: float | None,
        prediction: Prediction | None = None,
        error: ProbeError | None = None,
        body_head: str = "",
    ) -> Answer:
        """An HTTP answer of any status."""
        # 0.1 ms, so only for what is bad, or may be found to be wrong.
        suspect = self.doubtful or error is not None or not reply.ok
        return self._answer(
            latency_ms=reply.latency_ms,
            phases=reply.phases,
            http_status=reply.status,
            address=reply.address,
            tls_expires_at=reply.tls_expires_at,
            retry_after_s=retry_after_s,
            prediction=prediction,
            error=error,
            body_head=body_head,
            headers=worth_showing(reply.headers, self.secret) if suspect else (),
        )

    def _answer(
        self,
        *,
        latency_ms: float | None = None,
        phases: Phases = _NO_PHASES,
        http_status: int | None = None,
        address: str | None = None,
        tls_expires_at: float | None = None,
        retry_after_s: float | None = None,
        prediction: Prediction | None = None,
        error: ProbeError | None = None,
        body_head: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        frame = self.frame
        drawn = None if frame is None else frame.drawn
        return Answer(
            deployment=self.name,
            kind=self.kind,
            started_at=self.started_at,
            latency_ms=latency_ms,
            phases=phases,
            http_status=http_status,
            prediction=prediction,
            error=error,
            address=address,
            body_head=body_head,
            retry_after_s=retry_after_s,
            frame=None if frame is None else frame.name,
            drawn=None if drawn is None else _detections(drawn),
            tls_expires_at=tls_expires_at,
            headers=headers,
            frame_sha256=None if frame is None else frame.sha256,
            body_digest=None if prediction is None else self.digest,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """One image with what came back, for a person to look at.

    ``body`` is the answer's, unpacked, without the key; empty when none came.
    """

    answer: Answer
    frame: Frame
    body: bytes = field(default=b"", repr=False)


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
        self._now = now
        self._secret = secret
        self._transport = transport or MeasuringTransport()
        self._approaches = Approaches(secret, known)
        self._pictures = Pictures()

    async def probe(
        self, deployment: Deployment, kind: ProbeKind, *, seed: int = 0
    ) -> Answer:
        """Ask once. ``seed`` chooses one of :data:`SCENES` drawn images.

        Never raises for what a server, a network or a configuration does: that is an
        Answer with an ``error``. HTTP statuses other than 2xx are not errors here;
        they are left to the judge in ``http_status`` and ``body_head``.
        """
        question = _Question(deployment.name, kind, self._now())
        return await self._answer(deployment, question, deployment.image, seed)

    async def show(self, deployment: Deployment, image: str, *, seed: int = 0) -> Shown:
        """Send ``image`` (``synthetic`` or a path), whatever the deployment's own is.

        Raises FrameError for a file that cannot be used; all else is in the answer.
        """
        frame = await self._pictures.frame(image, seed)
        question = _Question(deployment.name, ProbeKind.PREDICT, self._now())
        answer = await self._answer(deployment, question, image, seed)
        return Shown(answer, frame, question.body)

    async def recognise(self, deployment: Deployment) -> Finding:
        """What the server at this address is, found with GETs; see ``recognise``.

        Raises ProbeFailure where nobody answers, YolotopError for its settings.
        """
        return await recognise(
            deployment, secret=self._secret, transport=self._transport
        )

    async def _answer(
        self, deployment: Deployment, question: _Question, image: str, seed: int
    ) -> Answer:
        try:
            approach = self._approaches.approach(deployment)
            reply = await self._ask(approach, question, image, seed)
            return await self._read(reply, approach, question)
        except ProbeFailure as failure:
            return question.failed(failure)
        except (YolotopError, FrameError) as error:
            return question.impossible(str(error))
        except Exception as error:  # noqa: BLE001 - a bug in one probe must end as its answer, not end the collector
            return question.impossible(
                f"yolotop itself failed: {type(error).__name__}: {error}"
            )

    async def aclose(self) -> None:
        """Let go of images and of kept connections."""
        self._pictures.clear()
        await self._transport.aclose()

    async def _ask(
        self, approach: Approach, question: _Question, image: str, seed: int
    ) -> Reply:
        deployment, dialect = approach.deployment, approach.dialect
        keys = await self._approaches.keys(deployment)
        question.secret = keys.api_key or ""
        if question.kind is ProbeKind.PREDICT:
            frame = await self._pictures.frame(image, seed)
            question.frame = frame
            question.doubtful = (
                deployment.golden is not None or not deployment.expect.is_empty
            )
            spec = (
                await asyncio.to_thread(dialect.predict_request, deployment, frame)
                if dialect.slow_to_ask
                else dialect.predict_request(deployment, frame)
            )
        else:
            spec = dialect.health_request(deployment)
        request = await self._approaches.request(approach, spec, keys)
        # Drawing an image for the first time takes a while: the start is here.
        question.started_at = self._now()
        return await self._transport.exchange(
            request,
            deadline_s=approach.deadline_s,
            route=route_with(approach.route, deployment, keys),
        )

    async def _read(
        self, reply: Reply, approach: Approach, question: _Question
    ) -> Answer:
        secret = question.secret
        if secret:
            # An echo of the key must not reach the history under any name.
            body = (
                redact_bytes(reply.body, secret)
                if len(reply.body) <= READ_ELSEWHERE
                else await asyncio.to_thread(redact_bytes, reply.body, secret)
            )
            if body is not reply.body:
                reply = replace(reply, body=body)
        question.body = reply.body
        wait_s = retry_after_s(reply.header("retry-after"), self._now())
        if not reply.ok:
            said = redact(_refusal(reply, approach), secret)
            meant = approach.dialect.refused(reply, approach.deployment, question.kind)
            return question.answered(
                reply,
                retry_after_s=wait_s,
                error=None if meant is None else ProbeError(meant, said),
                body_head=said,
            )
        try:
            prediction = await _content(reply, approach, question)
        except BadResponse as bad:
            message = redact(clean(bad.message, limit=300), secret)
            head = clean(reply.body[:BODY_HEAD].decode("utf-8", errors="replace"))
            return question.answered(
                reply,
                retry_after_s=wait_s,
                error=ProbeError(bad.kind, message),
                body_head=redact(head, secret),
            )
        return question.answered(reply, retry_after_s=wait_s, prediction=prediction)


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


_BODY_ONLY: Final = (BodyTooLarge, UndecodableBody)


async def _content(
    reply: Reply, approach: Approach, question: _Question
) -> Prediction | None:
    dialect, frame = approach.dialect, question.frame
    if frame is None:
        dialect.read_health(reply, approach.deployment)
        return None

    def read() -> Prediction:
        prediction = dialect.read_predict(reply, approach.deployment, frame)
        question.digest = _digest(reply.body)
        return prediction

    if len(reply.body) <= READ_ELSEWHERE:
        return read()
    return await asyncio.to_thread(read)


def _refusal(reply: Reply, approach: Approach) -> str:
    location = reply.header("location")
    if 300 <= reply.status < 400 and location:
        return f"redirects to {show_url(location)}"
    said = error_sentence(reply.body, reply.content_type)
    proxy = approach.route.proxy
    if proxy and not approach.encrypted and reply.status in _BETWEEN:
        return f"(through the proxy {proxy}, which may have said it) {said}".strip()
    return said


_BETWEEN: Final = frozenset({502, 503, 504})
"""What a proxy says on its own behalf; behind https:// it cannot."""


def _digest(body: bytes) -> str:
    # Some 1 GB/s: 32 ms for the largest body there can be, 10 us for a usual one.
    return hashlib.blake2b(body, digest_size=16).hexdigest()


@lru_cache(maxsize=64)
def _detections(drawn: tuple[Drawn, ...]) -> tuple[Detection, ...]:
    return tuple(Detection(shape.label, None, shape.box) for shape in drawn)
