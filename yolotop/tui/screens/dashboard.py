"""The dashboard: header, panels, deployments, log, hints.

Owns which picture is shown (the newest, or the one held still) and which deeds make
sense now. Attributes go down to the widgets, messages come up. It must not know the
store: pictures come through its :class:`~yolotop.tui.feed.Feed`.
"""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import BindingType

from yolotop.tui.bindings import bindings_in
from yolotop.tui.ending import SEE_DEMO
from yolotop.tui.feed import Feed
from yolotop.tui.keys import Deed, deeds_in
from yolotop.tui.layout import View
from yolotop.tui.messages import (
    DeploymentChosen,
    DeploymentOpened,
    OlderWanted,
)
from yolotop.tui.screens.deployment_deeds import DeploymentDeeds
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.screens.fleet_deeds import FleetDeeds
from yolotop.tui.screens.incident_deeds import IncidentDeeds
from yolotop.tui.screens.log_deeds import LogDeeds
from yolotop.tui.screens.time_deeds import TimeDeeds
from yolotop.tui.screens.watching import Means
from yolotop.tui.widgets.header_rows import Freeze
from yolotop.view.snapshot import Range, Snapshot

_WHERE = ("dashboard", "deployment", "time", "log")
_ON_A_CARD = frozenset({"open", "only", "probe", "pause", "maintain", "remove"})


class Dashboard(DeploymentDeeds, FleetDeeds, IncidentDeeds, LogDeeds, TimeDeeds):
    """The main screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_in(*_WHERE, "empty")

    def __init__(self, means: Means) -> None:
        super().__init__(means)
        self.feed = Feed(
            means.source,
            means.source.refresh,
            self,
            refresh_s=means.refresh_s,
            watched=lambda: self.in_sight,
        )

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """What works here."""
        return deeds_in(*_WHERE, "list", "lines", "empty")

    def on_mount(self) -> None:
        """Hand out what is known and start asking."""
        self.header.range_ = self.range_
        self.header.read_only = not self.writable
        self.empty.searched = self.means.searched
        self.log_pane.query_ = self.log_query
        self.feed.range_ = self.range_
        self.feed.query = self.log_query
        if self.means.first is not None:
            self.take_picture(self.means.first)
        self.share_out()
        self.run_worker(self.keep_asking(), group="feed")

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

    # -- down to the widgets -------------------------------------------------------

    def watch_snapshot(self, snapshot: Snapshot) -> None:
        """Fan the new picture out."""
        self.header.snapshot = snapshot
        self.panels.snapshot = snapshot
        self.show_fleet()
        self.log_pane.cards = snapshot.cards
        self.log_pane.now = snapshot.at
        self.log_pane.measured = snapshot.first_at is not None
        self.show_hints()

    def watch_range_(self, range_: Range) -> None:
        """Mark it, and ask for it."""
        self.header.range_ = range_
        super().watch_range_(range_)

    def watch_freeze(self, freeze: Freeze | None) -> None:
        """Say that the picture is held."""
        self.header.freeze = freeze

    @property
    def measured_since(self) -> float | None:
        """When the fleet's history begins."""
        return self._latest.first_at

    def show_newest(self) -> None:
        """The picture is no longer held."""
        self.snapshot = self._latest

    def note(self) -> tuple[str, bool]:
        """What must be known of the collector, and whether it is grave."""
        if not self._seen:
            return "", False
        text, grave = self.note_about(self._latest.collector)
        # Where nothing is registered there is nothing that nobody measures.
        idle = not (self._latest.cards or self._latest.collector.note)
        return ("", False) if idle and not self.means.trouble() else (text, grave)

    def show_hints(self) -> None:
        """Offer what makes sense now."""
        name = self.chosen
        only = self.log_query.deployment is not None
        in_log = self.log_pane.has_focus
        labels: dict[str, str | None] = {
            deed.id: None for deed in self.deeds if not self.can(deed)
        }
        labels["open" if in_log else "line"] = None
        for deed_id, label, wanted in (
            ("pause", "resume", name is not None and self.paused_of(name)),
            ("only", "whole log", only),
            ("freeze", "go on", self.frozen),
        ):
            if wanted:
                labels.setdefault(deed_id, label)
        self.hints.deeds = self.offered()
        if not self.snapshot.cards:
            self.empty.ways = self._ways()
        self.hints.labels = labels

    def _ways(self) -> tuple[Deed, ...]:
        """How to begin, three at most."""
        wanted = ("add", "begin", "demo", "help", "quit")
        by_id = {deed.id: deed for deed in self.offered()}
        return tuple(by_id[each] for each in wanted if each in by_id)[:3]

    # -- up from the widgets -------------------------------------------------------

    @on(DeploymentChosen)
    def _chosen(self) -> None:
        self.show_hints()

    @on(DeploymentOpened)
    def _opened(self, event: DeploymentOpened) -> None:
        self.action_open_of(event.name)

    @on(OlderWanted)
    def _older(self, event: OlderWanted) -> None:
        self.feed.want_older(event.before)

    # -- what may be done ----------------------------------------------------------

    def can(self, deed: Deed) -> bool:
        """Whether a deed makes sense now."""
        if not super().can(deed):
            return False
        if deed.where == "empty":
            return self._can_begin(deed)
        if deed.id in _ON_A_CARD or deed.where in ("log", "time", "list", "lines"):
            return bool(self.snapshot.cards)
        if deed.id in ("find", "view"):
            return bool(self.snapshot.cards)
        if deed.id in ("sort", "reverse"):
            sorting = self.table.sort.by is not None or deed.id == "sort"
            return self.view is View.TABLE and sorting
        return True

    def action_clear_filters(self) -> None:
        """Show all deployments again, or the whole log, by where one is."""
        if not self.clear_find():
            super().action_clear_filters()

    def _can_begin(self, deed: Deed) -> bool:
        if self.snapshot.cards or not self._seen:
            return False
        # Where one was found, only that one is named.
        return self.means.demo if deed.id == "demo" else len(self.means.searched) > 1

    def action_see_demo(self) -> None:
        """Leave, for the demo."""
        self.app.exit(SEE_DEMO)

    def palette_label(self, deed: Deed) -> str:
        """How a deed reads in the palette now, with the name it would act on."""
        name = self.chosen
        if deed.id not in _ON_A_CARD or name is None:
            return deed.palette
        word = "resume" if self.paused_of(name) else "pause"
        return {
            "open": f"open: {name}",
            "only": f"log: only {name}",
            "probe": f"probe now: {name}",
            "pause": f"{word}: {name}",
            "maintain": f"maintenance: {name}…",
            "remove": f"remove deployment: {name}…",
        }[deed.id]

    def action_open(self) -> None:
        """Everything about the selected deployment."""
        if (name := self.chosen) is not None:
            self.action_open_of(name)

    def action_open_of(self, name: str) -> None:
        """Everything about a deployment."""
        self.app.push_screen(DetailScreen(self.means, name, self.range_))
