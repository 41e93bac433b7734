"""Calls to the Platform: one request each, within the budget, never a hidden second.

Owns routes and the time a call may take. It must not know what a status means, what is
done with an answer, nor when to ask.

A client that tries again by itself hides failures, triples the load on a sick service
and spends a budget that is counted, so nothing is retried here. ``httpx`` comes with
the first client (7 MB): who has no deployments on the Platform does without.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import urlsplit

from yolotop import __version__
from yolotop.model.hosting import PLATFORM_URL, SLUG
from yolotop.platform import lenient, replies
from yolotop.platform.budget import Budget, Category
from yolotop.platform.contract import (
    Account,
    Change,
    EndpointHealth,
    Lifecycle,
    Listed,
    PlatformDeployment,
)
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.logs import LogEntry, LogPage, joined
from yolotop.platform.metrics import Metrics
from yolotop.text import clean, guard, redact, show_url

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")

TIMEOUT_S: Final = 20.0
HEALTH_TIMEOUT_S: Final = 70.0
"""The Platform itself waits up to 55 s for a cold endpoint."""
MOST_LISTED: Final = 100
MOST_ENTRIES: Final = 200
"""Of a page of logs; the list and the logs have these limits."""
MOST_PAGES: Final = 5
RANGES: Final = ("1h", "6h", "24h", "7d", "30d")


class PlatformClient:
    """The control plane, for one key and one owner.

    Every method raises :class:`~yolotop.platform.failure.PlatformError`. ``by_hand``
    calls may use what is left of the budget for them.
    """

    def __init__(
        self,
        key: str,
        *,
        budget: Budget,
        owner: str = "",
        base_url: str = PLATFORM_URL,
        timeout_s: float = TIMEOUT_S,
        wall: Callable[[], float] = time.time,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """``timeout_s`` bounds each call but the ping, which the Platform lets wait.

        ``wall`` tells seconds since 1970, as instants of the Platform are.
        """
        guard(key)
        self._key = key
        self._owner = owner
        self._base = _base(base_url)
        self._timeout_s = timeout_s
        self._wall = wall
        self.budget = budget
        self._http = _http_client() if http is None else http

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close connections."""
        await self._http.aclose()

    # --- reading -------------------------------------------------------------------

    async def account(self, *, by_hand: bool = False) -> Account:
        """Whose key it is: the cheapest way to check one."""
        told = await self._ask("GET", "/api/account/summary", by_hand=by_hand)
        return _must(Account.read(told), "the account has no username")

    async def owner(self, *, by_hand: bool = False) -> str:
        """The owner's slug, asked for once where nobody named it."""
        if not self._owner:
            self._owner = (await self.account(by_hand=by_hand)).username
        return self._owner

    async def deployments(self, *, by_hand: bool = False) -> Listed:
        """All of them, as far as one page goes: the list has no second one."""
        owner = await self.owner(by_hand=by_hand)
        path = f"/api/deployments/{_slug(owner)}"
        told = await self._ask(
            "GET", path, {"limit": str(MOST_LISTED)}, by_hand=by_hand
        )
        return _must(Listed.read(told, owner=owner), "there is no list in it")

    async def deployment(
        self, slug: str, *, by_hand: bool = False
    ) -> PlatformDeployment:
        """One of them."""
        path = await self._path(slug, by_hand=by_hand)
        told = lenient.table(await self._ask("GET", path, by_hand=by_hand))
        found = PlatformDeployment.read(told.get("deployment"), owner=self._owner)
        return _must(found, "there is no deployment in it")

    async def metrics(
        self, slug: str, range_: str = "24h", *, by_hand: bool = False
    ) -> Metrics:
        """Counts and series of all its traffic, our own probes included."""
        path = await self._path(slug, by_hand=by_hand)
        told = await self._ask(
            "GET", f"{path}/metrics", {"range": range_}, by_hand=by_hand
        )
        return _must(Metrics.read(told), "it has none of the three known shapes")

    async def health(self, slug: str, *, by_hand: bool = False) -> EndpointHealth:
        """The Platform's own ping, which **wakes** an endpoint that sleeps."""
        path = await self._path(slug, by_hand=by_hand)
        told = await self._ask(
            "GET", f"{path}/health", timeout_s=HEALTH_TIMEOUT_S, by_hand=by_hand
        )
        found = EndpointHealth.read(told)
        return _must(found, "it does not say whether it is healthy")

    async def log_page(
        self,
        slug: str,
        *,
        following: str = "",
        limit: int = MOST_ENTRIES,
        by_hand: bool = False,
    ) -> LogPage:
        """One page, unfiltered: a filter there would hide what the application says."""
        path = await self._path(slug, by_hand=by_hand)
        query = {"limit": str(limit)}
        if following:
            query["pageToken"] = following
        told = await self._ask("GET", f"{path}/logs", query, by_hand=by_hand)
        return _must(LogPage.read(told), "there are no entries in it")

    async def logs(
        self,
        slug: str,
        *,
        since_at: float = 0.0,
        pages: int = MOST_PAGES,
        by_hand: bool = False,
    ) -> tuple[LogEntry, ...]:
        """Entries after ``since_at``, oldest first, out of at most so many pages."""
        found: list[LogEntry] = []
        token = ""
        for _ in range(pages):
            page = await self.log_page(slug, following=token, by_hand=by_hand)
            found += page.entries
            oldest = min((each.at for each in page.entries), default=since_at + 1)
            if page.is_last or oldest <= since_at or page.following == token:
                break
            token = page.following
        return joined(each for each in found if each.at > since_at)

    # --- changing ------------------------------------------------------------------

    async def start(self, slug: str) -> Change:
        """Start it; one that runs already is not an error."""
        return await self._change(slug, "start", Lifecycle.READY)

    async def stop(self, slug: str) -> Change:
        """Stop it; one that is stopped already is not an error."""
        return await self._change(slug, "stop", Lifecycle.STOPPED)

    async def _change(self, slug: str, action: str, wanted: Lifecycle) -> Change:
        path = await self._path(slug, by_hand=True)
        try:
            told = await self._ask(
                "PATCH",
                path,
                body={"action": action},
                category=Category.MUTATION,
                by_hand=True,
            )
        except PlatformError as error:
            state = replies.IN_STATE.search(error.message)
            if error.status == 400 and state is not None and state[1] == wanted.value:
                return Change(wanted, f"it was {wanted.value} already")
            raise
        return Change.read(told)

    # --- one call ------------------------------------------------------------------

    async def _path(self, slug: str, *, by_hand: bool) -> str:
        owner = await self.owner(by_hand=by_hand)
        return f"/api/deployments/{_slug(owner)}/{_slug(slug)}"

    async def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, object] | None = None,
        timeout_s: float | None = None,
        category: Category = Category.DEFAULT,
        by_hand: bool = False,
    ) -> object:
        """The JSON of a success, within ``timeout_s`` of its turn.

        httpx bounds each read, and a server that drips has many: the deadline over
        all of them is ours.
        """
        import httpx

        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        await self.budget.turn(category, by_hand=by_hand)
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._http.stream(
                    method,
                    self._base + path,
                    params=query,
                    json=body,
                    headers={"authorization": f"Bearer {self._key}"},
                    timeout=timeout_s,
                ) as response,
            ):
                data = await replies.body(response)
        except (httpx.TimeoutException, TimeoutError):
            raise PlatformError(
                FailureKind.UNREACHABLE, f"no answer within {timeout_s:g} s"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = redact(clean(str(error) or type(error).__name__), self._key)
            raise PlatformError(FailureKind.UNREACHABLE, said) from None
        if response.status_code == 429:
            wait_s = replies.retry_after_s(response.headers, data, self._wall())
            self.budget.refused(category, wait_s)
        if not response.is_success:
            raise replies.failure(
                response.status_code, response.headers, data, self._wall()
            )
        return replies.document(data, response.status_code)


def _http_client() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(
        follow_redirects=False,
        headers={
            "user-agent": f"yolotop/{__version__}",
            "accept": "application/json",
            "accept-encoding": "gzip",
        },
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4),
    )


def _base(url: str) -> str:
    """Said here: a port of 99999 comes out of httpx as a group of exceptions."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname)
        usable = usable and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if usable:
        return url.rstrip("/")
    raise PlatformError(
        FailureKind.BAD_REQUEST,
        f"base_url {show_url(url)!r} is no address of the Platform: it needs https:// "
        "and a host",
        hint=f"Leave it out for {PLATFORM_URL}",
    )


def _slug(text: str) -> str:
    """Only what can be one goes into a path."""
    if SLUG.fullmatch(text) and len(text) <= 128:
        return text
    raise PlatformError(
        FailureKind.BAD_REQUEST, f"{clean(text, limit=80)!r} is no slug of the Platform"
    )


def _must(found: _T | None, why: str) -> _T:
    if found is None:
        raise PlatformError(FailureKind.BAD_ANSWER, f"the answer cannot be used: {why}")
    return found
