"""The bench measures what it says: its statistics, its server, its peers, one row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import accuracy, machine
from bench.__main__ import ROWS
from bench.endpoint import endpoint
from bench.figures import percentile
from bench.waves import Waves, raw
from yolotop.collect.schedule import spread
from yolotop.model import ProbeKind

ROOT = Path(__file__).parent.parent


def test_percentiles_are_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.95) == 95
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.5) == 7
    assert percentile([], 0.5) != percentile([], 0.5)


def test_waves_are_due_at_one_instant() -> None:
    names = accuracy.same_instant(4, within=0.01)
    phases = [spread(name, ProbeKind.PREDICT) for name in names]
    assert max(phases) - min(phases) < 0.01
    assert len(set(names)) == 4


def test_the_server_takes_its_time_and_counts() -> None:
    with endpoint(delay_ms=30.0) as server:
        found = raw(server.port, 50_000, waves=1, count=4, fraction=0.0, within=0.0)
        assert server.count("/raw/predict") == 4
        assert server.count("/predict") == 0
        peer = Waves("httpx", server.port, waves=1, count=3, fraction=0.5).found()
        assert server.count("/httpx/predict") == 3
    assert len(found) == 4
    assert len(peer.latencies_ms) == 3
    assert min(found + peer.latencies_ms) >= 29.0
    assert peer.cpu_s > 0


def test_cpu_and_memory_are_those_of_a_process() -> None:
    before = machine.cpu_s(os.getpid())
    sum(number * number for number in range(2_000_000))
    assert 0.01 < machine.cpu_s(os.getpid()) - before < 10
    assert 10 < machine.memory_mb(os.getpid()) < 10_000


def test_the_machine_is_described_without_its_name_and_places() -> None:
    said = json.dumps(machine.describe())
    assert os.uname().nodename not in said
    assert str(Path.home()) not in said
    assert str(ROOT) not in said


@pytest.mark.timeout(120)
def test_one_row_from_the_command_line(tmp_path: Path) -> None:
    """The cheapest row, measured for real: table, JSON and exit code."""
    found = tmp_path / "found.json"
    words = [
        "--quick",
        "--only",
        "bytes",
        "--json",
        str(found),
        "--work",
        str(tmp_path),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    written = json.loads(found.read_text())
    (row,) = written["rows"]
    assert row["name"] == "bytes"
    assert done.returncode == (0 if row["met"] else 1), done.stderr
    assert 5 < row["value"] < row["figures"]["plain_bytes"]
    assert "≤ 30" in done.stdout
    assert list(tmp_path.iterdir()) == [found]


def test_every_row_of_the_promise_is_there() -> None:
    assert list(ROWS) == [
        "accuracy",
        "cost",
        "fleet",
        "panels",
        "bytes",
        "memory",
        "freshness",
        "quiet",
        "traffic",
        "opening",
        "running",
        "keys",
        "filter",
        "tensors",
    ]
