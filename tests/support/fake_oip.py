"""A fake of a server of the Open Inference Protocol v2, on a real socket.

Contract only, no server of anybody's: it answers as the documentation and measurements
of Triton 2.51.0, MLServer 1.7.1 and the KServe SDK 0.21.0 say, with the model that
ships inside. It is built on numpy and knows nothing of the code that it tests.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import FastAPI, Request, Response

Floats = np.ndarray[Any, Any]
Model = Callable[[Floats], Floats]

DTYPES = {"FP32": "<f4", "FP16": "<f2", "UINT8": "|u1", "FP64": "<f8"}


@dataclass
class FakeOip:
    """``model`` takes ``[1,3,h,w]`` of 0-1. ``reply`` is the output's datatype.

    ``binary`` announces and speaks the extension; ``state`` is what it plays:
    ``ready``, ``loading`` (400), ``stub`` (its process is dead) or ``restricted``
    (pytriton).
    """

    model: Model
    shape: tuple[int, ...] = (1, 3, 160, 160)
    binary: bool = True
    packed: bool = False
    nested: bool = False
    reply: str = "FP32"
    say: Callable[[bytes], object] | None = None
    state: str = "ready"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> FastAPI:
        """The endpoint."""
        app = FastAPI()

        @app.get("/v2/models/{name}/ready")
        @app.get("/v2/models/{name}/versions/{version}/ready")
        async def ready(name: str) -> Response:
            if self.state == "restricted":
                return _restricted()
            if name != "shapes" or self.state == "loading":
                return _error(400, "Model version not ready")
            return Response()  # 200 with a dead stub, too

        @app.post("/v2/models/{name}/infer")
        @app.post("/v2/models/{name}/versions/{version}/infer")
        async def infer(name: str, request: Request, version: str = "1") -> Response:
            return self._infer(name, version, request, await request.body())

        return app

    def _infer(
        self, name: str, version: str, request: Request, body: bytes
    ) -> Response:
        length = request.headers.get("inference-header-content-length")
        refusal = self._refusal(name, announced=length is None or self.binary)
        if refusal is not None:
            return refusal
        head = json.loads(body[: int(length)] if length else body)
        raw = body[int(length) :] if length else b""
        self.asked.append(head)
        if not isinstance(head.get("id"), str):
            return _error(500, "ValidationError : id\n  Input should be a valid string")
        given = head["inputs"][0]
        if given["datatype"] == "BYTES":
            return self._texts(head, given, raw, version)
        if tuple(given["shape"]) != self.shape:
            return _error(
                400,
                f"[request id: <id_unknown>] unexpected shape for input 'images' for "
                f"model 'shapes'. Expected {list(self.shape)}, got {given['shape']}. ",
            )
        return self._numbers(head, self.model(self._image(given, raw)), version)

    def _refusal(self, name: str, *, announced: bool) -> Response | None:
        if name != "shapes":
            # Triton sends this as text/plain.
            text = f"Request for unknown model: '{name}' is not found"
            return _error(404, text, "text/plain")
        if self.state == "restricted":
            return _restricted()
        if self.state == "loading":
            text = "Request for unknown model: 'shapes' has no available versions"
            return _error(400, text)
        if self.state == "stub":
            return _error(500, "Stub process 'shapes_0_0' is not healthy.")
        if not announced:  # MLServer
            return Response("Internal Server Error", 500, media_type="text/plain")
        return None

    def _image(self, given: dict[str, Any], raw: bytes) -> Floats:
        dtype = DTYPES[given["datatype"]]
        if raw:
            assert given["parameters"] == {"binary_data_size": len(raw)}
            x = np.frombuffer(raw, dtype)
        else:
            x = np.array(given["data"], dtype)
        x = x.reshape(self.shape).astype("<f4")
        if given["datatype"] == "UINT8":
            x = x / np.float32(255)
        if len(self.shape) == 3:
            x = x[None]
        if x.shape[-1] == 3:
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        return x

    def _numbers(self, head: dict[str, Any], y: Floats, version: str) -> Response:
        raw = y.astype(DTYPES[self.reply]).tobytes()
        output: dict[str, Any] = {
            "name": "output0",
            "datatype": self.reply,
            "shape": list(y.shape),
        }
        wanted = head["outputs"][0].get("parameters", {}).get("binary_data")
        if wanted and self.binary:
            output["parameters"] = {"binary_data_size": len(raw)}
            return self._sent(head, output, version, raw)
        output["data"] = (y if self.nested else y.ravel()).tolist()
        return self._sent(head, output, version, None)

    def _texts(
        self, head: dict[str, Any], given: dict[str, Any], raw: bytes, version: str
    ) -> Response:
        assert self.say is not None
        if raw:
            (length,) = struct.unpack_from("<I", raw)
            assert length == len(raw) - 4
            image = raw[4:]
        else:
            image = base64.b64decode(given["data"][0])
        text = json.dumps(self.say(image)).encode()
        output: dict[str, Any] = {"name": "out", "datatype": "BYTES", "shape": [1]}
        if raw and self.binary:
            data = struct.pack("<I", len(text)) + text
            output["parameters"] = {"binary_data_size": len(data)}
            return self._sent(head, output, version, data)
        output["data"] = [text.decode()]
        return self._sent(head, output, version, None)

    def _sent(
        self,
        head: dict[str, Any],
        output: dict[str, Any],
        version: str,
        raw: bytes | None,
    ) -> Response:
        told = {
            "id": head["id"],
            "model_name": "shapes",
            "model_version": version,
            "outputs": [output],
        }
        body = json.dumps(told).encode()
        headers: dict[str, str] = {}
        kind = "application/json"
        if raw is not None:
            kind = "application/octet-stream"
            headers["inference-header-content-length"] = str(len(body))
            body += raw
        if self.packed:
            headers["content-encoding"] = "gzip"
            body = gzip.compress(body, 1)
        return Response(body, headers=headers, media_type=kind)


def _error(status: int, text: str, kind: str = "application/json") -> Response:
    return Response(json.dumps({"error": text}), status, media_type=kind)


def _restricted() -> Response:
    return _error(403, "This API is restricted, expecting header 'triton-access-token'")
