"""A stored probe costs at most 30 bytes, indexes, phases and messages included.

And the map that a search skips the history by, a quarter of one.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from yolotop.model import (
    Answer,
    Detection,
    ErrorKind,
    Outcome,
    Phases,
    Prediction,
    ProbeError,
    ProbeKind,
    Sample,
    ServerTimes,
    Severity,
    Timing,
    Traffic,
    Verdict,
)
from yolotop.store.sqlite.presence import BLOCK, CREATE, PUT, STRETCH, PresenceBook

if TYPE_CHECKING:
    from tests.store.conftest import Backend

ROWS = 40_000
T0 = 1_790_000_000.0


def realistic(dice: random.Random, number: int) -> Sample:
    """A fleet of 100: liveness every 15 s, predictions every minute, 3 % broken."""
    name, at = f"edge-{number % 100:03}", T0 + number * 0.12
    phases = Phases(
        dns=dice.uniform(0.01, 0.08),
        connect=dice.lognormvariate(-0.5, 0.6),
        send=dice.uniform(0.05, 0.6),
        wait=dice.lognormvariate(3.3, 0.4),
        receive=dice.uniform(0.05, 0.5),
    )
    latency_ms = (phases.service_ms or 0) + (phases.dns or 0) + (phases.connect or 0)
    latency_ms += dice.uniform(0.001, 0.05)
    if dice.random() < 0.03:
        message = f"timeout after 10 s (10.0.3.{number % 100}:8000)"
        error = ProbeError(ErrorKind.TIMEOUT, message)
        return Sample(
            Answer(name, ProbeKind.PREDICT, at, 10_000.2, phases, error=error),
            Verdict(Outcome.FAILED, Severity.ERROR, message, error),
        )
    if dice.random() < 0.8:
        return Sample(
            Answer(name, ProbeKind.HEALTH, at, latency_ms, phases, 200),
            Verdict(Outcome.OK, Severity.DEBUG, "alive"),
        )
    count = dice.randrange(9)
    server = ServerTimes(
        dice.uniform(0.4, 2), dice.uniform(9, 20), dice.uniform(0.1, 1)
    )
    prediction = Prediction((Detection("circle"),) * count, server)
    return Sample(
        Answer(name, ProbeKind.PREDICT, at, latency_ms, phases, 200, prediction),
        Verdict(Outcome.OK, Severity.INFO, f"{count} detections"),
    )


async def test_a_probe_costs_at_most_thirty_bytes(
    backend: Backend, tmp_path: Path
) -> None:
    dice = random.Random(26)  # noqa: S311 - data, not a secret
    writer = await backend.writer()
    for start in range(0, ROWS, 1_000):
        batch = [realistic(dice, start + i) for i in range(1_000)]
        await writer.append(batch, [], {})
    await writer.close()
    with closing(sqlite3.connect(backend.data_dir / "yolotop.db")) as db:
        probe_id = db.execute("SELECT max(seq) FROM probe").fetchone()[0]
        page = db.execute("PRAGMA page_size").fetchone()[0]
        # The table and its indexes copied to a file of their own: what they cost,
        # on any build of SQLite (few have dbstat).
        alone = tmp_path / "alone.db"
        db.execute("ATTACH ? AS alone", (str(alone),))
        for (sql,) in db.execute(
            "SELECT sql FROM sqlite_schema WHERE tbl_name = 'probe'"
        ).fetchall():
            words = sql.split(" ", 2)
            db.execute(f"{words[0]} {words[1]} alone.{words[2]}")
            if words[1] == "TABLE":
                db.execute("INSERT INTO alone.probe SELECT * FROM main.probe")
        db.commit()
        pages = db.execute("PRAGMA alone.page_count").fetchone()[0]
    assert probe_id == ROWS
    assert pages * page / ROWS <= 30


def test_the_map_of_a_search_costs_a_quarter_of_a_byte_a_probe(tmp_path: Path) -> None:
    """Written block by block, as the writer does, with what pages leave empty."""
    dice = random.Random(26)  # noqa: S311 - data, not a secret
    lines: dict[object, int] = {}
    told: list[tuple[int, float | None]] = []
    for number in range(40_000):
        one = realistic(dice, number)
        answer, verdict = one.answer, one.verdict
        line = answer.deployment, answer.kind, verdict.outcome, verdict.message
        told.append((lines.setdefault(line, len(lines)), answer.latency_ms))
    book, probes = PresenceBook(), STRETCH
    with closing(sqlite3.connect(tmp_path / "seen.db")) as db:
        db.execute("CREATE TABLE line (id INTEGER PRIMARY KEY)")
        db.execute(CREATE)
        before = db.execute("PRAGMA page_count").fetchone()[0]
        for seq in range(probes + 1):
            book.add(seq, *told[seq % len(told)])
            if seq % BLOCK == 0:
                for sql, rows in book.statements():
                    if sql is PUT:
                        db.executemany(sql, rows)
                book.written()
        db.commit()
        pages = db.execute("PRAGMA page_count").fetchone()[0] - before
        cost = pages * db.execute("PRAGMA page_size").fetchone()[0] / probes
    assert 0.1 < cost < 0.3, cost


async def test_a_minute_of_real_traffic_costs_at_most_seventy_bytes(
    backend: Backend,
) -> None:
    """Of a busy server with a histogram, ten deployments side by side, for a day."""
    dice = random.Random(26)  # noqa: S311 - data, not a secret
    bounds = (5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0)
    rows = [
        Traffic(
            f"edge-{number % 10}",
            "BentoML",
            T0 + number // 10 * 60,
            59.9 + dice.random() / 10,
            float(dice.randrange(200, 900)),
            float(dice.randrange(3)),
            Timing(dice.uniform(8_000, 40_000), float(dice.randrange(200, 900))),
            buckets=tuple((bound, float(dice.randrange(200))) for bound in bounds),
            waiting=float(dice.randrange(4)),
        )
        for number in range(14_400)
    ]
    writer = await backend.writer()
    path = backend.data_dir / "yolotop.db"

    def size() -> int:
        with closing(sqlite3.connect(path)) as db:
            pages: int = db.execute("PRAGMA page_count").fetchone()[0]
            return pages * int(db.execute("PRAGMA page_size").fetchone()[0])

    before = size()
    for start in range(0, len(rows), 10):
        await writer.append([], [], {}, rows[start : start + 10])
    cost = (size() - before) / len(rows)
    assert 30 < cost <= 70, cost
