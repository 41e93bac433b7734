"""What a server does not tell, so that a person has to: the limits of recognition.

Owns the sentences, each with the key of the deployment's table that is meant. Must not
know how a kind was found. What is guessed here is the preset's usual; real servers
showed which guesses fail with an error that names nothing (LitServe: a plain 500).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from yolotop.probe.recognise.traits import Trait

_TENSORS: Final = frozenset({"triton", "mlserver", "kserve", "openvino", "oip"})
_NAMED: Final = _TENSORS | {"kserve-v1", "tf-serving", "torchserve"}
"""Presets whose paths hold a model's name."""

_AUTHORS: Final[Mapping[str, str]] = {
    "litserve": 'the form\'s field (request.field, "file" is tried)',
    "kserve-v1": 'where an instance holds the image (request.field, "image/b64" is '
    "tried)",
    "mlflow": "what the model takes as inputs (request.template, base64 is tried)",
    "vertex": 'where an instance holds the image (request.field, "b64" is tried)',
}
"""What is up to whoever wrote the service, where it publishes nothing about it."""


def unsaid(trait: Trait) -> tuple[str, ...]:
    """What is left to a person, the most needed first."""
    return tuple(_sentences(trait))


def _sentences(trait: Trait) -> Iterator[str]:
    preset, settings = trait.preset, trait.settings
    if preset in _NAMED and "model" not in settings:
        if len(trait.models) > 1:
            yield "which of its models (model)"
        else:
            yield "the model's name (model); it lists none to a GET"
    if preset in _AUTHORS and "field" not in _table(settings, "request"):
        yield _AUTHORS[preset]
    if preset not in _TENSORS:
        return
    tensor = _table(settings, "tensor")
    if tensor.get("datatype") == "BYTES":
        return
    if "shape" not in tensor:
        yield "its input's shape (tensor.shape, [1, 3, 640, 640] is tried)"
    yield "the names of its classes (class_names); the protocol has none"


def _table(settings: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = settings.get(key)
    return value if isinstance(value, dict) else {}
