"""Chart libraries beside our own charts: start, memory, a change, bytes.

``python -m bench.charts`` prints one line for each; ``--json`` what was measured. Owns
the comparison behind the choice in ``docs/architecture.md``. Each one runs in a process
and a pseudo-terminal of its own and draws three series of 120 points, of which the last
moves once a round, as a new answer does. The libraries are no dependency of yolotop:
one that is not installed is said to be missing.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import math
import os
import pty
import random
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from textual.app import App, ComposeResult
from textual.widget import Widget

from bench.machine import memory_mb

NEEDS: Final = {
    "ours": "textual",
    "textual-plotext": "textual_plotext",
    "textual-plot": "textual_plot",
}
SIZES: Final = ((120, 20), (200, 30))
POINTS: Final = 120
ROUNDS: Final = 60
Series = list[list[float]]


def series() -> Series:
    """P50, P95 and P99 of a day."""
    dice = random.Random(3)  # noqa: S311 - a picture, not a secret
    day = [1 - math.cos(index / POINTS * 4 * math.pi) for index in range(POINTS)]
    return [
        [base * (1 + part / 2) * dice.uniform(0.9, 1.2) for part in day]
        for base in (38.0, 80.0, 140.0)
    ]


def ours() -> tuple[Widget, Callable[[Series], None]]:
    """The painted chart."""
    from yolotop.tui.charts import Line, TimeAxis, axis_rows, line_chart
    from yolotop.tui.ink import Look, Row
    from yolotop.tui.widgets.painted import Painted

    roles = ("trend", "accent", "faint")

    class Chart(Painted):
        values: Series = series()

        def rows(self, width: int, height: int) -> Sequence[Row]:
            axis = TimeAxis(1_790_000_000.0, 600.0, POINTS)
            lines = [
                Line(role, values, role)
                for role, values in zip(roles, self.values, strict=True)
            ]
            drawn = line_chart(lines, axis, width, height - 2, self.look)
            return [*drawn, *axis_rows(axis, width, self.look)]

    chart = Chart(Look(), name="chart")
    chart.styles.width = chart.styles.height = "100%"

    def show(values: Series) -> None:
        chart.values = values
        chart.repaint()

    return chart, show


def plotext() -> tuple[Widget, Callable[[Series], None]]:
    """textual-plotext."""
    from textual_plotext import PlotextPlot

    chart: Any = PlotextPlot()

    def show(values: Series) -> None:
        chart.plt.clear_data()
        for each in values:
            chart.plt.plot(each, marker="braille")
        chart.refresh()

    return chart, show


def plot() -> tuple[Widget, Callable[[Series], None]]:
    """textual-plot."""
    from textual_plot import HiResMode, PlotWidget

    chart: Any = PlotWidget()

    def show(values: Series) -> None:
        chart.clear()
        for each in values:
            chart.plot(x=list(range(POINTS)), y=each, hires_mode=HiResMode.BRAILLE)

    return chart, show


MAKERS: Final = {"ours": ours, "textual-plotext": plotext, "textual-plot": plot}


class Stage(App[None]):
    """One chart, changed again and again."""

    CSS_PATH = str(Path(__file__).parent.parent / "yolotop/tui/yolotop.tcss")

    def __init__(self, name: str, out: Path) -> None:
        super().__init__()
        self._which = name
        self._out = out
        self.animation_level = "none"

    def get_css_variables(self) -> dict[str, str]:
        """The inks of our style sheet."""
        from yolotop.tui import themes

        variables = super().get_css_variables()
        return {**themes.inks(self.current_theme, variables), **variables}

    def compose(self) -> ComposeResult:
        """The chart."""
        before = memory_mb(os.getpid())
        began = time.perf_counter()
        chart, self._show = MAKERS[self._which]()
        self._import_ms = (time.perf_counter() - began) * 1000
        self._import_mb = memory_mb(os.getpid()) - before
        yield chart

    def on_mount(self) -> None:
        """Begin."""
        self.run_worker(self._measure())

    async def _settled(self) -> None:
        done = asyncio.Event()
        self.call_after_refresh(done.set)
        await done.wait()

    async def _measure(self) -> None:
        values = series()
        for _ in range(5):
            self._show(values)
            await self._settled()
        sent = 0
        driver: Any = self._driver
        write = driver.write

        def counted(data: str) -> None:
            nonlocal sent
            sent += len(data.encode())
            write(data)

        driver.write = counted
        spent = []
        for turn in range(ROUNDS):
            for each in values:
                each[-1] *= 1.08 if turn % 2 else 1 / 1.08
            began = time.process_time()
            self._show(values)
            await self._settled()
            spent.append((time.process_time() - began) * 1000)
        found = {
            "import_ms": self._import_ms,
            "import_mb": self._import_mb,
            "change_ms": sorted(spent)[len(spent) // 2],
            "change_bytes": sent / ROUNDS,
        }
        self._out.write_text(json.dumps(found))
        self.exit()


def measured(name: str, width: int, height: int) -> dict[str, float] | None:
    """One library at one size, in its own process; ``None`` where it is missing."""
    if find_spec(NEEDS[name]) is None:
        return None
    master, slave = pty.openpty()
    size = struct.pack("HHHH", height, width, 0, 0)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.json"
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.charts", "--child", name, str(out)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)
        while child.poll() is None:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    os.read(master, 65_536)
                except OSError:
                    break
        child.wait()
        os.close(master)
        found: dict[str, float] = json.loads(out.read_text())
    return found


def main() -> int:
    """Measure all of them."""
    parser = argparse.ArgumentParser(prog="python -m bench.charts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        Stage(args.child[0], Path(args.child[1])).run()
        return 0
    told = []
    for name in NEEDS:
        for width, height in SIZES:
            found = measured(name, width, height)
            told.append({"name": name, "width": width, "height": height, "is": found})
    if args.json:
        print(json.dumps(told, indent=1))
        return 0
    for each in told:
        figures = each["is"]
        head = f"{each['name']:<16} {each['width']}x{each['height']}"
        if not isinstance(figures, dict):
            print(f"{head}  not installed")
            continue
        print(
            f"{head}  import {figures['import_ms']:.0f} ms, "
            f"{figures['import_mb']:.1f} MB; a change {figures['change_ms']:.1f} ms, "
            f"{figures['change_bytes']:,.0f} bytes"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
