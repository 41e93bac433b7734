"""Real traffic on the overview: what is said of it, and how it looks at each size."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot
from tui_detail import AT, busy_traffic, fleet_detail
from tui_fleet import FakeSource, MakeApp, Settle, fleet_cards

from yolotop.model import Traffic
from yolotop.tui.ink import Look, Row, width_of
from yolotop.tui.screens.detail import DetailScreen
from yolotop.tui.widgets.overview import overview_rows
from yolotop.tui.widgets.real_rows import real_rows
from yolotop.view.traffic import Real

Portrayed = Callable[..., str]
SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]
LOOKS = [Look(), Look(plain=True)]
SOURCES = ["Triton metrics", "Ultralytics Platform"]


def text(rows: list[Row]) -> list[str]:
    return ["".join(span.text for span in row) for row in rows]


def told(traffic: Traffic, *, now: float = AT) -> list[str]:
    return text(real_rows(Real(traffic), None, 60, 9, Look(), now=now))


def _open(settle: Settle, *keys: str) -> Callable[[Pilot[int]], Awaitable[None]]:
    async def run(pilot: Pilot[int]) -> None:
        await settle(pilot)
        for key in ("enter", *keys):
            await pilot.press(key)
            await pilot.pause()
            screen = pilot.app.screen
            assert isinstance(screen, DetailScreen)
            turns = screen.feed.turns
            screen.feed.nudge()
            while screen.feed.turns == turns:
                await pilot.pause()
            await pilot.pause()

    return run


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", ["triton", "platform", "cursor", "ascii"])
def test_it_stands_beside_the_probes(
    portrayed: Portrayed,
    picture: SnapshotAssertion,
    make_app: MakeApp,
    source: FakeSource,
    settle: Settle,
    size: tuple[int, int],
    kind: str,
) -> None:
    source.real = busy_traffic(SOURCES[kind == "platform"])
    app = make_app(symbols="ascii") if kind == "ascii" else make_app()
    run = _open(settle, *(("left", "left") if kind == "cursor" else ()))
    drawn = portrayed(app, terminal_size=size, run_before=run)
    assert "Triton" in drawn or "Ultralytics " in drawn, "whose figures they are"
    assert drawn == picture


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SOURCES)
@given(st.integers(1, 240), st.integers(1, 70), st.none() | st.integers(0, 143))
def test_no_row_is_wider_than_the_screen(
    look: Look, name: str, width: int, height: int, cursor: int | None
) -> None:
    detail = replace(fleet_detail(fleet_cards()[0]), real=busy_traffic(name))
    rows = overview_rows(detail, cursor, width, height, look)
    assert len(rows) <= height
    assert max((width_of(row) for row in rows), default=0) <= width
    if look.plain:
        assert "".join(text(rows)).replace("\u2192", "").isascii()


def test_each_figure_says_what_it_is() -> None:
    base = Traffic("dock", "BentoML metrics", AT - 72, 60.0, 90.0, 9.0)
    assert told(base) == [
        "requests  1.5 /s",
        "errors    10.0 %",
        "from BentoML metrics, 12 s ago",
    ]
    cells = ((10.0, 0.0), (20.0, 80.0), (50.0, 10.0))
    by_buckets = told(replace(base, buckets=cells))
    assert "latency   ~36 ms P95, buckets" in by_buckets
    assert "latency   40 ms P95, reported" in told(replace(base, p95_ms=40.0))
    machine = told(replace(base, cpu=0.5, memory=0.25, instances=2, waiting=3))
    assert machine[2:6] == [
        "queue     3 waiting",
        "cpu       50.0 %",
        "memory    25.0 %",
        "instances 2",
    ]


def test_what_nobody_counted_is_not_zero() -> None:
    unknown = told(Traffic("dock", "Frigate metrics", AT - 72, 60.0, waiting=0))
    assert unknown == ["queue     0 waiting", "from Frigate metrics, 12 s ago"]
    idle = told(Traffic("dock", "Triton metrics", AT - 72, 60.0, 0.0, 0.0))
    assert idle[0] == "requests  0 /s"
    assert not any("errors" in row for row in idle), "none of none is no rate"


def test_late_news_is_amber() -> None:
    traffic = Traffic("dock", "Triton metrics", AT - 72, 60.0, 1.0)
    for now, role in ((AT, "faint"), (AT + 400, "degraded")):
        rows = real_rows(Real(traffic), None, 60, 9, Look(), now=now)
        assert [span.role for span in rows[-1]] == [role]


def test_under_the_cursor_are_the_figures_of_its_step() -> None:
    real = busy_traffic()
    [requests, *_] = text(real_rows(real, 31, 60, 6, Look(), now=AT))
    assert requests.endswith("nobody counted then")
    at = real.steps[100]
    assert at is not None
    errors = text(real_rows(real, 100, 60, 6, Look(), now=AT))[1]
    assert errors.endswith("9.0 %")
