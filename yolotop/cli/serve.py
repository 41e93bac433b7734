"""``yolotop serve``: one local model behind the Platform's endpoint contract.

Owns the options and what is said on stderr. Everything heavy is imported inside, for
the sake of all other commands. Must not know how the server works.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from yolotop.cli.options import HostOption, PortOption


class EngineChoice(StrEnum):
    """Which library runs the model."""

    AUTO = "auto"
    ONNX = "onnx"
    YOLO = "yolo"


class LogLevel(StrEnum):
    """How much the server says."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


def serve(
    model: Annotated[
        str,
        typer.Argument(
            help="A model file (.onnx, or with the yolo extra .pt and others), or "
            "shapes or shapes2 for the tiny ones that ship."
        ),
    ],
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    api_key_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Environment variable that holds the key for /predict."
        ),
    ] = None,
    engine: Annotated[
        EngineChoice, typer.Option(help="What runs the model.")
    ] = EngineChoice.AUTO,
    conf: Annotated[
        float,
        typer.Option(min=0.01, max=1.0, help="Confidence where a request names none."),
    ] = 0.25,
    iou: Annotated[
        float,
        typer.Option(min=0.0, max=0.95, help="NMS overlap where a request names none."),
    ] = 0.7,
    imgsz: Annotated[
        int | None,
        typer.Option(
            min=32,
            max=1280,
            help="Pixels where a request names none; else the model's.",
        ),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads inside one inference (onnx).")
    ] = 1,
    parallel: Annotated[
        int, typer.Option(min=1, help="Inferences at once; 8 more requests wait.")
    ] = 1,
    log_level: Annotated[
        LogLevel, typer.Option(help="How much the server says.")
    ] = LogLevel.INFO,
    # Taken after every command, so that a script can add them blindly; a server has
    # neither a config nor a history.
    config: Annotated[Path | None, typer.Option("--config", "-c", hidden=True)] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", hidden=True)] = None,
) -> None:
    """Serve a local model as an Ultralytics Platform endpoint would."""
    del config, data_dir
    from yolotop.serve import run

    key = _key(api_key_env)
    loaded = run.open_engine(model, engine.value, threads=threads)
    from yolotop.serve.wire import Defaults

    defaults = Defaults(conf=conf, iou=iou, imgsz=imgsz)
    app = run.open_app(loaded, api_key=key, defaults=defaults, parallel=parallel)
    listener = run.listen(host, port)
    _announce(run.url_of(listener), loaded.name, loaded.task, api_key_env)
    if key is None and host not in ("127.0.0.1", "::1", "localhost"):
        typer.echo("Anyone who reaches this address may use it: no key.", err=True)
    run.run(app, listener, log_level=log_level.value)


def _key(name: str | None) -> str | None:
    """Read the key from the environment: on the command line ``ps`` would show it."""
    from yolotop.errors import ConfigError

    if name is None:
        return None
    # What is given may be the key itself, by mistake: it is not repeated.
    if not name.isidentifier():
        raise ConfigError(
            "--api-key-env takes the name of an environment variable",
            hint="export NAME=... first, then --api-key-env NAME",
        )
    key = os.environ.get(name, "").strip()
    if not key:
        raise ConfigError(
            "the environment variable that --api-key-env names is not set, or empty",
            hint="export NAME=... first, then --api-key-env NAME",
        )
    return key


def _announce(url: str, name: str, task: str, key_env: str | None) -> None:
    header = f' -H "Authorization: Bearer ${key_env}"' if key_env else ""
    typer.echo(f"Serving {name} ({task}) at {url}", err=True)
    typer.echo(f"Try: curl{header} -F file=@image.jpg {url}/predict", err=True)
