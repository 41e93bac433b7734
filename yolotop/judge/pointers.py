"""JSON pointers (RFC 6901): finding a value in an answer, putting one into a request.

Owns both. Must not know what the values mean, or who asked. A
pointer is empty (the whole) or begins with a slash; ``~1`` stands for a slash and
``~0`` for a tilde. One addition: the step ``*`` stands for any member, since servers
name members after what people called their detectors (``/detectors/*/speed``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ANY: Final = "*"
MOST_FOUND: Final = 1_000
"""Values that a pointer with ``*`` in it leads to, at most."""

_BAD_ESCAPE: Final = re.compile(r"~(?![01])")


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""What a pointer finds that leads nowhere; ``None`` is a value that may stand there."""


@lru_cache(maxsize=1024)
def steps(pointer: str) -> tuple[str, ...]:
    """The pointer's steps, unescaped. Raises ValueError for what is no pointer."""
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a pointer begins with a slash: {pointer!r}")
    if _BAD_ESCAPE.search(pointer):
        raise ValueError(f"a tilde in a pointer is written ~0: {pointer!r}")
    return tuple(
        step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")
    )


def found(value: object, pointer: str) -> object:
    """What ``pointer`` leads to in ``value``, or :data:`MISSING`; the first of many."""
    if ANY in pointer:
        return next(iter(every(value, pointer)), MISSING)
    for step in steps(pointer):
        value = _entered(value, step)
        if value is MISSING:
            break
    return value


def every(value: object, pointer: str) -> tuple[object, ...]:
    """All that ``pointer`` leads to, in the order of the answer."""
    values = [value]
    for step in steps(pointer):
        entered: list[object] = []
        for one in values:
            inner = _entered(one, step)
            if inner is not MISSING:
                entered.append(inner)
            elif step == ANY and isinstance(one, dict):
                entered += one.values()
            elif step == ANY and isinstance(one, list):
                entered += one
        values = entered[:MOST_FOUND]
    return tuple(values)


def _entered(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step, MISSING)
    if isinstance(value, list) and step.isascii() and step.isdigit():
        index = int(step[:9])
        return value[index] if index < len(value) else MISSING
    return MISSING


def placed(value: object, pointer: str, new: object) -> object:
    """``value`` with ``new`` where ``pointer`` leads; missing objects are made.

    Changes ``value`` in place where it can. Raises ValueError where the pointer
    leads into something that is neither an object nor a list.
    """
    way = steps(pointer)
    if not way:
        return new
    where = value
    for step in way[:-1]:
        where = _made(where, step, pointer)
    last = way[-1]
    if isinstance(where, dict):
        where[last] = new
    elif isinstance(where, list) and _is_index(last) and int(last) <= len(where):
        where[int(last) : int(last) + 1] = [new]
    else:
        raise ValueError(f"nothing can be put at {pointer} of the template")
    return value


def _made(where: object, step: str, pointer: str) -> object:
    if isinstance(where, dict):
        return where.setdefault(step, {})
    if isinstance(where, list) and _is_index(step) and int(step) <= len(where):
        if int(step) == len(where):
            where.append({})
        return where[int(step)]
    raise ValueError(f"nothing can be put at {pointer} of the template")


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and len(step) < 10
