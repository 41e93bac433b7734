"""Between judging and the store: a queue in memory and the one task that writes it.

Owns batching, retrying, and saying what was lost if anything was. Adding never waits
and never fails, so a full disk cannot delay a probe or change a verdict. It must not
know how samples come about, nor SQL.

Rows leave memory only once the store has acknowledged them. While it refuses, up to
``keep_rows`` wait (about 2 KB each) and the oldest give way first, counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from yolotop.collect.clock import Clock, wait
from yolotop.collect.turns import Turns
from yolotop.errors import StoreError
from yolotop.judge.words import span
from yolotop.model import (
    Event,
    EventKind,
    HealthState,
    Sample,
    Severity,
    Traffic,
)
from yolotop.store.protocol import Writer
from yolotop.text import clean

FLUSH_S: Final = 0.5
"""A row waits at most this long for company; a commit costs the disk a sync."""
BUSY_FLUSH_S: Final = 1.0
"""The same while more than :data:`BUSY_ROWS` come in that time: half the commits."""
BUSY_ROWS: Final = 20
FLUSH_ROWS: Final = 200
KEEP_ROWS: Final = 20_000
"""Rows kept while the store refuses: 40 MB, 100 deployments for about 40 minutes."""
RETRY_S: Final = (0.5, 1.0, 2.0, 5.0)
"""Pauses after failures in a row; the last is for every further one."""
_STUBBORN: Final = 3

_log = logging.getLogger("yolotop.collect")


@dataclass(frozen=True, slots=True)
class Row:
    """What one probe, page or event of our own adds to the history at once."""

    sample: Sample | None = None
    events: tuple[Event, ...] = ()
    state: tuple[str, HealthState] | None = None
    traffic: tuple[Traffic, ...] = ()


class Journal:
    """The queue, written through ``turns`` so that no transaction is ever torn."""

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        turns: Turns,
        *,
        keep_rows: int = KEEP_ROWS,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._turns = turns
        self._keep_rows = keep_rows
        self._rows: deque[Row] = deque()
        self._wake = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = False
        self._limit = FLUSH_ROWS
        self._failures = 0
        self._front_failures = 0
        self._refused_since: float | None = None
        self._refusal = ""
        self._lost_now = 0
        self.lost = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def note(self) -> str:
        """What is wrong, for the screen; empty while rows are being written."""
        if self._refused_since is None:
            return ""
        kept = f"{len(self._rows)} rows kept in memory"
        if self._lost_now:
            kept += f", {self._lost_now} lost"
        return f"the history cannot be written ({self._refusal}); {kept}"

    def add(
        self,
        *events: Event,
        sample: Sample | None = None,
        state: tuple[str, HealthState] | None = None,
        traffic: tuple[Traffic, ...] = (),
    ) -> None:
        """Queue a row. Never waits, never raises."""
        for event in events:
            _log.log(event.severity, "%s: %s", event.deployment or "-", event.message)
        self._rows.append(Row(sample, events, state, traffic))
        self._trim()
        self._wake.set()
        if len(self._rows) >= self._limit:
            self._full.set()

    def rename(self, before: str, after: str) -> None:
        """What waits to be written of ``before`` is of ``after``."""
        self._rows = deque(_renamed(row, before, after) for row in self._rows)

    async def run(self) -> None:
        """Write until :meth:`close`, and what is queued by then.

        Returns early, with rows left, only when the store refuses while closing.
        """
        while True:
            if not self._rows:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
            if not self._closing and len(self._rows) < self._limit:
                self._full.clear()
                await wait(self._clock, self._full, FLUSH_S)
                if BUSY_ROWS < len(self._rows) < self._limit and not self._closing:
                    await wait(self._clock, self._full, BUSY_FLUSH_S - FLUSH_S)
            if not self._rows:
                continue
            if await self._write():
                continue
            if self._closing and self._failures > len(RETRY_S):
                return
            pause = RETRY_S[min(self._failures, len(RETRY_S)) - 1]
            await wait(self._clock, asyncio.Event(), pause)

    def close(self) -> None:
        """Let :meth:`run` write what is queued and return."""
        self._closing = True
        self._wake.set()
        self._full.set()

    async def _write(self) -> bool:
        """Try one batch; whether the store took it."""
        batch = [self._rows.popleft() for _ in range(min(self._limit, len(self._rows)))]
        try:
            await self._turns.take(self._writer.append(*_contents(batch)))
        except StoreError as error:
            self._put_back(batch)
            self._refused(clean(error.message))
            return False
        except Exception as error:  # noqa: BLE001 - recorded; the rows stay queued
            # A fault of ours, perhaps one row that cannot be stored. Halving the
            # batch corners it; only a row that fails alone, again and again, goes.
            _log.exception("a batch of %d rows could not be written", len(batch))
            self._put_back(batch)
            self._corner(len(batch))
            self._refused(clean(f"{type(error).__name__}: {error}"))
            return False
        self._accepted()
        return True

    def _put_back(self, batch: Sequence[Row]) -> None:
        self._rows.extendleft(reversed(batch))
        self._trim()

    def _trim(self) -> None:
        while len(self._rows) > self._keep_rows:
            self._rows.popleft()
            self._lose()

    def _lose(self) -> None:
        self.lost += 1
        self._lost_now += 1

    def _corner(self, tried: int) -> None:
        self._limit = max(1, tried // 2)
        self._front_failures = self._front_failures + 1 if tried == 1 else 0
        if self._front_failures >= _STUBBORN and self._rows:
            self._rows.popleft()
            self._lose()
            self._front_failures = 0

    def _refused(self, reason: str) -> None:
        self._failures += 1
        self._refusal = reason
        if self._refused_since is None:
            self._refused_since = self._clock.monotonic()
            message = f"the history cannot be written: {reason}"
            self._own_event(Severity.ERROR, message)

    def _accepted(self) -> None:
        self._failures = self._front_failures = 0
        self._limit = min(FLUSH_ROWS, self._limit * 2)
        if self._refused_since is None:
            return
        lasted = span(self._clock.monotonic() - self._refused_since)
        lost = f"{self._lost_now} rows were lost" if self._lost_now else "nothing lost"
        severity = Severity.ERROR if self._lost_now else Severity.INFO
        self._refused_since, self._refusal, self._lost_now = None, "", 0
        self._own_event(
            severity, f"the history is written again after {lasted}, {lost}"
        )

    def _own_event(self, severity: Severity, message: str) -> None:
        self.add(Event(self._clock.now(), severity, EventKind.STORE, message))


def _renamed(row: Row, before: str, after: str) -> Row:
    sample, state = row.sample, row.state
    if sample is not None and sample.answer.deployment == before:
        sample = replace(sample, answer=replace(sample.answer, deployment=after))
    if state is not None and state[0] == before:
        state = (after, state[1])

    def named(name: str | None) -> str | None:
        return after if name == before else name

    return Row(
        sample,
        tuple(replace(one, deployment=named(one.deployment)) for one in row.events),
        state,
        tuple(
            replace(one, deployment=after) if one.deployment == before else one
            for one in row.traffic
        ),
    )


def _contents(
    batch: Sequence[Row],
) -> tuple[list[Sample], list[Event], dict[str, HealthState], list[Traffic]]:
    samples = [row.sample for row in batch if row.sample is not None]
    events = [event for row in batch for event in row.events]
    # Of several states of one deployment the last in the batch stands, so that a
    # stored state is never ahead of the samples it was made of.
    states = dict(row.state for row in batch if row.state is not None)
    traffic = [one for row in batch for one in row.traffic]
    return samples, events, states, traffic
