"""What a reader keeps of the ``line`` table: its rows, ready to be asked.

Owns when they are read again. It must not know what is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import aiosqlite

from yolotop.model import ProbeKind, Severity
from yolotop.store.codec import HOLE
from yolotop.store.protocol import LineQuery, SharedLine
from yolotop.store.sqlite.connection import fetch

_STATE: Final = "SELECT count(*), max(used_seq), max(id) FROM line"
_LINES: Final = """
SELECT l.id, l.severity, d.name, l.message, l.http_status, l.kind
FROM line l JOIN deployment d ON d.id = l.dep
"""


@dataclass(slots=True)
class LineShelf:
    """Lines by id. A few thousand, and they seldom change."""

    lines: dict[int, tuple[SharedLine, str | None]] = field(default_factory=dict)
    """What many probes share, and the message or its template."""
    _state: tuple[object, ...] = ()

    async def renew(self, connection: aiosqlite.Connection) -> None:
        """Read them again if any came or went.

        A new line has the greatest ``used_seq`` of all, even one that takes the number
        of a line that was swept.
        """
        state = (await fetch(connection, _STATE))[0]
        if state == self._state:
            return
        self.lines = {
            id_: (
                SharedLine(
                    Severity(severity),
                    name,
                    None if message is None else tuple(message.split(HOLE)),
                    status,
                    ProbeKind(kind),
                ),
                message,
            )
            for id_, severity, name, message, status, kind in await fetch(
                connection, _LINES
            )
        }
        self._state = state

    def candidates(
        self, wanted: LineQuery, min_severity: Severity, deployment: str | None
    ) -> dict[int, bool]:
        """The lines that may be wanted; whether all of their probes surely are."""
        found = {}
        for id_, (shared, _) in self.lines.items():
            if shared.severity < min_severity:
                continue
            if deployment is not None and shared.deployment != deployment:
                continue
            holds = wanted.of_shared(shared)
            if holds is not False:
                found[id_] = holds is True
        return found
