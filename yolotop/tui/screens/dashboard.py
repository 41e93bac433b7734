"""The dashboard: header, panels, deployments, log, hints.

Owns which picture is shown (the newest, or the one held still) and which deeds make
sense now. Attributes go down to the widgets, messages come up. It must not know the
store: pictures come through its :class:`~yolotop.tui.feed.Feed`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from yolotop.config.schema import UiSettings
from yolotop.errors import YolotopError
from yolotop.model import Health
from yolotop.store.protocol import LogLine
from yolotop.tui.actions import Actions
from yolotop.tui.feed import Feed
from yolotop.tui.ink import Look
from yolotop.tui.keys import DASHBOARD_DEEDS, Deed
from yolotop.tui.messages import (
    DeploymentChosen,
    DeploymentOpened,
    OlderWanted,
)
from yolotop.tui.screens.deployment_deeds import DeploymentDeeds
from yolotop.tui.screens.log_deeds import LogDeeds
from yolotop.tui.source import Source
from yolotop.view.log import LogPage, LogQuery
from yolotop.view.snapshot import CollectorHealth, Range, Snapshot

_ON_A_CARD = frozenset({"only", "probe", "pause", "remove"})
_WHILE_TYPING = frozenset({"clear", "switch"})


class Dashboard(DeploymentDeeds, LogDeeds):
    """The main screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        deed.binding(priority=True) for deed in DASHBOARD_DEEDS
    ]

    def __init__(
        self,
        source: Source,
        actions: Actions,
        *,
        settings: UiSettings,
        look: Look,
        refresh_s: float,
        now: Callable[[], float],
        searched: Sequence[str] = (),
        trouble: Callable[[], str] = lambda: "",
    ) -> None:
        super().__init__(
            actions, settings=settings, look=look, now=now, searched=searched
        )
        self._trouble = trouble
        self.feed = Feed(source, self, refresh_s=refresh_s)

    def on_mount(self) -> None:
        """Hand out what is known and start asking."""
        self.header.range_ = self.range_
        self.empty.searched = self._searched
        self.empty.read_only = not self.writable
        self.log_pane.query_ = self.log_query
        self.feed.range_ = self.range_
        self.feed.query = self.log_query
        self.share_out()
        self.run_worker(self.feed.run(), group="feed")

    def ask_now(self) -> None:
        """Have the source asked at once."""
        self.feed.nudge()

    # -- what comes from the feed --------------------------------------------------

    def take_picture(self, snapshot: Snapshot) -> None:
        """Show it, unless the picture is held still."""
        self._latest = snapshot
        self._seen = True
        if self._frozen_at is None:
            with self.app.batch_update():
                self.snapshot = snapshot
        else:
            self.show_freeze()

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
            self.log_pane.older_failed()
        else:
            self.log_pane.prepend(page)

    def take_trouble(self, error: YolotopError | None) -> None:
        """Say that the picture is an old one, or that all is well again."""
        if error is None:
            self._show_notes()
            return
        parts = (error.title, error.message, error.hint)
        self._say(": ".join(part for part in parts if part), grave=True)

    # -- down to the widgets -------------------------------------------------------

    def watch_snapshot(self, snapshot: Snapshot) -> None:
        """Fan the new picture out."""
        self.share_out()
        self.header.snapshot = snapshot
        self.panels.snapshot = snapshot
        self.deck.snapshot = snapshot
        self.log_pane.now = snapshot.at
        self.log_pane.measured = snapshot.first_at is not None
        self.show_hints()

    def watch_range_(self, range_: Range) -> None:
        """Ask for it at once; a held picture is let go."""
        self.header.range_ = range_
        self.feed.range_ = range_
        if self._frozen_at is not None:
            self.action_freeze()
        self.feed.nudge()

    def watch_log_query(self, query: LogQuery) -> None:
        """Ask for it at once."""
        self.feed.query = query
        self.log_pane.query_ = query
        self.show_hints()
        self.feed.nudge()

    def _show_notes(self) -> None:
        view = self._latest.collector
        absent = view.health is not CollectorHealth.RUNNING and self._seen
        # Why none could be started says more than what the last one had to say.
        trouble = " ".join(self._trouble().split()) if absent else ""
        note = f"nobody is measuring: {trouble}" if trouble else view.note
        if absent and not self._latest.cards and not note:
            absent = False
        if absent and not note:
            note = "nobody is measuring: the figures below are not renewed"
        self._say(note if self._seen else "", grave=absent)

    def _say(self, text: str, *, grave: bool) -> None:
        self.banner.grave = grave
        changed = bool(text) != bool(self.banner.text)
        self.banner.text = text
        if changed:
            self.share_out()

    def show_hints(self) -> None:
        """Offer what makes sense now."""
        card = self.deck.card
        paused = card is not None and card.health is Health.PAUSED
        only = self.log_query.deployment is not None
        labels: dict[str, str | None] = {
            deed.id: None for deed in DASHBOARD_DEEDS if not self.can(deed)
        }
        for deed_id, label, wanted in (
            ("pause", "resume", paused),
            ("only", "whole log", only),
            ("freeze", "go on", self._frozen_at is not None),
        ):
            if wanted:
                labels.setdefault(deed_id, label)
        self.hints.labels = labels

    # -- up from the widgets -------------------------------------------------------

    @on(DeploymentChosen)
    def _chosen(self) -> None:
        self.show_hints()

    @on(DeploymentOpened)
    def _opened(self, event: DeploymentOpened) -> None:
        self.action_only_of(event.name)

    @on(OlderWanted)
    def _older(self, event: OlderWanted) -> None:
        self.feed.want_older(event.before)

    # -- what may be done ----------------------------------------------------------

    def can(self, deed: Deed) -> bool:
        """Whether a deed makes sense now."""
        if deed.writes and not self.writable:
            return False
        if deed.id in _ON_A_CARD or deed.group in ("Log", "Time"):
            return bool(self.snapshot.cards)
        return True

    def palette_label(self, deed: Deed) -> str:
        """How a deed reads in the palette now, with the name it would act on."""
        card = self.deck.card
        if deed.id not in _ON_A_CARD or card is None:
            return deed.palette
        word = "resume" if card.health is Health.PAUSED else "pause"
        return {
            "only": f"log: only {card.name}",
            "probe": f"probe now: {card.name}",
            "pause": f"{word}: {card.name}",
            "remove": f"remove deployment: {card.name}…",
        }[deed.id]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make no sense now do nothing and are not offered."""
        for deed in DASHBOARD_DEEDS:
            if deed.call.partition("(")[0] == action:
                # What is being typed belongs to the filter line.
                typing = self.filter_bar.display and deed.id not in _WHILE_TYPING
                if typing or not self.can(deed):
                    return False
        return super().check_action(action, parameters)
