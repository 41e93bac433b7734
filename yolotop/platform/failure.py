"""How a call to the Platform fails.

Owns the kinds of failures and what a person does about each. It must not know which
call it was.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from yolotop.errors import YolotopError


class FailureKind(StrEnum):
    """What went wrong, for whoever decides what happens next."""

    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    STATE = "state"
    """The deployment is not in a state in which that can be done (400, 409)."""
    BAD_REQUEST = "bad_request"
    UNAVAILABLE = "unavailable"
    """The Platform, or what stands behind this route, is down (5xx)."""
    BAD_ANSWER = "bad_answer"
    """A success that is not what the contract says."""


_CURES: Final = {
    FailureKind.UNREACHABLE: "Check the network, and base_url if you set one",
    FailureKind.UNAUTHORIZED: "Make a new key in the Platform's settings; it begins "
    "with ul_",
    FailureKind.FORBIDDEN: "A key reaches the workspace that made it and no other; "
    "check the owner and the plan",
    FailureKind.NOT_FOUND: "It may have been renamed or deleted; list what there is",
    FailureKind.RATE_LIMITED: "It is asked again when the Platform allows it",
    FailureKind.UNAVAILABLE: "It is asked again by itself",
}


class PlatformError(YolotopError):
    """A call that did not give what it should.

    ``status`` is the Platform's own, ``None`` where there was no answer;
    ``retry_after_s`` how long it asked us to wait; ``request_id`` is for its support.
    Messages are clean, and hold no key.
    """

    title = "Ultralytics Platform did not answer that"

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        request_id: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint or _CURES.get(kind, ""))
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s
        self.request_id = request_id
