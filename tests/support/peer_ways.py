"""The ways into real servers: addresses, and what is to come of each.

Owns what recognition is to find, what it is to leave to a person, and which times are
told. ``docs/compatibility.md`` is held to this list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from peer_answers import NAMES, SIDE

CLASSES = {"class_names": list(NAMES)}
SHAPE = {"tensor": {"shape": [1, 3, SIDE, SIDE]}}
TENSOR: Mapping[str, object] = {
    "input": "images",
    "datatype": "FP32",
    "shape": [1, 3, SIDE, SIDE],
    "output": "output0",
}
BINARY = {"binary": True, **TENSOR}
PICTURE = {
    "binary": True,
    "input": "image",
    "datatype": "BYTES",
    "shape": [-1, 1],
    "output": "detections",
}
STEPS = ("preprocess", "inference", "postprocess")


@dataclass(frozen=True)
class Way:
    """One address of a server and what is to come of it."""

    path: str
    """Behind the host: nothing, or what a user has at hand."""
    dialect: str
    found: Mapping[str, object] = field(default_factory=dict)
    model: str | None = None
    """Said beforehand, with ``--model``."""
    given: Mapping[str, object] = field(default_factory=dict)
    """What the server does not tell and a person has to; the finding says so."""
    times: Sequence[str] = ()
    """Durations that the server tells, in the answer or a header."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What nobody needs, and a person may know."""


KSERVE = {"model": "shapes"}
LITSERVE = {
    "given": {"request": {"field": "image"}},
    "times": ("inference",),
    "more": {"response": {"times": {"inference": "/inference_ms"}}},
}
BENTO = {"request": {"path": "/predict", "field": "image"}}

WAYS: list[tuple[str, Way]] = [
    ("fastapi", Way("", "fastapi", times=STEPS)),
    ("fastapi", Way("/predict", "fastapi", times=STEPS)),
    ("litserve", Way("", "litserve", **LITSERVE)),  # type: ignore[arg-type]
    ("litserve", Way("/predict", "litserve", **LITSERVE)),  # type: ignore[arg-type]
    ("bentoml", Way("", "bentoml", BENTO)),
    ("bentoml", Way("/predict", "bentoml", BENTO)),
    ("mosec", Way("", "mosec", times=STEPS)),
    ("mosec", Way("/inference", "mosec", times=STEPS)),
    ("azureml", Way("", "azureml", times=("call", *STEPS))),
    ("azureml", Way("/score", "azureml", times=("call", *STEPS))),
    ("kserve", Way("", "kserve", KSERVE, given={**CLASSES, **SHAPE})),
    (
        "kserve",
        Way("/v2/models/shapes/infer", "kserve", KSERVE, given={**CLASSES, **SHAPE}),
    ),
    ("kserve", Way("/v1/models/shapes:predict", "kserve-v1", KSERVE, times=STEPS)),
    ("kserve", Way("/v1/models/shapes", "kserve-v1", KSERVE, times=STEPS)),
    (
        "triton",
        Way(
            "",
            "triton",
            {"model": "shapes", "tensor": BINARY},
            model="shapes",
            given=CLASSES,
        ),
    ),
    (
        "triton",
        Way(
            "/v2/models/shapes/infer",
            "triton",
            {"model": "shapes", "tensor": BINARY},
            given=CLASSES,
        ),
    ),
    (
        "triton",
        Way(
            "/v2/models/shapes_e2e",
            "triton",
            {"model": "shapes_e2e", "tensor": BINARY},
            given=CLASSES,
        ),
    ),
    (
        "triton",
        Way(
            "/v2/models/shapes_img/infer",
            "triton",
            {"model": "shapes_img", "tensor": PICTURE},
            times=STEPS,
        ),
    ),
    (
        "mlserver",
        Way(
            "",
            "mlserver",
            {"model": "shapes", "tensor": TENSOR},
            model="shapes",
            given=CLASSES,
        ),
    ),
    (
        "mlserver",
        Way(
            "/v2/models/shapes/infer",
            "mlserver",
            {"model": "shapes", "tensor": TENSOR},
            given=CLASSES,
        ),
    ),
    ("torchserve", Way("", "torchserve", {"model": "shapes"}, model="shapes")),
    ("torchserve", Way("/predictions/shapes", "torchserve", {"model": "shapes"})),
    ("ray", Way("", "ray-serve", times=STEPS)),
    ("ray", Way("/predict", "ray-serve", times=STEPS)),
    ("mlflow", Way("", "mlflow", times=STEPS)),
    ("mlflow", Way("/invocations", "mlflow", times=STEPS)),
]


def dotted(table: Mapping[str, object], above: str = "") -> list[str]:
    """The keys of a table as ``--set`` writes them."""
    found: list[str] = []
    for key, value in table.items():
        name = f"{above}{key}"
        found += dotted(value, f"{name}.") if isinstance(value, dict) else [name]
    return found
