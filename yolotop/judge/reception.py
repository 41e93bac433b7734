"""How a server took a question: one word of a closed set, whatever it is.

Owns the way from an error's kind, the phases and the status to that word. Pure. It must
not know dialects: what their servers mean by a status is in the kind already. Nor does
it judge; an answer that is wrong was received all the same.
"""

from __future__ import annotations

from typing import Final

from yolotop.model import Answer, ErrorKind, Phases, Reception

_ALWAYS: Final = {
    ErrorKind.DNS: Reception.REFUSED,
    ErrorKind.CONNECT: Reception.REFUSED,
    ErrorKind.TLS: Reception.REFUSED,
    ErrorKind.BODY_TOO_LARGE: Reception.BAD_BODY,
    ErrorKind.BAD_RESPONSE: Reception.BAD_BODY,
    ErrorKind.UNAUTHORIZED: Reception.UNAUTHORIZED,
    ErrorKind.RATE_LIMITED: Reception.OVERLOADED,
    ErrorKind.COLD_START: Reception.NOT_READY,
    ErrorKind.WRONG_ANSWER: Reception.OK,
    ErrorKind.MODEL_CHANGED: Reception.OK,
    ErrorKind.CLIENT_ERROR: Reception.CLIENT_ERROR,
    ErrorKind.MODEL_NOT_FOUND: Reception.MODEL_NOT_FOUND,
    ErrorKind.OVERLOADED: Reception.OVERLOADED,
    ErrorKind.HANDLER_ERROR: Reception.HANDLER_ERROR,
    ErrorKind.NOT_READY: Reception.NOT_READY,
}


def reception(answer: Answer, kind: ErrorKind | None) -> Reception | None:
    """The word for ``answer``, whose error is of ``kind`` (``None``: it has none).

    ``None`` where nothing reached a server, because of us: no key, no image, given up.
    """
    match kind:
        case None:
            return Reception.OK
        case ErrorKind.CANCELLED | ErrorKind.INTERNAL:
            return None
        case ErrorKind.TIMEOUT:
            return _unanswered(answer.phases)
        case ErrorKind.PROTOCOL:
            # Cut off before its first byte it has said nothing; later, half of it.
            begun = answer.phases.receive is not None
            return Reception.BAD_BODY if begun else _unanswered(answer.phases)
        case ErrorKind.HTTP:
            return _by_status(answer.http_status)
    return _ALWAYS[kind]


def _unanswered(phases: Phases) -> Reception:
    """Whether somebody had taken the connection when the time was up.

    The system does that for a process that hangs, so it says little about it: BentoML
    with a model that does not load takes all and answers nothing.
    """
    after = (phases.tls, phases.send, phases.wait, phases.receive)
    taken = any(part is not None for part in after)
    return Reception.SILENT if taken else Reception.REFUSED


def _by_status(status: int | None) -> Reception:
    """For a status that neither a preset nor the common rules have a meaning for.

    A bare 502 or 503 is a proxy without a server, or one that says no more; it is not
    called overload, since TorchServe says 503 to a bad image. A 504 is a gateway's word
    for a server behind it that stayed silent.
    """
    if status == 504:
        return Reception.SILENT
    if status in (502, 503):
        return Reception.NOT_READY
    if status is not None and status >= 500:
        return Reception.HANDLER_ERROR
    return Reception.CLIENT_ERROR
