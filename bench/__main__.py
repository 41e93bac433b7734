"""``python -m bench``: every row, one table, JSON on request.

Owns the command line, the order of the rows and how they are shown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from bench import (
    accuracy,
    cost,
    fleet,
    freshness,
    memory,
    panels,
    search,
    tensors,
    terminals,
)
from bench.figures import Progress as Told
from bench.figures import Row, Setup
from bench.machine import describe

ROWS: Final[dict[str, Callable[[Setup, Told], Row]]] = {
    "accuracy": accuracy.measure,
    "cost": cost.measure,
    "fleet": fleet.measure,
    "panels": panels.measure,
    "bytes": panels.weigh,
    "memory": memory.measure,
    "freshness": freshness.measure,
    "quiet": terminals.quiet,
    "traffic": terminals.traffic,
    "opening": terminals.opening,
    "running": terminals.running,
    "keys": terminals.keys,
    "filter": search.measure,
    "tensors": tensors.measure,
}
COLUMNS: Final = ("", "what", "ours", "peers", "limit", "ratio", "mark", "met")


def main() -> int:
    """Measure. 0: every mark is met, 1: one is not, 3: a peer or a row is missing."""
    args = _arguments()
    console = Console(stderr=True)
    began = time.monotonic()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="yolotop-bench-", dir=args.work) as folder,
        Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as bars,
    ):
        setup = Setup(Path(folder), quick=args.quick)
        for name in args.only or ROWS:
            bar = bars.add_task(name, total=1.0)
            rows.append(_measured(name, setup, partial(_advance, bars, bar)))
            bars.update(bar, completed=1.0)
    machine = describe()
    _show(rows, machine, quick=args.quick)
    if args.json is not None:
        found = {
            "machine": machine,
            "quick": args.quick,
            "took_s": round(time.monotonic() - began),
            "rows": [asdict(row) for row in rows],
        }
        args.json.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    if any(row.met is False for row in rows):
        return 1
    return 3 if any(row.met is None for row in rows) else 0


def _measured(name: str, setup: Setup, progress: Told) -> Row:
    """A row; one that could not be measured says why and keeps the others."""
    try:
        return ROWS[name](setup, progress)
    except Exception as error:  # noqa: BLE001 - told in the row's note
        why = f"not measured: {type(error).__name__}: {error}"
        return Row(name, "", "–", "", None, met=None, note=why)


def _advance(bars: Progress, bar: TaskID, share: float) -> None:
    bars.update(bar, completed=share)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few minutes; proves less"
    )
    parser.add_argument(
        "--only", action="append", choices=list(ROWS), help="this row; may be repeated"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="on a local disk with 4 GB free"
    )
    return parser.parse_args()


def _show(rows: list[Row], machine: dict[str, str], *, quick: bool) -> None:
    table = Table(title="quick run" if quick else None, title_justify="left")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    for row in rows:
        met = {True: "yes", False: "NO", None: "?"}[row.met]
        texts = (row.ours, row.peers, row.limit, row.ratio, row.mark, met)
        table.add_row(row.name, row.what, *texts)
    console = Console(width=None if sys.stdout.isatty() else 160, markup=False)
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"{row.name}: {row.note}")
    console.print(" · ".join(f"{key} {value}" for key, value in machine.items()))


if __name__ == "__main__":
    sys.exit(main())
