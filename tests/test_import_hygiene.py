"""The second guard on imports: what a subprocess really loads.

Import-linter sees import statements; it can't see what is deferred. These tests start
an interpreter, import a room and look at ``sys.modules``.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

COLLECTOR = ("textual", "rich", "click", "typer", "httpx", "anyio", "PIL")
HEAVY = ("torch", "ultralytics", "onnxruntime", "numpy", "fastapi", "uvicorn")


def loaded_by(statement: str) -> set[str]:
    """Top-level modules in ``sys.modules`` of a fresh interpreter after a statement."""
    code = f"import sys\n{statement}\nprint(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import yolotop", ("textual", "rich", "httpx", "asyncio", *HEAVY)),
        ("import yolotop.cli.main", ("textual", "httpx", "PIL", *HEAVY)),
        # httpx costs 7 MB and imports its own command line when rich is installed.
        ("import yolotop.collect.collector", (*COLLECTOR, *HEAVY)),
        ("import yolotop.collect.run", (*COLLECTOR, *HEAVY)),
        ("import yolotop.probe.prober", (*COLLECTOR, *HEAVY)),
        ("import yolotop.view.session", ("textual", "rich", "httpx", "PIL", *HEAVY)),
        # Who has no deployments on the Platform does without httpx, also where the
        # collector knows of it.
        ("import yolotop.platform.client", (*COLLECTOR, *HEAVY)),
        ("import yolotop.platform.watch", (*COLLECTOR, *HEAVY)),
        ("import yolotop.platform.keys", ("asyncio", *COLLECTOR, *HEAVY)),
        ("import yolotop.judge.health", ("textual", "rich", "httpx", "asyncio")),
        # The command line checks a keymap with it.
        ("import yolotop.tui.keymap", ("textual", "rich", "asyncio")),
        # The libraries of the `web` extra may be missing.
        ("import yolotop.cli.web", ("aiohttp", "textual_serve", "jinja2")),
        ("import yolotop.tui.app", ("PIL", *HEAVY)),
    ],
)
def test_room_loads_without(statement: str, banned: tuple[str, ...]) -> None:
    assert loaded_by(statement).isdisjoint(banned)


def test_httpx_comes_with_the_first_client_of_the_platform() -> None:
    """And with nothing less; that it comes shows that its absence above means much."""
    made = (
        "import time; from yolotop.platform.budget import Budget; "
        "from yolotop.platform.client import PlatformClient; "
        "PlatformClient('ul_' + '0' * 40, budget=Budget(time.monotonic))"
    )
    assert "httpx" in loaded_by(made)
