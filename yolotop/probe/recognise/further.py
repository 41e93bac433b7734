"""What a kind of server tells besides: its models, their tensors, its form's field.

Owns the reading of the replies that are asked for once the kind is known. Must not know
how it became known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from yolotop.probe.recognise.openapi import upload_of
from yolotop.probe.recognise.traits import Seen, Trait
from yolotop.text import clean


def told(trait: Trait, path: str, seen: Seen) -> Trait:
    """The trait with what a further reply adds; as it was where that says nothing."""
    for known, reader in _FURTHER:
        if known.fullmatch(path):
            return reader(trait, seen)
    return trait


def _listed(trait: Trait, seen: Seen) -> Trait:
    """Models by name: KServe, and TorchServe's management port."""
    models = seen.table.get("models")
    names = []
    for item in models if isinstance(models, list) else ():
        name = item.get("modelName") if isinstance(item, dict) else item
        if isinstance(name, str):
            names.append(name)
    return trait.with_models(names)


def _triton_models(trait: Trait, seen: Seen) -> Trait:
    """Triton lists models by GET only in its statistics; pytriton refuses those."""
    stats = seen.table.get("model_stats")
    items = stats if isinstance(stats, list) else []
    names = [
        item["name"]
        for item in items
        if isinstance(item, dict) and isinstance(item.get("name"), str)
    ]
    return trait.with_models(names)


def _model(trait: Trait, seen: Seen) -> Trait:
    """The first input and output of a model, as its metadata tells them."""
    given = _first(seen.table.get("inputs"))
    back = _first(seen.table.get("outputs"))
    if not given:
        return trait
    tensor = dict(_object(trait.settings.get("tensor")))
    name, kind = str(given.get("name", "")), str(given.get("datatype", ""))
    tensor["input"] = clean(name, limit=80)
    if kind in _PICTURES:
        tensor["datatype"] = kind
    shape = given.get("shape")
    whole = (
        [side for side in shape if type(side) is int] if isinstance(shape, list) else []
    )
    # Some tell [] where the author told nothing: the usual is tried then. Triton's -1
    # is any number, of pictures too.
    if 1 <= len(whole) <= 4 and all(side == -1 or 0 < side < 8_193 for side in whole):
        tensor["shape"] = whole
    if back:
        tensor["output"] = clean(str(back.get("name", "")), limit=80)
    said = f"its input is {tensor['input']} {kind} {whole or ''}".rstrip()
    return trait.with_settings(said, tensor=tensor)


_PICTURES: Final = ("FP32", "FP16", "UINT8", "BYTES")
"""As which a picture can be sent; of what is said beside them, nothing is taken."""


def _first(value: object) -> Mapping[str, object]:
    return _object(value[0]) if isinstance(value, list) and value else {}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _ray(trait: Trait, seen: Seen) -> Trait:
    routes = seen.table
    if not routes or not all(
        key.startswith("/") and isinstance(app, str) for key, app in routes.items()
    ):
        return trait
    said = "GET /-/routes names Ray Serve applications"
    return replace(trait, preset="ray-serve", why=said, also=(trait.why, *trait.also))


def _upload(trait: Trait, seen: Seen) -> Trait:
    """The field of the form, where a server publishes it."""
    upload = upload_of(seen.table)
    if upload is None:
        return trait
    request = {**_object(trait.settings.get("request")), "field": upload.field}
    return trait.with_settings(f"its form field is {upload.field}", request=request)


_MLFLOW: Final = re.compile(r"\d+\.\d+\.\d+\S{0,12}")


def _version(trait: Trait, seen: Seen) -> Trait:
    text = seen.text.strip()
    if seen.status == 200 and _MLFLOW.fullmatch(text):
        return replace(
            trait, preset="mlflow", why=f"GET /version says {text}", sure=True
        )
    return trait


_FURTHER: Final = (
    (re.compile(r"/v2/models/stats"), _triton_models),
    (re.compile(r"/v2/models|:8081/models"), _listed),
    (re.compile(r"/v2/models/[^/]+"), _model),
    (re.compile(r"/-/routes"), _ray),
    (re.compile(r"/openapi\.json"), _upload),
    (re.compile(r"/version"), _version),
)
