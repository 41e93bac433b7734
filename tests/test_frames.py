"""Frames: drawn ones are what they say, files are taken as they are or refused."""

from __future__ import annotations

import hashlib
import io
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from yolotop.probe import frames
from yolotop.probe.frames import FrameError


def test_a_seed_is_a_scene() -> None:
    one = frames.synthetic(7)
    frames.synthetic.cache_clear()
    again = frames.synthetic(7)
    assert again == one
    assert again is not one
    assert frames.synthetic(8).sha256 != one.sha256


def test_frames_are_what_they_claim() -> None:
    for seed in range(40):
        frame = frames.synthetic(seed)
        assert 15_000 < len(frame.data) < 50_000
        assert frame.sha256 == hashlib.sha256(frame.data).hexdigest()
        assert frame.name == f"synthetic-{seed}"
        with Image.open(io.BytesIO(frame.data)) as image:
            assert image.size == (frame.width, frame.height) == (320, 320)
            assert Image.MIME[image.format or ""] == frame.media_type


@pytest.mark.parametrize("variety", [0.0, 1.0])
def test_shapes_are_inside_and_apart(variety: float) -> None:
    for seed in range(60):
        _, drawn = frames.draw(seed, 320, variety=variety)
        if variety == 0:
            assert 3 <= len(drawn) <= 5
        assert {d.label for d in drawn} <= set(frames.SHAPES)
        for thing in drawn:
            x1, y1, x2, y2 = thing.box
            assert 0 <= x1 < x2 <= 320
            assert 0 <= y1 < y2 <= 320
        for one, two in combinations(drawn, 2):
            a, b = one.box, two.box
            gaps = (a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3])
            assert max(gaps) >= 4


def test_every_label_occurs() -> None:
    labels = {d.label for s in range(12) for d in frames.synthetic(s).drawn or ()}
    assert labels == set(frames.SHAPES)


def test_a_shape_is_where_its_box_is() -> None:
    """The middle of each box has one colour, unlike the textured ground."""
    for seed in range(20):
        image, drawn = frames.draw(seed, 320)
        for thing in drawn:
            x1, y1, x2, y2 = thing.box
            x, y = round((x1 + x2) / 2), round(y1 + (y2 - y1) * 0.6)
            assert len(image.crop((x - 2, y - 2, x + 3, y + 3)).getcolors() or ()) == 1


def test_sizes_scale_the_same_scene() -> None:
    _, small = frames.draw(4, 160)
    _, large = frames.draw(4, 320)
    assert [d.label for d in small] == [d.label for d in large]
    for one, two in zip(small, large, strict=True):
        assert two.box == pytest.approx([edge * 2 for edge in one.box])


@pytest.mark.parametrize("size", [0, 63, 4097, -1])
def test_impossible_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="64 to 4096"):
        frames.synthetic(1, size=size)
    with pytest.raises(ValueError, match="variety"):
        frames.draw(1, 320, variety=1.5)


@pytest.mark.parametrize(
    ("kind", "media"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")],
)
def test_files_keep_their_bytes(tmp_path: Path, kind: str, media: str) -> None:
    path = tmp_path / "picture"
    Image.new("RGB", (40, 30), "red").save(path, kind)
    frame = frames.from_file(path)
    assert frame.data == path.read_bytes()
    assert (frame.name, frame.media_type) == ("picture", media)
    assert (frame.width, frame.height) == (40, 30)
    assert frame.drawn is None


def test_sideways_pictures_are_measured_upright(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(path, exif=exif)
    frame = frames.from_file(path)
    assert (frame.width, frame.height) == (30, 40)


def test_unusable_files_are_named(tmp_path: Path) -> None:
    def refused(path: Path, why: str) -> None:
        with pytest.raises(FrameError, match=why) as caught:
            frames.from_file(path)
        assert str(path) in str(caught.value)

    refused(tmp_path / "none.jpg", "no such file")
    refused(tmp_path, "directory")
    refused(tmp_path / "none.jpg" / "deeper", "no such file|cannot be read")
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    refused(text, "not an image")
    text.write_bytes(b"")
    refused(text, "not an image")
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(frames.synthetic(1).data[:9000])
    refused(cut, "damaged")
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(frames.MAX_FILE_BYTES + 1)
    refused(huge, "too large")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    refused(loop, "cannot be read")


@pytest.mark.parametrize("side", [7_500, 20_000])
def test_bombs_are_not_decoded(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (side, side)).save(path)
    with pytest.raises(FrameError, match="pixels"):
        frames.from_file(path)
