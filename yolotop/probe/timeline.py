"""When each step of one exchange ended.

Owns the arithmetic from instants to :class:`~yolotop.model.Phases`. Must not know
sockets or HTTP: the steps write instants in, and whoever asks gets phases that are
contiguous, so that they add up to the latency, also when the exchange broke off.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from yolotop.model import Phases

PhaseName = Literal["dns", "connect", "tls", "send", "wait", "receive"]
_Mark = tuple[PhaseName, float | None]


class Timeline:
    """Instants of one exchange, in seconds of ``clock`` (monotonic).

    ``None`` means not reached. ``sent`` is the last request byte handed to the kernel,
    ``first`` the first byte of the final answer (1xx answers do not count), ``done``
    its last body byte. ``ended`` closes a timeline that broke off. A ``reused``
    connection has no dns, connect and tls.
    """

    __slots__ = (
        "address",
        "began",
        "clock",
        "connected",
        "done",
        "encrypted",
        "ended",
        "first",
        "received_bytes",
        "request_bytes",
        "resolved",
        "reused",
        "secured",
        "sent",
        "sent_bytes",
        "started",
        "step",
        "tried",
    )

    def __init__(
        self, *, encrypted: bool = False, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.clock = clock
        self.encrypted = encrypted
        self.reused = False
        self.resolved: float | None = None
        self.connected: float | None = None
        self.secured: float | None = None
        self.sent: float | None = None
        self.first: float | None = None
        self.done: float | None = None
        self.ended: float | None = None
        self.address: str | None = None
        self.step = ""
        self.tried: list[str] = []
        self.request_bytes = 0
        self.sent_bytes = 0
        self.received_bytes = 0
        self.began = self.started = clock()

    def start_over(self) -> None:
        """Begin again on a fresh connection after a kept one broke.

        What the broken one cost stays in the latency and is in no phase.
        """
        self.reused = False
        self.sent = self.first = None
        self.sent_bytes = self.received_bytes = 0
        self.started = self.clock()

    def end(self) -> None:
        """Stop the clock, once: on the last byte, or now for what broke off."""
        if self.ended is None:
            self.ended = self.clock() if self.done is None else self.done

    @property
    def phase(self) -> PhaseName:
        """The phase that is running, or the last one when all is done."""
        for name, at in self._marks():
            if at is None:
                return name
        return "receive"

    @property
    def latency_ms(self) -> float:
        """From the beginning to the end, or to now while running."""
        end = self.clock() if self.ended is None else self.ended
        return (end - self.began) * 1000.0

    def phases(self) -> Phases:
        """Each phase in milliseconds; the one that broke off up to the end."""
        end = self.clock() if self.ended is None else self.ended
        spent: dict[PhaseName, float] = {}
        previous = self.started
        for name, at in self._marks():
            if at is None:
                spent[name] = (end - previous) * 1000.0
                break
            spent[name] = (at - previous) * 1000.0
            previous = at
        return Phases(**spent)

    def _marks(self) -> tuple[_Mark, ...]:
        sent = self.sent
        # An answer that begins while the request is still going out (413 to a large
        # body) ends the sending: nothing was waited for.
        if self.first is not None and (sent is None or sent > self.first):
            sent = self.first
        service: tuple[_Mark, ...] = (
            ("send", sent),
            ("wait", self.first),
            ("receive", self.done),
        )
        if self.reused:
            return service
        if self.encrypted:
            service = (("tls", self.secured), *service)
        return (("dns", self.resolved), ("connect", self.connected), *service)
