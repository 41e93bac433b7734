"""The HTTP application around one engine: the Platform's dedicated endpoint.

Owns routes, the key, the limits and the answers to hostile input. Must not know how
an engine works, how the process is started, or that anyone monitors it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Security
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect

from yolotop import __version__
from yolotop.serve import wire
from yolotop.serve.engine import BadImageError, Engine, Prediction
from yolotop.serve.limits import MAX_BODY, BodyLimit
from yolotop.serve.openapi import PREDICT

log = logging.getLogger(__name__)

# Answers above 1 KB are compressed, as on the Platform.
_GZIP_FROM = 1024
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def create_app(
    engine: Engine,
    *,
    api_key: str | None = None,
    clock: Callable[[], float] = time.monotonic,
    defaults: wire.Defaults | None = None,
    parallel: int = 1,
    waiting: int = 8,
    retry_after_s: float = 1.0,
    max_body: int = MAX_BODY,
) -> FastAPI:
    """Build an application that answers for ``engine``.

    Several applications may share one engine in one process: each has its own key,
    its own queue and its own time alive, counted in seconds of ``clock`` from this
    call. ``api_key`` None leaves /predict open. ``parallel`` inferences run at once,
    ``waiting`` more requests queue, any further one gets 429 with Retry-After.
    """
    started = clock()
    app = FastAPI(
        title=f"{engine.name} ({engine.task})",
        summary="A YOLO model behind the Ultralytics Platform's endpoint contract.",
        version=__version__,
    )
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM)
    # Added last, so outermost: bytes are counted before anything reads them.
    app.add_middleware(BodyLimit, limit=max_body)
    door = _Door(engine, api_key, parallel, waiting, retry_after_s, max_body)
    known = defaults or wire.Defaults()

    @app.get("/", summary="What this is")
    async def root() -> dict[str, Any]:
        return {
            "status": "running",
            "model": engine.name,
            "task": engine.task,
            "predict": "POST /predict",
            "documentation": "/docs",
        }

    @app.get("/health", summary="Liveness; never runs the model")
    async def health() -> dict[str, Any]:
        return {
            "status": "healthy",
            "models": 1,
            "model": engine.name,
            "uptime": round(clock() - started, 3),
        }

    @app.post(
        "/predict",
        summary="Run the model on one image",
        openapi_extra=PREDICT,
        # For the reference only: the door compares the key, in constant time.
        dependencies=[Security(HTTPBearer(auto_error=False))] if api_key else [],
    )
    async def predict(request: Request) -> JSONResponse:
        await door.check_key(request)
        async with door.place(request):
            ask, image = await _read(request, known, max_body)
            called = clock()
            async with door.turn:
                answer = await _infer(engine, ask, image)
            now = clock()
            body = wire.response(
                engine, ask, answer, alive_s=now - started, call_s=now - called
            )
        return JSONResponse(body)

    app.add_exception_handler(ClientDisconnect, _gone)
    return app


class _Door:
    """Who gets in: the key, and how many at once."""

    def __init__(
        self,
        engine: Engine,
        api_key: str | None,
        parallel: int,
        waiting: int,
        retry_after_s: float,
        max_body: int,
    ) -> None:
        if parallel < 1 or waiting < 0:
            raise ValueError("parallel must be at least 1 and waiting at least 0")
        self._key = None if api_key is None else api_key.encode()
        self._room = parallel + waiting
        self._inside = 0
        self._retry_after = str(max(1, math.ceil(retry_after_s)))
        self._max_body = max_body
        self.turn = asyncio.Semaphore(parallel)
        self._name = engine.name

    async def check_key(self, request: Request) -> None:
        """Refuse with 401 unless the request carries the key."""
        if self._key is None:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Starlette decodes headers as latin-1: this gives the bytes that were sent.
        sent = given.strip().encode("latin-1")
        if scheme.lower() == "bearer" and hmac.compare_digest(sent, self._key):
            return
        await _drain(request)
        raise HTTPException(
            401,
            "Wrong API key for this endpoint"
            if sent
            else "An API key is needed: Authorization: Bearer <key>",
            headers={"WWW-Authenticate": "Bearer"},
        )

    @contextlib.asynccontextmanager
    async def place(self, request: Request) -> AsyncIterator[None]:
        """Hold a place in the queue, uploads included, or refuse with 429."""
        if self._inside >= self._room:
            await _drain(request)
            raise HTTPException(
                429,
                f"{self._name} is at capacity, try again",
                headers={"Retry-After": self._retry_after},
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1


async def _drain(request: Request) -> None:
    """Read the body and forget it.

    Closing a socket with unread bytes resets it, and the client would see a broken
    pipe instead of the refusal.
    """
    async for _ in request.stream():
        pass


async def _read(
    request: Request, defaults: wire.Defaults, max_body: int
) -> tuple[wire.Ask, bytes]:
    """Parse the form. Raises HTTPException 400, and 413 through the body limit."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _FORMS:
        await _drain(request)
        raise HTTPException(400, "Send the image as multipart/form-data")
    # Spools uploads above 1 MB to disk and closes them on the way out. A base64 source
    # is a plain field, which Starlette would cap at 1 MB.
    async with request.form(max_files=1, max_fields=32, max_part_size=max_body) as form:
        fields = {k: v for k, v in form.multi_items() if isinstance(v, str)}
        try:
            return wire.read_ask(fields, defaults), await _image(form, fields)
        except wire.FieldError as error:
            raise HTTPException(400, str(error)) from error


async def _image(form: FormData, fields: dict[str, str]) -> bytes:
    """Return the bytes of ``file``, or else of ``source``."""
    upload = form.get("file")
    if isinstance(upload, UploadFile):
        return await upload.read()
    if "source" in fields:
        return wire.read_source(fields["source"])
    raise wire.FieldError("An image is needed: file, or base64 in source")


async def _infer(engine: Engine, ask: wire.Ask, image: bytes) -> Prediction:
    """Run the engine in a thread, so that /health answers meanwhile."""
    try:
        return await asyncio.to_thread(
            engine.predict, image, conf=ask.conf, iou=ask.iou, imgsz=ask.imgsz
        )
    except BadImageError as error:
        raise HTTPException(400, str(error)) from error
    except Exception as error:
        # Any bug of any runtime. Answered here and not by the framework, whose handler
        # raises again and makes uvicorn cut the connection under the next request.
        log.exception("%s failed on a request", engine.name)
        raise HTTPException(500, "The model failed on this request") from error


async def _gone(request: Request, _error: Exception) -> Response:
    """End a request whose client left while sending; nobody reads this.

    Unhandled, each client that runs into its own timeout would cost a traceback.
    """
    log.info("client left before its request was complete: %s", request.url.path)
    return Response(status_code=400)
