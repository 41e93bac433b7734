"""``[platform]`` and what of a deployment the Platform decides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yolotop.config.edit import add_deployment
from yolotop.config.load import load, parse
from yolotop.config.schema import Config, PlatformSettings
from yolotop.errors import ConfigError
from yolotop.model import PlatformAddress, SecretRef
from yolotop.model.hosting import PLATFORM_URL


def read(text: str) -> Config:
    return parse(text, path=Path("/nowhere/y.toml"), env={})


def test_one_word_or_a_section() -> None:
    assert read("").platform is None
    assert read("platform = true").platform == PlatformSettings()
    assert read("platform = false").platform == PlatformSettings(follow=False)
    found = read(
        '[platform]\nowner = "acme"\napi_key = "file:key"\n'
        'base_url = "http://127.0.0.1:8300/"\n'
    )
    assert found.platform == PlatformSettings(
        True, "acme", SecretRef("file", "/nowhere/key"), "http://127.0.0.1:8300"
    )


ONE = '[[deployment]]\nname = "d"\nplatform = "{}"\n'


def test_a_deployment_of_the_platform_needs_no_url() -> None:
    found = read(ONE.format("acme/dock"))
    (dock,) = found.deployments
    assert dock.platform == PlatformAddress("dock", "acme")
    assert dock.url == f"{PLATFORM_URL}/acme/dock"
    assert not dock.probe
    assert dock.questions == ()
    # The workspace is that of its address, and only what is written is followed.
    assert found.platform == PlatformSettings(follow=False, owner="acme")
    assert found.warnings == ()


def test_the_owner_of_the_section_stays_with_its_key() -> None:
    found = read(ONE.format("acme/dock") + '[platform]\napi_key = "env:K"\n')
    assert found.platform == PlatformSettings(True, "acme", SecretRef("env", "K"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("platform = 3", "platform is an integer; write true, or a section [platform]"),
        ("[platform]\nkey = 1", 'unknown key "key"'),
        ("[platform]\nowner = 'A!'", '"A!" is no owner'),
        ("[platform]\nowner = 'abc'", "4 to 32"),
        ("[platform]\napi_key = 'ul_123'", "must be a reference"),
        ("[platform]\nbase_url = 'http://h.example'", "is no https:// address"),
        ("[platform]\nbase_url = 'https://h:99999'", "is no https:// address"),
        ("[platform]\nbase_url = 'https://u:p@h'", "more than a host and a path"),
        ("[platform]\nfollow = 'yes'", "write true or false"),
        (ONE.format("acme/Dock"), "is no deployment of the Platform"),
        (ONE.format("a/b/c"), "is no deployment of the Platform"),
        (ONE.format("x" * 129), "is no deployment of the Platform"),
        ('[[deployment]]\nname = "d"\nplatform = true\n', "stands above all tables"),
        ('[[deployment]]\nname="d"\nurl="http://h"\nprobe = false\n', "paused = true"),
        (ONE.format("acme/d") + ONE.format("emca/e").replace('"d"', '"e"'), "several"),
        (ONE.format("d") + ONE.format("d").replace('e = "d"', 'e = "e"', 1), "second"),
        ('[defaults]\nplatform = "d"\n', "belongs in a [[deployment]]"),
        ("[defaults]\nprobe = true\n", "belongs in a [[deployment]]"),
    ],
)
def test_what_is_wrong_is_told_with_the_cure(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(text)


def test_asking_what_may_sleep_too_often_is_said() -> None:
    (said,) = read(ONE.format("dock") + 'probe = true\ninterval = "15s"\n').warnings
    assert "keeps the instance awake and may cost money" in said
    assert read(ONE.format("dock") + "probe = true\n").warnings == ()


def test_an_edit_writes_it_down(tmp_path: Path) -> None:
    path = tmp_path / "yolotop.toml"
    add_deployment(path, {"name": "dock", "platform": "acme/dock"})
    assert 'platform = "acme/dock"' in path.read_text()
    assert load(path, env={}).deployments[0].platform == PlatformAddress("dock", "acme")
