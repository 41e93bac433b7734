"""The pictures of README.md and docs/tour.md: the demo, measured for a while, drawn.

Owns which pictures there are and which keys lead to them; run it again whenever the
terminal looks different: ``python3 tools/take_tour.py docs/images``, or with names
behind it for some of them (``dashboard``). Nothing is staged: the fleet runs, the
ordinary collector measures it, the ordinary screens show it, and every picture is
reached by the keys that a person would press.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yolotop.collect.process import ensure, stop
from yolotop.config.schema import UiSettings
from yolotop.demo.stage import Stage, open_stage
from yolotop.store.open import open_reader
from yolotop.tui.actions import StoreActions
from yolotop.tui.app import YolotopApp, without_web_fonts
from yolotop.tui.palette import ANSI_DARK, LIGHT
from yolotop.view.session import Session

if TYPE_CHECKING:
    from textual.pilot import Pilot

LOOK_S: Final = 3.0
"""From opening to the first key, and from the last key to the picture."""
KEY_S: Final = 0.3
"""Between two keys: what a person takes, and time for what the first one opens."""
ENV: Final = {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
SEARCHED: Final = ("./yolotop.toml", "~/.config/yolotop/yolotop.toml")
"""Said on the empty screen in place of this machine's own paths."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: ``keys`` are Textual's names, ``"…"`` in front is typed as it is.

    ``wait_s`` is added before the picture, for what takes time. ``empty`` looks at a
    yolotop that nobody has told of an endpoint.
    """

    name: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = (120, 40)
    theme: str = "auto"
    view: str = "cards"
    wait_s: float = 0.0
    empty: bool = False


def opened(name: str, *keys: str) -> tuple[str, ...]:
    """Find a deployment, open its screen, go on with ``keys``."""
    return ("f", f"…{name}", "enter", "enter", *keys)


SHOTS: Final = (
    Shot("dashboard"),
    Shot("compact", view="compact"),
    Shot("table", ("s", "s", "s", "s", "s"), view="table"),
    Shot("map", ("down", "down"), view="map"),
    Shot("find", ("f", "…state:down,degraded !region:eu")),
    Shot("paused", ("space",), size=(100, 30), wait_s=9.0),
    Shot("overview", opened("press", "comma")),
    Shot("logs", opened("kiln", "tab", "/", "…status:5xx", "enter", "up", "up")),
    Shot(
        "line",
        opened("kiln", "tab", "/", "…status:5xx", "enter", "up", "up", "enter"),
        size=(100, 30),
    ),
    Shot("predict", opened("lane", *("tab",) * 2, "r"), size=(100, 30), wait_s=3.0),
    Shot("code", opened("belt", *("tab",) * 3), size=(100, 30)),
    Shot("config", opened("belt", *("tab",) * 4)),
    Shot("help", ("question_mark",)),
    Shot(
        "add",
        ("a", "…dock-2", "enter", "…http://127.0.0.1:{port}", "ctrl+t"),
        size=(100, 30),
        wait_s=3.0,
    ),
    Shot("empty", empty=True, size=(100, 30)),
    Shot("light", theme=LIGHT),
    Shot("ansi", theme=ANSI_DARK, size=(100, 30)),
    Shot("dashboard-80x24", size=(80, 24)),
    Shot("dashboard-60x20", size=(60, 20)),
)


async def take(shot: Shot, config: Path, data_dir: Path, *, port: int = 0) -> str:
    """Open the terminal on what is being collected, press the keys, return the SVG."""
    reader = await open_reader(data_dir)
    try:
        app = YolotopApp(
            Session(reader),
            StoreActions(reader, config),
            settings=UiSettings(range="1h", theme=shot.theme, view=shot.view),
            env=ENV,
            searched=SEARCHED,
            demo=shot.empty,
        )
        async with app.run_test(size=shot.size) as pilot:
            await asyncio.sleep(LOOK_S)
            for key in shot.keys:
                await press(pilot, key.format(port=port))
            await asyncio.sleep(LOOK_S + shot.wait_s)
            picture = app.export_screenshot(title="yolotop demo")
    finally:
        await reader.close()
    # A picture in a README must not fetch anything.
    return without_web_fonts(picture)


async def press(pilot: Pilot[int], key: str) -> None:
    """Press one key, or type what stands behind an ellipsis."""
    await pilot.press(*(key[1:] if key.startswith("…") else (key,)))
    await asyncio.sleep(KEY_S)


@asynccontextmanager
async def nothing_registered(home: Path) -> AsyncIterator[tuple[Path, Path]]:
    """A config file and a data directory of a yolotop that watches nothing."""
    config = home / "yolotop.toml"
    config.write_text("", encoding="utf-8")
    found = await asyncio.to_thread(
        ensure, config_path=config, data_dir=home / "data", owner_pid=os.getpid()
    )
    try:
        yield config, home / "data"
    finally:
        if found.pid is not None:
            await asyncio.to_thread(stop, found.pid, LOOK_S)


async def tour(stage: Stage, shots: list[Shot], out: Path, home: Path) -> None:
    """Take one picture after the other."""
    port = next(iter(stage.fleet.ports.values()))
    for shot in shots:
        if shot.empty:
            async with nothing_registered(home) as (config, data_dir):
                picture = await take(shot, config, data_dir)
        else:
            picture = await take(shot, stage.config, stage.data_dir, port=port)
        path = out / f"{shot.name}.svg"
        path.write_text(picture, encoding="utf-8")
        print(f"{path}: {len(picture) / 1024:.0f} KiB", flush=True)


async def collect_and_draw(args: argparse.Namespace, shots: list[Shot]) -> None:
    """Let the demo run for ``--after`` seconds, then walk through it."""
    with (
        tempfile.TemporaryDirectory() as home,
        open_stage(Path(home) / "demo", seed=args.seed) as stage,
    ):
        await asyncio.sleep(args.after)
        await tour(stage, shots, args.out, Path(home))


def main() -> None:
    """Write the pictures."""
    known = {shot.name: shot for shot in SHOTS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--after", type=float, default=240.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if unknown := [name for name in args.names if name not in known]:
        parser.error(f"no such picture: {', '.join(unknown)}")
    shots = [known[name] for name in args.names] or list(SHOTS)
    args.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(collect_and_draw(args, shots))


if __name__ == "__main__":
    main()
