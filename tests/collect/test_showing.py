"""An image by hand: what a face gets to draw, and what it is never given."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from yolotop.collect.showing import MOST_BOXES, MOST_RAW, raw_text, showing
from yolotop.judge.verdict import judge
from yolotop.model import (
    Answer,
    Deployment,
    Detection,
    Expectation,
    HealthState,
    Prediction,
    ProbeKind,
    Sample,
)
from yolotop.probe.frames import Frame, from_file, synthetic
from yolotop.probe.preview import MOST_BYTES
from yolotop.probe.prober import Shown
from yolotop.store.protocol import RequestKind

if TYPE_CHECKING:
    from tests.collect.conftest import Bench

CAM = Deployment("cam", "http://h", interval_s=600.0, predict_interval_s=600.0)


def picture(path: Path, size: tuple[int, int], *, turned: int = 0) -> Frame:
    exif = Image.Exif()
    if turned:
        exif[0x0112] = turned
    noise = Image.effect_noise(size, 120).convert("RGB")
    noise.save(path, "JPEG", quality=95, exif=exif)
    return from_file(path)


def shown(
    frame: Frame,
    *found: Detection,
    body: bytes = b"",
    shape: tuple[int, int] | None = None,
) -> dict[str, object]:
    answer = Answer(
        "cam",
        ProbeKind.PREDICT,
        started_at=0.0,
        latency_ms=5.0,
        http_status=200,
        prediction=Prediction(found, image_shape=shape),
    )
    sample = Sample(answer, judge(answer, CAM, HealthState()))
    told = showing(Shown(answer, frame, body), sample, source="golden")
    loaded: dict[str, object] = json.loads(json.dumps(told))
    return loaded


def boxes(told: dict[str, object]) -> list[object]:
    listed = told["boxes"]
    assert isinstance(listed, list)
    return [item["box"] for item in listed]


def jpeg(told: dict[str, object]) -> Image.Image:
    image = told["image"]
    assert isinstance(image, dict)
    data = base64.b64decode(image["jpeg"])
    assert len(data) <= MOST_BYTES
    opened = Image.open(io.BytesIO(data))
    assert opened.format == "JPEG"
    assert opened.size == (image["width"], image["height"])
    return opened


def test_a_large_picture_is_made_small_and_boxes_with_it(tmp_path: Path) -> None:
    frame = picture(tmp_path / "gate.jpg", (4_000, 2_000))
    told = shown(frame, Detection("car", 0.9, (400, 200, 4_000, 2_000)))
    assert max(jpeg(told).size) <= 1_024
    width, height = jpeg(told).size
    assert boxes(told) == [
        [
            pytest.approx(width / 10, abs=0.1),
            pytest.approx(height / 10, abs=0.1),
            width,
            height,
        ]
    ]


def test_a_picture_that_lies_on_its_side_is_shown_upright(tmp_path: Path) -> None:
    frame = picture(tmp_path / "gate.jpg", (200, 100), turned=6)
    told = shown(frame, Detection("car", 0.9, (0, 0, 100, 200)))
    assert jpeg(told).size == (100, 200)
    assert boxes(told) == [[0, 0, 100, 200]]


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "CMYK", "1"])
def test_a_picture_of_any_mode(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "gate.tiff"
    Image.new(mode, (70, 50)).save(path)
    assert jpeg(shown(from_file(path))).size == (70, 50)


def test_boxes_of_a_server_that_made_the_image_smaller(tmp_path: Path) -> None:
    frame = picture(tmp_path / "gate.jpg", (400, 200))
    box = Detection("car", 0.9, (0, 0, 50, 50))
    assert boxes(shown(frame, box, shape=(100, 200))) == [[0, 0, 100, 100]]
    # Other proportions are another picture: its pixels are taken for ours.
    assert boxes(shown(frame, box, shape=(100, 100))) == [[0, 0, 50, 50]]


def test_boxes_beyond_reason_end_at_the_edge() -> None:
    wild = (
        Detection("a", None, (-1e308, 300, 1e308, -5)),
        Detection("b", None, (900, 900, 901, 901)),
        Detection("c", 0.5, None),
    )
    told = shown(synthetic(1), *wild, shape=(1, 1))
    assert boxes(told) == [[0, 0, 320, 320], [320, 320, 320, 320], None]
    many = [Detection("a", 0.5, (0, 0, 1, 1))] * (MOST_BOXES + 5)
    told = shown(synthetic(1), *many)
    assert len(boxes(told)) == MOST_BOXES
    assert told["detections"] == MOST_BOXES + 5


def test_json_is_indented_and_all_is_clean_and_short() -> None:
    assert raw_text(b'{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'
    assert raw_text(b"") == ""
    assert "\x1b" not in raw_text(b"\x1b]52;c;eA==\x07 not json")
    hostile = json.dumps({"a": "\u202e\x9b31m"}, ensure_ascii=False).encode()
    assert not set(raw_text(hostile)) & {"\u202e", "\x9b"}
    for body in (
        b"x" * 1_000_000,
        "é漢".encode() * 100_000,
        b"[" + b"1," * 900_000 + b"1]",
        b"[" * 100_000,
        b"\xff" * 300_000,
    ):
        assert len(raw_text(body).encode()) <= MOST_RAW


# --- at the desk ---------------------------------------------------------------------


async def ask(bench: Bench, number: int, image: object) -> str:
    body = json.dumps({"image": image})
    bench.writer.ask(number, RequestKind.PREDICT, "cam", body=body)
    # The picture is made in a thread, which the clock of a test does not wait for.
    for _ in range(1_000):
        await bench.clock.advance(0.5)
        if number in bench.writer.results:
            return bench.writer.results[number]
    raise AssertionError("no answer")


async def test_each_look_shows_another_scene_and_leaves_no_trace(bench: Bench) -> None:
    await bench.start(CAM)
    await bench.clock.advance(5)
    stored, states = len(bench.writer.samples), dict(bench.writer.states)
    first = json.loads(await ask(bench, 1, "synthetic"))
    second = json.loads(await ask(bench, 2, "synthetic"))
    assert first["image"]["name"] != second["image"]["name"]
    assert first["image"]["source"] == "synthetic"
    assert [item["label"] for item in first["expected"]] == [
        drawn.label for drawn in synthetic(0).drawn or ()
    ]
    assert len(bench.writer.samples) == stored
    assert bench.writer.states == states


async def test_the_golden_image_is_its_own(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "gate.jpg"
    picture(path, (90, 70))
    expect = Expectation(min_detections=1)
    await bench.start(replace(CAM, image=str(path), expect=expect))
    told = json.loads(await ask(bench, 1, "golden"))
    assert (told["image"]["width"], told["expected"]) == (90, [])
    assert told["verdict"] == "wrong"  # it found nothing on its own image
    # On another image it need not find what is on its own.
    assert json.loads(await ask(bench, 2, "synthetic"))["ok"]
    assert bench.asker.shown == [("cam", str(path), 0), ("cam", "synthetic", 1)]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("golden", "cam has no golden image. Set image ="),
        ("gate.jpg", "is not an absolute path"),
        ("/no/such.jpg", "/no/such.jpg: no such file. Choose a JPEG or PNG file"),
        ("/dev/zero", "/dev/zero: is not a regular file"),
        ("/", "/: is a directory, not an image"),
        (__file__, "not an image that Pillow can read"),
        ("/a\0b", "no image is named"),
        ("", "no image is named"),
        (7, "no image is named"),
        ("/\x1b[31m", "no such file"),
    ],
)
async def test_an_image_that_cannot_be_sent(
    bench: Bench, image: object, said: str
) -> None:
    await bench.start(CAM)
    told = await ask(bench, 1, image)
    assert said in told
    assert "\x1b" not in told
    assert "\n" not in told


async def test_a_server_that_never_answers_is_told(bench: Bench) -> None:
    await bench.start(CAM)
    bench.asker.took_s = 10_000.0
    bench.writer.ask(1, RequestKind.PREDICT, "nobody", body='{"image": "synthetic"}')
    await bench.clock.advance(2)
    assert "no deployment is called nobody" in bench.writer.results[1]
    bench.writer.ask(2, RequestKind.PREDICT, "cam", body="{")
    await bench.clock.advance(2)
    assert "no image is named" in bench.writer.results[2]


async def test_an_image_by_hand_takes_its_turn(bench: Bench) -> None:
    """One in flight per deployment: the history must not pay for a look."""
    quick = replace(CAM, interval_s=2.0, predict_interval_s=2.0)
    await bench.start(quick)
    bench.asker.took_s = 1.2
    for number in range(1, 6):
        json.loads(await ask(bench, number, "synthetic"))
    await bench.clock.advance(10)
    assert len(bench.asker.shown) == 5
    assert not bench.asker.overlapped
    kept = len(bench.writer.samples)
    await bench.clock.advance(10)
    assert len(bench.writer.samples) >= kept + 7  # the grid goes on


async def test_a_turn_that_does_not_come_is_told(bench: Bench) -> None:
    await bench.start(replace(CAM, timeout_s=60.0))
    bench.asker.took_s = 40.0
    await bench.clock.advance(5)
    assert bench.asker.running == ["cam"]
    told = await ask(bench, 1, "synthetic")
    assert told.startswith("cam was not asked: it or its host is still busy")
    assert bench.asker.shown == []
    bench.asker.took_s = 0.1
    await bench.clock.advance(60)
    assert json.loads(await ask(bench, 2, "synthetic"))["ok"]
    assert not bench.asker.overlapped


async def test_a_deployment_that_goes_takes_its_images_along(bench: Bench) -> None:
    await bench.start(CAM)
    bench.asker.took_s = 8.0
    await bench.clock.advance(5)
    for number in (1, 2):
        body = json.dumps({"image": "synthetic"})
        bench.writer.ask(number, RequestKind.PREDICT, "cam", body=body)
    await bench.clock.advance(5)  # one is being sent, or waits; the other waits
    bench.source.put()
    await bench.clock.advance(5)
    assert {"was not asked" in bench.writer.results[n] for n in (1, 2)} == {True}
