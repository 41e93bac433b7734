"""The line book: what a log line repeats, told once and then by number.

Owns the ids of the ``line`` table while a writer runs. It must not know how rows are
written; it says which rows are new.

The book cannot grow without bound: of one shape (deployment, question, outcome, …) the
first 32 different messages are kept as they are; after that the numbers in a message
become holes, for up to 256 templates; after that, messages go into the probe's own
row. A line that no kept probe can refer to any more is swept; for that it carries the
sequence number of a recent use (a count, so that no clock can orphan a probe).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from yolotop.store.codec import HOLE, split_numbers

_LITERALS: Final = 32
_TEMPLATES: Final = 256
STAMP_EVERY: Final = 50_000
"""A line in use is stamped anew after so many numbers: its last use is at most so far
after its stamp, and stamping costs nothing."""


class Shape(NamedTuple):
    """All of a line but its message."""

    dep: int
    kind: str
    outcome: str
    severity: int
    cold: bool
    http_status: int | None
    error_kind: str | None


class Line(NamedTuple):
    """A row of the ``line`` table; without ``message`` it is in the probe's row."""

    id: int
    shape: Shape
    message: str | None
    used_seq: int


class Entry(NamedTuple):
    """How one probe's line is written: its id and what goes into the blob."""

    id: int
    inline: str | None = None
    numbers: tuple[int, ...] = ()


class LineBook:
    """Ids by line. ``fresh`` and ``touched`` hold what the next batch must write."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._ids: dict[tuple[Shape, str | None], int] = {}
        self._stamps: dict[int, int] = {}
        self._literals: Counter[Shape] = Counter()
        self._templates: Counter[Shape] = Counter()
        self._next = 1
        self.fresh: list[Line] = []
        self.touched: dict[int, int] = {}
        for line in lines:
            self._keep(line)

    def __len__(self) -> int:
        return len(self._ids)

    def enter(self, shape: Shape, message: str, seq: int) -> Entry:
        """The entry for the line of the probe numbered ``seq``."""
        message = message.replace(HOLE, "␟")
        if (found := self._find(shape, message, seq)) is not None:
            return Entry(found)
        if self._literals[shape] < _LITERALS:
            return Entry(self._new(shape, message, seq))
        template, numbers = split_numbers(message)
        if numbers:
            if (found := self._find(shape, template, seq)) is not None:
                return Entry(found, numbers=numbers)
            if self._templates[shape] < _TEMPLATES:
                return Entry(self._new(shape, template, seq), numbers=numbers)
        found = self._find(shape, None, seq)
        own = self._new(shape, None, seq) if found is None else found
        return Entry(own, inline=message)

    def written(self) -> None:
        """The batch with ``fresh`` and ``touched`` is committed."""
        self.fresh = []
        self.touched = {}

    def _find(self, shape: Shape, message: str | None, seq: int) -> int | None:
        found = self._ids.get((shape, message))
        if found is not None and seq - self._stamps[found] >= STAMP_EVERY:
            self._stamps[found] = self.touched[found] = seq
        return found

    def _new(self, shape: Shape, message: str | None, seq: int) -> int:
        line = Line(self._next, shape, message, seq)
        self._keep(line)
        self.fresh.append(line)
        return line.id

    def _keep(self, line: Line) -> None:
        self._ids[line.shape, line.message] = line.id
        self._stamps[line.id] = line.used_seq
        self._next = max(self._next, line.id + 1)
        if line.message is None:
            return
        kept = self._templates if HOLE in line.message else self._literals
        kept[line.shape] += 1
