"""Whether time has passed as it should: sleep, a clock that was set, a standstill.

Owns the comparison of three clocks: the wall's, which people and servers set; the
monotonic one, which stands still while the machine sleeps; and the time since boot,
which does not. It must not know what is done about a difference.

An interval in which this machine could not look is *unknown*: nothing that was in
flight over it may be called a failure of a server's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from yolotop.collect.clock import Clock
from yolotop.judge.words import span

LOOK_S: Final = 1.0
"""Between looks; what is below the marks in that time is the clock's own slewing."""
STEP_S: Final = 2.0
"""A wall clock that differs by more was set. Slewing comes to 0.5 ms a second."""
SLEEP_S: Final = 2.0
STILL_S: Final = 10.0
"""Without a look for so long, this process was stopped or starved: timeouts that
ended meanwhile ended because of us."""


@dataclass(frozen=True, slots=True)
class Jump:
    """What happened since the last look; each 0 where it did not.

    ``slept_s`` the machine slept, ``still_s`` the process stood still, and
    ``stepped_s`` is by how much the wall clock was set, back where negative.
    """

    slept_s: float = 0.0
    still_s: float = 0.0
    stepped_s: float = 0.0

    @property
    def blind(self) -> bool:
        """Whether nobody could measure for a while."""
        return self.slept_s > 0 or self.still_s > 0

    def __str__(self) -> str:
        said = []
        if self.slept_s:
            said.append(f"this machine slept for {span(self.slept_s)}")
        elif self.still_s:
            said.append(f"the collector stood still for {span(self.still_s)}")
        if self.stepped_s:
            way = "forward" if self.stepped_s > 0 else "back"
            said.append(f"the clock was set {way} by {span(abs(self.stepped_s))}")
        return "; ".join(said)


class Timekeeper:
    """Looks at the clocks when asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = self._read()

    def begin(self) -> None:
        """Compare from here on."""
        self._last = self._read()

    def look(self) -> Jump | None:
        """What happened since the last look, or ``None``: time passed as it should."""
        wall, mono, boot = self._read()
        last_wall, last_mono, last_boot = self._last
        self._last = (wall, mono, boot)
        awake = mono - last_mono
        passed = boot - last_boot
        slept = passed - awake
        stepped = (wall - last_wall) - passed
        if awake <= STILL_S and slept <= SLEEP_S and abs(stepped) <= STEP_S:
            return None
        return Jump(
            slept_s=slept if slept > SLEEP_S else 0.0,
            still_s=awake if awake > STILL_S else 0.0,
            stepped_s=stepped if abs(stepped) > STEP_S else 0.0,
        )

    def _read(self) -> tuple[float, float, float]:
        clock = self._clock
        return clock.now(), clock.monotonic(), clock.boottime()
