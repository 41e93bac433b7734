"""``add``, ``list``, ``remove`` and ``config``: the file, changed and told."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import Result

Run = Callable[..., Result]
KEY = "test-key-0123456789"


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path
    config: Path
    env: dict[str, str]

    def write(self, text: str) -> Path: ...


class Pty(Protocol):
    """What conftest's Pty offers."""

    def sees(self, text: str) -> None: ...
    def types(self, keys: str) -> None: ...
    def ends(self) -> int: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str
    health: list[Any]
    predict: list[Any]
    asked: list[str]


def tables(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(path.read_text())["deployment"]
    return found


def test_adding_asks_first_then_saves(
    run: Run, home: Home, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCK_KEY", KEY)
    options = ["--name", "dock-cam", "--api-key", "env:DOCK_KEY", "--region", "eu"]
    done = run("add", served, *options, "--group", "g", "--tag", "a", "--tag", "b")
    assert done.exit_code == 0, done.stderr
    # Nothing was there: the file is made where it will be found again.
    path = home.path / "config" / "yolotop" / "yolotop.toml"
    assert tables(path) == [
        {
            "name": "dock-cam",
            "url": served,
            "api_key": "env:DOCK_KEY",
            "group": "g",
            "region": "eu",
            "tags": ["a", "b"],
        }
    ]
    assert "health: ok" in done.stderr
    assert "predict: ok" in done.stderr
    assert run("list", "--json").exit_code == 0
    assert run("check").exit_code == 0


def test_an_unhealthy_one_is_not_saved_unasked(
    run: Run, home: Home, scripted: Scripted
) -> None:
    scripted.predict[:] = [(500, {}, {"error": "boom"})]
    home.write("# mine\n")
    done = run("add", scripted.url)
    assert done.exit_code == 1
    assert "predict: failed" in done.stderr
    assert home.config.read_text() == "# mine\n"
    assert run("add", scripted.url, "--yes").exit_code == 0
    assert tables(home.config)[0]["name"] == scripted.url.removeprefix("http://")


@pytest.mark.parametrize(("answer", "saved"), [("y", True), ("n", False)])
def test_a_person_decides(
    sit_at: Callable[..., Pty],
    home: Home,
    scripted: Scripted,
    answer: str,
    saved: bool,
) -> None:
    scripted.predict[:] = [(500, {}, {"error": "boom"})]
    home.write("")
    person = sit_at("add", scripted.url, "--name", "x")
    person.sees("Dialect [ultralytics]:")
    person.types("\n")
    person.sees("Send one test image")
    assert scripted.asked.count("/predict") == 0
    person.types("y\n")
    person.sees("Save it all the same?")
    person.types(f"{answer}\n")
    assert person.ends() == (0 if saved else 1)
    assert ("x" in home.config.read_text()) is saved


def test_no_image_is_sent_to_whoever_says_no(
    sit_at: Callable[..., Pty], home: Home, scripted: Scripted
) -> None:
    home.write("")
    person = sit_at("add", scripted.url, "--name", "x")
    person.sees("Dialect [ultralytics]:")
    person.types("nonsense\n")
    person.sees("Known dialects:")
    person.types("ultralytics\n")
    person.sees("Send one test image")
    person.types("n\n")
    assert person.ends() == 0
    assert "/predict" not in scripted.asked
    assert tables(home.config)[0]["name"] == "x"


def test_a_dialect_that_was_said_is_not_looked_for(
    run: Run, home: Home, scripted: Scripted
) -> None:
    home.write("")
    assert run("add", scripted.url, "--dialect", "ultralytics").exit_code == 0
    assert tables(home.config)[0]["dialect"] == "ultralytics"
    assert set(scripted.asked) == {"/health", "/predict"}
    done = run("add", scripted.url, "--dialect", "ultralitics", "--name", "y")
    assert done.exit_code == 2
    assert 'did you mean "ultralytics"' in done.stderr


def test_a_model_that_is_wanted_is_asked_for(
    run: Run, sit_at: Callable[..., Pty], home: Home, scripted: Scripted
) -> None:
    home.write("")
    done = run("add", scripted.url, "--dialect", "torchserve", "--yes")
    assert done.exit_code == 2
    assert "torchserve asks for a model by its name" in done.stderr
    assert "Say --model NAME; nothing was saved" in done.stderr
    assert scripted.asked == []
    person = sit_at("add", scripted.url, "--dialect", "torchserve", "--name", "x")
    person.sees("Model:")
    person.types("plates\n")
    person.sees("Send one test image")
    person.types("n\n")
    person.sees("Save it all the same?")
    person.types("n\n")
    assert person.ends() == 1
    assert "/predictions/plates" not in scripted.asked
    done = run("add", scripted.url, "--dialect", "torchserve", "--model", "plates",
               "--name", "y", "--yes")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "/predictions/plates" in scripted.asked
    assert tables(home.config)[-1]["model"] == "plates"


def test_a_locked_server_says_how_it_wants_its_key(
    run: Run, home: Home, scripted: Scripted
) -> None:
    home.write("")
    scripted.health[:] = [(401, {}, {"detail": "Not authenticated"})]
    done = run("add", scripted.url)
    assert "it refuses to say anything without the right key" in done.stderr
    assert "It wants a key (as a bearer token): --api-key env:NAME" in done.stderr


def test_what_was_found_is_told_with_its_reason(
    run: Run, home: Home, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCK_KEY", KEY)
    done = run("add", served, "--name", "d", "--api-key", "env:DOCK_KEY")
    assert "It is ultralytics: its OpenAPI page has /predict with file" in done.stderr
    assert "asked with GET: /v2, /info, /openapi.json" in done.stderr


def test_lines_of_the_table_can_be_given(
    run: Run, home: Home, scripted: Scripted
) -> None:
    home.write("")
    lines = [
        "--set=request.field=image",
        '--set=request.path="/predict"',
        "--set=class_names = ['a', 'b']",
    ]
    done = run("add", scripted.url, *lines, "--no-check", "--name", "x")
    assert done.exit_code == 0, done.stderr
    table = tables(home.config)[0]
    assert table["request"] == {"field": "image", "path": "/predict"}
    assert table["class_names"] == ["a", "b"]


@pytest.mark.parametrize("line", ["", "field", "a = 1\nb = 2"])
def test_what_is_no_line_of_the_file_is_refused(
    run: Run, home: Home, scripted: Scripted, line: str
) -> None:
    home.write("")
    done = run("add", scripted.url, "--set", line, "--no-check")
    assert done.exit_code == 2
    assert "is not a line of the config file" in done.stderr
    assert home.config.read_text() == ""


def test_no_check_asks_nobody(run: Run, home: Home, scripted: Scripted) -> None:
    home.write("")
    assert run("add", scripted.url, "--no-check", "--name", "x").exit_code == 0
    assert run("add", scripted.url, "--no-check").exit_code == 0
    assert run("add", scripted.url, "--no-check").exit_code == 0
    host = scripted.url.removeprefix("http://")
    assert [t["name"] for t in tables(home.config)] == ["x", host, f"{host}-2"]
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["ftp://h"], "url must begin"),
        (["10.0.4.7:8000"], "10.0.4.7:8000 does not begin with http:// or https://"),
        (["10.0.4.7:8000"], "yolotop add http://10.0.4.7:8000"),
        (["http://h", "--name", "dock-cam"], '"dock-cam" is registered already'),
        (["http://h", "--api-key", "sekret-literal"], "must be a reference"),
        (["http://u:sekret@h"], "api_key"),
        (["http://h", "--tag", " x"], "white space"),
    ],
)
def test_what_would_not_be_valid_is_refused_before_anything_is_asked(
    run: Run, home: Home, args: list[str], said: str
) -> None:
    text = '[[deployment]]\nname = "dock-cam"\nurl = "http://h"\n'
    home.write(text)
    done = run("add", *args)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "sekret" not in done.stderr
    assert home.config.read_text() == text


def test_listing(run: Run, home: Home) -> None:
    home.write(
        '[defaults]\ninterval = "20s"\n'
        '[[deployment]]\nname = "a"\nurl = "http://h:1"\ntags = ["x"]\n'
        'api_key = "env:KEY"\n'
        '[[deployment]]\nname = "b"\nurl = "http://h:2"\npaused = true\n'
    )
    found = json.loads(run("list", "--json").stdout)
    assert [item["name"] for item in found] == ["a", "b"]
    assert found[0]["interval_s"] == 20
    assert found[0]["api_key"] == "env:KEY"
    assert found[1]["paused"] is True
    text = run("list").stdout
    assert "b (paused)" in text
    assert "http://h:2" in text


def test_listing_nothing(run: Run, home: Home) -> None:
    done = run("list")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "yolotop add URL" in done.stderr
    assert json.loads(run("list", "--json").stdout) == []


def test_removing(run: Run, home: Home) -> None:
    text = '# mine\n\n[[deployment]]\nname = "a"\nurl = "http://h"\n'
    home.write(text)
    # Nobody is there to ask.
    done = run("remove", "a")
    assert done.exit_code == 2
    assert home.config.read_text() == text
    assert run("remove", "b", "--yes").exit_code == 2
    assert run("remove", "a", "--yes").exit_code == 0
    assert home.config.read_text() == "# mine\n"


def test_config_path(run: Run, home: Home) -> None:
    done = run("config", "path")
    assert (done.exit_code, done.stdout) == (1, "")
    assert str(home.config) in done.stderr
    home.write("")
    done = run("config", "path")
    assert (done.exit_code, done.stdout) == (0, f"{home.config}\n")
    assert json.loads(run("config", "path", "--json").stdout)["path"] == str(
        home.config
    )


def test_config_show(run: Run, home: Home) -> None:
    assert run("config", "show", "a").exit_code == 2
    home.write(
        '[defaults]\ntimeout = "3s"\n[[deployment]]\nname = "a"\nurl = "http://h"\n'
    )
    done = run("config", "show", "a")
    assert done.exit_code == 0
    file = home.config.name
    rows = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert ["timeout", '"3s"', f"[defaults], {file}:2"] in rows
    assert ["paused", "false", "built in"] in rows
    listed = json.loads(run("config", "show", "a", "--json").stdout)
    assert listed[0] == {"key": "name", "value": '"a"', "origin": f"{file}:4"}
    assert run("config", "show", "b").exit_code == 2


def test_config_init(run: Run, home: Home) -> None:
    path = home.path / "config" / "yolotop" / "yolotop.toml"
    done = run("config", "init")
    assert (done.exit_code, done.stdout) == (0, f"{path}\n")
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("config", "init").exit_code == 2
    other = home.path / "other.toml"
    assert run("config", "init", "--config", str(other)).exit_code == 0
    assert run("config", "validate", "--config", str(other)).exit_code == 0


def test_config_validate(run: Run, home: Home) -> None:
    assert run("config", "validate").exit_code == 2
    home.write('[[deployment]]\nname = "a"\nurl = "http://h"\napi_key = "env:GONE"\n')
    done = run("config", "validate")
    assert done.exit_code == 0
    assert done.stdout == f"{home.config}: valid, 1 deployment\n"
    assert "GONE is not set" in done.stderr
    accepted = json.loads(run("config", "validate", "--json").stdout)
    assert accepted["valid"] is True
    assert len(accepted["warnings"]) == 2
    home.write("[ui]\nrange = 5\n[ui\n")
    done = run("config", "validate", "--json")
    assert done.exit_code == 2
    refused = json.loads(done.stdout)
    assert refused["valid"] is False
    assert refused["problems"][0]["line"] == 3
    assert refused["problems"][0]["column"] is not None
