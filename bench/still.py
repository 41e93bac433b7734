"""The terminal on a stored history at one fixed instant: nothing can change.

A program for the *quiet* row: ``python -m bench.still DATA_DIR AT``. Owns nothing but
that; the screen, the session and the store are the real ones.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from yolotop.config.schema import UiSettings
from yolotop.store.open import open_reader
from yolotop.tui.actions import StoreActions
from yolotop.tui.app import YolotopApp
from yolotop.view.session import Session


async def show(data_dir: Path, at: float) -> int:
    """Run until it is ended."""
    reader = await open_reader(data_dir)
    try:
        app = YolotopApp(
            Session(reader, now=lambda: at),
            StoreActions(reader, data_dir / "none.toml"),
            settings=UiSettings(),
            now=lambda: at,
        )
        return await app.run_async() or 0
    finally:
        await reader.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(show(Path(sys.argv[1]), float(sys.argv[2]))))
