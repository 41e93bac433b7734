"""A batch on its way into the file: samples, events and states as rows.

Owns how the vocabulary becomes rows and what a writer keeps in memory for that (the
counter, ids, the line book, the slots being filled). It must not know transactions:
it gives statements, the writer runs them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiosqlite

from yolotop.judge.histogram import ExpHistogram
from yolotop.model import Event, HealthState, Sample, Severity, Traffic
from yolotop.store.codec import pack, stored_ms
from yolotop.store.sqlite import presence, tails, traffic
from yolotop.store.sqlite.connection import Statement, fetch
from yolotop.store.sqlite.lines import Line, LineBook, Shape
from yolotop.store.sqlite.presence import PresenceBook
from yolotop.store.sqlite.rollup import OpenSlot, SlotBook, Start, starts
from yolotop.store.sqlite.tails import TailBook
from yolotop.store.state import encode_state

ANCHOR_MS: Final = 600_000
"""A probe farther than this from its anchor drops a new one: times stay three bytes,
and a time is found in the table to ten minutes."""
FAILURES_KEPT: Final = 50
"""Bad answers whose body and headers are kept, of each deployment: in a ring of its
own, so that one noisy endpoint cannot push out another's rare failure."""
_LAST: Final = 1_000_000

_DEPLOYMENT: Final = """
INSERT INTO deployment (id, name, url, dialect, position, predict_interval_s,
                        first_seen_at, removed_at)
VALUES (?, ?, '', '', ?, 60, ?, ?)
"""
_LINE: Final = "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FAILURE: Final = "INSERT INTO failure VALUES (?, ?, ?, ?)"
_FORGET: Final = """
DELETE FROM failure WHERE dep = ?1 AND seq <= (
  SELECT seq FROM failure WHERE dep = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)
"""
_SLOT: Final = "INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(slots=True)
class Memory:
    """What a writer knows of the file without asking; valid after each commit."""

    seq: int
    deployments: dict[str, int]
    lines: LineBook
    anchor_ms: int | None
    tails: TailBook
    seen: PresenceBook
    slots: SlotBook = field(default_factory=SlotBook)

    def written(self) -> None:
        """All of it is in the file now."""
        self.lines.written()
        self.slots.written()
        self.tails.written()
        self.seen.written()


async def load_memory(connection: aiosqlite.Connection) -> Memory:
    """Read what a writer has to know before its first batch."""
    seq = await fetch(connection, "SELECT value FROM meta WHERE key = 'seq'")
    names = await fetch(connection, "SELECT name, id FROM deployment")
    lines = await fetch(
        connection,
        "SELECT id, dep, kind, outcome, severity, cold, http_status, error_kind, "
        "message, used_seq FROM line",
    )
    anchor = await fetch(
        connection, "SELECT at_ms FROM anchor ORDER BY seq DESC LIMIT 1"
    )
    return Memory(
        seq=seq[0][0],
        deployments=dict(names),
        lines=LineBook(
            Line(id_, Shape._make(row[:7]), message, used_seq)
            for id_, *row, message, used_seq in lines
        ),
        anchor_ms=anchor[0][0] if anchor else None,
        tails=await tails.load(connection),
        seen=await presence.load(connection),
    )


async def load_slots(
    connection: aiosqlite.Connection, slots: SlotBook, samples: Sequence[Sample]
) -> None:
    """Bring the slots that these samples fall into up from the file."""
    wanted: set[Start] = set()
    for sample in samples:
        wanted.update(starts(_stored_at(sample)))
    for width_s, start_s in slots.missing(wanted):
        rows = await fetch(
            connection,
            "SELECT dep, requests, failed, cold, health, health_failed, shown, "
            "first_seq, last_seq, histogram FROM slot "
            "WHERE width_s = ? AND start_s = ?",
            (width_s, start_s),
        )
        slots.load(
            (width_s, start_s),
            {
                dep: OpenSlot(*counts, histogram=ExpHistogram.decode(packed))
                for dep, *counts, packed in rows
            },
        )


class Batch:
    """Rows of one transaction, in the order in which they came."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._deployments: list[tuple[object, ...]] = []
        self._anchors: list[tuple[int, int]] = []
        self._probes: list[tuple[object, ...]] = []
        self._failures: list[tuple[int, int, str, str]] = []
        self._events: list[tuple[object, ...]] = []
        self._states: list[tuple[int, str]] = []
        self._traffic: list[tuple[object, ...]] = []
        self._sources: list[tuple[str]] = []

    def add_sample(self, sample: Sample) -> None:
        """Number one probe, pack it and count it."""
        answer, verdict = sample.answer, sample.verdict
        at = _stored_at(sample)
        dep = self._dep(answer.deployment, at)
        seq = self._next_seq()
        error = verdict.error or answer.error
        shape = Shape(
            dep,
            answer.kind.value,
            verdict.outcome.value,
            int(verdict.severity),
            verdict.cold,
            answer.http_status,
            error.kind.value if error else None,
        )
        entry = self._memory.lines.enter(shape, verdict.message, seq)
        prediction = answer.prediction
        blob = pack(
            latency_ms=answer.latency_ms,
            phases=answer.phases,
            server=prediction.server if prediction else None,
            detections=len(prediction.detections) if prediction else None,
            inline=entry.inline,
            numbers=entry.numbers,
        )
        alert = None
        if verdict.severity >= Severity.WARNING:
            alert = alert_of(dep, verdict.severity)
        since_anchor = self._since_anchor(seq, round(at * 1000))
        self._probes.append((seq, entry.id, since_anchor, alert, blob))
        if answer.body_head or (answer.headers and not verdict.ok):
            headers = _packed(answer.headers)
            self._failures.append((seq, dep, answer.body_head, headers))
        self._memory.slots.add(seq, dep, at, sample)
        self._memory.tails.add(seq, dep, at, sample)
        self._memory.seen.add(seq, entry.id, stored_ms(answer.latency_ms))

    def add_event(self, event: Event) -> None:
        """Number one event."""
        dep = None
        if event.deployment is not None:
            dep = self._dep(event.deployment, event.at)
        self._events.append(
            (
                self._next_seq(),
                event.at,
                int(event.severity),
                event.kind.value,
                dep,
                event.message,
                event.health.value if event.health else None,
            )
        )

    def add_state(self, name: str, state: HealthState) -> None:
        """Keep a deployment's state."""
        self._states.append((self._dep(name, state.since), encode_state(state)))

    def add_traffic(self, rows: Sequence[Traffic]) -> None:
        """Keep what sources counted."""
        self._sources = traffic.named(rows)
        for one in rows:
            self._traffic.append(traffic.row(one, self._dep(one.deployment, one.at)))

    def statements(self) -> Iterator[Statement]:
        """What to run, in this order."""
        lines, slots = self._memory.lines, self._memory.slots
        yield _DEPLOYMENT, self._deployments
        yield _LINE, [(n.id, *n.shape, n.message, n.used_seq) for n in lines.fresh]
        yield (
            "UPDATE line SET used_seq = ? WHERE id = ?",
            [(seq, line) for line, seq in lines.touched.items()],
        )
        yield "INSERT INTO anchor VALUES (?, ?)", self._anchors
        yield "INSERT INTO probe VALUES (?, ?, ?, ?, ?)", self._probes
        yield _FAILURE, self._failures
        yield (
            _FORGET,
            [(dep, FAILURES_KEPT) for dep in {row[1] for row in self._failures}],
        )
        yield "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", self._events
        yield (
            _SLOT,
            [_slot_row(s, dep, slots.slot(s, dep)) for s, dep in slots.changed],
        )
        yield tails.PUT, self._memory.tails.rows()
        yield from self._memory.seen.statements()
        yield "INSERT OR REPLACE INTO state VALUES (?, ?)", self._states
        yield traffic.NAME, self._sources
        yield traffic.PUT, self._traffic
        yield "UPDATE meta SET value = ? WHERE key = 'seq'", [(self._memory.seq,)]

    def _next_seq(self) -> int:
        self._memory.seq += 1
        return self._memory.seq

    def _dep(self, name: str, at: float) -> int:
        known = self._memory.deployments
        if name not in known:
            known[name] = max(known.values(), default=0) + 1
            self._deployments.append((known[name], name, _LAST, at, at))
        return known[name]

    def _since_anchor(self, seq: int, at_ms: int) -> int:
        anchor_ms = self._memory.anchor_ms
        if anchor_ms is None or abs(at_ms - anchor_ms) > ANCHOR_MS:
            self._memory.anchor_ms = anchor_ms = at_ms
            self._anchors.append((seq, at_ms))
        return at_ms - anchor_ms


def alert_of(dep: int, severity: Severity) -> int:
    """The ``alert`` of a probe of WARNING or more."""
    return dep * 8 + severity // 10


def _stored_at(sample: Sample) -> float:
    """When the probe started, in whole milliseconds, as it will read back."""
    return round(sample.answer.started_at * 1000) / 1000


def _packed(headers: tuple[tuple[str, str], ...]) -> str:
    """As they read back; empty for none, as in rows that are older than headers."""
    return json.dumps(headers, ensure_ascii=False) if headers else ""


def _slot_row(start: Start, dep: int, slot: OpenSlot) -> tuple[object, ...]:
    return (
        *start,
        dep,
        slot.requests,
        slot.failed,
        slot.cold,
        slot.health,
        slot.health_failed,
        slot.shown,
        slot.first_seq,
        slot.last_seq,
        slot.histogram.encode(),
    )
