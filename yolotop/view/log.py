"""Pages of the log: what is asked for, what comes back, and how far one look goes.

Owns paging with a text filter over a store that filters by severity and deployment
only. It must not know SQL or screens.

One call looks at no more than :data:`SCAN_LINES` lines, so that a filter that matches
nothing in ten million lines still answers at once; the page says how far it came and
its ``cursor`` is where to go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from yolotop.model import Severity
from yolotop.store.protocol import LogLine, Reader
from yolotop.view.filter import Filter, parse

SCAN_LINES: Final = 20_000
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines: of ``min_severity`` and above, by text, of one deployment."""

    min_severity: Severity = Severity.DEBUG
    text: str = ""
    deployment: str | None = None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines, oldest first, and how they were found.

    ``more`` tells whether lines that were not looked at remain further on in the
    direction asked for; ``cursor`` is then the ``before`` (or ``after``) to go on
    with, even where no line matched. ``scanned`` counts the lines looked at, after
    severity and deployment; ``matched`` those that passed the text filter.
    """

    lines: tuple[LogLine, ...] = ()
    more: bool = False
    matched: int = 0
    scanned: int = 0
    cursor: int | None = None


async def page(
    reader: Reader,
    query: LogQuery,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 200,
) -> LogPage:
    """One page: the newest matches before ``before`` (or of all), or with ``after``

    the oldest matches after it. Raises ValueError when both are given.
    """
    if before is not None and after is not None:
        raise ValueError("a page is either before or after a line")
    wanted = parse(query.text)
    found: list[LogLine] = []
    cursor = before if after is None else after
    scanned, more = 0, True
    # Without a filter every line counts, and one more tells whether there are more.
    chunk = min(_CHUNK, SCAN_LINES) if wanted else limit + 1
    while more and len(found) < limit and scanned < SCAN_LINES:
        lines = await reader.log(
            min_severity=query.min_severity,
            deployment=query.deployment,
            before=cursor if after is None else None,
            after=cursor if after is not None else None,
            limit=chunk,
        )
        more = len(lines) == chunk
        for line in lines if after is not None else reversed(lines):
            if len(found) == limit:
                more = True
                break
            scanned += 1
            cursor = line.seq
            if wanted.matches(line):
                found.append(line)
    if after is None:
        found.reverse()
    return LogPage(tuple(found), more, len(found), scanned, cursor)


def matches(query: LogQuery, line: LogLine, *, text: Filter | None = None) -> bool:
    """Whether one line belongs to the query; ``text`` is its filter, if parsed."""
    if line.severity < query.min_severity:
        return False
    if query.deployment is not None and line.deployment != query.deployment:
        return False
    return (parse(query.text) if text is None else text).matches(line)
