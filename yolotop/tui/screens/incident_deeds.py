"""From incident to incident of the whole fleet: the list and the log go there.

Owns where one stands between incidents. It must not know how they are found.
"""

from __future__ import annotations

from yolotop.errors import YolotopError
from yolotop.tui.screens.parts import Parts
from yolotop.view.incidents import Incident, neighbour, words


class IncidentDeeds(Parts):
    """Actions on the fleet's incidents."""

    incident: Incident | None = None
    """The incident that was gone to last; ``None`` is now."""

    def action_incident(self, by: int) -> None:
        """To the next incident, or the one before."""
        self.run_worker(self._go(by), group="incident")

    async def _go(self, by: int) -> None:
        try:
            found = await self.means.source.incidents(self.range_)
        except YolotopError:
            # The feed meets the same trouble, and says so.
            return
        # Those of the list as it is narrowed: the cursor can go to no other.
        names = {card.name for card in self.fleet.cards}
        own = [each for each in found if each.deployment in names]
        here = self.incident
        at = self.means.now() if here is None else here.start_at
        target = neighbour(own, at, by, of=here)
        if target is None:
            if by > 0 and here is not None:
                # Past the last one is now.
                self.incident = None
                self.log_pane.follow(None)
                return
            way = "later" if by > 0 else "earlier"
            of = " of those found" if self.looked_for else ""
            said = f"no {way} incident{of} in the last {self.range_}"
            self.notify(said, timeout=3)
            return
        self.incident = target
        self.fleet.selected = target.deployment
        self.log_pane.follow(target.start_at)
        text = f"{words(target, now=self.snapshot.at)}: {target.message}"
        self.notify(text, title=target.deployment, timeout=4, markup=False)
