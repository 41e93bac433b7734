"""What can be done with time: another range, a picture held still.

Owns the actions behind those keys. It must not know what the picture is of.
"""

from __future__ import annotations

from yolotop.tui.screens.watching import Watching
from yolotop.view.snapshot import Range


class TimeDeeds(Watching):
    """Actions on time."""

    def action_range(self, step: int) -> None:
        """A shorter or longer range; at either end nothing happens."""
        ranges = list(Range)
        index = ranges.index(self.range_) + step
        if 0 <= index < len(ranges):
            self.range_ = ranges[index]

    def action_range_to(self, value: str) -> None:
        """This range."""
        self.range_ = Range(value)

    def action_freeze(self) -> None:
        """Hold the picture still, or go on with the newest one."""
        if self.frozen:
            self.let_go()
        else:
            self.hold()
        self.show_hints()
