"""The pump between the source and a screen: pictures, log tail, older pages.

Owns when the source is asked and what was asked last. One loop asks in turn, so that
two answers never cross; a nudge makes it ask at once. It must not know widgets: what
comes back goes to a :class:`Sink`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, Generic, Protocol, TypeVar

from yolotop.errors import YolotopError
from yolotop.store.protocol import LogLine
from yolotop.tui.source import Source
from yolotop.view.log import LogPage, LogQuery, joined
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
        """Lines further back; ``None`` when what was wanted could not be had."""

    def take_newer(self, page: LogPage) -> None:
        """Lines further on."""

    def take_place(self, page: LogPage, seq: int | None, at: float | None) -> None:
        """Lines of elsewhere: for a line, an instant or (neither) from the oldest."""

    def take_no_match(self, *, forward: bool) -> None:
        """There is no match in that direction."""

    def take_trouble(self, error: YolotopError | None) -> None:
        """The source failed, or (``None``) answers again."""


class Feed(Generic[Picture]):
    """The loop. ``range_`` and ``query`` are set by whoever runs it.

    ``ask`` is how a picture is had: of the fleet, or of one deployment. ``watched`` is
    whether anybody sees it: while nobody does, only a nudge makes it ask.
    """

    def __init__(
        self,
        source: Source,
        ask: Callable[[Range], Awaitable[Picture]],
        sink: Sink[Picture],
        *,
        refresh_s: float,
        watched: Callable[[], bool] = lambda: True,
    ) -> None:
        self.range_ = Range.H24
        self.query = LogQuery()
        self._source = source
        self._ask = ask
        self._sink = sink
        self._refresh_s = refresh_s
        self._watched = watched
        self._resting = False
        self._wake = asyncio.Event()
        self._shown: LogQuery | None = None
        self._after = 0
        self._wish: Callable[[LogQuery], Awaitable[None]] | None = None
        self.turns = 0
        """Turns done; a test can wait for the next one."""

    def nudge(self) -> None:
        """Ask at once, not at the next second."""
        self._wake.set()

    def wake(self, *, to_tail: bool) -> None:
        """Somebody looks again; if it rested, ask for what came meanwhile at once.

        ``to_tail`` starts over with the newest page: in an hour come more lines than
        should be carried through a log that follows.
        """
        if not self._resting:
            return
        if to_tail:
            self._shown = self._wish = None
        self.nudge()

    def want_older(self, before: int) -> None:
        """Fetch the page before a sequence number."""
        self._want(lambda query: self._take_older(before, query))

    def want_newer(self, after: int) -> None:
        """Fetch the page after a sequence number."""
        self._want(lambda query: self._take_newer(after, query))

    def want_place(self, at: float | None) -> None:
        """Fetch the page around an instant, or the oldest one."""
        self._want(lambda query: self._take_place(at, query))

    def want_match(self, wanted: LogQuery, seq: int, *, forward: bool) -> None:
        """Look for the next match from a line on, and fetch what is around it."""
        self._want(lambda query: self._take_match(wanted, query, seq, forward=forward))

    def want_tail(self) -> None:
        """Start over with the newest page."""
        self._shown = self._wish = None
        self.nudge()

    def _want(self, wish: Callable[[LogQuery], Awaitable[None]]) -> None:
        self._wish = wish
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
                self._give_up()
            else:
                self._sink.take_trouble(None)
            self.turns += 1
            self._resting = not self._watched()
            if self._resting:
                await self._wake.wait()
                self._resting = False
                continue
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
        if (wish := self._wish) is not None:
            await wish(self.query)
            if self._wish is wish:
                self._wish = None

    async def _start_over(self, query: LogQuery) -> None:
        page = await self._source.log(query, limit=PAGE)
        self._after = page.last
        self._shown, self._wish = query, None
        self._sink.take_page(page)

    async def _take_news(self, query: LogQuery) -> None:
        for _ in range(_ROUNDS):
            page = await self._source.log(query, after=self._after, limit=PAGE)
            if self.query != query:
                return
            self._after = max(self._after, page.last)
            self._sink.take_news(page.lines, page.looked)
            if not page.more_after:
                return

    async def _take_older(self, before: int, query: LogQuery) -> None:
        page = await self._source.log(query, before=before, limit=PAGE)
        if self.query == query:
            self._sink.take_older(page)

    async def _take_newer(self, after: int, query: LogQuery) -> None:
        page = await self._source.log(query, after=after, limit=PAGE)
        if self.query == query:
            self._sink.take_newer(page)

    async def _take_place(self, at: float | None, query: LogQuery) -> None:
        if at is None:
            page = await self._source.log(query, after=0, limit=PAGE)
            page = replace(page, more_before=False)
        else:
            page = await self._source.log(query, at=at, limit=PAGE)
        if self.query == query:
            self._sink.take_place(page, None, at)

    async def _take_match(
        self, wanted: LogQuery, query: LogQuery, seq: int, *, forward: bool
    ) -> None:
        source, wish = self._source, self._wish
        found: tuple[LogLine, ...] = ()
        more = True
        # A look is bounded; another key ends the search.
        while more and not found and self._wish is wish and self.query == query:
            if forward:
                page = await source.log(wanted, after=seq, limit=1)
                seq, more = page.last, page.more_after
            else:
                page = await source.log(wanted, before=seq, limit=1)
                seq, more = page.first, page.more_before
            found = page.lines
        if self._wish is not wish or self.query != query:
            return
        if not found:
            self._sink.take_no_match(forward=forward)
            return
        seq = found[0].seq
        older = await source.log(query, before=seq, limit=PAGE // 2)
        newer = await source.log(query, after=seq - 1, limit=PAGE // 2)
        self._sink.take_place(joined(older, newer), seq, None)

    def _give_up(self) -> None:
        if self._wish is not None:
            self._wish = None
            self._sink.take_older(None)
