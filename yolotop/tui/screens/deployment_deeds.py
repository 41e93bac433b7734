"""What can be done to deployments: add, remove, pause, probe, single out.

Owns the way from an action to :class:`~yolotop.tui.actions.Actions`. Every action is
bound to a *name* chosen when the key was pressed. It must not write anything itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from yolotop.errors import YolotopError
from yolotop.model import Health
from yolotop.tui.screens.add import AddDeployment
from yolotop.tui.screens.confirm import Confirm
from yolotop.tui.screens.parts import Parts


class DeploymentDeeds(Parts):
    """Actions on deployments."""

    def action_only(self) -> None:
        """The selected deployment's log, or everything again."""
        if self.deck.selected is not None:
            self.action_only_of(self.deck.selected)

    def action_only_of(self, name: str) -> None:
        """A deployment's log, or everything again."""
        now = None if self.log_query.deployment == name else name
        self.requery(deployment=now)

    def action_only_none(self) -> None:
        """Every deployment's log."""
        self.requery(deployment=None)

    def action_probe(self) -> None:
        """Ask the selected deployment now."""
        if self.deck.selected is not None:
            self.action_probe_of(self.deck.selected)

    def action_probe_of(self, name: str) -> None:
        """Ask a deployment now."""
        self._act(self._actions.probe, name, "asking it now")

    def action_pause(self) -> None:
        """Pause or resume the selected deployment."""
        if self.deck.selected is not None:
            self.action_pause_of(self.deck.selected)

    def action_pause_of(self, name: str) -> None:
        """Pause or resume a deployment."""
        card = self.card_of(name)
        if card is not None and card.health is Health.PAUSED:
            self._act(self._actions.resume, name, "will be asked again")
        else:
            self._act(self._actions.pause, name, "will not be asked until resumed")

    def action_add(self) -> None:
        """Open the form."""

        def done(name: str | None) -> None:
            if name:
                self.notify(f"{name}: saved; the collector takes it up", markup=False)
                self.ask_now()

        self.app.push_screen(AddDeployment(self._actions, self._look), done)

    def action_remove(self) -> None:
        """Remove the selected deployment, after a question."""
        if self.deck.selected is not None:
            self.action_remove_of(self.deck.selected)

    def action_remove_of(self, name: str) -> None:
        """Remove a deployment, after a question that names it."""

        def done(answer: bool | None) -> None:
            if answer:
                self._act(self._actions.remove, name, "taken out of the config file")

        text = (
            f"{name} is taken out of the config file and no longer asked.\n"
            "Its history stays."
        )
        self.app.push_screen(Confirm(f"Remove {name}?", text, yes="remove"), done)

    def _act(
        self, action: Callable[[str], Awaitable[None]], name: str, outcome: str
    ) -> None:
        async def run() -> None:
            try:
                await action(name)
            except YolotopError as error:
                self.notify(
                    str(error), title=error.title, severity="error", markup=False
                )
            else:
                self.notify(f"{name}: {outcome}", markup=False, timeout=3)
                self.ask_now()

        self.run_worker(run(), group="act")
