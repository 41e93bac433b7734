"""What /docs and /openapi.json say about /predict.

Owns the published description only. The form is read by hand, after the key was
checked, because the framework would spool 100 MB of a stranger's upload before.
"""

from __future__ import annotations

from typing import Any


def _error(text: str) -> dict[str, Any]:
    detail = {"type": "object", "properties": {"detail": {"type": "string"}}}
    return {"description": text, "content": {"application/json": {"schema": detail}}}


_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "The image, at most 100 MB. Wins over source.",
        },
        "source": {
            "type": "string",
            "description": "The image as base64, with or without data:...;base64, "
            "(URLs are refused: this server does not fetch).",
        },
        "conf": {"type": "number", "minimum": 0.01, "maximum": 1.0, "default": 0.25},
        "iou": {
            "type": "number",
            "minimum": 0.0,
            "maximum": 0.95,
            "default": 0.7,
            "description": "No effect on models without NMS.",
        },
        "imgsz": {
            "type": "integer",
            "minimum": 32,
            "maximum": 1280,
            "description": "Default: the model's training size. No effect on models "
            "exported with a fixed input.",
        },
        "normalize": {
            "type": "boolean",
            "default": False,
            "description": "Coordinates as fractions of width and height.",
        },
        "decimals": {"type": "integer", "minimum": 0, "maximum": 10, "default": 5},
    },
}

PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _FORM}},
    },
    "responses": {
        "400": _error("A parameter or the image cannot be used"),
        "401": _error("The key of this endpoint is missing or wrong"),
        "413": _error("More than 100 MB"),
        "429": _error("At capacity; see Retry-After"),
        "500": _error("The model failed"),
    },
}
