"""The application: theme, screens, signals, exit code.

Owns what holds for every screen. It must not know the store: pictures come from a
:class:`~yolotop.tui.source.Source`, changes go to
:class:`~yolotop.tui.actions.Actions`.

``run()`` returns 0 after the quit key, and 128 plus the signal's number when the
terminal was lost or the process was asked to end: whoever started a collector for
this terminal stops it only in the first case.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from rich.segment import Segment, Segments
from textual.app import App
from textual.binding import BindingType
from textual.command import Provider
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from yolotop import crash
from yolotop.config.schema import UiSettings
from yolotop.tui import clipboard, keymap, palette, themes
from yolotop.tui.actions import Actions
from yolotop.tui.bindings import binding_of
from yolotop.tui.commands import Deeds
from yolotop.tui.ink import look_of
from yolotop.tui.keys import deeds_in
from yolotop.tui.outlet import SureDriver
from yolotop.tui.screens.dashboard import Dashboard
from yolotop.tui.screens.handing import hand_file
from yolotop.tui.screens.help import Help
from yolotop.tui.screens.watching import Means, Watching
from yolotop.tui.source import Source
from yolotop.view.snapshot import Snapshot

__all__ = ["Source", "YolotopApp", "without_web_fonts"]

SLOW_PACE_S: Final = 5.0
"""Between two pictures with ``low_bandwidth``, unless another pace is chosen."""
_SIGNALS: Final = (signal.SIGHUP, signal.SIGTERM)


class YolotopApp(App[int]):
    """The terminal."""

    TITLE = "yolotop"
    CSS_PATH = "yolotop.tcss"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Deeds}
    BINDINGS: ClassVar[list[BindingType]] = [
        # As Textual's own, which it adds where there is none for the palette.
        binding_of(deed, priority=deed.id == "palette")
        for deed in deeds_in("app")
    ]

    def __init__(
        self,
        source: Source,
        actions: Actions,
        *,
        settings: UiSettings,
        now: Callable[[], float] = time.time,
        refresh_s: float | None = None,
        env: Mapping[str, str] | None = None,
        searched: Sequence[str] = (),
        trouble: Callable[[], str] = lambda: "",
        starting: Callable[[], bool] = lambda: False,
        first: Snapshot | None = None,
        demo: bool = False,
    ) -> None:
        """See :class:`~yolotop.tui.screens.watching.Means` for what these are."""
        env = os.environ if env is None else env
        # NO_COLOR is only honoured for native colours: with any other theme Textual
        # sends grey truecolor (2,863 RGB codes in ten seconds, measured).
        super().__init__(ansi_color=True if "NO_COLOR" in env else None)
        self._env = env
        self.animation_level = "none"
        slow = settings.low_bandwidth
        look = look_of(settings.symbols, env, images=settings.images)
        # A picture in pixels is the most that a line can be asked to carry.
        self.look = replace(look, still=slow, pixels=look.pixels and not slow)
        self.means = Means(
            source,
            actions,
            settings,
            self.look,
            pace_s(settings) if refresh_s is None else refresh_s,
            now,
            searched=tuple(searched),
            trouble=trouble,
            starting=starting,
            first=first,
            keymap=keymap.read(settings.keymap),
            demo=demo,
        )
        self.set_class(self.look.plain, "-plain")
        for theme in themes.OWN_THEMES:
            self.register_theme(theme)
        # Sixteen colours take 43 % fewer bytes than sixteen million (measured).
        spared = {**env, "COLORTERM": ""} if slow else env
        chosen = palette.choose(settings.theme, spared)
        # A theme that does not exist must not keep anyone from seeing their fleet.
        self._unknown_theme = "" if chosen in self.available_themes else chosen
        self.theme = palette.DARK if self._unknown_theme else chosen

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but one that does not wait for a terminal that is gone."""
        chosen: type[Driver] = super().get_driver_class()
        return SureDriver if chosen is LinuxDriver else chosen

    def get_css_variables(self) -> dict[str, str]:
        """Textual's variables and ours; a theme's own win."""
        variables = super().get_css_variables()
        inks = themes.inks(self.current_theme, variables)
        self.theme_variables = {**inks, **variables}
        return self.theme_variables

    def get_default_screen(self) -> Dashboard:
        """The dashboard."""
        return Dashboard(self.means)

    def on_mount(self) -> None:
        """Lay the keymap over the table; end cleanly with the terminal."""
        self.set_keymap(self.means.keymap.bindings())
        if troubles := self.means.keymap.troubles:
            self.notify(
                "\n".join((self._config_file, *troubles)),
                title="Part of the keymap is not used",
                severity="warning",
                markup=False,
                timeout=30,
            )
        if self._unknown_theme:
            self.notify(
                f"{self._config_file}: [ui]: there is no theme "
                f"{self._unknown_theme!r}; t walks through them.",
                severity="warning",
                markup=False,
            )
        if self.is_headless:
            return
        # Without a handler a lost terminal kills the process before anything is
        # closed; with SIGHUP ignored (nohup) it spins at half a core, measured.
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.exit, 128 + number)

    @property
    def _config_file(self) -> str:
        """Where ``[ui]`` and ``[keymap]`` stand."""
        return (self.means.searched[-1:] or ("the config file",))[0]

    def on_unmount(self) -> None:
        """Give the signals back."""
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _fatal_error(self) -> None:
        """A crash: without the local variables that Textual would print."""
        error = sys.exception()
        told = "yolotop ran into a fault of its own"
        if error is not None:
            told = f"{told}\n\n{crash.describe(error)}"
        self._exit_renderables.append(Segments([Segment(told)]))
        self._close_messages_no_wait()

    async def action_quit(self) -> None:
        """Leave."""
        self.exit(0)

    def action_help(self) -> None:
        """All keys and signs."""
        if not isinstance(self.screen, Help):
            here = self.screen
            deeds = here.offered() if isinstance(here, Watching) else deeds_in("app")
            self.push_screen(Help(self.look, deeds))

    def copy_to_clipboard(self, text: str) -> None:
        """Send text to the clipboard of the terminal, through tmux and screen.

        Textual's own goes nowhere inside tmux.
        """
        if self._driver is not None:
            # In a browser there is no tmux between, whatever the server runs in.
            env = {} if self.is_web else self._env
            self._driver.write(clipboard.sequence(text, env))

    async def action_keep_picture(self) -> None:
        """A picture of the screen in a file of its own."""
        at = time.localtime(self.means.now())
        name = time.strftime("yolotop-%Y%m%d-%H%M%S.svg", at)
        await hand_file(self, without_web_fonts(self.export_screenshot()), name)

    def action_next_theme(self) -> None:
        """The next of our themes."""
        cycle = palette.CYCLE
        index = cycle.index(self.theme) + 1 if self.theme in cycle else 0
        self.action_set_theme(cycle[index % len(cycle)])

    def action_set_theme(self, name: str) -> None:
        """This theme."""
        self.theme = name


def pace_s(settings: UiSettings) -> float:
    """Seconds between two pictures; what was chosen counts on a slow line, too."""
    usual = UiSettings().refresh_s
    slow = settings.low_bandwidth and settings.refresh_s == usual
    return SLOW_PACE_S if slow else settings.refresh_s


def without_web_fonts(svg: str) -> str:
    """A picture that fetches nothing: Rich points at a font in the web."""
    return re.sub(r"@font-face\s*{[^}]*}", "", svg)
