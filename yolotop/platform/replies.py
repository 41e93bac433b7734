"""What came back of one call: its bytes within bounds, its JSON, or why it failed.

Owns bounds on bodies, what a status means, and how long a refusal says to wait. It must
not know which call it was, nor what is in an answer.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from yolotop.platform import lenient
from yolotop.platform.contract import error_in
from yolotop.platform.failure import FailureKind, PlatformError
from yolotop.text import clean

if TYPE_CHECKING:
    import httpx

MOST_BYTES: Final = 4 * 1024 * 1024
IN_STATE: Final = re.compile(r"with status: *([a-z]+)")
"""``Cannot stop deployment with status: stopped``."""
_GZIP: Final = 31
"""zlib's window for a gzip header."""

_KINDS: Final = {
    401: FailureKind.UNAUTHORIZED,
    403: FailureKind.FORBIDDEN,
    404: FailureKind.NOT_FOUND,
    409: FailureKind.STATE,
    429: FailureKind.RATE_LIMITED,
}


async def body(response: httpx.Response) -> bytes:
    """The unpacked body; of a failure that cannot be read, nothing.

    httpx unpacks what one read gives at once: 64 KB of gzip are 64 MB. So it is
    unpacked here, no further than the bound. Raises :class:`PlatformError`.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    unpack = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    whole = bytearray()
    why = "" if encoding in ("", "gzip", "identity") else "is packed in an unknown way"
    if not why:
        async for chunk in response.aiter_raw():
            try:
                room = MOST_BYTES + 1 - len(whole)
                whole += chunk if unpack is None else unpack.decompress(chunk, room)
            except zlib.error:
                why = "cannot be unpacked"
                break
            if len(whole) > MOST_BYTES:
                why = f"is more than {MOST_BYTES // 1024 // 1024} MiB"
                break
    if not why:
        return bytes(whole)
    if not response.is_success:
        return b""
    raise PlatformError(
        FailureKind.BAD_ANSWER, f"the answer {why}", status=response.status_code
    )


def document(data: bytes, status: int) -> object:
    """The JSON of a success. Raises :class:`PlatformError`."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise PlatformError(
            FailureKind.BAD_ANSWER, "the answer is not JSON", status=status
        ) from None


def failure(
    status: int, headers: Mapping[str, str], data: bytes, now_at: float
) -> PlatformError:
    """What a status that is no success means."""
    told = error_in(_table(data))
    kind = _KINDS.get(status)
    if kind is None and status == 400:
        not_now = IN_STATE.search(told) or "not ready" in told.lower()
        kind = FailureKind.STATE if not_now else FailureKind.BAD_REQUEST
    elif kind is None and status >= 500:
        kind = FailureKind.UNAVAILABLE
    elif kind is None:
        kind = FailureKind.BAD_ANSWER if status < 400 else FailureKind.BAD_REQUEST
    return PlatformError(
        kind,
        f"HTTP {status}: {told}" if told else f"HTTP {status}",
        status=status,
        retry_after_s=retry_after_s(headers, data, now_at) if status == 429 else None,
        request_id=clean(headers.get("x-request-id", ""), limit=100),
    )


def retry_after_s(
    headers: Mapping[str, str], data: bytes, now_at: float
) -> float | None:
    """Out of ``Retry-After``, ``X-RateLimit-Reset`` or the body, in that order."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:9])
    until = _http_date(told)
    if until is None:
        reset = {"at": headers.get("x-ratelimit-reset", "").strip()}
        until = lenient.instant(reset, "at")
    if until is None:
        found = _table(data)
        said = lenient.number(found, "retryAfter")
        if said is not None:
            return max(0.0, said)
        until = lenient.instant(found, "resetAt")
    return None if until is None else max(0.0, until - now_at)


def _http_date(told: str) -> float | None:
    if not told:
        return None
    try:
        when = parsedate_to_datetime(told)
        # "-0000" gives no zone, and means UTC.
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _table(data: bytes) -> lenient.Json:
    try:
        return lenient.table(json.loads(data))
    except (ValueError, RecursionError):
        return {}
