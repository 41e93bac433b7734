"""The fleet, and how to look at an app that shows it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping

import pytest
from portrait import Portraits, portrait
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from tui_fleet import (
    GOOD_TRIAL,
    NOON,
    TRUECOLOR,
    FakeActions,
    FakeSource,
    MakeApp,
    Said,
    Settle,
    board,
    fleet_lines,
    fleet_snapshot,
)

from yolotop.config.schema import UiSettings
from yolotop.tui.app import YolotopApp


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC, wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("NO_COLOR", raising=False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def source() -> FakeSource:
    """The fleet."""
    return FakeSource(fleet_snapshot(), fleet_lines())


@pytest.fixture
def actions() -> FakeActions:
    """Actions that only remember."""
    return FakeActions(result=GOOD_TRIAL)


@pytest.fixture
def said() -> Said:
    """What the screen shows, as text."""

    def read(app: YolotopApp) -> str:
        strips = app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    return read


@pytest.fixture
def settle() -> Settle:
    """Let the feed take one whole turn, and the screen be painted."""

    async def wait(pilot: Pilot[int]) -> None:
        feed = board(pilot.app).feed
        await pilot.pause()
        turns = feed.turns
        feed.nudge()
        while feed.turns == turns:
            await pilot.pause()
        await pilot.pause()

    return wait


@pytest.fixture
def work() -> Settle:
    """Let trials, saves and actions come to their end."""

    async def wait(pilot: Pilot[int]) -> None:
        await pilot.pause()
        for worker in list(pilot.app.workers):
            if worker.group in ("trial", "save", "act"):
                await worker.wait()
        await pilot.pause()

    return wait


@pytest.fixture
def make_app(source: FakeSource, actions: FakeActions) -> MakeApp:
    """An app on the fleet; it asks only when nudged."""

    def make(
        *,
        theme: str = "auto",
        symbols: str = "auto",
        read_only: bool = False,
        view: str = "cards",
        env: Mapping[str, str] | None = None,
        now: Callable[[], float] = lambda: NOON,
        trouble: Callable[[], str] = lambda: "",
        demo: bool = False,
        refresh_s: float = 3_600.0,
    ) -> YolotopApp:
        settings = UiSettings(
            theme=theme, symbols=symbols, read_only=read_only, view=view
        )
        return YolotopApp(
            source,
            actions,
            settings=settings,
            now=now,
            refresh_s=refresh_s,
            env=TRUECOLOR if env is None else env,
            searched=("./yolotop.toml", "~/.config/yolotop/yolotop.toml"),
            trouble=trouble,
            demo=demo,
        )

    return make


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """What it looked like, as text, when someone looked."""
    return snapshot.use_extension(Portraits)


@pytest.fixture
def portrayed() -> Callable[..., str]:
    """An app's portrait; called as ``snap_compare`` is, which takes an SVG."""

    def take(
        app: YolotopApp,
        *,
        terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[int]], Awaitable[None]],
    ) -> str:
        async def run() -> str:
            async with app.run_test(size=terminal_size) as pilot:
                await run_before(pilot)
                return portrait(app)

        return asyncio.run(run())

    return take
