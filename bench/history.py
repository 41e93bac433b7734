"""A large history, made fast: what the bench and the long tests read.

Owns the generator. It must not know what is measured on it.

One hour of a fleet goes through the real ``Writer``, batch by batch, so every row, log
line, anchor and rollup is what a collector leaves. Its further hours are that hour
again, copied inside SQLite with numbers and times moved on: 17 M probes in minutes
instead of an hour, and rollups that still equal their raw rows exactly.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from yolotop.model import (
    Answer,
    Deployment,
    Detection,
    ErrorKind,
    Health,
    HealthState,
    Outcome,
    Phases,
    Prediction,
    ProbeError,
    ProbeKind,
    Sample,
    ServerTimes,
    Severity,
    Verdict,
)
from yolotop.store.codec import unpack
from yolotop.store.open import open_writer
from yolotop.store.sqlite.presence import BLOCK, BLOCKS, STRETCH, octave_of

HOUR_S: Final = 3_600
_BATCH: Final = 2_000
_HEALTH_SHARE: Final = 0.8
"""As the defaults ask: liveness every 15 s, a prediction every minute."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What the history is of. ``probes`` is about how many there will be in all.

    The history ends at ``until_at``, a whole hour, and reaches ``hours`` back.
    """

    probes: int = 17_300_000
    deployments: int = 100
    hours: int = 25
    until_at: int = 1_790_002_800
    seed: int = 26

    @property
    def per_hour(self) -> int:
        """Probes of one hour."""
        return max(1, round(self.probes / self.hours))

    def names(self) -> list[str]:
        """The deployments' names, in config order."""
        return [f"edge-{number:03}" for number in range(self.deployments)]


async def fill(
    data_dir: Path,
    fleet: Fleet | None = None,
    *,
    progress: Callable[[float], None] = lambda _: None,
) -> Path:
    """Make the history of ``fleet`` in ``data_dir``, which must hold none yet.

    Returns the database file. ``progress`` is told the share done, 0 to 1.
    """
    fleet = fleet or Fleet()
    if fleet.until_at % HOUR_S:
        raise ValueError(f"{fleet.until_at} is not a whole hour")
    first_at = fleet.until_at - fleet.hours * HOUR_S
    writer = await open_writer(data_dir)
    try:
        deployments = [
            Deployment(name, f"http://{name}.example:8000") for name in fleet.names()
        ]
        await writer.register(deployments, float(first_at))
        batch: list[Sample] = []
        for number, sample in enumerate(samples(fleet, first_at), start=1):
            batch.append(sample)
            if len(batch) == _BATCH or number == fleet.per_hour:
                await writer.append(batch, (), {})
                batch = []
                progress(number / fleet.per_hour / fleet.hours)
        await writer.append((), (), dict(_states(fleet, first_at)))
    finally:
        await writer.close()
    path = data_dir / "yolotop.db"
    _repeat(path, fleet, progress)
    return path


def samples(fleet: Fleet, since_at: float) -> Iterator[Sample]:
    """One hour of the fleet, evenly spread: 3 % fail, a few are slow.

    Latencies of each deployment are lognormal around its own middle, 20 to 120 ms,
    with a second hump at 400 ms in one of thirty: what a camera model looks like.
    """
    dice = random.Random(fleet.seed)  # noqa: S311 - data, not a secret
    names = fleet.names()
    middles = [dice.uniform(3.0, 4.8) for _ in names]
    for number in range(fleet.per_hour):
        which = number % len(names)
        at = since_at + number * HOUR_S / fleet.per_hour
        yield _sample(dice, names[which], round(at, 3), middles[which])


def _sample(dice: random.Random, name: str, at: float, middle: float) -> Sample:
    alive = dice.random() < _HEALTH_SHARE
    if not alive and dice.random() < 0.03:
        message = f"timeout after 10 s ({name}.example:8000)"
        error = ProbeError(ErrorKind.TIMEOUT, message)
        phases = Phases(dns=0.03, connect=dice.lognormvariate(-0.5, 0.6))
        return Sample(
            Answer(name, ProbeKind.PREDICT, at, 10_000.2, phases, error=error),
            Verdict(Outcome.FAILED, Severity.ERROR, message, error),
        )
    wait = dice.lognormvariate(0.5 if alive else middle, 0.3)
    if not alive and dice.random() < 1 / 30:
        wait += dice.lognormvariate(6.0, 0.2)
    phases = Phases(
        dns=dice.uniform(0.01, 0.08),
        connect=dice.lognormvariate(-0.5, 0.6),
        send=dice.uniform(0.05, 0.6),
        wait=wait,
        receive=dice.uniform(0.05, 0.5),
    )
    latency_ms = (phases.service_ms or 0) + (phases.dns or 0) + (phases.connect or 0)
    if alive:
        return Sample(
            Answer(name, ProbeKind.HEALTH, at, latency_ms, phases, 200),
            Verdict(Outcome.OK, Severity.DEBUG, "alive"),
        )
    count = dice.randrange(9)
    server = ServerTimes(dice.uniform(0.4, 2), wait * 0.8, dice.uniform(0.1, 1))
    prediction = Prediction((Detection("circle"),) * count, server)
    return Sample(
        Answer(name, ProbeKind.PREDICT, at, latency_ms, phases, 200, prediction),
        Verdict(Outcome.OK, Severity.INFO, f"{count} detections"),
    )


def _states(fleet: Fleet, at: float) -> Iterator[tuple[str, HealthState]]:
    for name in fleet.names():
        yield name, HealthState(health=Health.UP, since=at, successes=9)


def _repeat(path: Path, fleet: Fleet, progress: Callable[[float], None]) -> None:
    """The first hour's rows once for each further hour, numbers and times moved."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -262144")
        count = int(
            db.execute("SELECT value FROM meta WHERE key = 'seq'").fetchone()[0]
        )
        _note_octaves(db)
        for hour in range(1, fleet.hours):
            moved = {"seq": hour * count, "s": hour * HOUR_S, "last": count}
            db.execute("BEGIN")
            for statement in (_ANCHORS, _PROBES, _SLOTS, _SEEN):
                db.execute(statement, moved)
            db.execute("COMMIT")
            # The log of the next hour starts from its beginning again.
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            progress((hour + 1) / fleet.hours)
        total = fleet.hours * count
        db.execute(_TAILS, moved)
        db.execute("UPDATE meta SET value = ? WHERE key = 'seq'", (total,))
        # Without the last block, as a writer that has it in its memory.
        until = total // BLOCK * BLOCK
        db.execute("UPDATE meta SET value = ? WHERE key = 'seen_until'", (until,))
        # As a running writer does: a line that is in use is stamped now and then.
        db.execute("UPDATE line SET used_seq = ?", (total,))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _note_octaves(db: sqlite3.Connection) -> None:
    """What the map of the copied hours is made of; also ends that of the first one."""
    db.execute("CREATE TEMP TABLE octaves (seq INTEGER PRIMARY KEY, line, octave)")
    db.executemany(
        "INSERT INTO octaves VALUES (?, ?, ?)",
        (
            (seq, line, octave_of(unpack(data).latency_ms))
            for seq, line, data in db.execute("SELECT seq, line, data FROM probe")
        ),
    )
    db.execute(_SEEN, {"seq": 0})


_SEEN: Final = f"""
INSERT INTO seen
SELECT (seq + :seq) / {STRETCH}, line, octave,
  sum(DISTINCT 1 << ((seq + :seq) / {BLOCK} % {BLOCKS}))
FROM octaves WHERE true GROUP BY 1, 2, 3
ON CONFLICT DO UPDATE SET blocks = blocks | excluded.blocks
"""  # noqa: S608 - constants of the store
_ANCHORS: Final = """
INSERT INTO anchor SELECT seq + :seq, at_ms + :s * 1000 FROM anchor WHERE seq <= :last
"""
_PROBES: Final = """
INSERT INTO probe SELECT seq + :seq, line, at, alert, data FROM probe
WHERE seq <= :last ORDER BY seq
"""
_SLOTS: Final = """
INSERT INTO slot SELECT width_s, start_s + :s, dep, requests, failed, cold, health,
  health_failed, shown, first_seq + :seq, last_seq + :seq, histogram
FROM slot WHERE last_seq <= :last
"""
_TAILS: Final = """
UPDATE tail SET last_seq = last_seq + :seq, predict_seq = predict_seq + :seq,
  last_at = last_at + :s
"""
