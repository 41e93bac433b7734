"""An image by hand through a real collector process, to kind and hostile servers."""

from __future__ import annotations

import base64
import json
import os
import unicodedata
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import malice
import pytest
from PIL import Image

from yolotop.collect.process import ensure, stop
from yolotop.errors import StoreError
from yolotop.store.open import open_reader
from yolotop.store.protocol import Reader
from yolotop.tui.actions import StoreActions

if TYPE_CHECKING:
    from tests.collect.conftest import Endpoint

KEY = "Key/That+Must=Never&Leak"


def write(path: Path, urls: dict[str, str], more: str = "") -> Path:
    # An hour between probes: what comes back was asked for by hand.
    lines = ["[defaults]", 'interval = "1h"', 'predict_interval = "1h"']
    for name, url in urls.items():
        lines += ["[[deployment]]", f'name = "{name}"', f'url = "{url}"', more]
    path.write_text("\n".join(lines))
    path.chmod(0o600)
    return path


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "data"
    yield path
    from yolotop.collect.lock import holder

    pid = holder(path)
    if pid is not None:
        stop(pid, 10.0)


@pytest.fixture
async def reader(data_dir: Path) -> AsyncIterator[Reader]:
    opened = await open_reader(data_dir)
    yield opened
    await opened.close()


async def test_what_comes_back_can_be_drawn(
    tmp_path: Path, data_dir: Path, reader: Reader, endpoint: Endpoint
) -> None:
    golden = tmp_path / "gate.png"
    Image.new("RGB", (640, 320), "green").save(golden)
    config = write(tmp_path / "c.toml", {"cam": endpoint.url}, f'image = "{golden}"')
    ensure(config_path=config, data_dir=data_dir, owner_pid=os.getpid())
    actions = StoreActions(reader, config)

    told = await actions.predict("cam", "synthetic")
    assert told["ok"]
    assert told["boxes"] == [
        {"label": "circle", "confidence": 0.9, "box": [1, 1, 9, 9]}
    ]
    took = {"preprocess": 1, "inference": pytest.approx(2.0, abs=0.1)}
    assert told["server"] == {**took, "postprocess": 0.5}
    assert told["expected"]
    raw, image = told["raw"], told["image"]
    assert isinstance(raw, str)
    assert json.loads(raw)["metadata"] == {"imageCount": 1}
    assert isinstance(image, dict)
    assert base64.b64decode(image["jpeg"])[:3] == b"\xff\xd8\xff"

    told = await actions.predict("cam", "golden")
    image = told["image"]
    assert isinstance(image, dict)
    assert (image["width"], image["height"]) == (640, 320)
    assert await actions.predict("cam", str(golden))

    endpoint.status = 503
    told = await actions.predict("cam", "synthetic")
    assert (told["ok"], told["http_status"], told["boxes"]) == (False, 503, [])
    assert told["raw"]

    for name, wanted, said in (
        ("cam", "/nowhere.jpg", "/nowhere.jpg: no such file"),
        ("nobody", "synthetic", "no deployment is called nobody"),
    ):
        with pytest.raises(StoreError, match=said):
            await actions.predict(name, wanted)
    await actions.maintain("cam", "1h")
    await actions.maintain("cam", "")
    with pytest.raises(StoreError, match='maintenance cannot end at "soon"'):
        await actions.maintain("cam", "soon")


@pytest.mark.parametrize("echo", [False, True])
async def test_hostile_servers(
    tmp_path: Path,
    data_dir: Path,
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    *,
    echo: bool,
) -> None:
    monkeypatch.setenv("GATE_KEY", KEY)
    with malice.endpoints(echo=echo) as servers:
        urls = {
            name: f"http{'s' if server.tls else ''}://127.0.0.1:{server.port}"
            for name, server in servers.items()
        }
        config = write(tmp_path / "c.toml", urls, 'api_key = "env:GATE_KEY"')
        ensure(config_path=config, data_dir=data_dir, owner_pid=os.getpid())
        actions = StoreActions(reader, config)
        for name in servers:
            told = await actions.predict(name, "synthetic")
            texts = list(strings(told))
            assert texts
            for text in texts:
                assert not [bad for bad in malice.RAW if bad in text], (name, text)
                assert KEY not in text, name
                assert base64.b64encode(KEY.encode()).decode() not in text, name
                lines = text.replace("\n", "")
                assert not [c for c in lines if unicodedata.category(c) == "Cc"], name
            raw = told["raw"]
            assert isinstance(raw, str)
            assert len(raw.encode()) <= 64 * 1024
        told = await actions.predict("labels", "synthetic")
        assert told["boxes"], "a hostile label is still a detection"


def strings(value: object) -> Iterator[str]:
    """Every text in it, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
