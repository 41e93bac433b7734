"""What every screen that watches shares: a range, a log, a picture held still.

Owns the state behind those and who is asked for pictures. It must not know what is on
the screen: a screen says which header, which log and which prompt are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from textual.css.query import NoMatches
from textual.reactive import Reactive, var
from textual.widget import Widget

from yolotop.config.schema import UiSettings
from yolotop.errors import YolotopError
from yolotop.model import Health, Severity
from yolotop.store.protocol import LogLine
from yolotop.tui.actions import Actions
from yolotop.tui.feed import Feed
from yolotop.tui.frugal import FrugalCompositor
from yolotop.tui.ink import Look
from yolotop.tui.keymap import Keymap
from yolotop.tui.keys import Deed, deeds_in
from yolotop.tui.screens.handing import Handing
from yolotop.tui.source import Source
from yolotop.tui.widgets.banner import Banner
from yolotop.tui.widgets.header_rows import Freeze
from yolotop.tui.widgets.log import LogPane
from yolotop.tui.widgets.prompt import Prompt
from yolotop.view.log import LogPage, LogQuery
from yolotop.view.snapshot import (
    Card,
    CollectorHealth,
    CollectorView,
    Range,
    Snapshot,
)

_WHILE_TYPING = frozenset({"clear", "switch", "back"})


@dataclass(frozen=True, slots=True)
class Means:
    """What a screen works with: where pictures come from, what it may change, the look.

    ``refresh_s`` is how often the source is asked, ``now`` the wall clock, ``searched``
    the places where a config file was looked for. ``trouble`` says why no collector
    could be started, empty while one could; ``starting`` whether one is on its way.
    ``first`` is a glance at the fleet, shown until the source has answered. ``keymap``
    says which keys count. ``demo`` is whether the demo can be opened from here.
    """

    source: Source
    actions: Actions
    settings: UiSettings
    look: Look
    refresh_s: float
    now: Callable[[], float]
    searched: tuple[str, ...] = ()
    trouble: Callable[[], str] = lambda: ""
    starting: Callable[[], bool] = lambda: False
    first: Snapshot | None = None
    keymap: Keymap = field(default_factory=Keymap)
    demo: bool = False


class Watching(Handing):
    """A screen that is renewed from a source, and shows a log."""

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """As Textual's own, which paints the whole screen anew: 70 KB at 200x50 for a tab
    key. Who gets the focus and who gives it up say so themselves."""
    range_: var[Range] = var(Range.H24, init=False)
    log_query: var[LogQuery] = var(LogQuery(min_severity=Severity.INFO), init=False)
    freeze: var[Freeze | None] = var[Freeze | None](None, init=False)
    """Since when the picture has been held still and what it misses."""

    feed: Feed[Any]
    banner: Banner
    log_pane: LogPane
    prompt: Prompt

    def __init__(self, means: Means) -> None:
        super().__init__()
        self._compositor = FrugalCompositor()
        self.means = means
        self.look = means.look
        self._frozen_at: float | None = None
        self._held: list[LogLine] = []
        self.set_reactive(Watching.range_, Range(means.settings.range))

    @property
    def writable(self) -> bool:
        """Whether this terminal may change anything."""
        return not self.means.settings.read_only

    @property
    def frozen(self) -> bool:
        """Whether the picture is held still."""
        return self._frozen_at is not None

    @property
    def in_sight(self) -> bool:
        """Whether nothing lies over it but sheets, beside which it is seen."""
        stack = self.app.screen_stack
        above = stack[stack.index(self) + 1 :] if self in stack else stack
        return all(screen.is_modal for screen in above)

    # -- what a screen says of itself ------------------------------------------------

    @property
    def chosen(self) -> str | None:
        """The deployment that a key acts on now."""
        raise NotImplementedError

    def can(self, deed: Deed) -> bool:
        """Whether a deed makes sense now."""
        return self.writable or not deed.writes

    def card_of(self, name: str) -> Card | None:
        """A deployment as it is now, whatever picture is shown."""
        raise NotImplementedError

    def paused_of(self, name: str) -> bool:
        """Whether a deployment is paused, by the newest picture."""
        card = self.card_of(name)
        return card is not None and card.health is Health.PAUSED

    @property
    def measured_since(self) -> float | None:
        """When the history begins, where that is known."""
        raise NotImplementedError

    def show_newest(self) -> None:
        """Show the newest picture: it is no longer held."""
        raise NotImplementedError

    def show_hints(self) -> None:
        """Renew the footer."""
        raise NotImplementedError

    def focus_home(self) -> None:
        """Give the focus to the main thing on the screen."""
        raise NotImplementedError

    def share_out(self) -> None:
        """Share the screen's size out among its parts."""
        raise NotImplementedError

    # -- what all of them do ---------------------------------------------------------

    def palette_label(self, deed: Deed) -> str:
        """How a deed reads in the palette now."""
        return deed.palette

    async def keep_asking(self) -> None:
        """Ask for as long as the screen is there; what comes while it goes is lost."""
        try:
            await self.feed.run()
        except NoMatches:
            # A screen's widgets are taken down before its workers are.
            if self.display and self.app.is_running:
                raise

    def on_screen_resume(self) -> None:
        """In sight again: states, notes and log as they are now, not as they were."""
        following = self.log_pane.following and not self.frozen
        self.feed.wake(to_tail=following)

    def ask_now(self) -> None:
        """Have the source asked at once."""
        self.feed.nudge()

    def requery(
        self,
        *,
        min_severity: Severity | None = None,
        text: str | None = None,
        deployment: str | None = "",
    ) -> None:
        """Change parts of the log's query; an empty ``deployment`` leaves that part."""
        old = self.log_query
        self.log_query = replace(
            old,
            min_severity=old.min_severity if min_severity is None else min_severity,
            text=old.text if text is None else text,
            deployment=old.deployment if deployment == "" else deployment,
        )

    def show_freeze(self) -> None:
        """For how long the picture has been held, and what it misses."""
        if self._frozen_at is None:
            self.freeze = None
        else:
            seconds = float(int(self.means.now() - self._frozen_at))
            self.freeze = Freeze(seconds, len(self._held))

    def watch_range_(self, range_: Range) -> None:
        """Ask for it at once; a held picture is let go."""
        self.feed.range_ = range_
        if self._frozen_at is not None:
            self.let_go()
            self.notify("The picture goes on: another range is asked for", markup=False)
        self.feed.nudge()

    def watch_log_query(self, query: LogQuery) -> None:
        """Ask for it at once."""
        # Where matches are only marked, every line is wanted.
        marking = self.log_pane.marking
        self.feed.query = replace(query, text="") if marking else query
        self.log_pane.query_ = query
        self.show_hints()
        self.feed.nudge()

    def hold(self) -> None:
        """Hold the picture still."""
        self._frozen_at = self.means.now()
        self.show_freeze()

    def let_go(self) -> None:
        """Go on with the newest picture and all lines that came meanwhile."""
        self._frozen_at = None
        self.show_newest()
        self.log_pane.append(self._held)
        self._held = []
        self.show_freeze()

    def offered(self) -> tuple[Deed, ...]:
        """What works here and in the whole program, on the keys that count.

        What ``read_only`` forbids and how to begin with what is there are not among it.
        """
        here = self.means.keymap.applied((*self.deeds, *deeds_in("app")))
        return tuple(
            deed
            for deed in here
            if (self.writable or not deed.writes)
            and (deed.where != "empty" or self.can(deed))
        )

    # -- the log, from the feed --------------------------------------------------------

    def take_page(self, page: LogPage) -> None:
        """Show the newest page of a new query."""
        self._held.clear()
        self.log_pane.show_page(page)

    def take_news(self, lines: Sequence[LogLine], scanned: int) -> None:
        """Append it, or count it while the picture is held still."""
        if self._frozen_at is None:
            self.log_pane.append(lines, scanned=scanned)
        else:
            self._held += lines
            self.show_freeze()

    def take_older(self, page: LogPage | None) -> None:
        """Put it above."""
        if page is None:
            self.log_pane.lines_failed()
        else:
            self.log_pane.prepend(page)

    def take_newer(self, page: LogPage) -> None:
        """Put it below."""
        self.log_pane.extend(page)

    def take_place(self, page: LogPage, seq: int | None, at: float | None) -> None:
        """Show lines of elsewhere."""
        self.log_pane.show_place(page, seq=seq, at=at)

    def take_no_match(self, *, forward: bool) -> None:
        """Say so."""
        self.log_pane.lines_failed()
        where = "after" if forward else "before"
        self.notify(f"no match {where} this line", timeout=3)

    # -- what must be known ------------------------------------------------------------

    def note(self) -> tuple[str, bool]:
        """What must be known while the source answers, and whether it is grave."""
        raise NotImplementedError

    def note_about(self, collector: CollectorView) -> tuple[str, bool]:
        """What a collector says of itself, or that there is none."""
        # One that is only just being started needs no alarm.
        if collector.health is CollectorHealth.RUNNING or self.means.starting():
            return collector.note, False
        # Why none could be started says more than what the last one had to say.
        trouble = " ".join(self.means.trouble().split())
        why = trouble or collector.note or "the figures below are not renewed"
        return f"nobody is measuring: {why}", True

    def take_trouble(self, error: YolotopError | None) -> None:
        """Say that the picture is an old one, or that all is well again."""
        if error is None:
            text, grave = self.note()
        else:
            parts = (error.title, error.message, error.hint)
            text, grave = ": ".join(part for part in parts if part), True
        self.banner.grave = grave
        changed = bool(text) != bool(self.banner.text)
        self.banner.text = text
        if changed:
            self.share_out()

    # -- keys --------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now do nothing and are not offered."""
        for deed in self.deeds:
            if deed.action == action:
                # What is being typed belongs to the prompt.
                typing = self.prompt.is_open and deed.id not in _WHILE_TYPING
                if typing or not self.can(deed):
                    return False
        return super().check_action(action, parameters)

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What works on this screen, the program's own aside."""
        raise NotImplementedError
