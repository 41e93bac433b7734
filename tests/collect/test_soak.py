"""A collector left running: its memory and its descriptors stay flat.

An hour with ``YOLOTOP_LONG=1``; otherwise as long as it takes to see a leak of a
kilobyte a probe, which at some 80 probes a second is fifteen seconds.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.collect.conftest import Endpoint

LONG: Final = bool(os.environ.get("YOLOTOP_LONG"))
SOAK_S: Final = 3_600.0 if LONG else 12.0
WARM_UP_S: Final = 120.0 if LONG else 6.0
DEPLOYMENTS: Final = 40
ALLOWED_KB: Final = 4_096 if LONG else 1_024
"""Growth after warm-up. A leak of 1 KB a probe makes 280 MB in the hour, and about
1 MB in the short form."""


def resident_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    (line,) = [each for each in text.splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1])


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def settled(pid: int, seconds: float) -> tuple[int, int]:
    """Lowest memory and descriptors over some moments: what is not in flight."""
    pause = threading.Event()
    seen = []
    for _ in range(10):
        pause.wait(seconds / 10)
        seen.append((resident_kb(pid), descriptors(pid)))
    return min(kb for kb, _ in seen), min(count for _, count in seen)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads Linux's /proc"
)
@pytest.mark.timeout(SOAK_S + WARM_UP_S + 60)
def test_memory_and_descriptors_stay_flat(tmp_path: Path, endpoint: Endpoint) -> None:
    config, data_dir = tmp_path / "yolotop.toml", tmp_path / "data"
    tables = [
        f'[[deployment]]\nname = "cam-{number}"\nurl = "{endpoint.url}"\n'
        for number in range(DEPLOYMENTS)
    ]
    config.write_text(
        '[defaults]\ninterval = "1s"\npredict_interval = "1s"\n' + "".join(tables)
    )
    config.chmod(0o600)
    words = ["collect", "--config", str(config), "--data-dir", str(data_dir)]
    with subprocess.Popen(
        [sys.executable, "-m", "yolotop", *words], stderr=subprocess.DEVNULL
    ) as child:
        try:
            settled(child.pid, WARM_UP_S)
            before_kb, before_fds = settled(child.pid, 2.0)
            asked = endpoint.answered
            threading.Event().wait(SOAK_S - 4.0)
            after_kb, after_fds = settled(child.pid, 2.0)
            asked = endpoint.answered - asked
        finally:
            child.terminate()
    assert child.returncode == 0
    assert asked > DEPLOYMENTS * (SOAK_S - 4.0) / 2, "too little was asked to tell"
    assert after_kb - before_kb <= ALLOWED_KB, (before_kb, after_kb, asked)
    assert after_fds <= before_fds + 4, (before_fds, after_fds)
    with closing(sqlite3.connect(data_dir / "yolotop.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
