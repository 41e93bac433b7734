"""Where the terminal's pictures come from, as a protocol.

``yolotop.view.session.Session`` is the real one; tests bring hand-made snapshots.
"""

from __future__ import annotations

from typing import Protocol

from yolotop.store.protocol import StoredProbe
from yolotop.view.detail import Detail
from yolotop.view.incidents import Incident
from yolotop.view.log import LogPage, LogQuery
from yolotop.view.snapshot import Range, Snapshot


class Source(Protocol):
    """Pictures and log pages; both may raise :class:`~yolotop.errors.StoreError`."""

    async def refresh(self, range_: Range) -> Snapshot:
        """The picture now, for a range."""

    async def detail(self, name: str, range_: Range) -> Detail | None:
        """One deployment in depth; ``None`` once it is not registered any more."""

    async def incidents(self, range_: Range) -> tuple[Incident, ...]:
        """What went wrong in the fleet over a range, by its beginning."""

    async def log(
        self,
        query: LogQuery,
        *,
        before: int | None = None,
        after: int | None = None,
        at: float | None = None,
        limit: int = 200,
    ) -> LogPage:
        """The newest page, the one before or after a number, or around an instant."""

    async def probe(self, seq: int) -> StoredProbe | None:
        """The probe behind a line; ``None`` once retention took it."""
