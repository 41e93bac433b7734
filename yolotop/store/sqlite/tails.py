"""The newest answers of each deployment, kept in one small row.

Owns the ``tail`` table: how it is filled, packed and read. It must not know who shows
it. Without it a starting terminal has to look for the last answers of each deployment
among the rows of all others: 20 ms each, 2 s for a hundred; this takes 5 ms for all.

A row is rewritten with each batch that holds a probe of its deployment: 300 bytes, in
pages that the batch touches anyway.
"""

from __future__ import annotations

import sqlite3
import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import aiosqlite

from yolotop.model import Outcome, ProbeKind, Sample
from yolotop.store.codec import unpack, whole_us
from yolotop.store.protocol import TAIL_BEATS, Beat, Tail
from yolotop.store.sqlite import probes
from yolotop.store.sqlite.connection import Rows, fetch

CREATE: Final = """
CREATE TABLE tail (
  dep INTEGER PRIMARY KEY REFERENCES deployment,
  last_seq INTEGER NOT NULL,
  last_at REAL NOT NULL,
  predict_seq INTEGER NOT NULL,
  beats BLOB NOT NULL
)
"""
PUT: Final = "INSERT OR REPLACE INTO tail VALUES (?, ?, ?, ?, ?)"
_ALL: Final = "SELECT dep, last_seq, last_at, predict_seq, beats FROM tail"
_NAMED: Final = """
SELECT name, last_seq, last_at, predict_seq, beats FROM tail JOIN deployment ON id = dep
"""
_NEWEST: Final = f"""
SELECT l.dep, p.seq, {probes.AT_MS}, l.kind, l.outcome, l.cold, p.data
FROM probe p CROSS JOIN line l ON l.id = p.line ORDER BY p.seq DESC LIMIT ?
"""  # noqa: S608 - constants of this room
_LOOKED_THROUGH: Final = 200_000
"""Rows that a migration looks through for the newest ones: half a second."""

_OUTCOMES: Final = tuple(Outcome)
_CODES: Final = {outcome: code for code, outcome in enumerate(Outcome)}
_NO_LATENCY: Final = 0xFFFF_FFFF
"""Above any latency: 71 minutes in microseconds."""


@dataclass(slots=True)
class OpenTail:
    """The newest of one deployment while a writer runs. A beat is two numbers:

    its latency in whole microseconds and outcome · 2 + cold.
    """

    last_seq: int = 0
    last_at: float = 0.0
    predict_seq: int = 0
    latencies: array[int] = field(default_factory=lambda: array("I"))
    marks: bytearray = field(default_factory=bytearray)

    def add(self, seq: int, at: float, sample: Sample) -> None:
        """Put one probe at the end."""
        answer, verdict = sample.answer, sample.verdict
        self.last_seq, self.last_at = seq, at
        if answer.kind is ProbeKind.PREDICT:
            self.predict_seq = seq
            micros = whole_us(answer.latency_ms)
            self.latencies.append(
                _NO_LATENCY if micros is None else min(micros, _NO_LATENCY - 1)
            )
            self.marks.append(_CODES[verdict.outcome] << 1 | verdict.cold)
            del self.latencies[:-TAIL_BEATS], self.marks[:-TAIL_BEATS]

    def row(self, dep: int) -> tuple[object, ...]:
        """The row of the table."""
        n = len(self.marks)
        blob = struct.pack(f"<{n}I", *self.latencies) + bytes(self.marks)
        return dep, self.last_seq, self.last_at, self.predict_seq, blob


class TailBook:
    """All tails. ``changed`` holds the deployments whose rows must be written."""

    def __init__(self, tails: dict[int, OpenTail]) -> None:
        self._tails = tails
        self.changed: set[int] = set()

    def add(self, seq: int, dep: int, at: float, sample: Sample) -> None:
        """Put one probe at the end of its deployment's."""
        self._tails.setdefault(dep, OpenTail()).add(seq, at, sample)
        self.changed.add(dep)

    def rows(self) -> list[tuple[object, ...]]:
        """What the next batch must write."""
        return [self._tails[dep].row(dep) for dep in self.changed]

    def written(self) -> None:
        """The batch with ``changed`` is committed."""
        self.changed = set()


async def load(connection: aiosqlite.Connection) -> TailBook:
    """What a writer goes on from."""
    tails = {}
    for dep, last_seq, last_at, predict_seq, blob in await fetch(connection, _ALL):
        latencies, marks = _split(blob)
        tails[dep] = OpenTail(
            last_seq, last_at, predict_seq, array("I", latencies), bytearray(marks)
        )
    return TailBook(tails)


async def read(connection: aiosqlite.Connection) -> list[Tail]:
    """All tails, for a reader."""
    rows = await fetch(connection, _NAMED)
    # By the numbers that were read: a batch may be committed between the two.
    wanted = [predict_seq for _, _, _, predict_seq, _ in rows]
    whole = {
        probe.seq: probe
        for probe in probes.decode(await probes.read_these(connection, wanted))
    }
    return [
        Tail(name, last_at, last_seq, _beats(blob), whole.get(predict_seq))
        for name, last_seq, last_at, predict_seq, blob in rows
    ]


def fill(db: sqlite3.Connection) -> None:
    """Make the rows for a history that was written before there were tails."""
    found: dict[int, Rows] = {}
    heads: dict[int, tuple[int, float]] = {}
    for dep, seq, at_ms, kind, *rest in db.execute(_NEWEST, (_LOOKED_THROUGH,)):
        heads.setdefault(dep, (seq, at_ms / 1000))
        kept = found.setdefault(dep, [])
        if kind == ProbeKind.PREDICT and len(kept) < TAIL_BEATS:
            kept.append((seq, *rest))
    db.executemany(
        PUT,
        (_tail_of(*heads[dep], kept[::-1]).row(dep) for dep, kept in found.items()),
    )


def _tail_of(last_seq: int, last_at: float, rows: Rows) -> OpenTail:
    tail = OpenTail(last_seq, last_at, rows[-1][0] if rows else 0)
    for _, outcome, cold, data in rows:
        micros = whole_us(unpack(data).latency_ms)
        tail.latencies.append(_NO_LATENCY if micros is None else micros)
        tail.marks.append(_CODES[Outcome(outcome)] << 1 | cold)
    return tail


def _split(blob: bytes) -> tuple[tuple[int, ...], bytes]:
    n = len(blob) // 5
    return struct.unpack_from(f"<{n}I", blob), blob[n * 4 :]


def _beats(blob: bytes) -> tuple[Beat, ...]:
    return tuple(_made(*_split(blob)))


def _made(latencies: Iterable[int], marks: bytes) -> Iterable[Beat]:
    for micros, mark in zip(latencies, marks, strict=True):
        latency_ms = None if micros == _NO_LATENCY else micros / 1000
        yield Beat(_OUTCOMES[mark >> 1], latency_ms, bool(mark & 1))
