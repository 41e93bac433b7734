"""How every followed deployment is, and who is not asked for now.

Owns the health states while the collector runs: judging, pausing, maintenance, what
becomes of them when time did not pass as it should, and which of them are worth
writing. It must not know the schedule nor how a probe is taken.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from yolotop.collect.clock import Clock
from yolotop.collect.journal import Journal
from yolotop.errors import UsageError
from yolotop.judge import health, hosted
from yolotop.judge.verdict import judge
from yolotop.model import (
    Answer,
    Deployment,
    Event,
    Health,
    HealthState,
    Sample,
)

PAUSED_BY_FILE: Final = "paused in the configuration"
PAUSED_BY_HAND: Final = "paused"
KEEP_S: Final = 300.0
"""A state in which only counts of good answers moved is written so often."""


class Conditions:
    """The states by name. Changes are queued in the journal as they happen."""

    def __init__(
        self, journal: Journal, clock: Clock, states: dict[str, HealthState]
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._states = dict(states)
        self._kept: dict[str, tuple[float, HealthState]] = {}
        self._planned: dict[str, Deployment] = {}
        self._held: set[str] = set()

    def __getitem__(self, name: str) -> HealthState:
        return self._states[name]

    def is_paused(self, name: str) -> bool:
        """Whether it is paused, by hand or by the file."""
        return self._states[name].health is Health.PAUSED

    def is_silent(self, name: str) -> bool:
        """Whether it is asked by hand only."""
        silent = self._states[name].health in (Health.PAUSED, Health.MAINTENANCE)
        return silent or name in self._held

    # --- who is followed -----------------------------------------------------------

    def follow(
        self, deployment: Deployment, before: Deployment | None, *, anew: bool
    ) -> None:
        """Take ``deployment`` in place of ``before``; ``anew`` forgets the state."""
        name, at = deployment.name, self._clock.now()
        state = self._states.get(name, HealthState(since=at))
        if anew and state.health not in (Health.PAUSED, Health.MAINTENANCE):
            state = HealthState(since=at)
        self._states[name] = state
        self._planned.pop(name, None)
        if deployment.maintenance:
            self._planned[name] = deployment
        switched_on = before is not None and before.paused and not deployment.paused
        by_file = state.message == PAUSED_BY_FILE and not deployment.paused
        if deployment.paused:
            self._pause(name, PAUSED_BY_FILE)
        elif switched_on or by_file:
            self.resume(name)
        if before is not None and before.maintenance != deployment.maintenance:
            self._change(name, *health.end_maintenance(self._states[name], name, at=at))
        self._mind(name, at)

    def forget(self, name: str) -> None:
        """``name`` is followed no longer."""
        for known in (self._states, self._kept, self._planned):
            known.pop(name, None)
        self._held.discard(name)

    def rename(self, before: str, after: str) -> None:
        """What is known of ``before`` is known of ``after`` from now on."""
        if before in self._states:
            self._states[after] = self._states[before]
        if before in self._held:
            self._held.add(after)
        self.forget(before)

    # --- what a platform says ------------------------------------------------------

    def tell(self, name: str, word: hosted.Word) -> bool:
        """Take a platform's word for its state; whether that is another one now.

        One that is not *held* is judged by our own answers: the word only ends a time
        in which it was not asked.
        """
        if not word.held:
            if name not in self._held:
                return False
            self._held.discard(name)
        else:
            self._held.add(name)
        before = self._states[name]
        at = self._clock.now()
        self._change(name, *hosted.told(before, name, word, at=at))
        return self._states[name].health is not before.health

    # --- by hand -------------------------------------------------------------------

    def pause(self, name: str) -> None:
        """Pause it until :meth:`resume`, over restarts too."""
        self._pause(name, PAUSED_BY_HAND)

    def resume(self, name: str) -> None:
        """Begin anew at *unknown*. UsageError: its platform has stopped it."""
        at = self._clock.now()
        message = self._states[name].message
        if message.startswith(hosted.STOPPED):
            raise UsageError(f"{name} is {message}", hint="Start it there")
        self._change(name, *health.resume(self._states[name], name, at=at))

    def maintain(self, name: str, until_at: float) -> None:
        """Begin maintenance until then, or move its end. UsageError: it is paused."""
        at = self._clock.now()
        if self.is_paused(name):
            raise UsageError(f"{name} is paused; resume it first")
        if not at < until_at < math.inf:
            raise UsageError("maintenance must end in the future")
        self._begin(name, until_at, at)

    def end_maintenance(self, name: str) -> None:
        """End it now. UsageError where the configuration plans it."""
        at = self._clock.now()
        planned = self._planned_until(name, at)
        if planned is not None:
            raise UsageError(
                f"the configuration plans maintenance until {_when(planned)}",
                hint="Change `maintenance` there",
            )
        self._change(name, *health.end_maintenance(self._states[name], name, at=at))

    def _pause(self, name: str, reason: str) -> None:
        at = self._clock.now()
        paused = health.pause(self._states[name], name, at=at, reason=reason)
        self._change(name, *paused)

    # --- as time goes by -----------------------------------------------------------

    def mind_calendar(self) -> list[str]:
        """Begin and end maintenance that is due; who is asked otherwise since."""
        at = self._clock.now()
        in_it = [
            name
            for name, state in self._states.items()
            if state.health is Health.MAINTENANCE
        ]
        return [name for name in {*self._planned, *in_it} if self._mind(name, at)]

    def unseen(self, reason: str) -> None:
        """Nobody could look for a while: what was known is not known any more."""
        at = self._clock.now()
        for name, state in self._states.items():
            self._change(name, health.unseen(state, at=at, reason=reason), ())

    def rebase(self, by_s: float) -> None:
        """The wall clock was set by so much."""
        for name, state in self._states.items():
            self._change(name, health.rebased(state, by_s), ())

    def _mind(self, name: str, at: float) -> bool:
        state = self._states[name]
        until_at = self._planned_until(name, at)
        if until_at is not None:
            until_at = max(until_at, state.until_at or 0.0)
            self._begin(name, until_at, at)
        elif state.until_at is None or state.until_at <= at:
            self._change(name, *health.end_maintenance(state, name, at=at))
        return self._states[name].health is not state.health

    def _begin(self, name: str, until_at: float, at: float) -> None:
        state = self._states[name]
        reason = f"maintenance until {_when(until_at)}"
        begun = health.begin_maintenance(
            state, name, at=at, until_at=until_at, reason=reason
        )
        self._change(name, *begun)

    def _planned_until(self, name: str, at: float) -> float | None:
        planned = self._planned.get(name)
        windows = planned.maintenance if planned is not None else ()
        ends = [end for window in windows if (end := window.until(at)) is not None]
        return max(ends, default=None)

    # --- judging -------------------------------------------------------------------

    def judge(self, answer: Answer, deployment: Deployment) -> Sample:
        """Judge ``answer``, move the state, queue both."""
        name = deployment.name
        before = self._states[name]
        sample = Sample(answer, judge(answer, deployment, before))
        after, events = health.advance(before, sample, deployment)
        self._states[name] = after
        self._journal.add(*events, sample=sample, state=self._to_keep(deployment))
        return sample

    def keep_all(self) -> None:
        """Queue every state that was not written as it is now: at the end."""
        for name, (_, kept) in self._kept.items():
            state = self._states[name]
            if kept is not state:
                self._journal.add(state=(name, state))

    def _to_keep(self, deployment: Deployment) -> tuple[str, HealthState] | None:
        """The state where it is worth writing.

        A hundred good answers a second are no news: a state of which only the count
        of good answers and the time of the last one moved is the same after a restart.
        """
        name, now = deployment.name, self._clock.monotonic()
        state = self._states[name]
        at, kept = self._kept.get(name, (-math.inf, None))
        if (
            kept is not None
            and now - at < KEEP_S
            and health.means_the_same(kept, state, deployment)
        ):
            return None
        self._kept[name] = (now, state)
        return name, state

    def _change(self, name: str, state: HealthState, events: tuple[Event, ...]) -> None:
        if not events and state is self._states[name]:
            return
        self._states[name] = state
        self._kept[name] = (self._clock.monotonic(), state)
        self._journal.add(*events, state=(name, state))


def _when(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "the far future"
