"""Ultralytics Platform as a source: what it lists, counts and says becomes history.

Owns the loop that asks it, and what becomes of an answer: events, states, rows of
traffic, lines of its log. It must not know HTTP, SQL, or which deployment is asked when
by ourselves: the rounds do that.

Nothing here wakes an endpoint, but for who asks for it: lists, metrics and logs do not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol, TypeAlias

from yolotop.collect.clock import Clock, sleep, wait
from yolotop.collect.hosts import Hosts
from yolotop.collect.journal import Journal
from yolotop.collect.listing import line_of, listed_json
from yolotop.collect.traffic import TrafficBook
from yolotop.config.schema import Config, PlatformSettings
from yolotop.errors import UsageError, YolotopError
from yolotop.judge.hosted import Word, with_errors, word_of
from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    Health,
    Hosting,
    Severity,
)
from yolotop.platform.budget import Budget, Category
from yolotop.platform.client import PlatformClient
from yolotop.platform.contract import Listed
from yolotop.platform.failure import FailureKind
from yolotop.platform.logs import inference_errors
from yolotop.platform.metrics import Metrics
from yolotop.platform.news import News
from yolotop.platform.watch import Measured, Seen, Trouble, Watch
from yolotop.text import clean

IDLE_S: Final = 5.0
NAP_S: Final = 10.0
"""A wait for the budget is told to the watchdog this often."""
NO_KEY_S: Final = 30.0
SILENT_S: Final = 120.0
"""So long after its last list the Platform's word of a state counts no longer. Eight
lists: one that is slow, or deployed anew, is not called silent."""
FIRST_LOG_S: Final = 3_600.0
"""How far back a log is fetched of which nothing is known."""

Connect: TypeAlias = Callable[[PlatformSettings, Budget], PlatformClient]
"""A client for a workspace; raises ConfigError where there is no key for it."""

_log = logging.getLogger("yolotop.collect")


class Rules(Protocol):
    """What may be told to the rounds."""

    def tell(self, name: str, word: Word) -> bool:
        """The state of a followed deployment; whether it is a new one."""


class PlatformSource:
    """Follows what the config names of the Platform.

    ``changed`` is called with new names by old ones when :meth:`roster` has changed.
    """

    def __init__(
        self,
        connect: Connect | None,
        journal: Journal,
        clock: Clock,
        *,
        rules: Callable[[], Rules],
        changed: Callable[[Mapping[str, str]], None],
        stamp: Callable[[], None] = lambda: None,
    ) -> None:
        self._connect = connect
        self._journal = journal
        self._clock = clock
        self._rules = rules
        self._changed = changed
        self._stamp = stamp
        self._hosts = Hosts()
        self._settings: PlatformSettings | None = None
        self._client: PlatformClient | None = None
        self._watch: Watch | None = None
        self._budget = Budget(clock.monotonic, self._nap)
        self._book = TrafficBook()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._heard_at = clock.monotonic()
        self._is_silent = False
        self.note = ""

    @property
    def status(self) -> str:
        """Whose deployments, how many, and the calls that are left; or empty."""
        if self._settings is None or self._client is None:
            return ""
        hosted = self._hosts.hosted
        owner = next((one.owner for one in hosted.values()), self._settings.owner)
        count = len(hosted)
        left, most = self._budget.left(Category.DEFAULT)
        deployments = "1 deployment" if count == 1 else f"{count} deployments"
        whose = f"{owner}: " if owner else ""
        return f"{whose}{deployments}, {left} of {most} calls left this minute"

    def begin(self, stored: Mapping[str, Hosting], config: Config) -> None:
        """Go on from what was kept; without the Platform nothing of it counts."""
        self._hosts = Hosts(dict(stored))
        self.configure(config)

    def configure(self, config: Config) -> None:
        """Follow this configuration from now on."""
        self._hosts.configure(config)
        if config.platform == self._settings:
            # The same workspace, perhaps with other deployments of it.
            self._look_again()
            return
        self._settings = config.platform
        if self._client is not None:
            self._spawn(self._client.aclose())
        self._client = self._watch = None
        self.note = ""
        self._wake.set()

    def roster(self) -> tuple[Deployment, ...]:
        """All that is to be followed, of the file and of the Platform."""
        return self._hosts.roster()

    async def run(self) -> None:
        """Follow it, for ever."""
        while True:
            self._stamp()
            self._wake.clear()
            wait_s = IDLE_S if self._settings is None else await self._step()
            await wait(self._clock, self._wake, min(max(wait_s, 0.0), IDLE_S))

    async def aclose(self) -> None:
        """End what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    # --- one step ------------------------------------------------------------------

    async def _step(self) -> float:
        try:
            watch = self._watching()
        except YolotopError as error:
            self._trouble(clean(str(error)), Severity.ERROR)
            self._mind_silence()
            return NO_KEY_S
        self._mind_silence()
        if watch.wait_s() > 0:
            return watch.wait_s()
        for found in await watch.step():
            match found:
                case Seen():
                    self._seen(found)
                case Measured():
                    self._measured(found)
                case Trouble():
                    self._troubled(found)
        return watch.wait_s()

    def _watching(self) -> Watch:
        if self._watch is None or self._client is None:
            self._client = self._connected(self._settings)
            asked = _Stamped(self._client, self._stamp)
            self._watch = Watch(asked, self._clock.monotonic, self._hosts.known)
            self._heard_at = self._clock.monotonic()
        return self._watch

    def _connected(self, settings: PlatformSettings | None) -> PlatformClient:
        if self._connect is None:
            raise UsageError("this collector does not ask Ultralytics Platform")
        return self._connect(settings or PlatformSettings(), self._budget)

    async def _nap(self, seconds: float) -> None:
        """Wait for the budget, and let the watchdog know that it is a wait."""
        while seconds > 0:
            self._stamp()
            part_s = min(seconds, NAP_S)
            await sleep(self._clock, part_s)
            seconds -= part_s

    def _look_again(self) -> None:
        if self._watch is not None:
            self._watch.soon()
        self._wake.set()

    # --- what came of it -------------------------------------------------------------

    def _seen(self, seen: Seen) -> None:
        self._heard_at, self._is_silent = self._clock.monotonic(), False
        named = {one.id: name for name, one in self._hosts.hosted.items()}
        before = dict(self._hosts.hosted)
        gone_before = self._hosts.gone
        renamed = self._hosts.take(seen.deployments, cut=seen.cut > 0)
        if renamed or self._hosts.hosted != before or self._hosts.gone != gone_before:
            self._changed(renamed)
        named |= {one.id: name for name, one in self._hosts.hosted.items()}
        self._book.keep(self._hosts.hosted)
        moved = self._tell_all()
        for item in seen.news:
            name = named.get(item.deployment.id)
            if name is not None and not (item.is_lifecycle and name in moved):
                self._say(item.severity, item.message, name)
            if name is not None and item.is_lifecycle:
                self._look_into(name, item)
        if seen.cut:
            self._trouble(
                f"the Platform lists {len(seen.deployments)} deployments and has "
                f"{seen.cut} more, which cannot be seen: a list of it has no second "
                "page",
                Severity.WARNING,
            )
        else:
            self.note = ""

    def _tell_all(self) -> set[str]:
        """Whose state is another one now."""
        moved = {name for name in self._hosts.hosted if self._tell(name)}
        for name in self._hosts.gone:
            reason = "there is no such deployment on the Platform"
            self._rules().tell(name, Word(Health.DOWN, reason))
        return moved

    def _tell(self, name: str) -> bool:
        """The Platform's word of one, as it was last; whether it is another state."""
        one = self._hosts.hosted[name]
        word = word_of(one.lifecycle, one.message, probed=one.probed)
        word = with_errors(word, self._book.minutes(name), self._clock.now())
        moved = self._rules().tell(name, word)
        if moved and word.health is Health.DEGRADED:
            self._spawn(self._fetch_quietly(name))
        return moved

    def _look_into(self, name: str, item: News) -> None:
        """What failed is told by its log, while it is fresh."""
        if item.severity >= Severity.ERROR and name in self._hosts.hosted:
            self._spawn(self._fetch_quietly(name))

    def _measured(self, found: Measured) -> None:
        name = self._hosts.name_of(found.deployment.id)
        if name is None:
            return
        rows = self._book.fresh(name, found.metrics)
        if rows:
            self._journal.add(traffic=rows)
        if not self._is_silent:
            self._tell(name)

    def _troubled(self, found: Trouble) -> None:
        if found.about:
            self._told_of_one(found)
        elif found.error is None:
            self._say(Severity.INFO, "the Platform answers again", None)
            self.note = ""
        else:
            hopeless = found.error.kind in (
                FailureKind.UNAUTHORIZED,
                FailureKind.FORBIDDEN,
            )
            severity = Severity.ERROR if hopeless else Severity.WARNING
            self._trouble(f"the Platform: {found.error}", severity)

    def _told_of_one(self, found: Trouble) -> None:
        hosted = self._hosts.hosted.items()
        name = next((name for name, one in hosted if one.slug == found.about), None)
        if name is None:
            return
        if found.error is None:
            self._say(Severity.INFO, "the Platform counts its traffic again", name)
        else:
            said = f"the Platform does not tell its traffic: {found.error.message}"
            self._say(Severity.WARNING, said, name)

    def _mind_silence(self) -> None:
        """A word that nobody renews is no state."""
        age_s = self._clock.monotonic() - self._heard_at
        if self._is_silent or age_s <= SILENT_S:
            return
        self._is_silent = True
        reason = self.note or "the Platform does not answer"
        for name, one in self._hosts.hosted.items():
            if not one.probed:
                self._rules().tell(name, Word(Health.UNKNOWN, reason))

    # --- by hand ---------------------------------------------------------------------

    async def listing(self, owner: str) -> str:
        """What there is on the Platform, as JSON. Raises YolotopError."""
        settings = self._settings or PlatformSettings(follow=False)
        own = not owner or owner == settings.owner
        if own and self._client is not None:
            return listed_json(await self._client.deployments(by_hand=True))
        if owner:
            settings = PlatformSettings(
                False, owner, settings.api_key, settings.base_url
            )
        client = self._connected(settings)
        async with client:
            return listed_json(await client.deployments(by_hand=True))

    async def fetch_log(self, name: str, *, by_hand: bool = True) -> str:
        """Put the newest lines of its log into the history; what was found."""
        client, one = self._of(name)
        since_at = one.log_at or self._clock.now() - FIRST_LOG_S
        entries = await client.logs(one.slug, since_at=since_at, by_hand=by_hand)
        if (known := self._hosts.hosted.get(name)) is not None and known.log_at:
            # Somebody else may have fetched it meanwhile.
            entries = tuple(each for each in entries if each.at > known.log_at)
        if not entries:
            return "there is nothing new in its log on the Platform"
        self._journal.add(*(line_of(entry, name) for entry in entries))
        self._hosts.note_log(name, max(entry.at for entry in entries))
        self._changed({})
        count = len(entries)
        lines = "1 line" if count == 1 else f"{count} lines"
        asked, failed = inference_errors(entries)
        rate = f"; {failed} of {asked} predictions in it failed" if asked else ""
        return f"{lines} of its log on the Platform{rate}"

    async def start(self, name: str) -> str:
        """Start it there. Raises YolotopError."""
        client, one = self._of(name)
        change = await client.start(one.slug)
        return self._changed_there(name, "start", change.message)

    async def stop(self, name: str) -> str:
        """Stop it there. Raises YolotopError."""
        client, one = self._of(name)
        change = await client.stop(one.slug)
        return self._changed_there(name, "stop", change.message)

    def _changed_there(self, name: str, what: str, said: str) -> str:
        said = said or "done"
        self._say(Severity.INFO, f"{what} on the Platform, by hand: {said}", name)
        self._look_again()
        return said

    def _of(self, name: str) -> tuple[PlatformClient, Hosting]:
        one = self._hosts.hosted.get(name)
        if one is None:
            raise UsageError(
                f"{clean(name)} is not followed on Ultralytics Platform",
                hint='Its table in the config needs platform = "owner/name"',
            )
        if self._client is None:
            raise UsageError(self.note or "the Platform was not asked yet")
        return self._client, one

    async def _fetch_quietly(self, name: str) -> None:
        try:
            said = await self.fetch_log(name, by_hand=False)
        except YolotopError as error:
            _log.warning("the log of %s cannot be fetched: %s", name, error)
        else:
            _log.info("%s: %s", name, said)

    # --- saying ----------------------------------------------------------------------

    def _trouble(self, said: str, severity: Severity) -> None:
        if said != self.note:
            self._say(severity, said, None)
        self.note = said

    def _say(self, severity: Severity, message: str, name: str | None) -> None:
        at = self._clock.now()
        self._journal.add(Event(at, severity, EventKind.PLATFORM, message, name))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Stamped:
    """A client that tells the watchdog of each call."""

    def __init__(self, client: PlatformClient, stamp: Callable[[], None]) -> None:
        self._client = client
        self._stamp = stamp

    async def deployments(self) -> Listed:
        self._stamp()
        return await self._client.deployments()

    async def metrics(self, slug: str, range_: str) -> Metrics:
        self._stamp()
        return await self._client.metrics(slug, range_)
