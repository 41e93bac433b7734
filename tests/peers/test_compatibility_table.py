"""``docs/compatibility.md`` says what is so: each preset once, *real* where it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from peer_monitor import TABLES
from peer_ways import STEPS, WAYS, dotted

from yolotop.config.presets import shipped
from yolotop.config.schema import DIALECTS
from yolotop.model.preset import Carrier, Encoding

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/compatibility.md").read_text("utf-8")


def rows(heading: str) -> dict[str, dict[str, str]]:
    """A table by preset, each row by its columns."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, _, *body = cells
    found = [dict(zip(head, row, strict=True)) for row in body]
    named = {row["Preset"].strip("`"): row for row in found}
    assert len(named) == len(found), "a preset has two rows"
    return named


REAL = rows("Real servers")
FAKE = rows("Fakes: contract only")


def test_each_preset_has_one_row() -> None:
    assert sorted([*REAL, *FAKE]) == sorted(DIALECTS)


def test_what_is_called_real_is_asked_and_maimed() -> None:
    assert set(REAL) == {way.dialect for _, way in WAYS}
    assert set(REAL) == {table["dialect"] for table in TABLES.values()}


@pytest.mark.parametrize("preset", sorted({**REAL, **FAKE}))
def test_paths_are_those_of_the_preset(preset: str) -> None:
    row, told = {**REAL, **FAKE}[preset], shipped(preset)
    path = None if told.liveness is None else told.liveness.path
    wanted = "–" if path is None else f"`{path}`" if path else "the URL itself"
    assert row["Liveness"] == wanted
    page = "" if told.metrics is None else told.metrics.path
    assert row["Metrics"] == (f"`{page}`" if page else "–")


@pytest.mark.parametrize("preset", sorted(REAL))
def test_what_is_left_and_what_is_timed_is_that_of_the_tests(preset: str) -> None:
    row = REAL[preset]
    ways = [way for _, way in WAYS if way.dialect == preset]
    for way in ways:
        named = [*dotted(way.given), *(["model"] if way.model else [])]
        assert [key for key in named if f"`{key}`" not in row["Left to you"]] == []
    tells = any(set(STEPS) <= set(way.times) for way in ways)
    assert ("`speed`" in row["Server times"]) is tells
    assert ("a header" in row["Server times"]) is any("call" in w.times for w in ways)


def test_versions_are_those_that_were_measured() -> None:
    readme = (ROOT / "tests/peers/README.md").read_text("utf-8")
    measured = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+)", readme, re.MULTILINE))
    peers = {way.dialect: peer for peer, way in WAYS}
    told = {preset: row["Version"] for preset, row in REAL.items()}
    assert told == {preset: measured[peer] for preset, peer in peers.items()}


@pytest.mark.parametrize("preset", sorted(FAKE))
def test_a_fake_names_a_test_that_is_there(preset: str) -> None:
    (file,) = re.findall(r"`(tests/[\w/]+\.py)`", FAKE[preset]["Stand-in"])
    assert (ROOT / file).exists()


def detections_of(preset: str) -> str:
    """What the answers of a preset are read as."""
    told = shipped(preset)
    if told.question is None or told.question.encoding is Encoding.NONE:
        return "–"
    if told.dialect == "ultralytics":
        return "all tasks"
    if told.dialect == "oip":
        return "boxes, keypoints, turned boxes out of the head"
    form = {"cxcywh": "centre and size", "xyxy": "corners"}[told.reading.form]
    unit = {"pixel": "pixels", "share": "0–1"}[told.reading.unit]
    return f"boxes: {form}, {unit}"


@pytest.mark.parametrize("preset", sorted({**REAL, **FAKE}))
def test_detections_are_read_as_the_preset_says(preset: str) -> None:
    assert {**REAL, **FAKE}[preset]["Detections"] == detections_of(preset)


@pytest.mark.parametrize("preset", sorted({**REAL, **FAKE}))
def test_the_key_goes_where_the_preset_says(preset: str) -> None:
    auth = shipped(preset).auth
    where = "bearer" if auth.carrier is Carrier.BEARER else f"`{auth.name}`"
    assert {**REAL, **FAKE}[preset]["Key"].startswith(where)
