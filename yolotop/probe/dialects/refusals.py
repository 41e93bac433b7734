"""What an answer that is not 2xx means, across servers.

Owns the general rules, which hold where a preset has none of its own. Must not know
verdicts. The rules come from real servers: a 503 is a bad image on TorchServe, a dead
worker on another day, and back-pressure on Ray; a 400 is "not ready" on Triton and a
missing key on TorchServe. So the body decides wherever it says anything.
"""

from __future__ import annotations

from typing import Final

from yolotop.model import Deployment, ErrorKind, ProbeKind
from yolotop.model.preset import Refusal
from yolotop.probe.messages import Reply

LOOKED_AT: Final = 16 * 1024
"""Bytes of a refusal that are searched: MLServer sends 913,736 with a traceback."""

_COMMON: Final = (
    Refusal("unauthorized", 401),
    Refusal("unauthorized", 403),
    Refusal("unauthorized", 400, ("InvalidKeyException",)),
    Refusal("handler_error", 503, ("InternalServerException",)),
    Refusal("not_ready", 503, ("no worker to serve",)),
    Refusal("overloaded", 503, ("backpressure",)),
    Refusal("overloaded", 503, ("too many requests",)),
    Refusal("overloaded", 503, ("queue", "full")),
    Refusal("overloaded", 503, ("overloaded",)),
    Refusal("overloaded", 504, ("timed out",)),
    Refusal("overloaded", 504, ("not able to process",)),
    Refusal("model_not_found", 404, ("model", "not found")),
    Refusal("model_not_found", 404, ("model", "not exist")),
    Refusal("model_not_found", 404, ("modelnotfound",)),
    Refusal("not_ready", 400, ("model version not ready",)),
    Refusal("rate_limited", 429),
    *(
        Refusal("client_error", status)
        for status in (400, 404, 405, 406, 411, 413, 414, 415, 422, 431)
    ),
    Refusal("handler_error", 500),
)


def meaning(reply: Reply, deployment: Deployment, kind: ProbeKind) -> ErrorKind | None:
    """The preset's own rules, then the common ones; ``None``: the status alone."""
    preset = deployment.preset
    if (
        kind is ProbeKind.HEALTH
        and preset.liveness is not None
        and reply.status in preset.liveness.not_ready
    ):
        return ErrorKind.NOT_READY
    body = reply.body[:LOOKED_AT].decode("utf-8", errors="replace").casefold()
    for rule in (*preset.refusals, *_COMMON):
        if fits(rule, reply.status, body):
            return ErrorKind(rule.kind)
    return None


def fits(rule: Refusal, status: int, body: str) -> bool:
    """Whether ``rule`` speaks of such an answer; ``body`` is casefolded."""
    if rule.status not in (None, status):
        return False
    return all(words.casefold() in body for words in rule.says)
