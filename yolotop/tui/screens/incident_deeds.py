"""From incident to incident of the whole fleet: the list and the log go there.

Owns where one stands between incidents. It must not know how they are found.
"""

from __future__ import annotations

from yolotop.errors import YolotopError
from yolotop.tui.screens.parts import Parts
from yolotop.view.incidents import neighbour, words


class IncidentDeeds(Parts):
    """Actions on the fleet's incidents."""

    incident_at: float | None = None
    """When the incident began that was gone to last; ``None`` is now."""

    def action_incident(self, by: int) -> None:
        """To the next incident, or the one before."""
        self.run_worker(self._go(by), group="incident")

    async def _go(self, by: int) -> None:
        try:
            found = await self.means.source.incidents(self.range_)
        except YolotopError:
            # The feed meets the same trouble, and says so.
            return
        here = self.incident_at
        target = neighbour(found, self.means.now() if here is None else here, by)
        if target is None:
            if by > 0 and here is not None:
                # Past the last one is now.
                self.incident_at = None
                self.log_pane.follow(None)
                return
            way = "later" if by > 0 else "earlier"
            self.notify(f"no {way} incident in the last {self.range_}", timeout=3)
            return
        self.incident_at = target.start_at
        if any(card.name == target.deployment for card in self.snapshot.cards):
            self.fleet.selected = target.deployment
        self.log_pane.follow(target.start_at)
        text = f"{words(target, now=self.snapshot.at)}: {target.message}"
        self.notify(text, title=target.deployment, timeout=4, markup=False)
