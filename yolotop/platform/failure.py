"""How a call to the Platform fails.

Owns the kinds of failures and what a person does about each. It must not know which
call it was.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from yolotop.errors import YolotopError
from yolotop.platform.keys import shown
from yolotop.text import clean


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


def another_key(deployment: str, key: str, bound_id: str = "") -> PlatformError:
    """What a 401 of an endpoint means, where the Platform itself takes ``key``.

    An endpoint takes the one key it was made with, not every key of its workspace, so
    a new key is no cure. ``bound_id`` is the id of that key, of an owner who is told.
    """
    which = f" (its id is {clean(bound_id, limit=64)})" if bound_id else ""
    name = clean(deployment, limit=200)
    return PlatformError(
        FailureKind.UNAUTHORIZED,
        f"{name} refuses the key {shown(key)}: another key is bound to it{which}",
        status=401,
        hint="Its card on the Platform shows how the bound key begins; give that one "
        'as api_key = "env:NAME" of this [[deployment]], or make the endpoint anew '
        "with the key you have",
    )
