"""The first picture: the dashboard's own, without Textual."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from tui_fleet import TRUECOLOR, FakeSource, MakeApp, Said, Settle, board

from yolotop.tui import first_light, palette
from yolotop.tui.ink import Look
from yolotop.tui.layout import View

SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]


def _texts(source: FakeSource, width: int, height: int, view: View) -> list[str]:
    rows = first_light.picture_rows(source.snapshot, width, height, Look(), view=view)
    assert len(rows) == height
    return ["".join(span.text for span in row).rstrip() for row in rows]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("keys", [(), ("v",)], ids=["cards", "compact"])
async def test_it_is_what_the_dashboard_shows_a_moment_later(
    make_app: MakeApp,
    source: FakeSource,
    said: Said,
    settle: Settle,
    size: tuple[int, int],
    keys: tuple[str, ...],
) -> None:
    source.snapshot = replace(
        source.snapshot,
        cards=tuple(replace(card, checking=False) for card in source.snapshot.cards),
    )
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        shown = said(app).splitlines()
        above = board(app).log_pane.region.y
        drawn = _texts(source, *size, board(app).view)
    assert above > 3
    assert drawn[:above] == shown[:above]


@pytest.mark.parametrize("theme", palette.CYCLE)
def test_its_colours_are_the_themes(source: FakeSource, theme: str) -> None:
    rows = first_light.picture_rows(source.snapshot, 80, 24, Look(), view=View.CARDS)
    painted = first_light.sequences(rows, theme, TRUECOLOR)
    assert painted.startswith(first_light.ENTER)
    own = theme in palette.PAPERS
    assert bool(re.search(r"[34]8;2;", painted)) is own
    assert "gate-3" in painted


def test_no_color_is_none_at_all(source: FakeSource) -> None:
    rows = first_light.picture_rows(source.snapshot, 80, 24, Look(), view=View.CARDS)
    env = {**TRUECOLOR, "NO_COLOR": ""}
    painted = first_light.sequences(rows, palette.choose("auto", env), env)
    assert "gate-3" in painted
    assert not re.search(r"\x1b\[[0-9;]*(?:[34][0-8]|9[0-7])[;m]", painted)


@pytest.mark.parametrize(
    ("theme", "env"), [("nord", TRUECOLOR), (palette.DARK, {"LANG": "C.UTF-8"})]
)
def test_what_only_textual_can_colour_is_left_to_it(
    source: FakeSource, theme: str, env: dict[str, str]
) -> None:
    rows = first_light.picture_rows(source.snapshot, 80, 24, Look(), view=View.CARDS)
    assert first_light.sequences(rows, theme, env) == ""


def test_it_is_drawn_without_textual() -> None:
    program = (
        "import sys, yolotop.tui.first_light, yolotop.view.session\n"
        "sys.exit(any(name.partition('.')[0] == 'textual' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
