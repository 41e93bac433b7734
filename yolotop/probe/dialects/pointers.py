"""JSON pointers, for requests: where one leads nowhere, nothing can be sent.

Owns that turn. Finding and placing stand in ``judge.pointers``.
"""

from __future__ import annotations

from yolotop.judge import pointers
from yolotop.judge.pointers import MISSING, every, found, steps
from yolotop.probe.failures import UnsendableRequest

__all__ = ["MISSING", "every", "found", "placed", "steps"]


def placed(value: object, pointer: str, new: object) -> object:
    """``value`` with ``new`` where ``pointer`` leads; missing objects are made.

    Changes ``value`` in place where it can. Raises UnsendableRequest where the pointer
    leads into something that is neither an object nor a list.
    """
    try:
        return pointers.placed(value, pointer, new)
    except ValueError as error:
        raise UnsendableRequest(str(error)) from None
