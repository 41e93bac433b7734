"""The files that ship as examples are valid, and say what is true."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from yolotop.config.baseline import document_of, text_of
from yolotop.config.deployment import KEYS
from yolotop.config.duration import format_duration, parse_duration
from yolotop.config.environment import COLLECTOR_KINDS
from yolotop.config.expect import EXPECT_KEYS
from yolotop.config.golden import TOLERANCE_KEYS
from yolotop.config.hosted import PLATFORM_KEYS
from yolotop.config.load import load, parse
from yolotop.config.schema import CollectorSettings, PlatformSettings, UiSettings
from yolotop.config.starter import STARTER
from yolotop.config.store import STORE_KINDS, parse_size
from yolotop.config.tensor import TENSOR_KEYS
from yolotop.config.ui import UI_KINDS
from yolotop.model import (
    Baseline,
    Deployment,
    Expectation,
    StoreSettings,
    Tolerance,
)
from yolotop.model.preset import Tensor

SAMPLES = Path(__file__).parents[2] / "sample_configs"
# A commented key, as opposed to a commented sentence.
KEY_LINE = re.compile(r"^# ([a-z_]+ = .+|\[[a-z]+\])$", re.MULTILINE)


def uncommented(text: str) -> str:
    return KEY_LINE.sub(r"\1", text)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.toml")), ids=lambda p: p.name)
def test_samples_are_valid(path: Path) -> None:
    assert load(path, env={}).deployments


def test_full_is_valid_with_every_key_uncommented(tmp_path: Path) -> None:
    text = uncommented((SAMPLES / "full.toml").read_text())
    for name in ("ca.pem", "client.pem", "client.key", "dock.jpg"):
        (tmp_path / name).touch()
    # A baseline goes with an image of one's own, where "synthetic" is the default.
    text = text.replace('image = "synthetic"', 'image = "dock.jpg"')
    text = text.replace("drawn = false", "", 1)
    (tmp_path / "golden").mkdir()
    pinned = Baseline(hashlib.sha256(b"").hexdigest(), 0.0, ())
    document = text_of(document_of(pinned, "dock-cam"))
    (tmp_path / "golden" / "dock-cam.json").write_text(document)
    config = parse(text, path=tmp_path / "full.toml", env={})
    table = tomllib.loads(text)
    assert set(table["ui"]) == set(UI_KINDS)
    assert set(table["collector"]) == set(COLLECTOR_KINDS)
    assert set(table["store"]) == set(STORE_KINDS)
    assert set(table["platform"]) == set(PLATFORM_KEYS)
    deployment = dict(table["deployment"][0])
    expect = set(deployment.pop("expect"))
    assert expect - set(EXPECT_KEYS) == {"person"}
    assert set(EXPECT_KEYS) - expect == {"drawn"}
    assert set(deployment.pop("tolerance")) == set(TOLERANCE_KEYS)
    assert set(deployment.pop("tensor")) == set(TENSOR_KEYS)
    tables = {"expect", "tensor", "tolerance"}
    assert set(deployment) == set(KEYS) - tables
    assert config.deployments[0].golden == pinned
    assert config.deployments[0].tolerance == Tolerance()
    assert config.data_dir == tmp_path / "history"


def test_full_tells_the_defaults_that_are_built_in() -> None:
    text = (SAMPLES / "full.toml").read_text()
    plain = Deployment("dock-cam", "http://127.0.0.1:8000")
    told = 0
    for line in KEY_LINE.findall(text):
        key, _, value = line.partition(" = ")
        if not value or value == '"f5"':
            continue  # A section, or an example of a key binding.
        parsed: object = tomllib.loads(f"v = {value}")["v"]
        owners = (plain, UiSettings(), CollectorSettings(), Expectation(), Tensor())
        for owner in (*owners, StoreSettings(), PlatformSettings()):
            built_in = getattr(owner, key, getattr(owner, f"{key}_s", None))
            if built_in in (None, (), ""):
                continue
            if isinstance(built_in, float) and isinstance(parsed, str):
                parsed = parse_duration(parsed)
            assert parsed == built_in, key
            told += 1
    assert f'# max_size = "{StoreSettings().max_bytes // 10**6}MB"' in text  # type: ignore[operator]
    assert parse_size("512MB") == StoreSettings().max_bytes
    # What has a default stands there with it: nothing to look up elsewhere.
    assert told >= 15


def test_the_starter_is_valid_as_it_is_and_uncommented(tmp_path: Path) -> None:
    path = tmp_path / "yolotop.toml"
    assert parse(STARTER, path=path, env={}).warnings == ()
    text = re.sub(r"^# (\[\[|[a-z_]+ = )", r"\1", STARTER, flags=re.MULTILINE)
    config = parse(text, path=path, env={})
    found = config.deployments[0]
    assert found.name == "dock-cam"
    plain = Deployment("x", "http://h")
    assert found.interval_s == plain.interval_s
    assert found.predict_interval_s == plain.predict_interval_s
    assert found.timeout_s == plain.timeout_s
    assert format_duration(found.timeout_s) == "10s"


def test_the_unit_starts_the_command_that_there_is() -> None:
    text = (SAMPLES / "yolotop-collect.service").read_text()
    assert "ExecStart=%h/.local/bin/yolotop collect\n" in text
    for section in ("[Unit]", "[Service]", "[Install]"):
        assert section in text
