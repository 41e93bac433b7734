"""The pages Code and Config: how to ask from a program, and what is set.

Owns when the settings are read: whenever one comes in sight, since the config file may
have been edited meanwhile. It must not know how they are drawn.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.getters import query_one

from yolotop.config.origin import Setting
from yolotop.errors import YolotopError
from yolotop.text import clean
from yolotop.tui.screens.page import Page
from yolotop.tui.widgets.code_tab import CodeTab
from yolotop.tui.widgets.config_tab import ConfigTab
from yolotop.view.snippets import deployment_of, snippets


class _SettingsPage(Page):
    """A page made of the effective settings."""

    def enter(self) -> None:
        """Read them again."""
        self.run_worker(self._read(), group="look", exclusive=True)

    async def _read(self) -> None:
        try:
            settings = await self.means.actions.settings(self.deployment)
        except YolotopError as error:
            self.show_settings((), f"{error.title}: {error}")
        else:
            self.show_settings(settings, "")

    def show_settings(self, settings: tuple[Setting, ...], note: str) -> None:
        """Show them, or say why there are none."""
        raise NotImplementedError


class CodePage(_SettingsPage):
    """Three texts that ask this deployment."""

    where: ClassVar[tuple[str, ...]] = ("code", "page")

    sheet = query_one("#code", CodeTab)

    def compose(self) -> ComposeResult:
        """One widget draws it all."""
        yield CodeTab(self.means.look, name="code")

    def show_settings(self, settings: tuple[Setting, ...], note: str) -> None:
        """Write the texts for them."""
        if note:
            self.sheet.show((), note)
            return
        values = {each.key: each.value for each in settings}
        deployment = deployment_of(self.deployment, values)
        dialect = clean(deployment.dialect)
        self.sheet.show(
            snippets(deployment),
            f"There is no code for the dialect {dialect} yet.",
        )


class ConfigPage(_SettingsPage):
    """Every setting with its origin."""

    where: ClassVar[tuple[str, ...]] = ("page",)

    sheet = query_one("#config", ConfigTab)

    def compose(self) -> ComposeResult:
        """One widget draws it all."""
        yield ConfigTab(self.means.look, name="config")

    def show_settings(self, settings: tuple[Setting, ...], note: str) -> None:
        """Show them."""
        self.sheet.show(settings, note or "Nothing is set.")
