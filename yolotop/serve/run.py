"""From a model's name to a listening server.

Owns which engine serves which file, the errors when a part is not installed, and the
socket. Web framework and inference libraries are imported inside the functions, so
that a missing one is an error with a cure and not a traceback. Must not know the
command line.
"""

from __future__ import annotations

import copy
import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from yolotop.errors import MissingExtraError, UsageError, YolotopError
from yolotop.text import clean

if TYPE_CHECKING:
    from fastapi import FastAPI

    from yolotop.serve.engine import Engine
    from yolotop.serve.wire import Defaults

EngineName = Literal["auto", "onnx", "yolo"]

SHIPPED = ("shapes", "shapes2")
"""Names of the models inside the package. ``shapes2`` knows no triangles."""

_BACKLOG = 128
_CURE: Final = "Name a file with a trained model (.onnx, .pt), or shapes or shapes2"


def model_path(model: str | Path) -> Path:
    """Return where a model is: one of SHIPPED by name, else the path itself."""
    if str(model) in SHIPPED:
        return Path(__file__).parent / "models" / f"{model}.onnx"
    return Path(model).expanduser()


def open_engine(
    model: str | Path, engine: EngineName = "auto", *, threads: int = 1
) -> Engine:
    """Load a model: a path, or a name out of SHIPPED.

    ``auto`` takes the ONNX engine for ``.onnx`` detectors and ultralytics for all
    else. ``threads`` is for the ONNX engine. Raises MissingExtraError, UsageError.
    """
    path = model_path(model)
    _refuse_other_files(path)
    if engine == "yolo" or (engine == "auto" and path.suffix.lower() != ".onnx"):
        return _yolo(path)
    try:
        from yolotop.serve.onnx_engine import OnnxEngine
    except ImportError as error:
        if engine == "auto":
            return _yolo(path)
        raise _missing(error) from error
    if engine == "onnx":
        return OnnxEngine(path, threads=threads)
    try:
        return OnnxEngine(path, threads=threads)
    except UsageError as onnx_error:
        # An ONNX file of another task, or one that only ultralytics understands. When
        # that is not installed either, the first reason is the one to show.
        if not path.is_file():
            raise
        try:
            return _yolo(path)
        except YolotopError:
            raise onnx_error from None


# What people point at by mistake: better said here than after 1.2 GB of torch.
_NO_MODELS: Final = frozenset(
    {".toml", ".json", ".txt", ".md", ".py", ".jpg", ".jpeg", ".png", ".mp4", ".zip"}
)


def _refuse_other_files(path: Path) -> None:
    """Raise UsageError for what cannot be a model, before any engine is asked for."""
    shown = clean(str(path))
    if path.suffix.lower() in (".yaml", ".yml"):
        raise UsageError(f"{shown} describes a model; it holds no weights", hint=_CURE)
    # A name without a folder may be one that ultralytics knows; a directory may be an
    # export of several files (OpenVINO, NCNN).
    if path.suffix.lower() in _NO_MODELS:
        raise UsageError(f"{shown} is not a model", hint=_CURE)
    if not path.exists():
        raise UsageError(f"{shown} does not exist", hint=_CURE)
    if not (path.is_file() or _is_export(path)):
        raise UsageError(f"{shown} is not a model", hint=_CURE)


def _is_export(path: Path) -> bool:
    """Whether a directory looks like an export of several files."""
    return path.is_dir() and path.name.endswith("_model")


def open_app(
    engine: Engine,
    *,
    api_key: str | None = None,
    defaults: Defaults | None = None,
    parallel: int = 1,
    waiting: int = 8,
) -> FastAPI:
    """Build the application; see app.create_app. Raises MissingExtraError."""
    try:
        # Imported only for the check: FastAPI looks for it when a form arrives.
        import python_multipart  # noqa: F401

        from yolotop.serve.app import create_app
    except ImportError as error:
        raise _missing(error) from error
    return create_app(
        engine, api_key=api_key, defaults=defaults, parallel=parallel, waiting=waiting
    )


def listen(host: str, port: int) -> socket.socket:
    """Bind a TCP socket; port 0 takes a free one. Raises UsageError with the reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that say
    # it. Without, every answer on a kept connection waited 44 ms for a delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # A restart within a minute finds its port again. Elsewhere the option
            # would let two servers share one.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        raise UsageError(
            f"cannot listen on {clean(host)} port {port}: {reason}",
            hint="--port 0 takes a free port"
            if taken
            else "Give --host an address of this machine and --port one you may use",
        ) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL under which a listening socket answers."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: FastAPI, listener: socket.socket, *, log_level: str = "info") -> None:
    """Serve until interrupted, then close the socket. Raises MissingExtraError."""
    try:
        import uvicorn
    except ImportError as error:
        raise _missing(error) from error
    config = uvicorn.Config(
        app,
        log_level=log_level,
        log_config=_narrated(uvicorn.config.LOGGING_CONFIG),
        ws="none",
        lifespan="off",
    )
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _narrated(config: Mapping[str, Any]) -> dict[str, Any]:
    """uvicorn's logging with the access log on stderr too: stdout is for data."""
    changed = copy.deepcopy(dict(config))
    changed["handlers"]["access"]["stream"] = "ext://sys.stderr"
    return changed


def _yolo(path: Path) -> Engine:
    from yolotop.serve.yolo_engine import YoloEngine

    try:
        return YoloEngine(path)
    except ImportError as error:
        raise _missing(error) from error


def _missing(error: ImportError) -> MissingExtraError:
    return MissingExtraError(
        f"Serving a model needs {error.name or 'a package'}, which is not installed",
        hint="pip install 'yolotop[serve]'",
    )
