"""Row: CPU of an answer in tensors, read without numpy, beside the same with it.

The collector must not depend on numpy, so it reads the numbers of a YOLO head with
what Python has. Both read the same bodies to the same detections: [1,84,8400] in bytes
and in JSON, [1,300,6] in bytes. The other side is a plain client: ``json.loads`` or
``frombuffer``, then the decoding that ``yolotop serve`` does in numpy. Also measured:
how long the event loop stands still while a thread reads the JSON, which lies in the
figures of every other probe, and what a question costs, new and kept.

Owns this row. It must not know how the others are measured.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from bench.figures import Progress, Row, Setup
from yolotop.model import Deployment, Detection, Phases
from yolotop.model.preset import Preset, Question, Tensor
from yolotop.probe.dialects.oip import OpenInference
from yolotop.probe.frames import synthetic
from yolotop.probe.messages import Reply
from yolotop.serve import nms

MARK: Final = 1.2
_CONF: Final = 0.25
_IOU: Final = 0.7
_ASKED: Final = Deployment(
    "bench",
    "http://h",
    model="m",
    preset=Preset("oip", "oip", question=Question(path="/v2/models/{model}/infer")),
)


def measure(setup: Setup, progress: Progress) -> Row:
    """Run it; about 20 s."""
    times = setup.pick(15, 3)
    figures: dict[str, float] = {}
    raw, rows = _raw(), _rows()
    for done, (name, head, binary) in enumerate(
        (
            ("raw_binary", raw, True),
            ("raw_json", raw, False),
            ("rows_binary", rows, True),
        )
    ):
        reply = _reply(head, binary=binary)
        ours, theirs = _ours(reply), _theirs(reply)
        assert len(ours) == len(theirs) > 0
        figures[f"{name}_ms"] = _cpu_ms(partial(_ours, reply), times)
        figures[f"{name}_numpy_ms"] = _cpu_ms(partial(_theirs, reply), times)
        progress((done + 1) / 5)
    body = _reply(raw, binary=False)
    figures["stall_ms"] = min(_stall_ms(lambda: _ours(body)) for _ in range(times))
    figures["stall_numpy_ms"] = min(
        _stall_ms(lambda: _theirs(body)) for _ in range(times)
    )
    progress(0.8)
    for name, tensor in (("binary", Tensor(binary=True)), ("json", Tensor())):
        figures |= _asking(name, tensor, times)
    return _row(figures)


def _row(figures: dict[str, float]) -> Row:
    ratio = figures["raw_json_ms"] / figures["raw_json_numpy_ms"]
    return Row(
        name="tensors",
        what="CPU to read [1,84,8400] in JSON without numpy ÷ with it",
        ours=f"{figures['raw_json_ms']:.0f} ms",
        peers=f"{figures['raw_json_numpy_ms']:.0f} ms",
        ratio=f"{ratio:.2f}",
        mark=f"≤ {MARK}",
        value=ratio,
        met=ratio <= MARK,
        note=(
            f"in bytes {figures['raw_binary_ms']:.1f} ms, with numpy "
            f"{figures['raw_binary_numpy_ms']:.1f}; the loop stands still for "
            f"{figures['stall_ms']:.0f} ms while JSON is read, with json.loads for "
            f"{figures['stall_numpy_ms']:.0f}"
        ),
        figures=figures,
    )


def _raw() -> Any:
    """A head at work: a hum below 0.2, and 40 scores that count."""
    rng = np.random.default_rng(1)
    head = np.zeros((1, 84, 8400), "<f4")
    head[0, :4] = rng.uniform(50, 600, (4, 8400))
    head[0, 4:] = rng.exponential(0.004, (80, 8400)).clip(0, 0.2)
    for place in rng.choice(8400, 40, replace=False):
        head[0, 4 + rng.integers(0, 5), place] = rng.uniform(0.3, 0.95)
    return head


def _rows() -> Any:
    rng = np.random.default_rng(2)
    rows = np.zeros((1, 300, 6), "<f4")
    corners = np.arange(300)[:, None] % (17, 13) * 35
    rows[0, :, :2], rows[0, :, 2:4] = corners, corners + 30
    rows[0, :, 4] = np.sort(rng.uniform(0, 0.1, 300))[::-1]
    rows[0, :12, 4] = 0.9
    return rows


def _reply(head: Any, *, binary: bool) -> Reply:
    output: dict[str, object] = {
        "name": "output0",
        "datatype": "FP32",
        "shape": list(head.shape),
    }
    if not binary:
        output["data"] = [round(value, 6) for value in head.ravel().tolist()]
        return _with(json.dumps({"outputs": [output]}).encode())
    raw = head.tobytes()
    output["parameters"] = {"binary_data_size": len(raw)}
    text = json.dumps({"outputs": [output]}).encode()
    length = (b"inference-header-content-length", str(len(text)).encode())
    return _with(text + raw, length)


def _with(body: bytes, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(200, b"OK", b"1.1", headers, body, Phases(), 1.0, None)


_DIALECT: Final = OpenInference()


def _ours(reply: Reply) -> tuple[Detection, ...]:
    return _DIALECT.read_predict(reply, _ASKED, synthetic(1)).detections


def _theirs(reply: Reply) -> Any:
    length = reply.header("inference-header-content-length")
    told = json.loads(reply.body[: int(length)] if length else reply.body)
    output = told["outputs"][0]
    if length:
        flat = np.frombuffer(reply.body[int(length) :], "<f4")
    else:
        flat = np.array(output["data"], "<f4")
    head = flat.reshape(output["shape"])[0]
    if head.shape[1] == 6:
        return nms.end_to_end_head(head, conf=_CONF)
    return nms.raw_head(head, conf=_CONF, iou=_IOU)


def _cpu_ms(work: Callable[[], object], times: int) -> float:
    """The least of several: what is on top belongs to others on the machine."""
    least = float("inf")
    for _ in range(times):
        began = time.thread_time()
        work()
        least = min(least, time.thread_time() - began)
    return least * 1000


def _stall_ms(work: Callable[[], object]) -> float:
    async def longest() -> float:
        reading = asyncio.create_task(asyncio.to_thread(work))
        longest = 0.0
        turned = time.perf_counter()
        while not reading.done():
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, turned = max(longest, now - turned - 0.001), now
        return longest

    return asyncio.run(longest()) * 1000


def _asking(name: str, tensor: Tensor, times: int) -> dict[str, float]:
    asked = Deployment(
        "bench", "http://h", model="m", preset=_ASKED.preset, tensor=tensor
    )
    frame = synthetic(1)
    new = _cpu_ms(lambda: OpenInference().predict_request(asked, frame), times)
    dialect = OpenInference()
    dialect.predict_request(asked, frame)
    kept = _cpu_ms(lambda: dialect.predict_request(asked, frame), times)
    return {f"ask_{name}_new_ms": new, f"ask_{name}_kept_ms": kept}
