"""Whether a 2xx is a success, as a preset's conditions say.

Owns holding conditions against an answer, and the server's own words in the sentence
for one that is broken. Must not know any server, or where detections are.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from yolotop.judge import conditions
from yolotop.judge.conditions import Condition, Evidence
from yolotop.judge.pointers import MISSING
from yolotop.model import Deployment, ErrorKind
from yolotop.model.preset import Preset
from yolotop.probe.dialects.decoding import decode
from yolotop.probe.dialects.protocol import BadResponse
from yolotop.probe.dialects.refusals import LOOKED_AT, fits
from yolotop.probe.messages import Reply
from yolotop.probe.refusal import error_sentence, said

_TEXT: Final = 1024 * 1024
"""Bytes of a body that conditions on its text look at."""


def check_alive(reply: Reply, deployment: Deployment) -> None:
    """Raise BadResponse, *not ready*, for a liveness answer that breaks a condition."""
    liveness = deployment.preset.liveness
    if liveness is None or not liveness.holds:
        return
    try:
        value = decode(reply.body)
    except BadResponse:
        value = MISSING
    broken = first_broken(liveness.holds, reply, value)
    if broken is not None:
        raise BadResponse(broken, ErrorKind.NOT_READY)


def check_success(reply: Reply, preset: Preset, value: object) -> None:
    """Raise BadResponse for a prediction that breaks one of the preset's conditions.

    ``value`` is the decoded body, or ``MISSING`` for one that is not JSON: then only
    conditions on its text are looked at, which may have the better sentence. The kind
    is what the preset's own rules say of such words, whatever status came with them.
    """
    holds = preset.reading.holds
    if value is MISSING:
        holds = tuple(text for text in holds if not text.startswith("/"))
    if not holds:
        return
    broken = first_broken(holds, reply, value)
    if broken is None:
        return
    words = said(value) if isinstance(value, dict) else error_sentence(reply.body)
    sentence = broken if not words or words in broken else f"{broken}: {words}"
    body = reply.body[:LOOKED_AT].decode("utf-8", errors="replace").casefold()
    for rule in preset.refusals:
        if rule.says and fits(rule, reply.status, body):
            raise BadResponse(sentence, ErrorKind(rule.kind))
    raise BadResponse(sentence)


def first_broken(holds: tuple[str, ...], reply: Reply, value: object) -> str | None:
    """The sentence of the first condition that does not hold; ``None`` if all do."""
    wanted = parsed(holds)
    text, headers = "", {}
    if any(one.subject == "text" for one in wanted):
        text = reply.body[:_TEXT].decode("utf-8", errors="replace")
    if any(one.subject.startswith("header:") for one in wanted):
        headers = {
            name.decode("latin-1"): content.decode("latin-1")
            for name, content in reversed(reply.headers)
        }
    evidence = Evidence(value, text, headers)
    told = (one.broken(evidence) for one in wanted)
    return next((sentence for sentence in told if sentence is not None), None)


@lru_cache(maxsize=256)
def parsed(holds: tuple[str, ...]) -> tuple[Condition, ...]:
    """Conditions of a preset; those that are none were refused with the file."""
    return tuple(conditions.parse(text) for text in holds)
