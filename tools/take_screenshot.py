"""The picture in the README: the demo, measured for a while, drawn without a terminal.

Owns how the picture is made; run it again whenever the dashboard looks different:
``python3 tools/take_screenshot.py docs/images/dashboard.svg``. Nothing is staged: the
fleet runs, the ordinary collector measures it, the ordinary screen shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from yolotop.config.schema import UiSettings
from yolotop.demo.stage import open_stage
from yolotop.store.open import open_reader
from yolotop.tui.actions import StoreActions
from yolotop.tui.app import YolotopApp, without_web_fonts
from yolotop.view.session import Session

LOOK_S = 5.0


async def draw(
    config: Path, data_dir: Path, *, size: tuple[int, int], theme: str
) -> str:
    """Open the dashboard on what is being collected and return it as SVG."""
    reader = await open_reader(data_dir)
    try:
        app = YolotopApp(
            Session(reader),
            StoreActions(reader, config),
            settings=UiSettings(range="1h", theme=theme),
            env={"LC_ALL": "C.UTF-8", "COLORTERM": "truecolor"},
        )
        async with app.run_test(size=size):
            await asyncio.sleep(LOOK_S)
            picture = app.export_screenshot(title="yolotop demo")
    finally:
        await reader.close()
    # A picture in a README must not fetch anything.
    return without_web_fonts(picture)


async def collect_and_draw(args: argparse.Namespace) -> str:
    """Let the demo run for ``--after`` seconds, then draw."""
    with (
        tempfile.TemporaryDirectory() as home,
        open_stage(Path(home) / "demo", seed=args.seed) as stage,
    ):
        await asyncio.sleep(args.after)
        return await draw(
            stage.config,
            stage.data_dir,
            size=(args.columns, args.rows),
            theme=args.theme,
        )


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--after", type=float, default=75.0, metavar="SECONDS")
    parser.add_argument("--columns", type=int, default=120)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--theme", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    picture = asyncio.run(collect_and_draw(args))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(picture, encoding="utf-8")
    print(f"{args.out}: {len(picture) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
