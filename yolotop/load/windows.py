"""Windows of one level: is it settled, or is the server refusing?

Owns the two rules by which a level ends before its time. Pure; must not know who asks.

The rule of rest is that of Triton's perf_analyzer: three windows in a row whose figure
lies within 10 %. It is asked of P95, and of windows with enough answers in them: the
P95 of fewer than twenty is their slowest, which agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from yolotop.judge.histogram import ExpHistogram

AGREEING: Final = 3
WITHIN: Final = 0.10
FEWEST: Final = 20
"""Answers without which a window has no P95."""
REFUSED: Final = 0.5
"""Share of bad answers above which it is no measurement any more."""
SOON: Final = 20
"""Answers after which that is said without waiting for the window's end."""
FEWEST_TO_REFUSE: Final = 4
"""Answers without which it is not said of a whole window either."""


@dataclass(slots=True)
class Window:
    """What came back within it. Latencies are those of :class:`~.tally.Tally`."""

    latencies: ExpHistogram = field(default_factory=ExpHistogram)
    answers: int = 0
    errors: int = 0

    @property
    def p95_ms(self) -> float | None:
        """``None`` where too few answers say anything."""
        if self.latencies.count < FEWEST:
            return None
        return self.latencies.quantile(0.95)

    def refuses(self, *, whole: bool) -> bool:
        """Whether more than half of the answers are bad. ``whole``: it has ended."""
        enough = self.answers >= (FEWEST_TO_REFUSE if whole else SOON)
        return enough and self.errors > REFUSED * self.answers


def settled(windows: Sequence[Window]) -> bool:
    """Whether the last windows agree on P95."""
    last = [window.p95_ms for window in windows[-AGREEING:]]
    known = [p95 for p95 in last if p95 is not None]
    if len(known) < AGREEING:
        return False
    return max(known) <= min(known) * (1.0 + WITHIN)
