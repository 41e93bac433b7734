"""The pump between the source and a screen: pictures, log tail, older pages.

Owns when the source is asked and what was asked last. One loop asks in turn, so that
two answers never cross; a nudge makes it ask at once. It must not know widgets: what
comes back goes to a :class:`Sink`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from yolotop.errors import YolotopError
from yolotop.store.protocol import LogLine
from yolotop.tui.source import Source
from yolotop.view.log import LogPage, LogQuery
from yolotop.view.snapshot import Range

PAGE: Final = 300
"""Log lines fetched at a time: more than any screen shows, less than can be felt."""
_ROUNDS: Final = 4
"""Pages of news taken in one turn; what is more comes with the next."""


Picture = TypeVar("Picture")
Shown = TypeVar("Shown", contravariant=True)


class Sink(Protocol[Shown]):
    """Who is told what came back."""

    def take_picture(self, picture: Shown, /) -> None:
        """A new picture."""

    def take_page(self, page: LogPage) -> None:
        """The newest page of a new query."""

    def take_news(self, lines: Sequence[LogLine], scanned: int) -> None:
        """Lines that came since."""

    def take_older(self, page: LogPage | None) -> None:
        """Lines further back; ``None`` when they could not be had."""

    def take_trouble(self, error: YolotopError | None) -> None:
        """The source failed, or (``None``) answers again."""


class Feed(Generic[Picture]):
    """The loop. ``range_`` and ``query`` are set by whoever runs it.

    ``ask`` is how a picture is had: of the fleet, or of one deployment.
    """

    def __init__(
        self,
        source: Source,
        ask: Callable[[Range], Awaitable[Picture]],
        sink: Sink[Picture],
        *,
        refresh_s: float,
    ) -> None:
        self.range_ = Range.H24
        self.query = LogQuery()
        self._source = source
        self._ask = ask
        self._sink = sink
        self._refresh_s = refresh_s
        self._wake = asyncio.Event()
        self._shown: LogQuery | None = None
        self._after = 0
        self._older: int | None = None
        self.turns = 0
        """Turns done; a test can wait for the next one."""

    def nudge(self) -> None:
        """Ask at once, not at the next second."""
        self._wake.set()

    def want_older(self, before: int) -> None:
        """Fetch the page before a sequence number."""
        self._older = before
        self.nudge()

    async def run(self) -> None:
        """Ask for ever, every ``refresh_s`` from start to start.

        From end to start would make a refresh as much longer as a turn takes, and
        what was committed just after one would show later than promised.
        """
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._wake.clear()
            try:
                await self.turn()
            except YolotopError as error:
                self._sink.take_trouble(error)
                self._give_up_older()
            else:
                self._sink.take_trouble(None)
            self.turns += 1
            # Turns that take long must still leave the screen time to answer keys.
            rest = max(self._refresh_s / 2, self._refresh_s - (loop.time() - began))
            try:
                await asyncio.wait_for(self._wake.wait(), rest)
            except TimeoutError:
                continue

    async def turn(self) -> None:
        """Ask once for everything that is wanted.

        Raises:
            StoreError: as the source does; what came before it was passed on.
        """
        self._sink.take_picture(await self._ask(self.range_))
        if self.query != self._shown:
            await self._start_over(self.query)
        else:
            await self._take_news(self.query)
        if self._older is not None:
            await self._take_older(self._older, self.query)

    async def _start_over(self, query: LogQuery) -> None:
        # The newest line of all, first: a filter that matches nothing must not make
        # every later turn read the history from its beginning.
        newest = await self._source.log(LogQuery(), limit=1)
        page = await self._source.log(query, limit=PAGE)
        seen = [*newest.lines, *page.lines]
        self._after = max((line.seq for line in seen), default=0)
        self._shown, self._older = query, None
        self._sink.take_page(page)

    async def _take_news(self, query: LogQuery) -> None:
        for _ in range(_ROUNDS):
            page = await self._source.log(query, after=self._after, limit=PAGE)
            if self.query != query:
                return
            self._after = max(
                self._after, page.cursor or 0, *(line.seq for line in page.lines)
            )
            self._sink.take_news(page.lines, page.scanned)
            if not page.more:
                return

    async def _take_older(self, before: int, query: LogQuery) -> None:
        page = await self._source.log(query, before=before, limit=PAGE)
        if self.query == query and self._older == before:
            self._older = None
            self._sink.take_older(page)

    def _give_up_older(self) -> None:
        if self._older is not None:
            self._older = None
            self._sink.take_older(None)
