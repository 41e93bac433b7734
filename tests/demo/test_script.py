"""The demo's config file: shipped, staged, followed to other ports, edited by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from yolotop.config.load import load, parse
from yolotop.demo import script
from yolotop.demo.cast import CAST, FIRST_PORT, ports
from yolotop.errors import ConfigError
from yolotop.platform.keys import SHAPE

SAMPLE = Path(__file__).parents[2] / "sample_configs" / "demo.toml"


def urls(path: Path) -> dict[str, str]:
    document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    return {table["name"]: table["url"] for table in document["deployment"]}


def test_the_sample_is_what_ships() -> None:
    assert SAMPLE.read_text("utf-8") == script.shipped()


def test_it_is_valid_and_names_the_cast_in_order() -> None:
    config = parse(script.shipped(), path=None, env={})
    assert [d.name for d in config.deployments] == [role.name for role in CAST]
    wanted = ports(FIRST_PORT)
    for deployment in config.deployments:
        assert deployment.url == f"http://127.0.0.1:{wanted[deployment.name]}"
        assert deployment.region
        assert deployment.group
        assert deployment.expect.drawn
    keys = {d.name for d in config.deployments if d.api_key is not None}
    assert keys == {"belt-2", "vault-2"}
    assert all(
        str(d.api_key).endswith("demo.key") for d in config.deployments if d.api_key
    )


def test_its_only_warning_is_that_a_sleeper_is_asked_often() -> None:
    config = parse(script.shipped(), path=None, env={})
    assert [w for w in config.warnings if "silo-9" not in w] == []


def test_staged_on_the_usual_ports_it_is_the_shipped_text(tmp_path: Path) -> None:
    path = script.install(tmp_path, ports(FIRST_PORT))
    assert path.read_text("utf-8") == script.shipped()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_follows_to_other_ports_and_back(tmp_path: Path) -> None:
    path = script.install(tmp_path, ports(40_000))
    assert urls(path)["gate-3"] == "http://127.0.0.1:40009"
    assert "# Blind: HTTP 200" in path.read_text("utf-8"), "comments stay"
    script.install(tmp_path, ports(FIRST_PORT))
    assert path.read_text("utf-8") == script.shipped()


def test_what_the_user_changed_stays(tmp_path: Path) -> None:
    path = script.install(tmp_path, ports(FIRST_PORT))
    text = path.read_text("utf-8")
    start = text.index("# Down:")
    mine = '[[deployment]]\nname = "mine"\nurl = "http://127.0.0.1:9000/x"\n'
    moved = text[:start].replace("http://127.0.0.1:27801", "http://10.0.0.1:80")
    path.write_text(moved + mine, encoding="utf-8")
    script.install(tmp_path, ports(40_000))
    found = urls(path)
    assert "gate-3" not in found, "removed"
    assert found["mine"] == "http://127.0.0.1:9000/x", "added"
    assert found["dock-cam"] == "http://10.0.0.1:80", "sent elsewhere"
    assert found["belt-2"] == "http://127.0.0.1:40001"


@pytest.mark.parametrize(
    "text",
    [
        "deployment = 3\n",
        "deployment = [1, 2]\n",
        '[[deployment]]\nname = "dock-cam"\n',
        '[[deployment]]\nname = "dock-cam"\nurl = 5\n',
        '[[deployment]]\nname = "dock-cam"\nurl = "http://[::1"\n',
        '[[deployment]]\nname = "dock-cam"\nurl = "http://127.0.0.1:99999999/"\n',
    ],
)
def test_an_odd_copy_is_left_to_the_config_room(tmp_path: Path, text: str) -> None:
    path = tmp_path / script.CONFIG_NAME
    path.write_text(text, encoding="utf-8")
    assert script.install(tmp_path, ports(40_000)).read_text("utf-8") == text
    with pytest.raises(ConfigError):
        load(path, env={})


def test_a_broken_copy_is_told_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / script.CONFIG_NAME
    path.write_text("[[deployment]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        script.install(tmp_path, ports(FIRST_PORT))
    assert str(path) in caught.value.message
    assert "--reset" in caught.value.hint
    assert path.read_text("utf-8") == "[[deployment]\n", "never overwritten"


def test_a_config_of_the_users_own_takes_the_place_of_the_copy(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    script.install(home, ports(FIRST_PORT))
    mine = tmp_path / "mine.toml"
    mine.write_text('[[deployment]]\nname = "dock-cam"\nurl = "http://127.0.0.1:1"\n')
    path = script.install(home, ports(40_000), source=mine)
    assert path == home / script.CONFIG_NAME
    assert "http://127.0.0.1:40000" in path.read_text("utf-8")
    assert "http://127.0.0.1:1" in mine.read_text("utf-8")


def test_a_config_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        script.install(tmp_path, ports(FIRST_PORT), source=tmp_path / "nowhere.toml")


# --- the Platform's stand-in ---------------------------------------------------------

SECTION = """[platform]
owner = "acme"
api_key = "env:YOLOTOP_DEMO_PLATFORM_KEY"
base_url = "http://127.0.0.1:27811"
"""


def test_the_stand_in_is_a_section_more_and_goes_again(tmp_path: Path) -> None:
    path = script.install(tmp_path, ports(FIRST_PORT), platform_port=27811)
    text = path.read_text("utf-8")
    assert text.startswith(script.shipped().rstrip())
    assert text.endswith("\n\n" + SECTION)
    script.install(tmp_path, ports(40_000), platform_port=40_010)
    document = tomllib.loads(path.read_text("utf-8"))
    assert document["platform"]["base_url"] == "http://127.0.0.1:40010"
    assert len(document["deployment"]) == len(CAST)
    script.install(tmp_path, ports(FIRST_PORT))
    assert path.read_text("utf-8") == script.shipped()


def test_a_section_of_the_users_own_stays(tmp_path: Path) -> None:
    path = tmp_path / script.CONFIG_NAME
    mine = script.shipped() + '\n[platform]\nowner = "mine"\n'
    path.write_text(mine, encoding="utf-8")
    for port in (27811, None):
        script.install(tmp_path, ports(FIRST_PORT), platform_port=port)
        assert path.read_text("utf-8") == mine


def test_the_key_of_the_stand_in_is_made_once_and_looks_like_one(
    tmp_path: Path,
) -> None:
    key = script.install_platform_key(tmp_path)
    assert SHAPE.fullmatch(key)
    assert script.install_platform_key(tmp_path) == key
    assert key != script.install_key(tmp_path)
    assert (tmp_path / "demo-platform.key").stat().st_mode & 0o777 == 0o600
