"""An asked picture made by hand: drawn for real, its answer written to be looked at."""

from __future__ import annotations

import base64

from yolotop.config.origin import Setting
from yolotop.probe.frames import synthetic

SETTINGS = (
    Setting("name", '"dock-cam"', "yolotop.toml:12"),
    Setting("url", '"http://10.0.4.7:8000"', "yolotop.toml:13"),
    Setting("dialect", '"ultralytics"', "built in"),
    Setting("api_key", '"env:DOCK_KEY"', "yolotop.toml:14"),
    Setting("group", "none", "built in"),
    Setting("region", '"berlin"', "yolotop.toml:15"),
    Setting("interval", '"15s"', "built in"),
    Setting("predict_interval", '"60s"', "[defaults], yolotop.toml:3"),
    Setting("timeout", '"10s"', "built in"),
    Setting("slow", '"250ms"', "[defaults], yolotop.toml:4"),
    Setting("scale_to_zero", "false", "built in"),
    Setting("image", '"/srv/golden/dock.jpg"', "yolotop.toml:16"),
    Setting("conf", "0.25", "YOLOTOP_CONF"),
    Setting("iou", "none", "built in"),
    Setting("imgsz", "320", "yolotop.toml:17"),
    Setting("verify_tls", "true", "built in"),
)


def seen(seed: int = 3, *, missing: int = 0) -> dict[str, object]:
    """The answer to a drawn picture; the first ``missing`` shapes were not seen."""
    frame = synthetic(seed)
    assert frame.drawn is not None
    expected = [
        {"label": each.label, "confidence": None, "box": list(each.box)}
        for each in frame.drawn
    ]
    boxes = [
        {
            "label": each.label,
            "confidence": 0.94 - index * 0.07,
            "box": [side + 1.5 for side in each.box],
        }
        for index, each in enumerate(frame.drawn)
        if index >= missing
    ]
    return {
        "name": "dock-cam",
        "kind": "predict",
        "ok": not missing,
        "verdict": "wrong" if missing else "ok",
        "severity": "WARNING" if missing else "INFO",
        "message": "wrong answer: expected circle ×1, got none"
        if missing
        else f"{len(boxes)} detections",
        "http_status": 200,
        "latency_ms": 142.1,
        "phases": {
            "dns": 0.4,
            "connect": 2.9,
            "tls": None,
            "send": 4.8,
            "wait": 131.2,
            "receive": 2.8,
        },
        "server": {"preprocess": 3.1, "inference": 96.4, "postprocess": 1.2},
        "detections": len(boxes),
        "error": None,
        "boxes": boxes,
        "expected": expected,
        "image": {
            "source": frame.name,
            "width": frame.width,
            "height": frame.height,
            "jpeg": base64.b64encode(frame.data).decode(),
        },
        "baseline": {
            "yolotop_golden": 1,
            "deployment": "dock-cam",
            "pinned_at": "2026-11-24T04:00:00Z",
            "image_sha256": frame.sha256,
            "image_shape": [320, 320],
            "task": "detect",
            "facts": {"classes": "circle, square, triangle", "model": "shapes.onnx"},
            "detections": boxes,
        },
        "raw": {
            "images": [
                {"shape": [320, 320], "results": boxes, "speed": {"inference": 96.4}}
            ],
            "metadata": {"model": "shapes.onnx", "task": "detect"},
        },
    }
