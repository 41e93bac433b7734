"""The real actions, on a real store and a real file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from yolotop.config.baseline import document_of
from yolotop.errors import ConfigError, StoreError
from yolotop.model import Baseline, Detection
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import Reader, Request, RequestKind, Writer
from yolotop.tui.actions import StoreActions, fields_of

NOW = 1_790_000_000.0
TABLE = {"name": "dock-2", "url": "http://127.0.0.1:9"}
ROWS = [{"name": "dock-2", "kind": "health", "verdict": "ok"}]


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    opened = await open_writer(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
async def reader(tmp_path: Path, writer: Writer) -> AsyncIterator[Reader]:
    opened = await open_reader(tmp_path / "data")
    yield opened
    await opened.close()


async def test_wishes_reach_the_collector(
    tmp_path: Path, reader: Reader, writer: Writer
) -> None:
    actions = StoreActions(reader, tmp_path / "yolotop.toml", now=lambda: NOW)
    await actions.probe("a")
    await actions.pause("b")
    await actions.resume("c")
    taken = await writer.take_requests()
    assert [(each.kind, each.deployment, each.at) for each in taken] == [
        (RequestKind.PROBE, "a", NOW),
        (RequestKind.PAUSE, "b", NOW),
        (RequestKind.RESUME, "c", NOW),
    ]


async def test_a_trial_waits_for_its_result(
    tmp_path: Path, reader: Reader, writer: Writer
) -> None:
    seen: list[Request] = []

    async def collector(_pause_s: float) -> None:
        # What a collector does while the form waits.
        for request in await writer.take_requests():
            seen.append(request)
            await writer.finish_request(request.id, json.dumps(ROWS), NOW)

    actions = StoreActions(
        reader, tmp_path / "yolotop.toml", now=lambda: NOW, sleep=collector
    )
    assert await actions.trial(TABLE) == ROWS
    assert seen[0].kind is RequestKind.TRIAL
    assert json.loads(seen[0].body) == TABLE


async def test_a_trial_that_nobody_answers_ends(tmp_path: Path, reader: Reader) -> None:
    naps: list[float] = []

    async def nap(pause_s: float) -> None:
        naps.append(pause_s)

    actions = StoreActions(reader, tmp_path / "yolotop.toml", sleep=nap, deadline_s=3.0)
    with pytest.raises(StoreError, match="no collector answered within 3 s"):
        await actions.trial(TABLE)
    assert sum(naps) == pytest.approx(3.0, abs=0.2)


async def test_a_trial_that_cannot_be_run_says_why(
    tmp_path: Path, reader: Reader, writer: Writer
) -> None:
    async def collector(_pause_s: float) -> None:
        for request in await writer.take_requests():
            await writer.finish_request(request.id, "env:KEY is not set", NOW)

    actions = StoreActions(reader, tmp_path / "yolotop.toml", sleep=collector)
    with pytest.raises(StoreError, match="env:KEY is not set"):
        await actions.trial(TABLE)


async def test_what_the_file_would_refuse_is_never_asked(
    tmp_path: Path, reader: Reader, writer: Writer
) -> None:
    actions = StoreActions(reader, tmp_path / "yolotop.toml")
    with pytest.raises(ConfigError) as caught:
        await actions.trial({"url": "ftp://h"})
    fields = fields_of(caught.value)
    assert set(fields) == {"name", "url"}
    assert "http://" in fields["url"]
    assert await writer.take_requests() == []


async def test_an_image_waits_for_what_was_seen(
    tmp_path: Path, reader: Reader, writer: Writer
) -> None:
    answers = ['{"ok": true}', "gate.jpg: no such file", "[1]"]

    async def collector(_pause_s: float) -> None:
        for request in await writer.take_requests():
            assert request.kind is RequestKind.PREDICT
            assert request.deployment == "a"
            assert json.loads(request.body) == {"image": "/gate.jpg"}
            await writer.finish_request(request.id, answers.pop(0), NOW)

    actions = StoreActions(reader, tmp_path / "yolotop.toml", sleep=collector)
    assert await actions.predict("a", "/gate.jpg") == {"ok": True}
    for said in ("no such file", "1"):
        with pytest.raises(StoreError, match=said) as caught:
            await actions.predict("a", "/gate.jpg")
        assert caught.value.title == "The image could not be sent"


async def test_maintenance_is_told_or_refused(
    tmp_path: Path, reader: Reader, writer: Writer
) -> None:
    answers = ["maintenance began", "maintenance ended", "it cannot end at x"]
    bodies: list[str] = []

    async def collector(_pause_s: float) -> None:
        for request in await writer.take_requests():
            bodies.append(request.body)
            await writer.finish_request(request.id, answers.pop(0), NOW)

    actions = StoreActions(reader, tmp_path / "yolotop.toml", sleep=collector)
    await actions.maintain("a", "1h")
    await actions.maintain("a", "")
    with pytest.raises(StoreError, match="cannot end at x"):
        await actions.maintain("a", "x")
    assert bodies == ["1h", "", "x"]


async def test_pinned_it_is_set_there(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "yolotop.toml"
    (tmp_path / "gate.jpg").write_bytes(b"x")
    actions = StoreActions(reader, path)
    await actions.add(TABLE)
    pinned = Baseline(
        hashlib.sha256(b"x").hexdigest(), NOW, (Detection("car", 0.9, (1, 2, 30, 40)),)
    )
    document = document_of(pinned, "dock-2")
    await actions.pin("dock-2", str(tmp_path / "gate.jpg"), document)
    found = {setting.key: setting for setting in await actions.settings("dock-2")}
    assert found["image"].value == '"gate.jpg"'
    assert found["golden"].value == '"golden/dock-2.json"'
    assert found["golden"].origin == "yolotop.toml:5, pinned 2026-09-21 14:13Z"
    with pytest.raises(ConfigError, match="image_sha256 is missing"):
        await actions.pin("dock-2", str(tmp_path / "gate.jpg"), {"yolotop_golden": 1})


async def test_add_and_remove_edit_the_file(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "yolotop.toml"
    actions = StoreActions(reader, path)
    await actions.add(TABLE)
    assert tomllib.loads(path.read_text())["deployment"] == [TABLE]
    for refused in (actions.add(TABLE), actions.trial(TABLE)):
        with pytest.raises(ConfigError, match="is registered already in") as caught:
            await refused
        assert fields_of(caught.value) == {
            "name": '"dock-2" is taken; choose another name'
        }
    await actions.remove("dock-2")
    assert not tomllib.loads(path.read_text()).get("deployment")
    with pytest.raises(ConfigError):
        await actions.remove("dock-2")


async def test_beginning_writes_a_file_once(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "yolotop.toml"
    actions = StoreActions(reader, path)
    assert await actions.begin() == path
    assert tomllib.loads(path.read_text()) is not None
    with pytest.raises(ConfigError):
        await actions.begin()
