"""What the Platform's log holds of a deployment, and how it is handed out.

Owns entries, pages and the filter. It must not know what happened, only that it did.
An entry may be written down before its time, such as the end of a start that has just
begun: nobody sees it until then.
"""

from __future__ import annotations

import base64
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from yolotop.demo.platform.limits import iso

FILTERS: Final = (
    "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip
"""What ``severity=`` takes; entries have a ninth, DEFAULT, which it does not."""
LONGEST_FILTER: Final = 100
LONGEST_TOKEN: Final = 4_096
MOST: Final = 5_000
BOOT_S: Final = 20.0
"""From the start of an instance to the application's first words, as captured."""
NO_INSTANCE: Final = "The request was aborted because there was no available instance"
STARTUP: Final = (
    "INFO:     Started server process [1]",
    "INFO:     Waiting for application startup.",
    "INFO:     Application startup complete.",
    "INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)",
)
TRACEBACK: Final = (
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 88, in predict',
    "    results = model(image, conf=conf, iou=iou, imgsz=imgsz)",
    '  File "/app/engine.py", line 41, in __call__',
    "    raise RuntimeError(told)",
    "RuntimeError: CUDA error: an illegal memory access was encountered",
)


class BadQueryError(ValueError):
    """A 400, with the words of its error."""


class Entry(NamedTuple):
    """One line. Its first two parts are its place, which no other has."""

    at_us: int
    serial: int
    severity: str
    message: str
    http: dict[str, object] | None = None

    def told(self) -> dict[str, object]:
        """As a page has it; instants have microseconds."""
        one: dict[str, object] = {
            "timestamp": iso(self.at_us / 1e6, "microseconds"),
            "severity": self.severity,
            "message": self.message,
        }
        if self.http is not None:
            one["httpRequest"] = self.http
        return one


@dataclass(slots=True)
class Lines:
    """Entries of one deployment, oldest first, those of the time to come among them."""

    entries: list[Entry] = field(default_factory=list)
    _count: int = 0

    def add(
        self,
        at: float,
        severity: str,
        message: str,
        http: dict[str, object] | None = None,
    ) -> None:
        """Remember one, in its place."""
        self._count += 1
        insort(
            self.entries, Entry(round(at * 1e6), self._count, severity, message, http)
        )
        del self.entries[:-MOST]

    def start(
        self, at: float, service_url: str, *, cold: bool, fails: bool = False
    ) -> None:
        """A new instance, and the request that was turned away while there was none.

        What the application says of its start comes twenty seconds later; of one that
        fails, it gets no further than to wait.
        """
        reason = "AUTOSCALING" if cold else "DEPLOYMENT_ROLLOUT"
        self.add(at, "INFO", f"Starting new instance. Reason: {reason}")
        if cold:
            self.request(at + 0.1, "GET", f"{service_url}/health", 429, 0, "node")
        for n, line in enumerate(STARTUP[:2] if fails else STARTUP):
            self.add(at + BOOT_S + n / 100, "DEFAULT", line)

    def request(
        self, at: float, method: str, url: str, status: int, latency_ms: float,
        agent: str,
    ) -> None:  # fmt: skip
        """One that was made: only one that was turned away has a text of its own."""
        severity = "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"
        http: dict[str, object] = {"method": method, "url": url, "status": status}
        http |= {"latencyMs": round(latency_ms), "userAgent": agent}
        turned_away = status == 429 and latency_ms == 0
        self.add(at, severity, NO_INSTANCE if turned_away else "", http)

    def trip(self, at: float) -> None:
        """A prediction that failed: the application's own words, line by line."""
        for n, line in enumerate(TRACEBACK):
            self.add(at + n / 10_000, "DEFAULT", line)

    def page(
        self, severity: str, limit: str, token: str, now: float
    ) -> dict[str, object]:
        """Up to ``now``, newest first. Raises :class:`BadQueryError`.

        A token is the place of the last entry of its page: lines that were written
        since then neither repeat one nor hide one.
        """
        wanted = self._wanted(severity)
        most = limit_of(limit, 200)
        before = (round(now * 1e6) + 1, 0)
        if token:
            before = min(before, _place(token))
        end = bisect_left(self.entries, before, key=lambda each: each[:2])
        older = (self.entries[n] for n in range(end - 1, -1, -1))
        found = list(islice((one for one in older if one.severity in wanted), most))
        # A token comes with every page, an empty one too.
        last = found[-1][:2] if found else (0, 0)
        following = base64.urlsafe_b64encode(f"{last[0]}:{last[1]}".encode()).decode()
        return {"entries": [one.told() for one in found], "nextPageToken": following}

    @staticmethod
    def _wanted(severity: str) -> Sequence[str]:
        """An exact set, not a least severity."""
        if not severity:
            return (*FILTERS, "DEFAULT")
        if len(severity) > LONGEST_FILTER:
            raise BadQueryError(f"severity: {LONGEST_FILTER} characters at most")
        wanted = severity.split(",")
        for one in wanted:
            if one not in FILTERS:
                raise BadQueryError(f"Invalid severity: {one}")
        return wanted


def limit_of(told: str, most: int) -> int:
    """``limit`` of a query, 1 to ``most``. Raises :class:`BadQueryError`."""
    # isdigit alone takes ² too, which int does not.
    if not (told.isascii() and told.isdigit() and len(told) < 9):
        told = "0"
    if not 1 <= int(told) <= most:
        raise BadQueryError(f"limit must be between 1 and {most}")
    return int(told)


def _place(token: str) -> tuple[int, int]:
    if len(token) > LONGEST_TOKEN:
        raise BadQueryError(f"pageToken: {LONGEST_TOKEN} characters at most")
    try:
        at_us, serial = base64.urlsafe_b64decode(token).decode("ascii").split(":")
        return int(at_us), int(serial)
    except ValueError:
        raise BadQueryError("Invalid pageToken") from None
