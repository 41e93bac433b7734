"""Where faces' requests arrive: taken from the store, carried out, answered there.

Owns the loop that takes requests and the task of each that takes time. It must not
know how a probe is scheduled or how a deployment is paused: the rounds do that.

Every request is answered, with JSON or with one clean sentence that says why not.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from yolotop.collect.asking import GRACE_S, Asker, ask_once
from yolotop.collect.clock import Clock, sleep
from yolotop.collect.finding import finding_json
from yolotop.collect.showing import showing
from yolotop.collect.turns import Turns
from yolotop.config.deployment import deployment_from_table
from yolotop.config.duration import parse_duration
from yolotop.config.maintenance import parse_instant
from yolotop.config.problems import quoted
from yolotop.errors import StoreError, UsageError, YolotopError
from yolotop.judge.report import sample_json
from yolotop.judge.verdict import judge
from yolotop.model import Deployment, Expectation, HealthState, ProbeKind, Sample
from yolotop.model.preset import Preset
from yolotop.probe.failures import ProbeFailure
from yolotop.probe.frames import FrameError
from yolotop.probe.prober import deadline_s
from yolotop.store.protocol import Request, RequestKind, Writer
from yolotop.text import clean, redact

POLL_S: Final = 0.5
MOST_TRIALS: Final = 4
"""Trials and images by hand at once; more wait. Someone is looking at each of them."""
RECOGNISE_S: Final = 20.0
"""Longest that finding out what a server is may take, all requests together."""
SYNTHETIC: Final = "synthetic"
GOLDEN: Final = "golden"
"""What a face may call an image: a drawn scene, another each time; its own file."""

_log = logging.getLogger("yolotop.collect")


class Rules(Protocol):
    """What the desk may ask of the rounds; all raise UsageError for unknown names."""

    async def ask(self, name: str) -> list[Sample]:
        """Ask both questions now."""

    def deployment(self, name: str) -> Deployment:
        """As it is asked."""

    async def lend(self, name: str, work: Coroutine[None, None, str]) -> str:
        """What ``work`` gives, done while nobody else asks that deployment."""

    def pause(self, name: str) -> None:
        """Ask no longer."""

    def resume(self, name: str) -> None:
        """Ask again."""

    def maintain(self, name: str, until_at: float | None) -> None:
        """Ask no longer until then; ``None``: ask again now."""


class Platform(Protocol):
    """What may be asked of Ultralytics Platform; all raise YolotopError."""

    async def listing(self, owner: str) -> str:
        """What there is, as JSON."""

    async def fetch_log(self, name: str) -> str:
        """Put the newest lines of a log into the history."""

    async def start(self, name: str) -> str:
        """Start a deployment there."""

    async def stop(self, name: str) -> str:
        """Stop a deployment there."""


class Desk:
    """Carries requests out.

    ``defaults`` gives what a trial's table starts from, ``presets`` what it may name.
    """

    def __init__(
        self,
        writer: Writer,
        turns: Turns,
        clock: Clock,
        *,
        rules: Rules,
        asker: Asker,
        defaults: Callable[[], Mapping[str, object]],
        stop: Callable[[], None],
        presets: Callable[[], Mapping[str, Preset]] = dict,
        platform: Platform,
        paused: Callable[[], None] = lambda: None,
        stamp: Callable[[], None] = lambda: None,
    ) -> None:
        self._writer = writer
        self._turns = turns
        self._clock = clock
        self._rules = rules
        self._asker = asker
        self._defaults = defaults
        self._presets = presets
        self._platform = platform
        self._stop = stop
        self._paused = paused
        self._stamp = stamp
        self._tasks: set[asyncio.Task[None]] = set()
        self._trials = asyncio.Semaphore(MOST_TRIALS)
        self._scenes = itertools.count()

    async def run(self) -> None:
        """Take requests twice a second, for ever."""
        while True:
            self._stamp()
            try:
                requests = await self._turns.take(self._writer.take_requests())
            except StoreError as error:
                _log.warning("requests cannot be read: %s", error)
                requests = []
            for request in requests:
                task = asyncio.create_task(self._answer(request))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await sleep(self._clock, POLL_S)

    async def aclose(self) -> None:
        """End what is open; each is answered that the collector stopped."""
        # An answer on its way to the store gets there: the turns see to that.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, request: Request) -> None:
        try:
            result = await self._carry_out(request)
        except YolotopError as error:
            result = clean(str(error))
        except asyncio.CancelledError:
            await self._finish(request, "the collector stopped before it had an answer")
            raise
        except Exception as error:  # noqa: BLE001 - becomes the recorded answer
            _log.exception("request %d (%s) failed", request.id, request.kind)
            said = clean(f"{type(error).__name__}: {error}", limit=300)
            result = redact(f"the collector failed on this request: {said}")
        await self._finish(request, result)

    async def _finish(self, request: Request, result: str) -> None:
        finish = self._writer.finish_request(request.id, result, self._clock.now())
        try:
            await self._turns.take(finish)
        except StoreError as error:
            _log.warning("request %d cannot be answered: %s", request.id, error)

    async def _carry_out(self, request: Request) -> str:
        name = request.deployment
        if request.kind is RequestKind.STOP:
            self._stop()
            return "stopping"
        if request.kind is RequestKind.TRIAL:
            async with self._trials:
                return _as_json(await self._trial(request.body))
        if request.kind is RequestKind.RECOGNISE:
            async with self._trials:
                return await self._recognise(request.body)
        if request.kind is RequestKind.PLATFORM_LIST:
            return await self._platform.listing(request.body.strip())
        if name is None:
            raise UsageError(f"a request to {request.kind} must name a deployment")
        on_platform = {
            RequestKind.PLATFORM_LOG: self._platform.fetch_log,
            RequestKind.PLATFORM_START: self._platform.start,
            RequestKind.PLATFORM_STOP: self._platform.stop,
        }.get(request.kind)
        if on_platform is not None:
            return await on_platform(name)
        return await self._about(name, request)

    async def _about(self, name: str, request: Request) -> str:
        """A request about one deployment that is followed."""
        if request.kind is RequestKind.PROBE:
            return _as_json(await self._rules.ask(name))
        if request.kind is RequestKind.PREDICT:
            deployment = self._rules.deployment(name)
            source, image = _image(request.body, deployment)
            async with self._trials:
                # Two at once would each be slower for the other, and the one that is
                # kept would be blamed on the server.
                return await self._rules.lend(
                    name, self._show(deployment, source, image)
                )
        if request.kind is RequestKind.PAUSE:
            self._rules.pause(name)
            self._paused()
            return "paused"
        if request.kind is RequestKind.MAINTENANCE:
            until_at = _end_of(request.body, self._clock.now())
            self._rules.maintain(name, until_at)
            return "maintenance ended" if until_at is None else "maintenance began"
        self._rules.resume(name)
        self._paused()
        return "resumed"

    async def _trial(self, body: str) -> list[Sample]:
        """The questions to an endpoint that is not registered, liveness first."""
        deployment = deployment_from_table(
            _table(body),
            self._defaults(),
            "the deployment to test",
            presets=self._presets(),
        )
        return [await self._try(deployment, kind) for kind in deployment.questions]

    async def _recognise(self, body: str) -> str:
        deployment = deployment_from_table(
            _table(body),
            self._defaults(),
            "the deployment to look at",
            presets=self._presets(),
        )
        try:
            async with asyncio.timeout(RECOGNISE_S):
                return finding_json(await self._asker.recognise(deployment))
        except TimeoutError:
            raise UsageError("it answers too slowly to find out what it is") from None
        except ProbeFailure as failure:
            raise UsageError(clean(failure.message, limit=300)) from None

    async def _show(self, deployment: Deployment, source: str, image: str) -> str:
        """Send one image. It is judged for whoever looks, and stored nowhere."""
        seed = next(self._scenes)
        try:
            async with asyncio.timeout(deadline_s(deployment) + GRACE_S):
                shown = await self._asker.show(deployment, image, seed=seed)
        except TimeoutError:
            raise UsageError(
                "the probe did not end within its deadline", hint="Try again"
            ) from None
        except FrameError as error:
            raise UsageError(
                clean(str(error), limit=400), hint="Choose a JPEG or PNG file"
            ) from None
        if image != deployment.image:
            # What it must find on its own image says nothing about this one.
            deployment = replace(deployment, expect=Expectation(), golden=None)
        sample = Sample(shown.answer, judge(shown.answer, deployment, HealthState()))
        told = await asyncio.to_thread(showing, shown, sample, source=source)
        return json.dumps(told, ensure_ascii=False)

    async def _try(self, deployment: Deployment, kind: ProbeKind) -> Sample:
        answer = await ask_once(self._asker, self._clock, deployment, kind)
        return Sample(answer, judge(answer, deployment, HealthState()))


def _end_of(body: str, now: float) -> float | None:
    """When maintenance ends: after a duration, or at a time; empty ends it now."""
    body = body.strip()
    if not body:
        return None
    try:
        return now + parse_duration(body)
    except ValueError:
        pass
    try:
        return parse_instant(body)
    except ValueError:
        raise UsageError(
            f"maintenance cannot end at {quoted(body)}",
            hint='Write a duration such as "2h" or a time such as 2026-11-24T04:00Z',
        ) from None


def _image(body: str, deployment: Deployment) -> tuple[str, str]:
    """What was asked for, in the asker's words and in those of a config file."""
    source = _object(body).get("image")
    if not isinstance(source, str) or not source or "\0" in source:
        raise UsageError(
            "no image is named", hint='Ask for "synthetic", "golden" or a path'
        )
    if source == SYNTHETIC:
        return source, source
    if source != GOLDEN:
        if not Path(source).is_absolute():
            raise UsageError(
                f"{quoted(source)} is not an absolute path",
                hint="The collector may run in another folder; write the whole path",
            )
        return clean(source, limit=400), source
    if deployment.image == SYNTHETIC:
        raise UsageError(
            f"{clean(deployment.name)} has no golden image",
            hint='Set image = "FILE" in its table of the config file, or pin one',
        )
    return source, deployment.image


def _object(body: str) -> Mapping[str, object]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _table(body: str) -> Mapping[str, object]:
    table = _object(body)
    if not table:
        raise UsageError("a trial needs a deployment table as a JSON object")
    return table


def _as_json(samples: Sequence[Sample]) -> str:
    return json.dumps([sample_json(sample) for sample in samples], ensure_ascii=False)
