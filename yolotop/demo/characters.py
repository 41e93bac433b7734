"""The characters: real endpoints, each with one thing wrong with it.

Owns the script of every endpoint of the demo: what it does, when, and how it recovers.
Each is an ASGI application around a real `serve` app, so status, bodies and times are
what a network would carry. It must not know ports, processes or who is watching.

Scripts are short on purpose: within 20 seconds of a start every character has shown
its true colours, and the longer ones repeat, so that the trends of a demo that runs
for an hour have something to tell.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from yolotop.demo.workshop import Workshop
from yolotop.serve.engine import Engine, Prediction

if TYPE_CHECKING:
    import random

    from starlette.types import ASGIApp, Receive, Scope, Send

MODEL: Final = "shapes"
OTHER_MODEL: Final = "shapes2"


class Healthy:
    """An endpoint with nothing wrong: the base of those that have something.

    ``name`` is the deployment's. Subclasses change what a prediction goes through
    (:meth:`predict`) and what time does to them (:meth:`tick`).
    """

    def __init__(
        self, name: str, workshop: Workshop, *, api_key: str | None = None
    ) -> None:
        self.name = name
        self.workshop = workshop
        self.dice: random.Random = workshop.chance(name)
        self.born = workshop.now()
        self._key = api_key
        self.app: ASGIApp | None = self.start()

    def engine(self) -> Engine:
        """Return the model that a new instance is started with."""
        return self.workshop.engine(MODEL)

    def start(self) -> ASGIApp | None:
        """Start an instance; ``None`` when there is none to begin with."""
        return self.workshop.instance(self.engine(), api_key=self._key)

    def tick(self) -> None:
        """Let time do its work; called by the fleet several times a second."""

    async def predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer POST /predict."""
        await self.serve(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the instance behind this endpoint."""
        if self.app is None:
            await refuse(receive, send, 503, "There is no instance of this model")
            return
        await self.app(scope, receive, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == "/predict":
            await self.predict(scope, receive, send)
        else:
            await self.serve(scope, receive, send)

    async def aclose(self) -> None:
        """Stop whatever it has started by itself."""


class Slow(Healthy):
    """Right answers, late: every prediction waits behind other tenants' jobs.

    Two to four jobs of 150 to 250 ms each are ahead of it: 300 to 1,000 ms. Health
    checks are as fast as anyone's, which is why they are not enough.
    """

    async def predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait for the jobs ahead, then answer."""
        jobs = self.dice.randint(2, 4)
        await self.workshop.sleep(
            sum(self.dice.uniform(0.15, 0.25) for _ in range(jobs))
        )
        await self.serve(scope, receive, send)


class Creeping(Healthy):
    """An instance that gets slower the longer it lives, until it is recycled.

    Half a second more per minute: the first one enters 20 s old, so that it passes
    250 ms after 10 s; at one minute the platform recycles it and all is well again.
    """

    LIFE_S: Final = 60.0
    HEAD_START_S: Final = 20.0
    WORST_S: Final = 0.5

    def __init__(self, name: str, workshop: Workshop) -> None:
        super().__init__(name, workshop)
        self._since = self.born - self.HEAD_START_S

    @property
    def delay_s(self) -> float:
        """What a prediction waits at this age, in seconds."""
        return self.WORST_S * (self.workshop.now() - self._since) / self.LIFE_S

    def tick(self) -> None:
        """Recycle the instance when its minute is over."""
        if self.workshop.now() - self._since >= self.LIFE_S:
            self.app = self.start()
            self._since = self.workshop.now()

    async def predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait as long as the instance's age makes it, then answer."""
        await self.workshop.sleep(self.delay_s)
        await self.serve(scope, receive, send)


class Flapping(Healthy):
    """More than half of the predictions fail with a 5xx; the health check never does.

    Never more than two in a row: three would be *down*, and this one is the endpoint
    which is never quite that. At least two of any five, so it is never *up* either.
    """

    FAULTS: Final = (
        (500, "CUDA error: an illegal memory access was encountered"),
        (502, "The worker closed the connection"),
        (503, "The worker is restarting"),
    )

    def __init__(self, name: str, workshop: Workshop) -> None:
        super().__init__(name, workshop)
        self._fails = flaps(self.dice)

    async def predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail when it is this request's turn to."""
        if next(self._fails):
            status, detail = self.dice.choice(self.FAULTS)
            await refuse(receive, send, status, detail)
            return
        await self.serve(scope, receive, send)


def flaps(dice: random.Random) -> Iterator[bool]:
    """Whether each request in turn fails: once or twice, then one is answered."""
    while True:
        yield from (True,) * dice.choice((1, 1, 2))
        yield False


class ScaleToZero(Healthy):
    """Nobody pays for an idle instance: it is dropped, and the next request wakes it.

    After 6.5 to 13.5 s without a request (platforms promise no more exactly) the
    instance ends, its session included. Any request starts a new one, which takes four
    seconds to boot; until then everything gets 429 with Retry-After, as on the
    Platform. It begins asleep.
    """

    IDLE_S: Final = (6.5, 13.5)
    BOOT_S: Final = 4.0

    def __init__(self, name: str, workshop: Workshop) -> None:
        self._boot: asyncio.Task[None] | None = None
        self._ready_at = 0.0
        self._drop_at = math.inf
        super().__init__(name, workshop)

    def start(self) -> ASGIApp | None:
        """Begin with nothing running."""
        return None

    def tick(self) -> None:
        """Drop the instance once it has idled long enough."""
        if self.workshop.now() >= self._drop_at:
            self.app = None
            self._drop_at = math.inf

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer when awake; otherwise wake up, and ask to come back."""
        if self.app is not None:
            self._use()
            await self.app(scope, receive, send)
            return
        if self._boot is None:
            self._ready_at = self.workshop.now() + self.BOOT_S
            self._boot = asyncio.create_task(self._wake())
        left = max(1, math.ceil(self._ready_at - self.workshop.now()))
        await refuse(
            receive,
            send,
            429,
            "The request was aborted because there was no available instance",
            headers={"retry-after": str(left)},
        )

    async def _wake(self) -> None:
        try:
            await self.workshop.sleep(self.BOOT_S)
            # Its own session, really read again: the shared one never sleeps.
            engine = await asyncio.to_thread(self.workshop.load, MODEL)
            self.app = self.workshop.instance(engine)
            self._use()
        finally:
            self._boot = None

    def _use(self) -> None:
        """Count the idle time from here."""
        if self.app is not None:
            self._drop_at = self.workshop.now() + self.dice.uniform(*self.IDLE_S)

    async def aclose(self) -> None:
        """Give up a boot under way."""
        if self._boot is not None:
            self._boot.cancel()
            await asyncio.wait({self._boot})


class Blind(Healthy):
    """HTTP 200, valid JSON, nothing seen: the fault that status codes never show.

    The first instance sees for 10 s, then its answers stay empty. After 35 s of that it
    is restarted, which heals it: later ones see for 30 s.
    """

    FIRST_S: Final = 10.0
    LATER_S: Final = 30.0
    BLIND_S: Final = 35.0

    def __init__(self, name: str, workshop: Workshop) -> None:
        super().__init__(name, workshop)
        self._blind_at = self.born + self.FIRST_S

    def start(self) -> ASGIApp | None:
        """Start an instance with fresh eyes."""
        self._eyes = Eyes(self.engine())
        self._blind_at = self.workshop.now() + self.LATER_S
        return self.workshop.instance(self._eyes)

    def tick(self) -> None:
        """Lose sight, and be restarted, when it is time."""
        overdue = self.workshop.now() - self._blind_at
        if overdue >= self.BLIND_S:
            self.app = self.start()
        elif overdue >= 0:
            self._eyes.open = False


class Eyes:
    """An engine that runs the model and, with its eyes shut, finds nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.open = True

    @property
    def name(self) -> str:
        """Stem of the model file."""
        return self._engine.name

    @property
    def task(self) -> str:
        """The model's task."""
        return self._engine.task

    @property
    def class_names(self) -> tuple[str, ...]:
        """The model's class names."""
        return self._engine.class_names

    @property
    def version(self) -> Mapping[str, str]:
        """The model's runtime versions and weights."""
        return self._engine.version

    def predict(
        self, image_bytes: bytes, *, conf: float, iou: float, imgsz: int | None
    ) -> Prediction:
        """Detect; see Engine.predict."""
        found = self._engine.predict(image_bytes, conf=conf, iou=iou, imgsz=imgsz)
        return found if self.open else dataclasses.replace(found, detections=())


class Swapped(Healthy):
    """Somebody deploys another model behind the same URL, which knows no triangles.

    It happens after 12 s; two minutes later it is rolled back, and so on.
    """

    FIRST_S: Final = 12.0
    EVERY_S: Final = 120.0

    def __init__(self, name: str, workshop: Workshop) -> None:
        self._model = MODEL
        super().__init__(name, workshop)
        self._next_at = self.born + self.FIRST_S

    def engine(self) -> Engine:
        """Return the model of the hour."""
        return self.workshop.engine(self._model)

    def tick(self) -> None:
        """Replace the model when it is time."""
        if self.workshop.now() >= self._next_at:
            self._model = OTHER_MODEL if self._model == MODEL else MODEL
            self.app = self.start()
            self._next_at += self.EVERY_S


async def refuse(
    receive: Receive,
    send: Send,
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Answer ``{"detail": …}`` with ``status``, after taking in the whole request.

    Closing a socket with unread bytes resets it, and the client would report a broken
    pipe instead of what was answered.
    """
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    body = json.dumps({"detail": detail}).encode()
    lines = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **(headers or {}),
    }
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(k.encode(), v.encode()) for k, v in lines.items()],
        }
    )
    await send({"type": "http.response.body", "body": body})
