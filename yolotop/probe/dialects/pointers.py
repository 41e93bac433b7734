"""Putting a value where a JSON pointer leads, into a request.

Owns that. Finding values is the judge's too, and stands in ``judge.pointers``. Must not
know what the values mean.
"""

from __future__ import annotations

from yolotop.judge.pointers import MISSING, every, found, steps
from yolotop.probe.failures import UnsendableRequest

__all__ = ["MISSING", "every", "found", "placed", "steps"]


def placed(value: object, pointer: str, new: object) -> object:
    """``value`` with ``new`` where ``pointer`` leads; missing objects are made.

    Changes ``value`` in place where it can. Raises UnsendableRequest where the pointer
    leads into something that is neither an object nor a list.
    """
    way = steps(pointer)
    if not way:
        return new
    where = value
    for step in way[:-1]:
        where = _entered(where, step, pointer)
    last = way[-1]
    if isinstance(where, dict):
        where[last] = new
    elif isinstance(where, list) and _is_index(last) and int(last) <= len(where):
        where[int(last) : int(last) + 1] = [new]
    else:
        raise UnsendableRequest(f"nothing can be put at {pointer} of the template")
    return value


def _entered(where: object, step: str, pointer: str) -> object:
    if isinstance(where, dict):
        return where.setdefault(step, {})
    if isinstance(where, list) and _is_index(step) and int(step) <= len(where):
        if int(step) == len(where):
            where.append({})
        return where[int(step)]
    raise UnsendableRequest(f"nothing can be put at {pointer} of the template")


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) < 10
