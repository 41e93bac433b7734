"""The collector: rounds, journal, desk and roster under one roof.

Owns the order of starting and stopping, following the config file, and the sign of
life that readers look at. It must not know who looks, and the parts must not know it.

Stopping loses nothing that was judged: probes in flight are ended and forgotten (an
answer that we cut off is no failure of the server's), everything queued is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from yolotop import __version__
from yolotop.collect.asking import Asker
from yolotop.collect.clock import Clock, SystemClock, sleep, wait
from yolotop.collect.desk import Desk
from yolotop.collect.journal import Journal
from yolotop.collect.meters import Meters, Pages
from yolotop.collect.platform import Connect, PlatformSource
from yolotop.collect.roster import Change, ConfigSource, compare
from yolotop.collect.rounds import Rounds
from yolotop.collect.supervise import Supervisor
from yolotop.collect.turns import Turns
from yolotop.config.advice import ASLEEP_AFTER_S, keeps_awake
from yolotop.config.schema import Config
from yolotop.errors import StoreError, YolotopError
from yolotop.judge.health import after_gap
from yolotop.judge.words import span
from yolotop.model import Deployment, Event, EventKind, HealthState, Severity
from yolotop.store.protocol import CollectorStatus, Writer
from yolotop.text import clean

BEAT_S: Final = 1.5
"""Between signs of life; a reader calls a collector stale after some missing ones."""
CONFIG_POLL_S: Final = 1.0
SWEEP_S: Final = 20.0
SWEEP_AGAIN_S: Final = 1.0
"""While a sweep still finds something: small chunks, so that no probe waits long."""
GAP_S: Final = 300.0
"""A longer time without an answer before the start is told. Who counts what was
measured finds it in the probes: none was stored, and the events tell when a collector
started and stopped."""
DRAIN_S: Final = 10.0
"""What a refusing store is given at the end before its rows are given up."""

_log = logging.getLogger("yolotop.collect")


class Collector:
    """One collector over one writer. Run it once.

    ``owner_alive`` is asked at every beat: when it says no, the collector stops.
    ``pages`` fetches metrics (``None``: none are read), ``connect`` makes a client of
    Ultralytics Platform (``None``: it is not asked). ``loss`` tells readers, as of a
    time, of a history that is lost.
    """

    def __init__(
        self,
        source: ConfigSource,
        config: Config,
        writer: Writer,
        asker: Asker,
        *,
        pages: Pages | None = None,
        connect: Connect | None = None,
        clock: Clock | None = None,
        owner_alive: Callable[[], bool] = lambda: True,
        loss: Callable[[float], str] = lambda _: "",
    ) -> None:
        self._source = source
        self._config = config
        self._writer = writer
        self._asker = asker
        self._clock = clock or SystemClock()
        self._owner_alive = owner_alive
        self._loss = loss
        self._turns = Turns()
        self._journal = Journal(writer, self._clock, self._turns)
        self._pages = pages
        self._supervisor = Supervisor(self._clock, self._journal.add)
        self._stopping = asyncio.Event()
        self._reload_asked = False
        self._look_at_config = asyncio.Event()
        self._deployments: dict[str, Deployment] = {}
        self._config_note = ""
        self._beat_note = ""
        self._unregistered = True
        self._started_at = self._clock.now()
        self._renamed: dict[str, str] = {}
        self._rounds = self._new_rounds({})
        self._platform = PlatformSource(
            connect,
            self._journal,
            self._clock,
            rules=lambda: self._rounds,
            changed=self._follow_platform,
            stamp=lambda: self._supervisor.stamp("platform"),
        )

    @property
    def rounds(self) -> Rounds:
        """Who is asked, and how they are."""
        return self._rounds

    @property
    def journal(self) -> Journal:
        """What waits to be written."""
        return self._journal

    def stop(self) -> None:
        """Stop soon; :meth:`run` returns when all is written."""
        self._stopping.set()

    def reload(self) -> None:
        """Read the config file again soon, changed or not."""
        self._reload_asked = True
        self._look_at_config.set()

    def status(self) -> CollectorStatus:
        """What readers are told."""
        notes = (
            self._journal.note,
            self._config_note,
            self._platform.note,
            self._beat_note,
            self._supervisor.note,
            self._loss(self._clock.now()),
        )
        return CollectorStatus(
            pid=os.getpid(),
            started_at=self._started_at,
            beat_at=self._clock.now(),
            version=__version__,
            config_path=None if self._config.path is None else str(self._config.path),
            note="; ".join(note for note in notes if note),
            overruns=self._rounds.overruns,
            platform=self._platform.status,
        )

    async def run(self) -> None:
        """Collect until :meth:`stop`. Raises StoreError when it cannot even begin."""
        stored = await self._turns.take(self._writer.load_states())
        hosted = await self._turns.take(self._writer.load_hosted())
        self._platform.begin(hosted, self._config)
        states = {name: after_gap(state) for name, state in stored.items()}
        self._rounds = self._new_rounds(states)
        self._started_at = self._clock.now()
        self._adopt(self._config)
        self._say_started(stored)
        writing = asyncio.create_task(self._keep_writing(), name="journal")
        try:
            await self._register()
            await self._beat()
            desk = self._open_loops()
            await self._stopping.wait()
            await self._supervisor.stop()
            await self._platform.aclose()
            await self._rounds.aclose()
            await desk.aclose()
        finally:
            await self._supervisor.stop()
            await self._end(writing)

    # --- starting and stopping -------------------------------------------------------

    def _new_rounds(self, states: dict[str, HealthState]) -> Rounds:
        return Rounds(
            self._asker,
            self._journal,
            self._clock,
            states=states,
            settings=self._config.collector,
            meters=Meters(self._pages, self._journal, self._clock),
            stamp=lambda: self._supervisor.stamp("schedule"),
        )

    def _open_loops(self) -> Desk:
        desk = Desk(
            self._writer,
            self._turns,
            self._clock,
            rules=self._rounds,
            asker=self._asker,
            defaults=lambda: self._config.defaults,
            presets=lambda: self._config.presets,
            platform=self._platform,
            stop=self.stop,
            paused=self._mark_unregistered,
            stamp=lambda: self._supervisor.stamp("requests"),
        )
        start = self._supervisor.start
        start("schedule", self._rounds.run, restart_stalled=True)
        start("clock", self._mind_time, restart_stalled=True)
        start("config", self._follow_config, restart_stalled=True)
        start("platform", self._platform.run)
        start("requests", desk.run)
        start("heartbeat", self._keep_beating)
        start("retention", self._keep_sweeping)
        self._supervisor.watch()
        return desk

    async def _mind_time(self) -> None:
        await self._rounds.mind_time(lambda: self._supervisor.stamp("clock"))

    def _say_started(self, stored: Mapping[str, HealthState]) -> None:
        count = len(self._deployments)
        asked = "1 deployment" if count == 1 else f"{count} deployments"
        said = f"collector started (process {os.getpid()}), {asked}"
        answers = [state.last_answer_at for state in stored.values()]
        gap_s = self._started_at - max((at for at in answers if at), default=math.inf)
        if gap_s > GAP_S:
            said += f"; nothing was measured for {span(gap_s)}"
        self._say(Severity.INFO, said)

    async def _keep_writing(self) -> None:
        # Not under the supervisor: it must outlive every loop that adds to it, and
        # must not be cancelled. It handles its own failures.
        while True:
            try:
                await self._journal.run()
            except Exception:  # noqa: BLE001 - logged and recorded as an event
                _log.exception("the journal crashed; it goes on")
                self._say(Severity.ERROR, "the journal crashed and goes on")
                await sleep(self._clock, 1.0)
            else:
                return

    async def _end(self, writing: asyncio.Task[None]) -> None:
        self._say(Severity.INFO, "collector stopped")
        _log.info("%s; %d missed", self._rounds.punctuality, self._rounds.overruns)
        self._journal.close()
        late = self._clock.call_later(DRAIN_S, writing.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await writing
        late.cancel()
        if len(self._journal):
            _log.error("%d rows could not be written", len(self._journal))
        await self._beat(stopped=True)
        await self._turns.settle()

    # --- the sign of life ------------------------------------------------------------

    async def _keep_beating(self) -> None:
        while True:
            self._supervisor.stamp("heartbeat")
            if not self._owner_alive():
                self._say(Severity.INFO, "the process that started this one is gone")
                self.stop()
            if self._unregistered:
                await self._register()
            await self._beat()
            await sleep(self._clock, BEAT_S)

    async def _beat(self, *, stopped: bool = False) -> None:
        status = self.status()
        if stopped:
            status = replace(status, stopped_at=status.beat_at)
        try:
            await self._turns.take(self._writer.beat(status))
            self._beat_note = ""
        except StoreError as error:
            self._beat_note = clean(error.message)

    async def _keep_sweeping(self) -> None:
        while True:
            self._supervisor.stamp("retention")
            try:
                gone = await self._turns.take(self._writer.sweep(self._clock.now()))
            except StoreError as error:
                _log.warning("old rows cannot be removed: %s", error)
                gone = 0
            await sleep(self._clock, SWEEP_AGAIN_S if gone else SWEEP_S)

    # --- the config file -------------------------------------------------------------

    async def _follow_config(self) -> None:
        while True:
            self._supervisor.stamp("config")
            self._look_at_config.clear()
            asked, self._reload_asked = self._reload_asked, False
            if self._source.changed() or asked:
                self._read_config(asked=asked)
                await self._register()
            await wait(self._clock, self._look_at_config, CONFIG_POLL_S)

    def _read_config(self, *, asked: bool) -> None:
        try:
            config = self._source.load()
        except YolotopError as error:
            said = clean(str(error))
            note = f"the edited configuration is not used: {said}"
            if note != self._config_note or asked:
                self._say(Severity.ERROR, note, kind=EventKind.CONFIG)
            self._config_note = note
            return
        if self._config_note:
            message = "the configuration can be used again"
            self._say(Severity.INFO, message, kind=EventKind.CONFIG)
            self._config_note = ""
        changes = self._adopt(config)
        for change in changes:
            self._say(
                Severity.INFO, str(change), kind=EventKind.CONFIG, name=change.name
            )
        if asked and not changes:
            message = "configuration read again; nothing changed"
            self._say(Severity.INFO, message, kind=EventKind.CONFIG)

    def _adopt(self, config: Config) -> tuple[Change, ...]:
        """Ask exactly the deployments of ``config``; what differs from before."""
        if config is not self._config:
            self._platform.configure(config)
        if config.collector != self._config.collector:
            self._rounds.limit(config.collector)
        self._config = config
        return self._take_roster()

    def _follow_platform(self, renamed: Mapping[str, str]) -> None:
        """What is followed on the Platform is another fleet now."""
        roster = {deployment.name: deployment for deployment in self._platform.roster()}
        for before, after in renamed.items():
            if before in self._deployments and after in roster:
                self._rounds.rename(before, roster[after])
                self._journal.rename(before, after)
                self._deployments[after] = self._deployments.pop(before)
                self._renamed[before] = after
        self._take_roster()
        # What the Platform says of them is no setting, and still to be told.
        self._unregistered = True

    def _take_roster(self) -> tuple[Change, ...]:
        after = {deployment.name: deployment for deployment in self._platform.roster()}
        changes = compare(self._deployments, after)
        for change in changes:
            if change.after is None:
                self._rounds.drop(change.name)
            else:
                self._rounds.follow(change.after, anew=change.asks_elsewhere)
        if changes or list(after) != list(self._deployments):
            self._rounds.arrange(list(after))
            self._unregistered = True
        for deployment in after.values():
            self._rounds.update(deployment)
        self._deployments = after
        self._say_kept_awake(changes)
        return changes

    def _say_kept_awake(self, changes: Sequence[Change]) -> None:
        """One line for all that are, when they are new or were changed so."""
        names = [
            change.name
            for change in changes
            if change.after is not None
            and keeps_awake(change.after)
            and not (change.before is not None and keeps_awake(change.before))
        ]
        if names:
            shown = ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
            message = (
                f"asked more often than every {span(ASLEEP_AFTER_S)}, which keeps the "
                f"instance awake and may cost money: {shown}"
            )
            self._say(Severity.WARNING, message, kind=EventKind.CONFIG)

    async def _register(self) -> None:
        """Tell readers who is asked; a refusing store is told at the next beat."""
        if not self._unregistered:
            return
        self._unregistered = False
        renamed, self._renamed = self._renamed, {}
        register = self._writer.register(
            self._rounds.effective(), self._clock.now(), renamed=renamed
        )
        try:
            await self._turns.take(register)
        except StoreError as error:
            self._unregistered = True
            self._renamed = {**renamed, **self._renamed}
            _log.warning("deployments cannot be registered: %s", error)

    def _mark_unregistered(self) -> None:
        self._unregistered = True

    def _say(
        self,
        severity: Severity,
        message: str,
        *,
        kind: EventKind = EventKind.COLLECTOR,
        name: str | None = None,
    ) -> None:
        self._journal.add(Event(self._clock.now(), severity, kind, message, name))
