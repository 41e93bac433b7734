"""Calls to the Platform: one request each, within the budget, never a hidden second.

Owns routes, bounds of time and size, and what a status means. It must not know what is
done with an answer, nor when to ask.

A client that tries again by itself hides failures, triples the load on a sick service
and spends a budget that is counted, so nothing is retried here. ``httpx`` comes with
the first client (7 MB): who has no deployments on the Platform does without.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar

from yolotop import __version__
from yolotop.platform import lenient
from yolotop.platform.budget import Budget, Category
from yolotop.platform.contract import (
    SLUG,
    Account,
    Change,
    EndpointHealth,
    Lifecycle,
    Listed,
    PlatformDeployment,
    error_in,
)
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.platform.logs import LogEntry, LogPage, joined
from yolotop.platform.metrics import Metrics
from yolotop.text import clean, guard, redact

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")

BASE_URL: Final = "https://platform.ultralytics.com"
TIMEOUT_S: Final = 20.0
HEALTH_TIMEOUT_S: Final = 70.0
"""The Platform itself waits up to 55 s for a cold endpoint."""
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_LISTED: Final = 100
MOST_ENTRIES: Final = 200
"""Of a page of logs; the list and the logs have these limits."""
MOST_PAGES: Final = 5
RANGES: Final = ("1h", "6h", "24h", "7d", "30d")

_KINDS: Final = {
    401: FailureKind.UNAUTHORIZED,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.NOT_FOUND,
    409: FailureKind.STATE,
    429: FailureKind.RATE_LIMITED,
}
_IN_STATE: Final = re.compile(r"with status: *([a-z]+)")


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
        base_url: str = BASE_URL,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        guard(key)
        self._key = key
        self._owner = owner
        self._base = base_url.rstrip("/")
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
            state = _IN_STATE.search(error.message)
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
        timeout_s: float = TIMEOUT_S,
        category: Category = Category.DEFAULT,
        by_hand: bool = False,
    ) -> object:
        """The JSON of a success."""
        import httpx

        await self.budget.turn(category, by_hand=by_hand)
        try:
            async with self._http.stream(
                method,
                self._base + path,
                params=query,
                json=body,
                headers={"authorization": f"Bearer {self._key}"},
                timeout=timeout_s,
            ) as response:
                data = await _body(response)
        except httpx.TimeoutException:
            raise PlatformError(
                FailureKind.UNREACHABLE, f"no answer within {timeout_s:.0f} s"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = redact(clean(str(error) or type(error).__name__), self._key)
            raise PlatformError(FailureKind.UNREACHABLE, said) from None
        if response.status_code == 429:
            self.budget.refused(category, _retry_after_s(response.headers, data))
        if not response.is_success:
            raise _failure(response.status_code, response.headers, data)
        return _document(data, response.status_code)


def _http_client() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(
        follow_redirects=False,
        headers={"user-agent": f"yolotop/{__version__}", "accept": "application/json"},
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4),
    )


async def _body(response: httpx.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > MOST_BYTES:
            raise PlatformError(
                FailureKind.BAD_ANSWER,
                f"the answer is more than {MOST_BYTES // 1024 // 1024} MiB",
                status=response.status_code,
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _document(data: bytes, status: int) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise PlatformError(
            FailureKind.BAD_ANSWER, "the answer is not JSON", status=status
        ) from None


def _failure(status: int, headers: Mapping[str, str], data: bytes) -> PlatformError:
    try:
        told = error_in(json.loads(data))
    except (ValueError, RecursionError):
        told = ""
    kind = _KINDS.get(status)
    if kind is None and status == 400:
        not_now = _IN_STATE.search(told) or "not ready" in told.lower()
        kind = FailureKind.STATE if not_now else FailureKind.BAD_REQUEST
    elif kind is None and status >= 500:
        kind = FailureKind.UNAVAILABLE
    elif kind is None:
        kind = FailureKind.BAD_ANSWER if status < 400 else FailureKind.BAD_REQUEST
    return PlatformError(
        kind,
        f"HTTP {status}: {told}" if told else f"HTTP {status}",
        status=status,
        retry_after_s=_retry_after_s(headers, data) if status == 429 else None,
        request_id=clean(headers.get("x-request-id", ""), limit=100),
    )


def _retry_after_s(headers: Mapping[str, str], data: bytes) -> float | None:
    """Out of ``Retry-After``, ``X-RateLimit-Reset`` or the body, in that order."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        if told:
            return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, OverflowError):
        pass
    try:
        found = lenient.table(json.loads(data))
    except (ValueError, RecursionError):
        found = {}
    said = lenient.number(found, "retryAfter")
    reset = {"at": headers.get("x-ratelimit-reset") or found.get("resetAt")}
    until = lenient.instant(reset, "at")
    if said is not None:
        return max(0.0, said)
    return None if until is None else max(0.0, until - datetime.now(UTC).timestamp())


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
