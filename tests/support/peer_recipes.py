"""The real servers: how each is installed, started, asked, and robbed of its model.

Owns everything that differs from server to server. The apps themselves, written as the
author of such a service would, are in ``tests/peers/apps``.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from _pytest.mark import ParameterSet
from peer_answers import (
    Question,
    Way,
    as_json,
    head,
    labelled,
    multipart,
    raw,
    results,
    tensor_binary,
    tensor_json,
)
from peer_net import HOST
from peer_triton import TRITON
from peer_venvs import HERE, MLFLOW, MLSERVER, RAY, SHARED, TORCHSERVE
from peers import APPS, Place, Recipe


def _python(place: Place, *words: object) -> list[str]:
    return [str(place.python.executable), *map(str, words)]


def _tool(place: Place, name: str, *words: object) -> list[str]:
    return [str(place.python.bin / name), *map(str, words)]


FASTAPI = Recipe(
    name="fastapi",
    distribution="fastapi",
    venv=HERE,
    command=lambda p: _python(
        p, "-m", "uvicorn", "fastapi_app:app", "--host", HOST, "--port", p.ports[0]
    ),
    health="/health",
    ways={
        "multipart": Way(multipart("/predict", "file"), results("images", 0, "results"))
    },
)

LITSERVE = Recipe(
    name="litserve",
    distribution="litserve",
    venv=SHARED,
    command=lambda p: _python(p, APPS / "litserve_app.py", p.ports[0]),
    health="/health",
    ways={"multipart": Way(multipart("/predict", "image"), labelled)},
)

BENTOML = Recipe(
    name="bentoml",
    distribution="bentoml",
    venv=SHARED,
    command=lambda p: _tool(
        p,
        "bentoml",
        "serve",
        "bentoml_app:Shapes",
        "--host",
        HOST,
        "--port",
        p.ports[0],
        "--working-dir",
        APPS,
    ),
    health="/readyz",
    metrics=0,
    env={"BENTOML_DO_NOT_TRACK": "True"},
    ways={"multipart": Way(multipart("/predict", "image"), results())},
)

MOSEC = Recipe(
    name="mosec",
    distribution="mosec",
    venv=SHARED,
    module="mosec",
    command=lambda p: _python(
        p, APPS / "mosec_app.py", "--address", HOST, "--port", p.ports[0]
    ),
    health="/",
    metrics=0,
    ways={"raw": Way(raw("/inference"), results("results"))},
)

AZUREML = Recipe(
    name="azureml",
    distribution="azureml-inference-server-http",
    venv=SHARED,
    # The health port is 5000 unless it is the same.
    command=lambda p: _tool(
        p,
        "azmlinfsrv",
        "--entry_script",
        APPS / "azureml_app.py",
        "--port",
        p.ports[0],
        "--health_port",
        p.ports[0],
    ),
    health="/",
    isolate=True,
    ways={"raw": Way(raw("/score"), results("images", 0, "results"))},
)

KSERVE = Recipe(
    name="kserve",
    distribution="kserve",
    venv=SHARED,
    command=lambda p: _python(
        p,
        APPS / "kserve_app.py",
        "--http_port",
        p.ports[0],
        "--enable_grpc",
        "false",
    ),
    health="/v2/health/ready",
    metrics=0,
    isolate=True,
    ways={
        "v1": Way(
            as_json(
                "/v1/models/shapes:predict",
                lambda text: {"instances": [{"image": {"b64": text}}]},
            ),
            results("predictions", 0, "results"),
        ),
        "tensor": Way(tensor_json("shapes"), head),
        "binary": Way(tensor_binary("shapes"), head),
    },
)

# --- those with an environment of their own ------------------------------------------


def _mlserver(place: Place) -> list[str]:
    """Write the two settings files: one server, one model, no worker processes."""
    http, grpc, metrics = place.ports
    settings = {
        "host": HOST,
        "http_port": http,
        "grpc_port": grpc,
        "metrics_port": metrics,
        # A worker of its own dies at start: no event loop in its main thread.
        "parallel_workers": 0,
    }
    tensor = {"datatype": "FP32"}
    model = {
        "name": "shapes",
        "implementation": "mlserver_app.Shapes",
        "inputs": [{"name": "images", "shape": [1, 3, 160, 160], **tensor}],
        "outputs": [{"name": "output0", "shape": [1, 7, 525], **tensor}],
    }
    (place.scratch / "settings.json").write_text(json.dumps(settings))
    (place.scratch / "model-settings.json").write_text(json.dumps(model))
    return _tool(place, "mlserver", "start", place.scratch)


MLSERVER_PEER = Recipe(
    name="mlserver",
    distribution="mlserver",
    venv=MLSERVER,
    command=_mlserver,
    health="/v2/health/ready",
    ports=3,
    metrics=2,
    unload=Question("/v2/repository/models/shapes/unload", {"json": {}}),
    ways={"tensor": Way(tensor_json("shapes"), head)},
)


def _torchserve(place: Place) -> list[str]:
    """Pack the handler and write the configuration."""
    inference, management, metrics, grpc, grpc_management = place.ports
    store = place.scratch / "store"
    store.mkdir()
    subprocess.run(
        _tool(
            place,
            "torch-model-archiver",
            "--model-name",
            "shapes",
            "--version",
            "1.0",
            "--handler",
            APPS / "torchserve_app.py",
            "--export-path",
            store,
        ),
        check=True,
        capture_output=True,
        timeout=60,
    )
    config = {
        "inference_address": f"http://{HOST}:{inference}",
        "management_address": f"http://{HOST}:{management}",
        "metrics_address": f"http://{HOST}:{metrics}",
        "grpc_inference_address": HOST,
        "grpc_inference_port": grpc,
        "grpc_management_address": HOST,
        "grpc_management_port": grpc_management,
        "metrics_mode": "prometheus",
        "disable_token_authorization": "true",
        "enable_model_api": "true",
        "default_workers_per_model": 1,
        "allowed_urls": "file://.*",
        "vmargs": "-Xmx256m",
    }
    file = place.scratch / "config.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
    return _tool(
        place,
        "torchserve",
        "--foreground",
        "--ncs",
        "--model-store",
        store,
        "--models",
        "shapes=shapes.mar",
        "--ts-config",
        file,
    )


TORCHSERVE_PEER = Recipe(
    name="torchserve",
    distribution="torchserve",
    venv=TORCHSERVE,
    command=_torchserve,
    health="/ping",
    ports=5,
    metrics=2,
    management=1,
    unload=Question("/models/shapes?min_worker=0&max_worker=0&synchronous=true", {}),
    unload_verb="PUT",
    ways={
        "raw": Way(raw("/predictions/shapes"), results()),
        "multipart": Way(multipart("/predictions/shapes", "data"), results()),
    },
)

RAY_PEER = Recipe(
    name="ray",
    distribution="ray",
    venv=RAY,
    command=lambda p: _python(p, APPS / "ray_app.py", *p.ports),
    health="/-/healthz",
    ports=2,
    metrics=1,
    # Its store and its raylet bind every address.
    isolate=True,
    env={"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
    ways={
        "multipart": Way(multipart("/predict", "file"), results("images", 0, "results"))
    },
)


def _mlflow(place: Place) -> list[str]:
    """Save the model, and the words that serve it."""
    model = place.scratch / "model"
    subprocess.run(
        _python(place, APPS / "mlflow_app.py", model),
        check=True,
        capture_output=True,
        timeout=60,
        cwd=place.scratch,
        env={"PATH": os.environ["PATH"], "HOME": str(place.scratch)},
    )
    return _tool(
        place,
        "mlflow",
        "models",
        "serve",
        "-m",
        model,
        "--env-manager",
        "local",
        "--host",
        HOST,
        "--port",
        place.ports[0],
    )


MLFLOW_PEER = Recipe(
    name="mlflow",
    distribution="mlflow",
    venv=MLFLOW,
    command=_mlflow,
    health="/ping",
    env={"MLFLOW_DISABLE_TELEMETRY": "true"},
    ways={
        "base64": Way(
            as_json("/invocations", lambda text: {"inputs": [text]}),
            results("predictions", 0, "results"),
        )
    },
)

RECIPES = {
    recipe.name: recipe
    for recipe in (
        FASTAPI,
        LITSERVE,
        BENTOML,
        KSERVE,
        TRITON,
        AZUREML,
        MOSEC,
        MLSERVER_PEER,
        TORCHSERVE_PEER,
        RAY_PEER,
        MLFLOW_PEER,
    )
}

ALWAYS = ("fastapi",)
"""Servers whose packages the ``dev`` extra has; all others are opt-in."""


def case(name: str, *values: object) -> ParameterSet:
    """Parameters that start with a server's name, marked as that server needs."""
    marks = () if name in ALWAYS else (pytest.mark.peers,)
    return pytest.param(name, *values, marks=marks, id=name)
