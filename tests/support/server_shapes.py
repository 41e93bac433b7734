"""What servers answer, as measured on the real ones or as their documentation says.

Fakes: bytes to be replayed, each with where it comes from. ``measured`` was seen on a
started server of that version; ``documented`` was read in its documentation or source
and is a contract only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from yolotop.model import Detection, ErrorKind, ServerTimes

SEEN = Detection("circle", 0.971, (10.0, 20.0, 50.0, 80.0))
"""What all of them saw; the frame is 320 by 320 pixels."""
ITEM = {
    "name": "circle",
    "class": 0,
    "confidence": 0.971,
    "box": {"x1": 10.0, "y1": 20.0, "x2": 50.0, "y2": 80.0},
}
SPEED = {"preprocess": 0.5, "inference": 1.5, "postprocess": 0.25}
SPENT = ServerTimes(0.5, 1.5, 0.25)
IMAGES = {"images": [{"shape": [320, 320], "results": [ITEM], "speed": SPEED}]}
ONE_IMAGE = {"shape": [320, 320], "results": [ITEM], "speed": SPEED}


def raw(
    status: str, body: object = b"", *headers: str, reason_and_type: bool = True
) -> bytes:
    """A complete answer; a body that is not bytes is JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(content)}", *headers]
    if reason_and_type and not isinstance(body, bytes):
        lines.append("content-type: application/json")
    return "\r\n".join([*lines, "", ""]).encode() + content


@dataclass(frozen=True)
class Shapes:
    """Of one preset. Paths are those asked; refusals are predictions that were."""

    live: bytes
    live_path: str
    predict: bytes = b""
    path: str = ""
    sends: bytes = b""
    """Stands in the request, headers included."""
    key: bytes = b"Authorization: Bearer KEY"
    server: ServerTimes | None = None
    seen: tuple[Detection, ...] = (SEEN,)
    facts: tuple[tuple[str, str], ...] = ()
    keys: dict[str, object] = field(default_factory=dict)
    not_ready: tuple[bytes, ...] = ()
    refused: tuple[tuple[bytes, ErrorKind, str], ...] = ()
    source: str = "measured"


OK = "200 OK"
HANDLER = ErrorKind.HANDLER_ERROR
BUSY = ErrorKind.OVERLOADED
NOT_FOUND = ErrorKind.MODEL_NOT_FOUND
CLIENT = ErrorKind.CLIENT_ERROR
NO_KEY = ErrorKind.UNAUTHORIZED
NOT_READY = ErrorKind.NOT_READY
BAD = ErrorKind.BAD_RESPONSE

_PREDICTIONS = [
    {
        "label": "circle",
        "confidence": 0.971,
        "x_min": 10,
        "y_min": 20,
        "x_max": 50,
        "y_max": 80,
    }
]

SHAPES: dict[str, Shapes] = {
    "ultralytics": Shapes(
        live=raw(OK, {"status": "healthy"}),
        live_path="/health",
        predict=raw(OK, {**IMAGES, "metadata": {"functionTimeCall": 0.003}}),
        path="/predict",
        sends=b'name="file"; filename="probe.',
        server=ServerTimes(0.5, 1.5, 0.25, 0.75, 3.0),
        not_ready=(raw("503 Service Unavailable", b""),),
        refused=(
            (raw("401 x", {"error": "Invalid API key"}), NO_KEY, "Invalid API key"),
            (raw("413 x", {"error": {"message": "too big"}}), CLIENT, "too big"),
            (raw("429 x", b"", "Retry-After: 3"), ErrorKind.RATE_LIMITED, ""),
        ),
        source="documented",
    ),
    "ultralytics-hub": Shapes(
        live=b"",
        live_path="",
        predict=raw(OK, IMAGES),
        path="/",
        sends=b'name="model"\r\n\r\nhttps://hub.example/models/ID\r\n',
        key=b"x-api-key: KEY",
        server=SPENT,
        keys={"model": "https://hub.example/models/ID"},
        source="documented",
    ),
    "fastapi": Shapes(
        live=raw(OK, {"status": "ok"}),
        live_path="/health",
        predict=raw(OK, IMAGES),
        path="/predict",
        sends=b'name="file"; filename="probe.',
        server=SPENT,
        refused=(
            (
                raw("500 x", b"Internal Server Error", "content-type: text/plain"),
                HANDLER,
                "Internal Server Error",
            ),
            (
                raw(
                    "422 x",
                    {
                        "detail": [
                            {
                                "type": "missing",
                                "loc": ["body", "file"],
                                "msg": "Field required",
                                "input": None,
                            }
                        ]
                    },
                ),
                CLIENT,
                "body.file: Field required",
            ),
            (raw("404 x", {"detail": "Not Found"}), CLIENT, "Not Found"),
        ),
    ),
    "litserve": Shapes(
        live=raw(OK, b"ok"),
        live_path="/health",
        predict=raw(OK, {"output": json.dumps([ITEM])}),
        path="/predict",
        sends=b'name="file"; filename="probe.',
        key=b"X-API-Key: KEY",
        not_ready=(raw("503 x", b"not ready"), raw(OK, b"starting")),
        refused=(
            (raw("504 x", {"detail": "Request timed out"}), BUSY, "Request timed out"),
            (
                raw("500 x", {"detail": "Internal server error"}),
                HANDLER,
                "Internal server error",
            ),
            (
                raw(
                    "401 x",
                    {"detail": "Not authenticated"},
                    "www-authenticate: APIKey",
                ),
                NO_KEY,
                "Not authenticated",
            ),
        ),
    ),
    "bentoml": Shapes(
        live=raw(OK, b"\n", "content-type: text/plain"),
        live_path="/readyz",
        predict=raw(OK, IMAGES, "server: BentoML Service/shapes"),
        path="/predict",
        sends=b'name="image"; filename="probe.',
        server=SPENT,
        refused=(
            (raw("429 x", {"error": "Too many requests"}), BUSY, "Too many requests"),
            (
                raw("504 x", {"error": "Not able to process the request in 2 seconds"}),
                BUSY,
                "Not able to process the request in 2 seconds",
            ),
            (
                raw(
                    "400 x",
                    {
                        "error": "1 validation error for Input",
                        "detail": [{"type": "missing", "loc": ["image"]}],
                    },
                ),
                CLIENT,
                "1 validation error for Input",
            ),
        ),
    ),
    "ray-serve": Shapes(
        live=raw(OK, b"success"),
        live_path="/-/healthz",
        predict=raw(OK, IMAGES),
        path="/predict",
        sends=b'name="file"; filename="probe.',
        server=SPENT,
        not_ready=(raw("503 x", b""),),
        refused=(
            (
                raw(
                    "503 x",
                    b"Request dropped due to backpressure (num_queued_requests=1, "
                    b"max_queued_requests=1).",
                ),
                BUSY,
                (
                    "Request dropped due to backpressure (num_queued_requests=1, "
                    "max_queued_requests=1)."
                ),
            ),
        ),
    ),
    "mosec": Shapes(
        live=raw(OK, b"MOSEC service", "server: mosec/0.9.8"),
        live_path="/",
        predict=raw(OK, IMAGES, "server: mosec/0.9.8", reason_and_type=False),
        path="/inference",
        sends=b"Content-Type: application/octet-stream\r\n",
        server=SPENT,
        refused=(
            (raw(OK, b"no data provided"), BAD, 'the answer says "no data provided"'),
            (
                raw("422 x", b"request validation error: cannot decode image"),
                CLIENT,
                "request validation error: cannot decode image",
            ),
        ),
    ),
    "torchserve": Shapes(
        live=raw(OK, {"status": "Healthy"}),
        live_path="/ping",
        # Neither a reason phrase nor a content type.
        predict=raw("200 ", IMAGES, "pragma: no-cache", reason_and_type=False),
        path="/predictions/shapes",
        sends=b"Content-Type: image/jpeg\r\n",
        server=SPENT,
        keys={"model": "shapes"},
        not_ready=(raw(OK, {"status": "Unhealthy"}),),
        refused=(
            (
                raw(
                    "503 ",
                    {
                        "code": 503,
                        "type": "InternalServerException",
                        "message": "Prediction failed",
                    },
                ),
                HANDLER,
                "Prediction failed",
            ),
            (
                raw(
                    "503 ",
                    {
                        "code": 503,
                        "type": "ServiceUnavailableException",
                        "message": 'Model "shapes" has no worker to serve inference '
                        "request. Please use scale workers API to add workers.",
                    },
                ),
                NOT_READY,
                (
                    'Model "shapes" has no worker to serve inference request. '
                    "Please use scale workers API to add workers."
                ),
            ),
            (
                raw(
                    "400 ",
                    {
                        "code": 400,
                        "type": "InvalidKeyException",
                        "message": "Token Authorization failed.",
                    },
                ),
                NO_KEY,
                "Token Authorization failed.",
            ),
            (
                raw(
                    "404 ",
                    {
                        "code": 404,
                        "type": "ModelNotFoundException",
                        "message": "Model not found: shapes",
                    },
                ),
                NOT_FOUND,
                "Model not found: shapes",
            ),
        ),
    ),
    "kserve-v1": Shapes(
        live=raw(OK, {"name": "shapes", "ready": True}),
        live_path="/v1/models/shapes",
        predict=raw(OK, {"predictions": [ONE_IMAGE]}),
        path="/v1/models/shapes:predict",
        sends=b'{"instances":[{"image":{"b64":"/9j/',
        server=SPENT,
        keys={"model": "shapes"},
        not_ready=(raw(OK, {"name": "shapes", "ready": False}),),
        refused=(
            (
                raw("404 x", {"error": "Model with name nope does not exist."}),
                NOT_FOUND,
                "Model with name nope does not exist.",
            ),
            (
                raw("500 x", {"error": "KeyError : 'instances'"}),
                CLIENT,
                "KeyError : 'instances'",
            ),
            (
                raw("500 x", {"error": "ValueError : cannot decode image"}),
                HANDLER,
                "ValueError : cannot decode image",
            ),
        ),
    ),
    "tf-serving": Shapes(
        live=raw(
            OK,
            {
                "model_version_status": [
                    {
                        "version": "1",
                        "state": "AVAILABLE",
                        "status": {"error_code": "OK", "error_message": ""},
                    }
                ]
            },
        ),
        live_path="/v1/models/shapes/versions/1",
        predict=raw(OK, {"predictions": [[ITEM]]}),
        path="/v1/models/shapes/versions/1:predict",
        sends=b'{"instances":[{"b64":"/9j/',
        keys={"model": "shapes", "model_version": "1"},
        not_ready=(raw(OK, {"model_version_status": [{"state": "LOADING"}]}),),
        source="documented",
    ),
    "mlflow": Shapes(
        live=raw(OK, b"\n", "content-type: application/json"),
        live_path="/ping",
        predict=raw(OK, {"predictions": [ONE_IMAGE]}),
        path="/invocations",
        sends=b'{"inputs":["/9j/',
        server=SPENT,
        refused=(
            (
                raw("400 x", {"error_code": "BAD_REQUEST", "message": "boom"}),
                HANDLER,
                "boom",
            ),
            (raw("415 x", b"unsupported"), CLIENT, "unsupported"),
        ),
    ),
    "roboflow": Shapes(
        live=raw(OK, {"status": "healthy"}),
        live_path="/healthz",
        predict=raw(
            OK,
            {
                "time": 0.0125,
                "image": {"width": 320, "height": 320},
                "predictions": [
                    {
                        "x": 30.0,
                        "y": 50.0,
                        "width": 40.0,
                        "height": 60.0,
                        "confidence": 0.971,
                        "class": "circle",
                        "class_id": 0,
                    }
                ],
            },
            "x-model-id: shapes/1",
        ),
        path="/infer/object_detection",
        sends=b'"model_id":"shapes/1","image":{"type":"base64","value":"/9j/',
        key=b'{"api_key":"KEY",',
        server=ServerTimes(inference=12.5),
        facts=(("model", "shapes/1"),),
        keys={"model": "shapes/1"},
        refused=(
            (
                raw(
                    "503 x",
                    {
                        "message": "Internal error. Could not connect to Roboflow API.",
                    },
                ),
                HANDLER,
                "Internal error. Could not connect to Roboflow API.",
            ),
        ),
        source="health measured, predict documented",
    ),
    "codeproject": Shapes(
        live=raw(OK, {"success": True}),
        live_path="/v1/status/ping",
        predict=raw(
            OK,
            {
                "success": True,
                "predictions": _PREDICTIONS,
                "inferenceMs": 35,
                "processMs": 40,
            },
        ),
        path="/v1/vision/detection",
        sends=b'name="image"; filename="probe.',
        key=b'name="api_key"\r\n\r\nKEY\r\n',
        server=ServerTimes(inference=35.0),
        not_ready=(raw(OK, {"success": False}),),
        refused=(
            (
                raw(OK, {"success": False, "error": "No module", "code": 500}),
                BAD,
                "/success is false, expected == true: No module",
            ),
        ),
        source="documented",
    ),
    "deepstack": Shapes(
        live=raw(OK, b"<html>DeepStack</html>"),
        live_path="/",
        predict=raw(OK, {"success": True, "predictions": _PREDICTIONS, "duration": 0}),
        path="/v1/vision/detection",
        sends=b'name="image"; filename="probe.',
        key=b'name="api_key"\r\n\r\nKEY\r\n',
        refused=(
            (
                raw(
                    "401 x",
                    {"success": False, "error": "Incorrect api key", "duration": 0},
                ),
                NO_KEY,
                "Incorrect api key",
            ),
            (
                raw(OK, {"success": False, "error": "failed"}),
                BAD,
                "/success is false, expected == true: failed",
            ),
            (
                raw(OK, {"predictions": []}),
                BAD,
                "/success is missing, expected == true",
            ),
        ),
        source="documented",
    ),
    "doods": Shapes(
        live=raw(OK, {"detectors": [{"name": "default", "labels": ["circle"]}]}),
        live_path="/detectors",
        predict=raw(
            OK,
            {
                "id": "",
                "detections": [
                    {
                        "top": 20 / 320,
                        "left": 10 / 320,
                        "bottom": 80 / 320,
                        "right": 50 / 320,
                        "label": "circle",
                        "confidence": 97.1,
                    }
                ],
            },
        ),
        path="/detect",
        sends=b'{"detector_name":"default","data":"/9j/',
        refused=((raw("400 x", {"error": "no detector"}), CLIENT, "no detector"),),
        not_ready=(raw(OK, {"detectors": []}),),
        source="documented",
    ),
    "sagemaker": Shapes(
        live=raw(OK, b""),
        live_path="/ping",
        predict=raw(OK, {"predictions": [ITEM]}),
        path="/invocations",
        sends=b"Content-Type: image/jpeg\r\n",
        refused=(
            (
                raw("424 x", {"OriginalStatusCode": 500, "message": "ModelError"}),
                HANDLER,
                "ModelError",
            ),
        ),
        source="documented",
    ),
    "vertex": Shapes(
        live=b"",
        live_path="",
        predict=raw(
            OK,
            {
                "predictions": [ONE_IMAGE],
                "deployedModelId": "77",
                "modelDisplayName": "shapes",
            },
        ),
        path="/v1/projects/p/locations/r/endpoints/e:predict",
        sends=b'{"instances":[{"b64":"/9j/',
        server=SPENT,
        facts=(("deployed model", "77"), ("model", "shapes")),
        keys={"url": "/v1/projects/p/locations/r/endpoints/e:predict"},
        refused=(
            (
                raw(
                    "429 x",
                    {
                        "error": {
                            "code": 429,
                            "message": "Quota",
                            "status": "RESOURCE_EXHAUSTED",
                        }
                    },
                ),
                ErrorKind.RATE_LIMITED,
                "Quota",
            ),
        ),
        source="documented",
    ),
    "azureml": Shapes(
        live=raw(OK, b"Healthy", "content-type: text/html"),
        live_path="/",
        predict=raw(
            OK,
            {"results": [ITEM]},
            "x-ms-run-fn-exec-ms: 0.195",
            "x-ms-run-function-failed: False",
        ),
        path="/score",
        sends=b"Content-Type: application/octet-stream\r\n",
        server=ServerTimes(call=0.195),
        refused=(
            (
                raw("500 x", {"message": "An unexpected error occurred in scoring"}),
                HANDLER,
                "An unexpected error occurred in scoring",
            ),
            (raw("424 x", b""), HANDLER, ""),
        ),
    ),
    "frigate": Shapes(
        live=raw(OK, b"0.14.1-f4f3cfa"),
        live_path="/api/version",
        predict=raw(
            OK,
            {
                "detectors": {
                    "coral": {"inference_speed": 9.5, "detection_start": 0.0},
                    "ov": {"inference_speed": 12.25, "detection_start": 0.0},
                },
                "service": {"uptime": 77, "version": "0.14.1"},
            },
        ),
        path="/api/stats",
        server=ServerTimes(inference=12.25),
        seen=(),
        facts=(("library frigate", "0.14.1"),),
        refused=(
            (raw(OK, {"detectors": {}}), BAD, "/detectors/* is missing"),
            (raw(OK, b"<p>"), BAD, "the answer is not JSON: it is an HTML page"),
        ),
        source="documented",
    ),
    "generic": Shapes(
        live=raw(OK, b""),
        live_path="/health",
        predict=raw(OK, IMAGES),
        path="/predict",
        sends=b'name="file"; filename="probe.',
        server=SPENT,
        source="ours",
    ),
    "http": Shapes(live=raw("204 No Content"), live_path="/", source="ours"),
}
"""By preset. Those of the Open Inference Protocol have tests of their own."""
