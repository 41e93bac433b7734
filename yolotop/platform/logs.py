"""The Platform's log of a deployment, as lines a person can use.

Owns entries and pages, which entries are worth a line, and tracebacks as one. It must
not know how pages are fetched, nor how printed lines look.

What an application prints itself arrives as ``DEFAULT``, which the Platform's own
filter does not take: with any filter there, tracebacks are never seen. So everything is
fetched, and ``DEFAULT`` is told apart here by how its text begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from yolotop.model import Severity
from yolotop.platform import lenient
from yolotop.platform.printed import (
    LONGEST,
    SEVERITIES,
    Traceback,
    begins_traceback,
    classified,
    shortened,
)
from yolotop.text import show_url

PAUSE_S: Final = 5.0
"""Between two lines of one traceback; they are printed at once."""
LONGEST_READ: Final = 4 * LONGEST
"""Characters of a message that are looked at, for its end to be among them."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """The request an entry is about. ``agent`` is ``node`` for the Platform's ping."""

    method: str
    url: str
    status: int | None = None
    latency_ms: float | None = None
    agent: str = ""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line. ``told`` is the severity in the Platform's own word."""

    at: float
    severity: Severity
    message: str
    told: str = ""
    http: HttpRequest | None = None

    @classmethod
    def read(cls, document: object) -> LogEntry | None:
        """``None`` for what is no line: without an instant, without anything to say."""
        found = lenient.table(document)
        at = lenient.instant(found, "timestamp")
        message = shortened(
            _indent(found.get("message"))
            + lenient.text(found, "message", limit=LONGEST_READ, lines=True)
        )
        http = _http(found.get("httpRequest"))
        # "{}" are records of an audit, which the Platform's page hides too.
        if message.strip() in ("", "{}"):
            message = "" if http is None else _said(http)
        if at is None or not message:
            return None
        told = lenient.text(found, "severity").upper()
        severity = SEVERITIES.get(told)
        if severity is None:
            severity = classified(message)
        return cls(at, severity, message, told, http)


def _indent(message: object) -> str:
    """The first line's, which cleaning takes away: lines of a traceback have one."""
    if not isinstance(message, str):
        return ""
    return " " * min(8, len(message) - len(message.lstrip(" \t")))


def _http(document: object) -> HttpRequest | None:
    found = lenient.table(document)
    method, url = lenient.text(found, "method"), found.get("url")
    if not method and not isinstance(url, str):
        return None
    return HttpRequest(
        method,
        show_url(url) if isinstance(url, str) else "",
        lenient.count(found, "status"),
        lenient.number(found, "latencyMs"),
        lenient.text(found, "userAgent"),
    )


def _said(http: HttpRequest) -> str:
    status = "" if http.status is None else f" → {http.status}"
    return f"{http.method} {http.url}{status}".strip()


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page, newest first as it came. ``following`` asks for the next."""

    entries: tuple[LogEntry, ...]
    raw: int
    following: str = ""

    @classmethod
    def read(cls, document: object) -> LogPage | None:
        """``None`` where there is no list of entries."""
        found = lenient.table(document)
        raw = found.get("entries")
        if not isinstance(raw, list):
            return None
        entries = (LogEntry.read(each) for each in lenient.tables(raw))
        token = found.get("nextPageToken")
        return cls(
            tuple(entry for entry in entries if entry is not None),
            len(raw),
            token if isinstance(token, str) and len(token) <= 4_096 else "",
        )

    @property
    def is_last(self) -> bool:
        """Whether there is no sense in going on: a token comes with empty pages too."""
        return self.raw == 0 or not self.following


def joined(entries: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
    """Oldest first, with the lines of a traceback as one entry, at its first instant.

    A traceback printed to stderr arrives as one ``DEFAULT`` entry for each line, with
    what the Platform itself notes of requests in between.
    """
    done: list[LogEntry] = []
    traceback: Traceback | None = None
    place, last_at = 0, 0.0
    # They come newest first; of equal instants the later one stands before the earlier.
    oldest_first = list(entries)[::-1]
    oldest_first.sort(key=lambda each: each.at)
    for entry in oldest_first:
        if traceback is not None and entry.told == "DEFAULT":
            if entry.at - last_at <= PAUSE_S and traceback.takes(entry.message):
                last_at = entry.at
                continue
            done[place] = _closed(done[place], traceback)
            traceback = None
        if begins_traceback(entry.message) and "\n" not in entry.message:
            if traceback is not None:
                done[place] = _closed(done[place], traceback)
            traceback = Traceback([entry.message])
            place, last_at = len(done), entry.at
        done.append(entry)
    if traceback is not None:
        done[place] = _closed(done[place], traceback)
    return tuple(done)


def inference_errors(entries: Iterable[LogEntry]) -> tuple[int, int]:
    """Requests for predictions, and how many failed.

    Health checks, pages for people, and what was turned away because there was no
    instance yet are left out: a cold start alone would be an error rate else.
    """
    asked = failed = 0
    for entry in entries:
        http = entry.http
        if http is None or http.status is None or http.latency_ms is None:
            continue
        path = urlsplit(http.url).path.rstrip("/")
        no_instance = http.status == 429 and http.latency_ms == 0
        if path.endswith("/predict") and not no_instance:
            asked += 1
            failed += http.status >= 400
    return asked, failed


def _closed(first: LogEntry, traceback: Traceback) -> LogEntry:
    return replace(first, message=traceback.text, severity=Severity.ERROR)
