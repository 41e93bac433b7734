"""Triton: its model repository, its backend's place, and how it is asked.

Owns what no other server needs. The binary is the real ``tritonserver``, out of the
wheel ``nvidia-pytriton``; the only backend in there is the one for Python.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from peer_answers import (
    Question,
    Way,
    head,
    picture_binary,
    picture_text,
    tensor_binary,
    tensor_json,
)
from peer_net import HOST
from peer_venvs import SHARED, folder
from peers import APPS, Place, Recipe

_TRITON_MODELS = {
    "shapes": ("raw", "images", "TYPE_FP32", "1, 3, 160, 160", "output0", "1, 7, 525"),
    "shapes_e2e": (
        "end_to_end",
        "images",
        "TYPE_FP32",
        "1, 3, 160, 160",
        "output0",
        "1, 300, 6",
    ),
    "shapes_img": ("picture", "image", "TYPE_STRING", "-1, 1", "detections", "-1, 1"),
}
_TRITON_CONFIG = """
name: "{name}"
backend: "python"
max_batch_size: 0
input [ {{ name: "{entry}" data_type: {kind} dims: [ {shape} ] }} ]
output [ {{ name: "{output}" data_type: {kind} dims: [ {made} ] }} ]
parameters {{ key: "head" value: {{ string_value: "{head}" }} }}
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
"""


def _triton(place: Place) -> list[str]:
    """Write the model repository, and the words that start the server on it."""
    site = place.python.site
    repository = place.scratch / "models"
    for name, (form, entry, kind, shape, output, made) in _TRITON_MODELS.items():
        _triton_model(repository, name, form, entry, kind, shape, output, made)
    libraries = (site / "nvidia_pytriton.libs", site / "pytriton/tritonserver/lib")
    if place.fault == "neighbour":
        broken = ("broken", *_TRITON_MODELS["shapes"][1:])
        _triton_model(repository, "broken", *broken)
    return [
        "env",
        f"LD_LIBRARY_PATH={os.pathsep.join(map(str, libraries))}",
        # The stub is a Python of its own that does not look into the environment.
        f"PEER_PATH={site}{os.pathsep}{APPS}",
        str(site / "pytriton/tritonserver/bin/tritonserver"),
        f"--model-repository={repository}",
        f"--backend-directory={_triton_backends(site)}",
        f"--http-address={HOST}",
        f"--http-port={place.ports[0]}",
        f"--metrics-address={HOST}",
        f"--metrics-port={place.ports[1]}",
        "--allow-grpc=false",
        "--exit-timeout-secs=2",
        # What does not load must not take along what does.
        "--exit-on-error=false",
        "--strict-readiness=true",
        "--model-control-mode=explicit",
        "--load-model=*",
    ]


def _triton_model(
    repository: Path,
    name: str,
    form: str,
    entry: str,
    kind: str,
    shape: str,
    output: str,
    made: str,
) -> None:
    version = repository / name / "1"
    version.mkdir(parents=True)
    shutil.copy(APPS / "triton_model.py", version / "model.py")
    config = _TRITON_CONFIG.format(
        name=name,
        head=form,
        entry=entry,
        kind=kind,
        shape=shape,
        output=output,
        made=made,
    )
    (repository / name / "config.pbtxt").write_text(config)


def _triton_backends(site: Path) -> Path:
    """The wheel's Python backend with the stub beside it, as the server wants it."""
    backends = folder() / "triton-backends"
    stub = backends / "python/triton_python_backend_stub"
    if not stub.exists():
        wheel = site / "pytriton/tritonserver"
        shutil.copytree(
            wheel / "backends/python", backends / "python", dirs_exist_ok=True
        )
        version = site.parent.name.removeprefix("python")
        shutil.copy(wheel / f"python_backend_stubs/{version}/{stub.name}", stub)
        stub.chmod(0o755)
    return backends


TRITON = Recipe(
    name="triton",
    distribution="nvidia-pytriton",
    venv=SHARED,
    command=_triton,
    health="/v2/health/ready",
    ports=2,
    metrics=1,
    unload=Question("/v2/repository/models/shapes/unload", {"json": {}}),
    ways={
        "binary": Way(tensor_binary("shapes"), head),
        "tensor": Way(tensor_json("shapes"), head),
        "end to end": Way(tensor_binary("shapes_e2e"), head),
        "picture": Way(picture_binary("shapes_img"), picture_text),
    },
)
