"""The main job as a person does it: `yolotop demo` in a real terminal."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Person

from yolotop.collect.lock import is_held

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def history(home: Path) -> Path:
    found = list(home.rglob("yolotop.db"))
    assert len(found) == 1, found
    return found[0]


def probes_in(home: Path) -> int:
    with sqlite3.connect(f"file:{history(home)}?mode=ro", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        count: int = db.execute("SELECT count(*) FROM probe").fetchone()[0]
    db.close()
    return count


def test_first_minute(sit_down: Callable[..., Person], tmp_path: Path) -> None:
    """See a healthy heart and an error, filter the log, quit, find it all again."""
    person = sit_down("demo", "--data-dir", str(tmp_path / "demo"))
    person.sees("♥")
    person.sees("ERROR")
    person.sees(r"gate-3.*refused|refused.*gate-3")

    person.types("4")
    person.sees(lambda screen: "INFO " not in screen and "ERROR" in screen)
    person.types("0")
    person.sees("INFO ")
    person.types("q")
    assert person.leaves() == 0
    kept = probes_in(tmp_path)
    assert kept > 0

    again = sit_down("demo", "--data-dir", str(tmp_path / "demo"), columns=80, rows=24)
    again.sees("♥")
    again.types("q")
    assert again.leaves() == 0
    assert probes_in(tmp_path) > kept


def test_a_lost_terminal_loses_nothing(
    sit_down: Callable[..., Person], tmp_path: Path
) -> None:
    """SIGHUP, as when ssh dies: the program ends by itself and the history is whole."""
    person = sit_down("demo", "--data-dir", str(tmp_path / "demo"))
    person.sees("♥")
    os.kill(person.child.pid, signal.SIGHUP)
    assert person.leaves() == 128 + signal.SIGHUP
    assert probes_in(tmp_path) > 0


def test_from_nothing_the_demo_is_one_key_away(
    sit_down: Callable[..., Person], tmp_path: Path
) -> None:
    """No config anywhere: the empty screen offers the demo; nobody is left behind."""
    person = sit_down()
    person.sees("see the demo")
    person.types("d")
    person.sees(r"♥ .*dock-cam|dock-cam")
    person.types("q")
    assert person.leaves() == 0
    locks = list(tmp_path.rglob("collector.lock"))
    assert len(locks) == 2
    assert not any(is_held(lock.parent) for lock in locks)
