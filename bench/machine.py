"""What this machine is and what a process on it used: ``/proc``, read.

Owns the reading of ``/proc`` and the description of the machine, without its name or
any path. It must not know what is measured. Linux only, as the whole bench.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path
from typing import Final

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PACKAGES: Final = ("yolotop", "textual", "httpx", "h11", "aiosqlite")


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, all its threads."""
    # /proc/PID/schedstat is in nanoseconds but of one thread only.
    total = 0
    tasks = Path(f"/proc/{pid}/task")
    try:
        for task in tasks.iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    except (OSError, ValueError):
        return _ticks(pid)
    # Threads that ended are only in the process's own count, in ticks of 10 ms.
    return max(total / 1e9, _ticks(pid) - _TICK_S)


def _ticks(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def memory_mb(pid: int) -> float:
    """Resident memory of a process in MB (10⁶ bytes), shared libraries included."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def describe() -> dict[str, str]:
    """CPU, cores, memory, kernel and versions."""
    return {
        "cpu": _cpu(),
        "cores": str(os.cpu_count() or 0),
        "memory": f"{_memory_gb():.0f} GB",
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: _version(name) for name in _PACKAGES},
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"
