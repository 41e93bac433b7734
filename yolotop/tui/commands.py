"""The command palette: the table of deeds, and what is there to choose from now.

Owns how commands read. It must not do anything but call the actions that keys call.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from yolotop.model import Health
from yolotop.tui.keys import Deed
from yolotop.tui.screens.dashboard import Dashboard
from yolotop.tui.screens.watching import Watching
from yolotop.tui.widgets.table_order import By
from yolotop.view.snapshot import Range


class Command(NamedTuple):
    """One line of the palette; ``first`` ones are there before anything is typed."""

    text: str
    help: str
    call: str
    first: bool = True


class Deeds(Provider):
    """Everything that can be done on the screen now."""

    def _commands(self) -> Iterator[Command]:
        screen = self.screen
        if not isinstance(screen, Watching):
            return
        yield from self._deeds(screen, log=False)
        for range_ in Range:
            if range_ is not screen.range_:
                call = f"screen.range_to('{range_}')"
                yield Command(f"range: {range_}", f"Look at the last {range_}.", call)
        yield from self._deeds(screen, log=True)
        for theme in sorted(self.app.available_themes):
            if theme != self.app.theme:
                own = theme.startswith(("yolotop", "ansi"))
                call = f"app.set_theme({theme!r})"
                yield Command(f"theme: {theme}", "Change all colours.", call, own)
        for deed in screen.offered():
            if deed.palette and deed.where == "app":
                yield Command(deed.palette, _help(deed), f"app.{deed.call}")
        if isinstance(screen, Dashboard):
            yield from self._views(screen)
            yield from self._sorts(screen)
            yield from self._by_name(screen)

    def _deeds(self, screen: Watching, *, log: bool) -> Iterator[Command]:
        for deed in screen.offered():
            if deed.where == "app":
                continue
            if deed.palette and (deed.group == "Log") is log and screen.can(deed):
                label = screen.palette_label(deed)
                yield Command(label, _help(deed), f"screen.{deed.call}")

    def _views(self, screen: Dashboard) -> Iterator[Command]:
        for view in screen.views:
            if view is not screen.view:
                call = f"screen.view_as('{view}')"
                yield Command(f"view: {view}", "Look at the deployments so.", call)

    def _sorts(self, screen: Dashboard) -> Iterator[Command]:
        sort, told = screen.table.sort, "The table of deployments."
        for by in By:
            if by is not sort.by:
                yield Command(
                    f"sort: by {by}", told, f"screen.sort_by({by.value!r})", False
                )
        if sort.by is not None:
            yield Command("sort: as in the config file", told, "screen.sort_none")

    def _by_name(self, screen: Dashboard) -> Iterator[Command]:
        for card in screen.snapshot.cards:
            name, paused = card.name, card.health is Health.PAUSED
            where = card.region or card.url
            yield Command(f"probe now: {name}", where, _named("probe", name), False)
            yield Command(f"log: only {name}", where, _named("only", name), False)
            if screen.writable:
                word = "resume" if paused else "pause"
                yield Command(f"{word}: {name}", where, _named("pause", name), False)
                maintain = _named("maintain", name)
                yield Command(f"maintenance: {name}…", where, maintain, False)
                remove = _named("remove", name)
                yield Command(f"remove deployment: {name}…", where, remove, False)

    async def _run(self, call: str) -> None:
        await self.screen.run_action(call)

    async def discover(self) -> Hits:
        """What is shown before anything is typed."""
        for command in self._commands():
            if command.first:
                yield DiscoveryHit(
                    Content(command.text),
                    partial(self._run, command.call),
                    text=command.text,
                    help=command.help,
                )

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for command in self._commands():
            score = matcher.match(command.text)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.text),
                    partial(self._run, command.call),
                    text=command.text,
                    help=command.help,
                )


def _help(deed: Deed) -> str:
    """What it does, and the key that does it."""
    return f"{deed.help} ({deed.show})" if deed.show else deed.help


def _named(action: str, name: str) -> str:
    return f"screen.{action}_of({name!r})"
