"""Rows: what the terminal costs: bytes, start, CPU, memory, keys; beside its peers.

Owns these rows. It must not know how the others are measured. The program is the real
one in a pseudo-terminal, on what a real collector measures; peers run in a terminal of
the same size in the same run.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.endpoint import endpoint
from bench.figures import Progress, Row, Setup, median, percentile
from bench.history import HOUR_S, Fleet, fill
from bench.machine import cpu_s, memory_mb
from bench.monitor import (
    Asked,
    Terminal,
    collector,
    image,
    in_a_terminal,
    terminal,
    write_config,
)

CARDS: Final = 100
PEERS: Final = {
    "htop": (("htop", "--delay=10"), "PID"),
    "btop": (("btop", "--utf-force"), "cpu"),
    "glances": (("glances", "--time", "1", "--disable-check-update"), "CPU"),
}
"""Programs that show a machine at one refresh a second, and a word each paints."""
_SMALL: Final = (24, 80)
_LARGE: Final = (50, 200)


@contextmanager
def _measured(
    folder: Path, setup: Setup, asked: Sequence[Asked]
) -> Iterator[tuple[Path, Path]]:
    """A collector at work; its config and its data directory."""
    folder.mkdir()
    with endpoint(delay_ms=20.0) as server:
        picture = image(setup.work)
        config = write_config(folder, server.url, asked, picture=picture)
        with collector(config, folder / "data"):
            yield config, folder / "data"


def _per_second(screen: Terminal, seconds: float) -> float:
    before, began = screen.bytes_seen, time.monotonic()
    time.sleep(seconds)
    return (screen.bytes_seen - before) / (time.monotonic() - began)


def traffic(setup: Setup, progress: Progress) -> Row:
    """Bytes to the terminal at one refresh a second, small and large; about 2 min."""
    seconds = setup.pick(30, 8)
    names = [f"cam-{number:02}" for number in range(12)]
    # The default cadence: liveness every 15 s, an image every minute.
    asked = [Asked(name, "60s", "15s") for name in names]
    found: dict[str, float] = {}
    with _measured(setup.work / "traffic", setup, asked) as (config, data_dir):
        time.sleep(setup.pick(60, 5))
        for label, (rows, columns) in (("small", _SMALL), ("large", _LARGE)):
            with terminal(
                config, data_dir, rows=rows, columns=columns, shown="cam-00"
            ) as screen:
                time.sleep(5)
                found[f"{label}_bytes_s"] = _per_second(screen, seconds)
            progress(0.25 if label == "small" else 0.5)
            for share, (name, (command, shown)) in enumerate(_present().items(), 1):
                with in_a_terminal(
                    command, rows=rows, columns=columns, shown=shown
                ) as peer:
                    time.sleep(3)
                    found[f"{name}_{label}_bytes_s"] = _per_second(peer, seconds / 2)
                progress((0.25 if label == "small" else 0.5) + share * 0.08)
    small, large = found["small_bytes_s"] / 1024, found["large_bytes_s"] / 1024
    return Row(
        name="traffic",
        what="bytes to the terminal at 1 Hz, 12 deployments: 80x24; 200x50",
        ours=f"{small:.2f}; {large:.2f} KiB/s",
        peers=", ".join(
            f"{name} {found[f'{name}_small_bytes_s'] / 1024:.1f}; "
            f"{found[f'{name}_large_bytes_s'] / 1024:.1f}"
            for name in _present()
        ),
        ratio=f"{max(small / 3, large / 10):.2f} of the budget",
        mark="≤ 3; ≤ 10 KiB/s",
        value=max(small / 3, large / 10),
        met=small <= 3 and large <= 10,
        note=_missing(),
        figures=found,
    )


def quiet(setup: Setup, progress: Progress) -> Row:
    """Bytes in ten seconds in which nothing changes; about 20 s."""
    data_dir = _month(setup, progress)
    at = _month_fleet(setup).until_at - 1
    command = [sys.executable, "-m", "bench.still", str(data_dir), str(at)]
    with in_a_terminal(command, rows=40, columns=120, shown="edge-000") as screen:
        screen.quiet(1.0)
        before = screen.bytes_seen
        time.sleep(10)
        sent = screen.bytes_seen - before
    return Row(
        name="quiet",
        what="bytes to the terminal in 10 s when nothing changes",
        ours=str(sent),
        ratio="–",
        mark="0",
        value=float(sent),
        met=sent == 0,
        figures={"bytes": float(sent)},
    )


def opening(setup: Setup, progress: Progress) -> Row:
    """First useful paint with a month of history, beside an empty Textual program."""
    data_dir = _month(setup, progress)
    asked = [Asked(name, "60s", "15s") for name in _month_fleet(setup).names()]
    config = write_config(
        setup.work, "http://127.0.0.1:9", asked, picture=image(setup.work)
    )
    blank = [sys.executable, "-m", "bench.blank"]
    ours: list[float] = []
    least: list[float] = []
    peers: dict[str, list[float]] = {name: [] for name in _present()}
    rounds = setup.pick(7, 3)
    # The collector's part is not what is looked at: it is there already.
    with collector(config, data_dir):
        for number in range(rounds):
            with terminal(
                config, data_dir, rows=40, columns=120, shown="edge-000"
            ) as screen:
                ours.append(screen.shown_at(within_s=1) - screen.began_at)
            with in_a_terminal(blank, rows=40, columns=120, shown="blank-is") as screen:
                least.append(screen.shown_at(within_s=1) - screen.began_at)
            for name, (command, shown) in _present().items():
                with in_a_terminal(command, rows=40, columns=120, shown=shown) as peer:
                    peers[name].append(peer.shown_at(within_s=1) - peer.began_at)
            progress(0.4 + 0.6 * (number + 1) / rounds)
    ratio = median(ours) / median(least)
    return Row(
        name="opening",
        what="first useful paint, 100 deployments, 30 days ÷ an empty Textual program",
        ours=f"{median(ours) * 1000:.0f} ms",
        peers=", ".join(
            f"{name} {median(times) * 1000:.0f} ms" for name, times in peers.items()
        ),
        limit=f"empty program {median(least) * 1000:.0f} ms",
        ratio=f"{ratio:.2f}",
        mark="≤ 1.5",
        value=ratio,
        met=ratio <= 1.5,
        note=_missing(),
        figures={
            "ours_ms": median(ours) * 1000,
            "empty_ms": median(least) * 1000,
            **{f"{name}_ms": median(times) * 1000 for name, times in peers.items()},
        },
    )


def running(setup: Setup, progress: Progress) -> Row:
    """CPU and memory at one refresh a second with a hundred cards; about a minute."""
    seconds = setup.pick(40, 8)
    names = [f"card-{number:03}" for number in range(CARDS)]
    asked = [Asked(name, "60s", "15s") for name in names]
    found: dict[str, float] = {}
    with _measured(setup.work / "running", setup, asked) as (config, data_dir):
        time.sleep(5)
        with terminal(
            config, data_dir, rows=50, columns=200, shown="card-000"
        ) as screen:
            time.sleep(5)
            found |= _cost("ours", screen, seconds)
        progress(0.6)
        for name, (command, shown) in _present().items():
            with in_a_terminal(command, rows=50, columns=200, shown=shown) as peer:
                time.sleep(2)
                found |= _cost(name, peer, seconds / 2)
    share, memory = found["ours_cpu_percent"], found["ours_mb"]
    return Row(
        name="running",
        what="the terminal's CPU at 1 Hz and its memory, 100 cards at 200x50",
        ours=f"{share:.1f} % of a core; {memory:.0f} MB",
        peers=", ".join(
            f"{name} {found[f'{name}_cpu_percent']:.1f} %; {found[f'{name}_mb']:.0f} MB"
            for name in _present()
        ),
        ratio=f"{max(share / 8, memory / 90):.2f} of the budget",
        mark="≤ 8 %; ≤ 90 MB",
        value=max(share / 8, memory / 90),
        met=share <= 8 and memory <= 90,
        note=_missing(),
        figures=found,
    )


def keys(setup: Setup, progress: Progress) -> Row:
    """From a key press to the first byte it paints, under load; about 40 s."""
    count = setup.pick(200, 30)
    names = [f"card-{number:03}" for number in range(CARDS)]
    # Ten probes a second: every refresh changes cards, panels and the log.
    asked = [Asked(name, "10s", "1d") for name in names]
    found: list[float] = []
    # Each of them changes the screen, wherever the one before it led: the next card
    # and back, a severity and back, a range and back, the log and back, four views.
    walk = (b"\x1b[B", b"\x1b[A", b"4", b"2", b"]", b"[", b"\t", b"\t", *[b"v"] * 4)
    with (
        _measured(setup.work / "keys", setup, asked) as (config, data_dir),
        terminal(config, data_dir, rows=50, columns=200, shown="card-000") as screen,
    ):
        time.sleep(5)
        for number in range(count):
            # Spread over the second, so that every part of a refresh is met.
            time.sleep(0.11 + (number * 37 % 100) / 1000)
            found.append(screen.press(walk[number % len(walk)]) * 1000)
            progress(number / count)
    late = percentile(found, 0.95)
    return Row(
        name="keys",
        what="from a key press to the changed screen, 100 cards, ten probes a second",
        ours=f"P95 {late:.0f} ms, median {median(found):.0f}",
        ratio=f"{late / 50:.2f} of the budget",
        mark="≤ 50 ms",
        value=late,
        met=late <= 50,
        figures={"p50_ms": median(found), "p95_ms": late, "max_ms": max(found)},
    )


def _cost(name: str, screen: Terminal, seconds: float) -> dict[str, float]:
    before, began = cpu_s(screen.pid), time.monotonic()
    time.sleep(seconds)
    spent = (cpu_s(screen.pid) - before) / (time.monotonic() - began)
    return {f"{name}_cpu_percent": spent * 100, f"{name}_mb": memory_mb(screen.pid)}


def _present() -> dict[str, tuple[tuple[str, ...], str]]:
    return {name: peer for name, peer in PEERS.items() if shutil.which(name)}


def _missing() -> str:
    names = [name for name in PEERS if not shutil.which(name)]
    return f"not installed: apt-get install {' '.join(names)}" if names else ""


def _month_fleet(setup: Setup) -> Fleet:
    until_at = int(time.time() // HOUR_S) * HOUR_S
    hours = setup.pick(720, 48)
    return Fleet(probes=hours * 3_000, hours=hours, until_at=until_at)


def _month(setup: Setup, progress: Progress) -> Path:
    """A month of a hundred deployments, made once per run."""
    data_dir = setup.work / "month"
    if not data_dir.exists():
        data_dir.mkdir(mode=0o700)
        asyncio.run(fill(data_dir, _month_fleet(setup), progress=progress))
    return data_dir
