"""From an answer to a verdict: is it right, slow, wrong, starting up, or no answer?

Owns the order in which those questions are asked and the sentence a person reads.
Pure: the same answer, deployment and state give the same verdict. It must not know
how the answer was obtained, and it must not change any state (``health`` does).

The sentence of a plain right answer never holds a latency or any other number that
changes with every probe: the store keeps each distinct sentence once.
"""

from __future__ import annotations

import math
import shlex
from http import HTTPStatus
from typing import Final

from yolotop.judge import canary
from yolotop.judge.expected import fault_in
from yolotop.judge.facts import Difference
from yolotop.judge.findings import Finding, Flaw
from yolotop.judge.words import count_detections
from yolotop.model import (
    Answer,
    Deployment,
    ErrorKind,
    Health,
    HealthState,
    Light,
    Outcome,
    Prediction,
    ProbeError,
    ProbeKind,
    Severity,
    Verdict,
)

_SENTENCE: Final = 200
_DRIFT: Final = 0.001
"""By which share two clocks may run apart; one being set slews by half of it."""


def light_of(state: HealthState, kind: ProbeKind) -> Light:
    """The light of one question."""
    return state.predict if kind is ProbeKind.PREDICT else state.liveness


def answered_at(answer: Answer) -> float:
    """When the answer was complete (or had failed), UTC seconds."""
    return answer.started_at + (answer.latency_ms or 0.0) / 1000


def restarted(answer: Answer, state: HealthState) -> bool:
    """Whether the instance was born after the last prediction of this deployment.

    Compares with the time between that prediction's end and this one's start, which
    an instance that answered both has lived through in any case: no false alarms
    from slow answers, nor from several instances of different ages behind one URL
    (so it is never compared with the age that was told last).

    What is left to servers is what they round away, as far as the digits show: a whole
    number may stand for almost a second more, a time to the microsecond for nothing.
    And the two clocks may run apart. With half a second for all, a whole-second server
    was said to restart when it had not, and an exact one's restart within half a second
    of the last answer was missed.
    """
    alive = answer.prediction.alive_s if answer.prediction else None
    if alive is None or state.last_answer_at is None or state.alive_s is None:
        return False
    between = answer.started_at - state.last_answer_at
    return alive + _rounded_s(alive) + _DRIFT * between < between


def _rounded_s(alive: float) -> float:
    """One of the last digit that is told: 1 s of 20.0, 10 ms of 20.25."""
    digits = f"{alive:.6f}".rstrip("0").partition(".")[2]
    return 10.0 ** -len(digits)


def judge(answer: Answer, deployment: Deployment, state: HealthState) -> Verdict:
    """What to think of ``answer``, knowing the deployment's ``state`` before it."""
    transport = answer.error
    if transport is not None and transport.kind not in _BEHIND_STATUS:
        return _failed(transport.kind, transport.message)
    status = answer.http_status
    if status is not None and not 200 <= status < 300:
        return _judge_status(status, answer, deployment, state)
    if transport is not None:
        return _failed(transport.kind, transport.message)
    return _judge_content(answer, deployment, state)


# Kinds a prober may give to an answer that did arrive: its status says more.
_BEHIND_STATUS: Final = frozenset(
    {
        ErrorKind.HTTP,
        ErrorKind.BAD_RESPONSE,
        ErrorKind.UNAUTHORIZED,
        ErrorKind.RATE_LIMITED,
        ErrorKind.COLD_START,
        ErrorKind.CLIENT_ERROR,
        ErrorKind.MODEL_NOT_FOUND,
        ErrorKind.OVERLOADED,
        ErrorKind.HANDLER_ERROR,
        ErrorKind.NOT_READY,
    }
)


def _failed(kind: ErrorKind, message: str) -> Verdict:
    return Verdict(
        Outcome.FAILED, Severity.ERROR, message, error=ProbeError(kind, message)
    )


# --- by status ---------------------------------------------------------------------


def _judge_status(
    status: int, answer: Answer, deployment: Deployment, state: HealthState
) -> Verdict:
    said = _shorten(answer.body_head)
    meant = ErrorKind.HTTP if answer.error is None else answer.error.kind
    if status in (401, 403) or meant is ErrorKind.UNAUTHORIZED:
        if deployment.api_key is None:
            message = f"a key is wanted and none is configured ({status})"
        elif deployment.platform is not None:
            # An endpoint of the Platform takes the one key it was made with, so that
            # a new key of the same workspace is no cure.
            message = f"another key is bound to this endpoint ({status})"
        else:
            message = f"the key was refused ({status})"
        return _failed(ErrorKind.UNAUTHORIZED, _join(message, said))
    later = _retry_after(answer)
    if status in (429, 503) and _may_be_starting(answer, deployment, state):
        message = _join(f"starting up ({status}){later}", said)
        return Verdict(
            Outcome.COLD,
            Severity.INFO,
            message,
            error=ProbeError(ErrorKind.COLD_START, message),
            cold=True,
        )
    if status == 429:
        return _failed(
            ErrorKind.RATE_LIMITED, _join(f"too many requests (429){later}", said)
        )
    if 300 <= status < 400:
        said = said or "redirects are not followed"
    words = _MEANT.get(meant)
    words = _status_words(status) if words is None else f"{words} ({status})"
    return _failed(meant, _join(f"{words}{later}", said))


_MEANT: Final = {
    ErrorKind.NOT_READY: "not ready",
    ErrorKind.OVERLOADED: "overloaded",
    ErrorKind.MODEL_NOT_FOUND: "the server does not know this model",
}
"""Where a server's words for it need a translation; else its status speaks."""


def _may_be_starting(
    answer: Answer, deployment: Deployment, state: HealthState
) -> bool:
    if not deployment.scale_to_zero:
        return False
    since = light_of(state, answer.kind).cold_since
    return since is None or answered_at(answer) - since <= deployment.cold_start_s


def _status_words(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _retry_after(answer: Answer) -> str:
    wish = answer.retry_after_s
    if wish is None or not math.isfinite(wish) or wish <= 0:
        return ""
    return f", asks to retry after {math.ceil(wish)} s"


def _join(message: str, said: str) -> str:
    return f"{message}: {said}" if said else message


def _shorten(said: str) -> str:
    """The server's own words, as the probe found them in the body."""
    text = " ".join(said.split())
    return text if len(text) <= _SENTENCE else text[: _SENTENCE - 1] + "…"


# --- by content --------------------------------------------------------------------


def _judge_content(
    answer: Answer, deployment: Deployment, state: HealthState
) -> Verdict:
    if answer.http_status is None:
        return _failed(ErrorKind.INTERNAL, "the probe ended without an answer")
    if answer.kind is ProbeKind.HEALTH:
        return _judge_speed(answer, deployment, "healthy", cold=False)
    if answer.prediction is None:
        return _failed(ErrorKind.BAD_RESPONSE, "the answer holds no prediction")
    untrue = _judge_truth(answer, answer.prediction, deployment, state)
    if untrue is not None:
        return untrue
    message = count_detections(len(answer.prediction.detections))
    if deployment.golden is not None:
        message += ", as pinned"
    return _judge_speed(answer, deployment, message, cold=_is_cold(answer, state))


def _judge_truth(
    answer: Answer, prediction: Prediction, deployment: Deployment, state: HealthState
) -> Verdict | None:
    """What is wrong with what was seen, or ``None``.

    A stuck answer first: whatever it holds, it is of another image. Then the baseline;
    where another model answers than the one that was pinned, only an empty answer is
    held against it, since any model should see something there. What a person wrote
    down by hand holds for every model.
    """
    stranger = _other_image(answer, deployment)
    if stranger is not None:
        return _failed(ErrorKind.INTERNAL, stranger)
    if is_stuck(answer, state):
        return _wrong(STUCK, state)
    golden = deployment.golden
    changes: tuple[Difference, ...] = ()
    if golden is not None:
        changes = canary.model_changes(prediction, golden)
        found = canary.compare(
            prediction, golden, deployment.tolerance, conf=deployment.conf
        )
        blind = bool(found) and found[0].flaw is Flaw.EMPTY
        if found and (blind or not changes):
            return _wrong(_told(found), state, at_once=blind)
    fault = fault_in(prediction.detections, answer.drawn, deployment)
    if fault is not None:
        return _wrong(f"wrong answer: {fault}", state)
    return _changed(changes, deployment) if changes else None


def _wrong(message: str, state: HealthState, *, at_once: bool = False) -> Verdict:
    again = at_once or state.predict.recent[-1:] == (Outcome.WRONG,)
    return Verdict(
        Outcome.WRONG,
        Severity.ERROR if again else Severity.WARNING,
        message,
        error=ProbeError(ErrorKind.WRONG_ANSWER, message),
    )


def _told(found: tuple[Finding, ...]) -> str:
    more = len(found) - 1
    things = f" (and {more} more)" if more else ""
    return f"wrong answer: {found[0].message}{things}"


def _changed(changes: tuple[Difference, ...], deployment: Deployment) -> Verdict:
    """Another model answers: right or not is what a new baseline has to say."""
    what = str(changes[0]).replace(" replaced: ", " ").replace(" changed: ", " ")
    name, image = shlex.quote(deployment.name), shlex.quote(deployment.image)
    message = (
        f"changed: {what}; pin a new baseline with `yolotop golden set {name} {image}`"
    )
    error = ProbeError(ErrorKind.MODEL_CHANGED, message)
    return Verdict(Outcome.CHANGED, Severity.WARNING, message, error=error)


STUCK: Final = "stuck: the same answer, byte for byte, to different images"


def is_stuck(answer: Answer, state: HealthState) -> bool:
    """Whether another image just got this very answer, with something seen in it.

    Two images in which nothing is seen rightly get the same one; so may two of which a
    classifier is quite sure. What holds a place or a share in it cannot be the same.
    """
    found = answer.prediction
    return (
        found is not None
        and answer.body_digest is not None
        and answer.body_digest == state.answer_digest
        and answer.frame_sha256 is not None
        and state.answer_frame is not None
        and answer.frame_sha256 != state.answer_frame
        and any(
            each.box is not None
            or each.share is not None
            or (each.confidence is not None and 0.0 < each.confidence < 1.0)
            for each in found.detections
        )
    )


def _other_image(answer: Answer, deployment: Deployment) -> str | None:
    """Why the answer cannot be compared: another image, or nothing that was pinned."""
    golden, sent = deployment.golden, answer.frame_sha256
    if golden is not None and golden.fault:
        name = shlex.quote(deployment.name)
        return f"{golden.fault}; pin it anew with `yolotop golden set {name} IMAGE`"
    if golden is None or sent is None or sent == golden.image_sha256:
        return None
    return (
        "the image is not the one that was pinned: its file has changed since; pin it "
        f"with `yolotop golden set {shlex.quote(deployment.name)} IMAGE`"
    )


def _is_cold(answer: Answer, state: HealthState) -> bool:
    if state.health is Health.COLD or state.predict.recent[-1:] == (Outcome.COLD,):
        return True
    alive = answer.prediction.alive_s if answer.prediction else None
    born_for_this = (
        alive is not None
        and answer.latency_ms is not None
        and alive * 1000 < answer.latency_ms
    )
    return born_for_this or restarted(answer, state)


def _judge_speed(
    answer: Answer, deployment: Deployment, message: str, *, cold: bool
) -> Verdict:
    is_predict = answer.kind is ProbeKind.PREDICT
    limit, took = deployment.slow_ms, answer.latency_ms
    # A cold start is slow by nature; it is tagged instead of being held against it.
    if is_predict and not cold and limit is not None and took is not None:  # noqa: SIM102
        if took > limit:
            said = f"{took:.0f} ms, slower than {limit:g} ms"
            return Verdict(Outcome.SLOW, Severity.WARNING, said)
    severity = Severity.INFO if is_predict else Severity.DEBUG
    if cold:
        message += ", cold start"
    return Verdict(Outcome.OK, severity, message, cold=cold)
