"""What a stranger may send: it gets a clear no, and the next client gets an answer."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from yolotop.probe import frames
from yolotop.serve import images
from yolotop.serve.app import create_app
from yolotop.serve.engine import BadImageError, Engine

Live = Callable[[Any], httpx.Client]
JPEG = frames.synthetic(5).data


@pytest.fixture
def client(live: Live, shapes: Engine) -> Iterator[httpx.Client]:
    client = live(create_app(shapes, max_body=3_000_000))
    yield client
    # Whatever was sent, the server still works.
    assert client.get("/health").status_code == 200
    answer = client.post("/predict", files={"file": JPEG})
    assert answer.status_code == 200


def png(width: int, height: int) -> bytes:
    """A few bytes that claim to be a large picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"hello", "not an image"),
        (JPEG[:200], "damaged|not an image"),
        (JPEG[: len(JPEG) // 2], "damaged"),
        (b"\x00" * 100_000, "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (EPS, "not an image"),
        (b"%PDF-1.7\n", "not an image"),
        (png(9_000, 9_000), "too many pixels"),
        (png(12_000, 12_000), "too many pixels"),
        (png(2_000_000_000, 2), "too many pixels"),
        (png(100, 100), "damaged"),
    ],
)
def test_bad_images_are_400(client: httpx.Client, data: bytes, why: str) -> None:
    answer = client.post("/predict", files={"file": ("x.jpg", data, "image/jpeg")})
    assert answer.status_code == 400
    with pytest.raises(BadImageError, match=why):
        images.decode(data)


@pytest.mark.parametrize(
    "source",
    ["", "!!!", "abc", "data:image/png,abc", "data:;base64,@@", "été", "A" * 99],
)
def test_bad_base64_is_400(client: httpx.Client, source: str) -> None:
    answer = client.post("/predict", data={"source": source})
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_no_image_is_400(client: httpx.Client) -> None:
    for kwargs in (
        {"data": {"conf": "0.5"}},
        {"data": {"file": "not an upload"}},
        {"files": {"image": JPEG}},
        {"json": {"source": "x"}},
        {"content": JPEG},
        {},
    ):
        answer = client.post("/predict", **kwargs)
        assert answer.status_code == 400, kwargs
        assert answer.json()["detail"]


def test_broken_multipart_is_400(client: httpx.Client) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        answer = client.post(
            "/predict", content=b"--y\r\nnonsense", headers={"content-type": kind}
        )
        assert answer.status_code == 400


def test_too_many_parts_are_400(client: httpx.Client) -> None:
    many = {f"f{i}": "1" for i in range(40)}
    assert client.post("/predict", files={"file": JPEG}, data=many).status_code == 400
    two = [("file", JPEG), ("file", JPEG)]
    assert client.post("/predict", files=two).status_code == 400


def test_a_body_that_declares_itself_too_long_is_413(client: httpx.Client) -> None:
    answer = client.post("/predict", files={"file": b"\0" * 12_000_000})
    assert answer.status_code == 413
    assert "3,000,000" in answer.json()["detail"]


def test_a_body_that_turns_out_too_long_is_413(client: httpx.Client) -> None:
    head = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n'
        b"Content-Type: image/png\r\n\r\n"
    )

    def drip() -> Iterator[bytes]:
        yield head
        for _ in range(120):
            yield b"\0" * 100_000

    answer = client.post(
        "/predict",
        content=drip(),
        headers={"content-type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 413


def test_a_refusal_reaches_a_client_that_is_still_sending(
    live: Live, shapes: Engine
) -> None:
    client = live(create_app(shapes, api_key="k"))
    answer = client.post("/predict", files={"file": b"\0" * 12_000_000})
    assert answer.status_code == 401


async def test_a_client_that_leaves_is_no_error(shapes: Engine) -> None:
    """Asked without a socket: a server error would be raised right here."""
    app = create_app(shapes)
    incoming = [
        {"type": "http.request", "body": b"--b\r\n", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    kind = (b"content-type", b"multipart/form-data; boundary=b")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/predict",
        "raw_path": b"/predict",
        "query_string": b"",
        "root_path": "",
        "headers": [kind],
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert incoming == []


def test_wrong_methods_and_paths_are_json(client: httpx.Client) -> None:
    assert client.get("/predict").status_code == 405
    assert client.post("/health").status_code == 405
    assert client.get("/nowhere").json() == {"detail": "Not Found"}


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16", "LA"])
def test_every_colour_mode_is_decoded(mode: str) -> None:
    buffer = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (40, 30)).save(buffer, kind)
    image = images.decode(buffer.getvalue())
    assert (image.mode, image.size) == ("RGB", (40, 30))


def test_pictures_are_turned_upright() -> None:
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(buffer, "JPEG", exif=exif)
    assert images.decode(buffer.getvalue()).size == (30, 40)
