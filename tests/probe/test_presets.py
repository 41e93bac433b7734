"""Every preset that ships, over real sockets, against what its server is known to say.

Contract tests with fakes: where a real server can be started, ``tests/peers`` asks it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest
from server_shapes import HANDLER, NOT_READY, SHAPES, Shapes, raw

from yolotop.config.deployment import deployment_from_table
from yolotop.config.presets import shipped
from yolotop.config.schema import DIALECTS
from yolotop.model import Answer, Deployment, ErrorKind, ProbeKind
from yolotop.probe.prober import Prober

Play = Callable[..., Awaitable[int]]
READ = [name for name in SHAPES if SHAPES[name].predict]
LINGER = struct.pack("ii", 1, 0)
ALIVE = [name for name in SHAPES if SHAPES[name].live]


class Server:
    """Says the same to whatever is asked, and keeps what was."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        self.requests.append(head + await reader.readexactly(length))
        writer.write(self.answers.pop(0))

    @property
    def line(self) -> str:
        """The first line of the only request."""
        (request,) = self.requests
        return request.partition(b"\r\n")[0].decode()


def deployment(name: str, port: int, **keys: object) -> Deployment:
    path = str(keys.pop("url", ""))
    url = f"http://127.0.0.1:{port}{path}"
    table = {"name": "d", "url": url, "dialect": name, "api_key": "env:KEY", **keys}
    return deployment_from_table(table)


async def ask(found: Deployment, kind: ProbeKind) -> Answer:
    prober = Prober(secret=lambda _: "KEY")
    try:
        return await prober.probe(found, kind)
    finally:
        await prober.aclose()


async def asked(
    play: Play, name: str, shapes: Shapes, kind: ProbeKind, answer: bytes
) -> tuple[Answer, Server]:
    server = Server(answer)
    found = deployment(name, await play(server), **shapes.keys)
    return await ask(found, kind), server


def test_every_preset_has_its_shapes_or_speaks_tensors() -> None:
    tensors = {name for name in DIALECTS if shipped(name).dialect == "oip"}
    assert set(SHAPES) == set(DIALECTS) - tensors
    assert tensors == {"oip", "triton", "kserve", "mlserver", "openvino"}


@pytest.mark.parametrize("name", READ)
async def test_a_prediction_is_asked_for_and_read(play: Play, name: str) -> None:
    shapes = SHAPES[name]
    answer, server = await asked(play, name, shapes, ProbeKind.PREDICT, shapes.predict)
    assert answer.error is None
    method = "GET" if name == "frigate" else "POST"
    assert server.line == f"{method} {shapes.path} HTTP/1.1"
    (request,) = server.requests
    assert shapes.sends in request
    assert shapes.key in request
    prediction = answer.prediction
    assert prediction is not None
    for where, wanted in zip(prediction.detections, shapes.seen, strict=True):
        assert where.label == wanted.label
        assert where.confidence == pytest.approx(wanted.confidence)
        assert where.box == pytest.approx(wanted.box)
    assert prediction.server == shapes.server
    assert prediction.facts == shapes.facts


@pytest.mark.parametrize("name", ALIVE)
async def test_it_is_alive(play: Play, name: str) -> None:
    shapes = SHAPES[name]
    answer, server = await asked(play, name, shapes, ProbeKind.HEALTH, shapes.live)
    assert answer.error is None
    assert server.line == f"GET {shapes.live_path} HTTP/1.1"


@pytest.mark.parametrize(
    ("name", "said"),
    [(name, said) for name in SHAPES for said in SHAPES[name].not_ready],
)
async def test_it_is_not_ready(play: Play, name: str, said: bytes) -> None:
    answer, _ = await asked(play, name, SHAPES[name], ProbeKind.HEALTH, said)
    assert answer.error is not None
    assert answer.error.kind is NOT_READY


@pytest.mark.parametrize(
    ("name", "refusal"),
    [(name, refusal) for name in SHAPES for refusal in SHAPES[name].refused],
)
async def test_a_refusal_is_what_the_body_says(
    play: Play, name: str, refusal: tuple[bytes, ErrorKind, str]
) -> None:
    said, kind, sentence = refusal
    answer, _ = await asked(play, name, SHAPES[name], ProbeKind.PREDICT, said)
    assert answer.error is not None
    assert answer.error.kind is kind
    assert answer.error.message == sentence
    assert answer.prediction is None


def test_what_has_no_cheap_question_or_no_other_is_not_asked_it() -> None:
    assert deployment("vertex", 1).questions == (ProbeKind.PREDICT,)
    assert deployment("http", 1).questions == (ProbeKind.HEALTH,)
    assert deployment("frigate", 1).questions == (ProbeKind.HEALTH, ProbeKind.PREDICT)


@pytest.mark.parametrize(
    ("name", "path", "asked_at"),
    [
        ("torchserve", "/predictions/shapes", ("/ping", "/predictions/shapes")),
        ("ray-serve", "/app/predict", ("/-/healthz", "/app/predict")),
        ("kserve-v1", "/v1/models/shapes", (None, "/v1/models/shapes:predict")),
        ("mosec", "/inference", ("/", "/inference")),
        ("azureml", "/score", ("/", "/score")),
        ("codeproject", "/v1/vision/detection", ("/v1/status/ping", None)),
        ("mlflow", "/invocations", ("/ping", "/invocations")),
        ("http", "/any/where", ("/any/where", None)),
    ],
)
async def test_any_url_that_people_have_at_hand_will_do(
    play: Play, name: str, path: str, asked_at: tuple[str | None, str | None]
) -> None:
    for kind, wanted in zip(ProbeKind, asked_at, strict=True):
        if wanted is None:
            continue
        server = Server(raw("200 OK"))
        found = deployment(name, await play(server), url=path, model="shapes")
        await ask(found, kind)
        assert server.line.split()[1] == wanted


# --- the rules that came out of the measurements -------------------------------------


async def test_rule_1_a_light_that_is_green_says_nothing_of_predictions(
    play: Play,
) -> None:
    """TorchServe pings healthy without a worker; both are told, neither hides."""
    shapes = SHAPES["torchserve"]
    no_worker = shapes.refused[1][0]
    server = Server(shapes.live, no_worker)
    found = deployment("torchserve", await play(server), model="shapes")
    assert (await ask(found, ProbeKind.HEALTH)).error is None
    answer = await ask(found, ProbeKind.PREDICT)
    assert answer.error is not None
    assert answer.error.kind is NOT_READY


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("fastapi", "500 x", b"Internal Server Error"),
        ("torchserve", "503 ", {"type": "InternalServerException", "message": "m"}),
        ("mlflow", "400 x", {"error_code": "BAD_REQUEST", "message": "m"}),
    ],
)
async def test_rule_2_a_bad_image_has_many_statuses(
    play: Play, name: str, status: str, body: object
) -> None:
    shapes = SHAPES[name]
    said = raw(status, body)
    answer, _ = await asked(play, name, shapes, ProbeKind.PREDICT, said)
    assert answer.error is not None
    assert answer.error.kind is HANDLER


async def test_rule_8_a_200_is_not_enough(play: Play) -> None:
    server = Server(raw("200 OK", b"no data provided"))
    answer = await ask(deployment("mosec", await play(server)), ProbeKind.PREDICT)
    assert answer.error is not None
    assert answer.error.kind is ErrorKind.BAD_RESPONSE
    assert "no data provided" in answer.error.message


@pytest.mark.parametrize("name", ["generic", "ultralytics", "mosec", "codeproject"])
@pytest.mark.parametrize("status", ["500 Internal Server Error", "200 OK"])
async def test_rule_11_what_is_kept_of_an_answer_is_bounded(
    play: Play, name: str, status: str
) -> None:
    """MLServer answered a bad request with a traceback of 913,736 bytes."""
    line = b'  File "/usr/lib/python3/site-packages/mlserver/rest.py", line 1\n'
    body = (b"Traceback (most recent call last):\n" + line * 20_000)[:913_720]
    body = body + b"\nValueError: bad"
    assert len(body) == 913_736
    server = Server(raw(status, body, "content-type: text/plain"))
    answer = await ask(deployment(name, await play(server)), ProbeKind.PREDICT)
    assert answer.error is not None
    kept = (answer.error.message, answer.body_head, *map(str, answer.headers))
    assert sum(map(len, kept)) < 2_048
    if status.startswith("500"):
        assert answer.error.message == "ValueError: bad"


@pytest.mark.parametrize("kind", ProbeKind)
async def test_rule_12_a_reset_after_an_error_is_no_outage(
    play: Play, kind: ProbeKind
) -> None:
    """MLServer resets the connection that it answered a 500 on."""
    connections = 0

    async def resets(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        nonlocal connections
        connections += 1
        for count in (1, 2):
            head = await reader.readuntil(b"\r\n\r\n")
            if count == 2:
                # RST instead of FIN.
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
                writer.transport.abort()
                return
            length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            first = raw("500 x", b"boom")
            ok = SHAPES["fastapi"].predict
            writer.write(first if connections == 1 else ok)
            await writer.drain()

    url = f"http://127.0.0.1:{await play(resets)}"
    found = deployment_from_table({"name": "d", "url": url, "reuse": True})
    prober = Prober(secret=str)
    first = await prober.probe(found, kind)
    assert first.error is not None
    assert first.error.kind is HANDLER
    second = await prober.probe(found, kind)
    assert second.error is None
    assert connections == 2
    await prober.aclose()


async def test_rule_13_neither_type_nor_reason_is_needed(play: Play) -> None:
    shapes = SHAPES["torchserve"]
    assert b"content-type" not in shapes.predict
    assert shapes.predict.startswith(b"HTTP/1.1 200 \r\n")
    for wrong in (b"", b"content-type: text/plain\r\n", b"content-type: image/png\r\n"):
        said = shapes.predict.replace(b"\r\n", b"\r\n" + wrong, 1)
        answer, _ = await asked(play, "torchserve", shapes, ProbeKind.PREDICT, said)
        assert answer.error is None
