"""What the Platform's log holds of a deployment, and how it is handed out.

Owns entries, pages and the filter. It must not know what happened, only that it did.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from yolotop.demo.platform.limits import iso

FILTERS: Final = (
    "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip
"""What ``severity=`` takes; entries have a ninth, DEFAULT, which it does not."""
MOST: Final = 2_000
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
    "RuntimeError: CUDA error: an illegal memory access was encountered",
)


class BadQueryError(ValueError):
    """A 400, with the words of its error."""


@dataclass(slots=True)
class Lines:
    """Entries of one deployment, oldest first."""

    entries: list[dict[str, object]] = field(default_factory=list)

    def add(
        self,
        at: float,
        severity: str,
        message: str,
        http: dict[str, object] | None = None,
    ) -> None:
        """Remember one; instants have microseconds."""
        told = iso(at).replace("Z", f"{len(self.entries) % 1_000:03}Z")
        one: dict[str, object] = {"timestamp": told, "severity": severity}
        one["message"] = message
        if http is not None:
            one["httpRequest"] = http
        self.entries.append(one)
        del self.entries[:-MOST]

    def start(self, at: float, service_url: str, *, cold: bool) -> None:
        """A new instance, and the ping that was turned away while there was none."""
        reason = "AUTOSCALING" if cold else "DEPLOYMENT_ROLLOUT"
        self.add(at, "INFO", f"Starting new instance. Reason: {reason}")
        if cold:
            self.add(
                at + 0.1,
                "WARNING",
                "The request was aborted because there was no available instance",
                http={
                    "method": "GET",
                    "url": f"{service_url}/health",
                    "status": 429,
                    "latencyMs": 0,
                    "userAgent": "node",
                },
            )
        for n, line in enumerate(STARTUP):
            self.add(at + 20 + n / 100, "DEFAULT", line)

    def trip(self, at: float) -> None:
        """A prediction that failed: the application's own words, line by line."""
        for n, line in enumerate(TRACEBACK):
            self.add(at + n / 1_000, "DEFAULT", line)

    def page(self, severity: str, limit: str, token: str) -> dict[str, object]:
        """Newest first. Raises :class:`BadQueryError`."""
        wanted = self._wanted(severity)
        if not limit.isdigit() or not 1 <= int(limit) <= 200:
            raise BadQueryError("limit must be between 1 and 200")
        begin = _offset(token)
        newest = [one for one in reversed(self.entries) if one["severity"] in wanted]
        found = newest[begin : begin + int(limit)]
        # A token comes with every page, an empty one too.
        following = base64.urlsafe_b64encode(str(begin + len(found)).encode()).decode()
        return {"entries": found, "nextPageToken": following}

    @staticmethod
    def _wanted(severity: str) -> Sequence[str]:
        if not severity:
            return (*FILTERS, "DEFAULT")
        wanted = severity.split(",")
        for one in wanted:
            if one not in FILTERS:
                raise BadQueryError(f"Invalid severity: {one}")
        return wanted


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        return max(0, int(base64.urlsafe_b64decode(token)))
    except ValueError:
        raise BadQueryError("Invalid pageToken") from None
