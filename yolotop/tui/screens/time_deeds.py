"""What can be done with time: another range, a picture held still.

Owns the actions behind those keys. It must not know what the picture is of.
"""

from __future__ import annotations

from yolotop.tui.screens.watching import Watching
from yolotop.view import format as fmt
from yolotop.view.snapshot import Range


class TimeDeeds(Watching):
    """Actions on time."""

    def action_range(self, step: int) -> None:
        """A shorter or longer range; at either end nothing happens."""
        ranges = list(Range)
        index = ranges.index(self.range_) + step
        if 0 <= index < len(ranges):
            self._look_over(ranges[index])

    def action_range_to(self, value: str) -> None:
        """This range."""
        self._look_over(Range(value))

    def _look_over(self, range_: Range) -> None:
        """Another range; a history too young to show more in it is said to be."""
        shorter = min(range_.seconds, self.range_.seconds)
        began_at = self.measured_since
        if range_ is not self.range_ and began_at is not None:
            age_s = self.means.now() - began_at
            if 0 <= age_s < shorter:
                age = fmt.age(age_s, plain=self.look.plain)
                self.notify(f"all there is: {age} are measured so far", timeout=3)
        self.range_ = range_

    def action_freeze(self) -> None:
        """Hold the picture still, or go on with the newest one."""
        if self.frozen:
            self.let_go()
        else:
            self.hold()
        self.show_hints()
