"""JSON pointers (RFC 6901): finding a value in an answer, putting one into a request.

Owns both. Must not know what the values mean. A pointer is empty (the whole) or begins
with a slash; ``~1`` stands for a slash and ``~0`` for a tilde.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from yolotop.probe.failures import UnsendableRequest


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
    return tuple(
        step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/")
    )


def found(value: object, pointer: str) -> object:
    """What ``pointer`` leads to in ``value``, or :data:`MISSING`."""
    for step in steps(pointer):
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and step.isascii() and step.isdigit():
            index = int(step[:9])
            value = value[index] if index < len(value) else MISSING
        else:
            return MISSING
    return value


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
    elif isinstance(where, list) and last.isdigit() and int(last) <= len(where):
        where[int(last) : int(last) + 1] = [new]
    else:
        raise UnsendableRequest(f"nothing can be put at {pointer} of the template")
    return value


def _entered(where: object, step: str, pointer: str) -> object:
    if isinstance(where, dict):
        return where.setdefault(step, {})
    if isinstance(where, list) and step.isdigit() and int(step) <= len(where):
        if int(step) == len(where):
            where.append({})
        return where[int(step)]
    raise UnsendableRequest(f"nothing can be put at {pointer} of the template")
