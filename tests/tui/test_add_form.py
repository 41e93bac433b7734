"""The form: test, save, save anyway, errors at the field."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from tui_fleet import BAD_TRIAL, GOOD_TRIAL, FakeActions, MakeApp, Said, Settle

from yolotop.config.problems import InvalidConfig, NameTaken, Problem
from yolotop.errors import StoreError
from yolotop.tui.ink import Look
from yolotop.tui.screens.add import AddDeployment, verdict_rows
from yolotop.tui.screens.dashboard import Dashboard


def buttons(shown: str) -> str:
    """The line of buttons as the screen shows it."""
    return next(line for line in shown.splitlines() if "Cancel" in line)


async def fill(pilot: Pilot[int], **values: str) -> None:
    await pilot.pause()
    await pilot.press("a")
    await pilot.pause()
    assert isinstance(pilot.app.screen, AddDeployment)
    for key, value in values.items():
        pilot.app.screen.query_one(f"#field-{key}", Input).value = value
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_tested_then_saved(
    make_app: MakeApp,
    actions: FakeActions,
    size: tuple[int, int],
    said: Said,
    work: Settle,
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await fill(pilot, name="dock-2", url="http://10.0.4.7:8000", region="berlin")
        await pilot.press("ctrl+t")
        await work(pilot)
        shown = said(app)
        assert "predict" in shown
        assert "142 ms · 3 detections · HTTP 200" in shown
        await pilot.press("enter")
        await work(pilot)
        table = {
            "name": "dock-2",
            "url": "http://10.0.4.7:8000",
            "region": "berlin",
            "dialect": "ultralytics",
        }
        assert actions.calls == [
            ("recognise", {"name": "?", "url": "http://10.0.4.7:8000"}),
            ("trial", table),
            ("add", table),
        ]
        assert isinstance(app.screen, Dashboard)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20), (40, 14)])
async def test_saving_untested_takes_a_second_press(
    make_app: MakeApp,
    actions: FakeActions,
    size: tuple[int, int],
    said: Said,
    work: Settle,
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await fill(pilot, name="x", url="http://h")
        assert "Test Save Cancel" in " ".join(buttons(said(app)).split())
        await pilot.press("ctrl+s")
        await work(pilot)
        assert actions.calls == []
        assert "Test Save anyway Cancel" in " ".join(buttons(said(app)).split())
        await pilot.press("ctrl+s")
        await work(pilot)
        assert actions.calls == [("add", {"name": "x", "url": "http://h"})]


async def test_an_edit_after_the_test_needs_another(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x", url="http://h")
        await pilot.press("ctrl+t")
        await work(pilot)
        app.screen.query_one("#field-url", Input).value = "http://other"
        await pilot.pause()
        await pilot.press("ctrl+s")
        await work(pilot)
        assert [call for call, _ in actions.calls] == ["recognise", "trial"]
        assert "not tested as it stands" in said(app)


async def test_a_failed_test_says_why_and_may_be_saved_anyway(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    actions.result = BAD_TRIAL
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x", url="http://h")
        await pilot.press("ctrl+t")
        await work(pilot)
        assert "connection refused by 127.0.0.1:1 [red]" in said(app)
        assert "Save anyway" in buttons(said(app))
        await pilot.press("ctrl+s")
        await work(pilot)
        assert [call for call, _ in actions.calls] == ["recognise", "trial", "add"]


TRITON: dict[str, object] = {
    "dialect": "triton",
    "sure": True,
    "why": ["GET /v2 says triton 2.51.0, and announces binary tensors"],
    "settings": {"tensor": {"binary": True}, "model": "shapes"},
    "models": ["shapes"],
    "wants_key": None,
    "asked": [],
}


async def test_an_empty_form_says_what_is_missing(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 30)) as pilot:
        await fill(pilot)
        await pilot.press("ctrl+s")
        await work(pilot)
        shown = said(app)
        assert "what it is to be called" in shown
        assert "where it answers, such as" in shown
        assert "Save anyway" not in shown
        assert app.focused is app.screen.query_one("#field-name")
    assert actions.calls == []


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 40)])
async def test_the_server_is_found_when_its_address_was_entered(
    make_app: MakeApp,
    actions: FakeActions,
    size: tuple[int, int],
    said: Said,
    work: Settle,
) -> None:
    actions.found = TRITON
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await fill(pilot, name="x", url="http://h:8000")
        app.screen.query_one("#field-url", Input).focus()
        await pilot.press("enter")
        await work(pilot)
        assert [call for call, _ in actions.calls] == ["recognise"]
        assert app.screen.query_one("#field-dialect", Input).value == "triton"
        assert app.screen.query_one("#field-model", Input).value == "shapes"
        app.screen.query_one("#verdict").scroll_visible(animate=False)
        await pilot.pause()
        assert "GET /v2 says triton 2.51.0" in " ".join(said(app).split())
        await pilot.press("ctrl+t")
        await work(pilot)
        assert actions.calls[-1] == (
            "trial",
            {
                "name": "x",
                "url": "http://h:8000",
                "dialect": "triton",
                "model": "shapes",
                "tensor": {"binary": True},
            },
        )


async def test_another_model_is_looked_at_anew(
    make_app: MakeApp, actions: FakeActions, work: Settle
) -> None:
    actions.found = TRITON
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x", url="http://h:8000")
        app.screen.query_one("#field-url", Input).focus()
        await pilot.press("enter")
        await work(pilot)
        other = {"model": "plates", "tensor": {"binary": False}}
        actions.found = {**TRITON, "settings": other}
        app.screen.query_one("#field-model", Input).value = "plates"
        await pilot.press("ctrl+t")
        await work(pilot)
        assert actions.calls[1:] == [
            ("recognise", {"name": "?", "url": "http://h:8000", "model": "plates"}),
            (
                "trial",
                {
                    "name": "x",
                    "url": "http://h:8000",
                    "dialect": "triton",
                    **other,
                },
            ),
        ]


async def test_what_was_typed_goes_before_what_was_found(
    make_app: MakeApp, actions: FakeActions, work: Settle
) -> None:
    actions.found = TRITON
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x", url="http://h:8000")
        app.screen.query_one("#field-url", Input).focus()
        await pilot.press("enter")
        await work(pilot)
        app.screen.query_one("#field-dialect", Input).value = "mlserver"
        await pilot.press("ctrl+t")
        await work(pilot)
        table = actions.calls[-1][1]
        assert isinstance(table, dict)
        assert table["dialect"] == "mlserver"
        # The tensors of another protocol say nothing about this one.
        assert "tensor" not in table


async def test_a_server_nobody_knows_is_said_so(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    actions.found = {
        **TRITON,
        "dialect": None,
        "settings": {},
        "models": [],
        "why": ["nothing it answers is of a kind yolotop knows"],
    }
    app = make_app()
    async with app.run_test(size=(80, 30)) as pilot:
        await fill(pilot, name="x", url="http://h:8000")
        app.screen.query_one("#field-url", Input).focus()
        await pilot.press("enter")
        await work(pilot)
        assert "not a server that is known here" in said(app)


async def test_a_config_error_stands_at_its_field(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    actions.trouble = InvalidConfig(
        [Problem("yolotop.toml", 3, '"x"', "url must begin with http:// or https://")]
    )
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x", url="ftp://h")
        await pilot.press("ctrl+t")
        await work(pilot)
        lines = said(app).splitlines()
        at = next(n for n, line in enumerate(lines) if "ftp://h" in line)
        assert "must begin with http:// or https://" in lines[at + 1]
        assert app.focused is app.screen.query_one("#field-url")
        await pilot.press("x")
        await pilot.pause()
        assert "must begin with" not in said(app)


async def test_a_name_that_is_taken_is_told_under_the_name(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    actions.trouble = NameTaken("dock-cam", "demo.toml")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="dock-cam", url="http://h")
        await pilot.press("ctrl+t")
        await work(pilot)
        lines = said(app).splitlines()
        at = next(n for n, line in enumerate(lines) if "Name" in line)
        assert '"dock-cam" is taken; choose another name' in lines[at + 1]
        assert "demo.toml" not in said(app)
        assert app.focused is app.screen.query_one("#field-name")


async def test_any_other_error_is_told_with_its_cure(
    make_app: MakeApp, actions: FakeActions, said: Said, work: Settle
) -> None:
    actions.trouble = StoreError("no collector answered", hint="see yolotop status")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x", url="http://h")
        await pilot.press("ctrl+t")
        await work(pilot)
        assert "no collector answered" in said(app)
        assert "see yolotop status" in said(app)


@pytest.mark.parametrize(
    ("seen", "words"), [(0, "no detections"), (1, "1 detection"), (3, "3 detections")]
)
def test_one_detection_is_not_many(seen: int, words: str) -> None:
    _, predict = verdict_rows([{**GOOD_TRIAL[1], "detections": seen}] * 2, Look())
    assert predict[-1].text == f"142 ms · {words} · HTTP 200"


async def test_escape_leaves_nothing_behind(
    make_app: MakeApp, actions: FakeActions
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await fill(pilot, name="x")
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert actions.calls == []
