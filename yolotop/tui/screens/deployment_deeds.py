"""What can be done to deployments: add, remove, pause, probe, single out.

Owns the way from an action to :class:`~yolotop.tui.actions.Actions`. Every action is
bound to a *name* chosen when the key was pressed. It must not write anything itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from yolotop.errors import YolotopError
from yolotop.text import clean
from yolotop.tui.screens.add import AddDeployment
from yolotop.tui.screens.confirm import Confirm
from yolotop.tui.screens.maintain import Maintain
from yolotop.tui.screens.watching import Watching


class DeploymentDeeds(Watching):
    """Actions on deployments."""

    def action_only(self) -> None:
        """The selected deployment's log, or everything again."""
        if (name := self.chosen) is not None:
            self.action_only_of(name)

    def action_only_of(self, name: str) -> None:
        """A deployment's log, or everything again."""
        now = None if self.log_query.deployment == name else name
        self.requery(deployment=now)

    def action_probe(self) -> None:
        """Ask the selected deployment now."""
        if (name := self.chosen) is not None:
            self.action_probe_of(name)

    def action_probe_of(self, name: str) -> None:
        """Ask a deployment now."""
        self._act(self.means.actions.probe, name, "asking it now")

    def action_pause(self) -> None:
        """Pause or resume the selected deployment."""
        if (name := self.chosen) is not None:
            self.action_pause_of(name)

    def action_pause_of(self, name: str) -> None:
        """Pause or resume a deployment."""
        if self.paused_of(name):
            self._act(self.means.actions.resume, name, "will be asked again")
        else:
            self._act(self.means.actions.pause, name, "will not be asked until resumed")

    def action_maintain(self) -> None:
        """Ask for how long to leave the selected deployment alone."""
        if (name := self.chosen) is not None:
            self.action_maintain_of(name)

    def action_maintain_of(self, name: str) -> None:
        """Ask for how long to leave a deployment alone; it is named in the question."""
        if self.paused_of(name):
            self.notify(
                f"{name} is paused, it is not asked anyway; x resumes it", markup=False
            )
            return
        card = self.card_of(name)
        until_at = card.until_at if card is not None else None

        def done(end: str | None) -> None:
            if end is not None:
                outcome = "in maintenance" if end else "will be asked again"
                maintain = self.means.actions.maintain
                self._act(partial(maintain, until=end), name, outcome)

        now = self.means.now
        self.app.push_screen(Maintain(name, until_at, now), done)

    def action_add(self) -> None:
        """Open the form."""

        def done(name: str | None) -> None:
            if name:
                self.notify(f"{name}: saved; the collector takes it up", markup=False)
                self.ask_now()

        self.app.push_screen(AddDeployment(self.means.actions, self.look), done)

    def action_begin(self) -> None:
        """Write a config file to start from."""

        async def run() -> None:
            try:
                path = await self.means.actions.begin()
            except YolotopError as error:
                self.notify(
                    str(error), title=error.title, severity="error", markup=False
                )
            else:
                self.notify(
                    f"Written: {clean(str(path))}. Name an endpoint in it and save",
                    markup=False,
                    timeout=15,
                )

        self.run_worker(run(), group="act")

    def action_remove(self) -> None:
        """Remove the selected deployment, after a question."""
        if (name := self.chosen) is not None:
            self.action_remove_of(name)

    def action_remove_of(self, name: str) -> None:
        """Remove a deployment, after a question that names it."""

        def done(answer: bool | None) -> None:
            if answer:
                self._act(
                    self.means.actions.remove, name, "taken out of the config file"
                )

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
