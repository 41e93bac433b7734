"""Real traffic on disk: minutes and hours of what sources counted.

Owns the table, how a row is packed, and which rows are too old. It must not know what a
source is, nor what is shown of it.

A row is the figures of a span of at most a minute, or an hour, from its own start on: a
source that is read every fifteen seconds rewrites the open minute, so that a face need
not wait for its end, and one that starts anew begins a new row. The figures are varints
behind a mask of what is there: at most 70 bytes a row with its key and seven buckets
(``tests/store/test_size.py``). Minutes are kept for the day that screens show of them,
100 KB a deployment; then hours are left, 1.7 KB a day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from yolotop.judge.varint import put, take
from yolotop.model import Timing, Traffic
from yolotop.model.traffic import Buckets
from yolotop.store.sqlite.connection import Rows

CREATE: Final = (
    "CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """
    CREATE TABLE traffic (
      width_s INTEGER NOT NULL,
      dep INTEGER NOT NULL REFERENCES deployment,
      at_s INTEGER NOT NULL,
      source INTEGER NOT NULL REFERENCES source,
      data BLOB NOT NULL,
      PRIMARY KEY (width_s, dep, at_s)
    ) WITHOUT ROWID
    """,
)
NAME: Final = "INSERT OR IGNORE INTO source (name) VALUES (?)"
PUT: Final = """
INSERT OR REPLACE INTO traffic VALUES
(?, ?, ?, (SELECT id FROM source WHERE name = ?), ?)
"""
OF_ONE: Final = """
SELECT d.name, s.name, t.width_s, t.at_s, t.data
FROM deployment AS d CROSS JOIN traffic AS t ON t.dep = d.id
JOIN source AS s ON s.id = t.source
WHERE d.name = ? AND t.width_s = ? AND t.at_s > ? AND t.at_s < ? ORDER BY t.at_s
"""
NEWEST: Final = """
SELECT d.name, s.name, t.width_s, t.at_s, t.data
FROM deployment AS d CROSS JOIN traffic AS t ON t.dep = d.id
JOIN source AS s ON s.id = t.source
WHERE d.removed_at IS NULL AND t.width_s = ?1 AND t.at_s = (
  SELECT max(at_s) FROM traffic WHERE width_s = ?1 AND dep = d.id)
"""
FORGET: Final = """
DELETE FROM traffic WHERE (width_s, dep, at_s) IN (
  SELECT t.width_s, t.dep, t.at_s FROM deployment AS d CROSS JOIN traffic AS t
  ON t.width_s = ?1 AND t.dep = d.id AND t.at_s < ?2 LIMIT ?3)
"""
"""From deployment to deployment through the key: the young rows are not looked at."""
MINUTES_KEPT_S: Final = 90_000
"""A day and an hour: the longest range that is made of minutes."""

_TICKS: Final = 100
"""Of a millisecond, of a request, of a level: all are kept to a hundredth."""
_SHARES: Final = 10_000
_SCALES: Final = (1_000, *(_TICKS,) * 8, _SHARES, _SHARES, _TICKS)
_MOST: Final = 1e15


def row(traffic: Traffic, dep: int) -> tuple[object, ...]:
    """The values for :data:`PUT`."""
    at_s = round(traffic.at)
    return traffic.width_s, dep, at_s, traffic.source, _pack(traffic)


def decode(rows: Rows) -> list[Traffic]:
    """What was stored, in the order of the rows."""
    return [
        _unpack(name, source, width_s, float(at_s), data)
        for name, source, width_s, at_s, data in rows
    ]


def _pack(traffic: Traffic) -> bytes:
    values = (
        traffic.span_s,
        traffic.requests,
        traffic.errors,
        *_parts(traffic.latency),
        *_parts(traffic.queued),
        traffic.p95_ms,
        traffic.waiting,
        traffic.cpu,
        traffic.memory,
        traffic.instances,
    )
    mask, known = 0, bytearray()
    for bit, (value, scale) in enumerate(zip(values, _SCALES, strict=True)):
        # What is no figure (a source may say anything) is not told.
        if value is not None and 0.0 <= value < _MOST:
            mask |= 1 << bit
            put(known, round(value * scale))
    for bound, count in traffic.buckets:
        # No bound is 0, so that stands for the endless one.
        ticks = 0 if math.isinf(bound) else max(1, round(min(bound, _MOST) * _TICKS))
        put(known, ticks)
        put(known, round(min(max(count, 0.0), _MOST)))
    head = bytearray()
    put(head, mask)
    return bytes(head + known)


def _unpack(name: str, source: str, width_s: int, at: float, data: bytes) -> Traffic:
    mask, end = take(data, 0)
    found: list[float | None] = []
    for bit, scale in enumerate(_SCALES):
        if mask >> bit & 1:
            number, end = take(data, end)
            found.append(number / scale)
        else:
            found.append(None)
    span_s, requests, errors, sum_ms, count, queued_ms, queued = found[:7]
    p95_ms, waiting, cpu, memory, instances = found[7:]
    return Traffic(
        name,
        source,
        at,
        span_s or 0.0,
        requests,
        errors,
        _timing(sum_ms, count),
        _timing(queued_ms, queued),
        _unpack_buckets(data, end),
        p95_ms,
        waiting,
        cpu,
        memory,
        instances,
        width_s,
    )


def _unpack_buckets(data: bytes, at: int) -> Buckets:
    cells = []
    while at < len(data):
        bound, at = take(data, at)
        count, at = take(data, at)
        cells.append((bound / _TICKS if bound else math.inf, float(count)))
    return tuple(cells)


def _parts(timing: Timing | None) -> tuple[float | None, float | None]:
    return (None, None) if timing is None else (timing.sum_ms, timing.count)


def _timing(sum_ms: float | None, count: float | None) -> Timing | None:
    return None if sum_ms is None or count is None else Timing(sum_ms, count)


def named(rows: Iterable[Traffic]) -> list[tuple[str]]:
    """The values for :data:`NAME`."""
    return [(name,) for name in sorted({row.source for row in rows})]
