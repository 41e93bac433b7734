"""Every action in one table: id, keys, label, help.

Owns what can be done and what it is called. Bindings, footer hints, palette and help
are made from it, so that none can disagree with another. It must not do anything.
Only keys that every terminal sends: letters, digits, arrows, enter, escape, tab and
control with a letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a person can do.

    ``call`` is the Textual action. ``hint`` is its rank in the footer from 1, 0 keeps
    it out. ``palette`` is how it reads in the palette, empty keeps it out. ``writes``
    marks what ``read_only`` forbids. ``show`` is how the keys are written.
    """

    id: str
    keys: str
    show: str
    label: str
    help: str
    call: str
    group: str
    hint: int = 0
    palette: str = ""
    writes: bool = False

    def binding(self, *, priority: bool = False) -> Binding:
        """The Textual binding of it; its id is what a keymap names.

        ``priority`` ones act in the order of the keys, whatever has the focus. Others
        wait in the focused widget's queue: over a slow line ``/drill`` would open the
        filter and then remove (``d``) the selected deployment.
        """
        return Binding(
            self.keys,
            self.call,
            self.label,
            id=self.id,
            tooltip=self.help,
            key_display=self.show,
            show=self.hint > 0,
            priority=priority,
        )


APP_DEEDS: Final = (
    Deed(
        "quit", "q", "q", "quit", "Leave. A collector started here stops too.",
        "quit", "Program", hint=1, palette="quit",
    ),
    Deed(
        "help", "question_mark,f1", "?", "help", "All keys and signs on one page.",
        "help", "Program", hint=2, palette="help: keys and signs",
    ),
    Deed(
        "palette", "ctrl+p", "ctrl+p", "palette", "Everything by name.",
        "command_palette", "Program", hint=3,
    ),
    Deed(
        "theme", "t", "t", "theme", "The next theme: dark, light, your own colours.",
        "next_theme", "Program", palette="theme: next",
    ),
    Deed(
        "interrupt", "ctrl+c", "ctrl+c", "quit", "Leave, as q does.",
        "quit", "Program",
    ),
)  # fmt: skip
"""What works on every screen."""

DASHBOARD_DEEDS: Final = (
    Deed(
        "add", "a", "a", "add", "Register an endpoint; it is tested first.",
        "add", "Deployments", hint=8, palette="add deployment…", writes=True,
    ),
    Deed(
        "only", "enter", "enter", "its log", "Log of the selected deployment only;"
        " again for all.",
        "only", "Deployments", hint=5, palette="log: only the selected deployment",
    ),
    Deed(
        "probe", "p", "p", "probe now", "Ask the selected deployment now.",
        "probe", "Deployments", hint=7, palette="probe now",
    ),
    Deed(
        "pause", "x", "x", "pause", "Stop or resume asking the selected deployment.",
        "pause", "Deployments", hint=9, palette="pause or resume", writes=True,
    ),
    Deed(
        "remove", "d,delete", "d", "remove", "Take the selected deployment out of the"
        " config file (asks first); its history stays.",
        "remove", "Deployments", palette="remove deployment…", writes=True,
    ),
    Deed(
        "switch", "tab,shift+tab", "tab", "cards or log", "Between cards and log.",
        "switch_pane", "Deployments",
    ),
    Deed(
        "range.shorter", "left_square_bracket", "[", "shorter", "A shorter range.",
        "range(-1)", "Time",
    ),
    Deed(
        "range.longer", "right_square_bracket", "]", "longer", "A longer range.",
        "range(1)", "Time",
    ),
    Deed(
        "freeze", "space", "space", "freeze", "Hold the picture still (FROZEN);"
        " measuring goes on.",
        "freeze", "Time", hint=6, palette="freeze the picture, or go on",
    ),
    Deed(
        "filter", "slash", "/", "filter", "Keep the log lines that hold a text.",
        "filter", "Log", hint=4, palette="log: filter by text…",
    ),
    Deed(
        "severity.all", "0", "0", "all", "Every line.",
        "severity(0)", "Log", palette="log: every severity",
    ),
    Deed(
        "severity.debug", "1", "1", "DEBUG", "DEBUG and above.",
        "severity(10)", "Log",
    ),
    Deed(
        "severity.info", "2", "2", "INFO", "INFO and above.",
        "severity(20)", "Log", palette="log: INFO and above",
    ),
    Deed(
        "severity.warning", "3", "3", "WARNING", "WARNING and above.",
        "severity(30)", "Log", palette="log: WARNING and above",
    ),
    Deed(
        "severity.error", "4", "4", "ERROR", "ERROR and above.",
        "severity(40)", "Log", palette="log: ERROR and above",
    ),
    Deed(
        "severity.critical", "5", "5", "CRITICAL", "CRITICAL only.",
        "severity(50)", "Log", palette="log: CRITICAL only",
    ),
    Deed(
        "log.older", "pageup", "pgup", "older", "Back through the log; older lines"
        " are loaded as you get there.",
        "log_page(-1)", "Log",
    ),
    Deed(
        "log.newer", "pagedown", "pgdn", "newer", "Forward through the log.",
        "log_page(1)", "Log",
    ),
    Deed(
        "log.first", "home", "home", "oldest", "To the oldest line that is loaded.",
        "log_home", "Log",
    ),
    Deed(
        "log.tail", "end", "end", "newest", "To the newest line, and follow.",
        "log_tail", "Log", palette="log: follow the newest line",
    ),
    Deed(
        "clear", "escape", "esc", "clear filters", "Clear text and deployment filter.",
        "clear_filters", "Log", palette="log: clear filters",
    ),
)  # fmt: skip
"""What works on the dashboard."""

DEEDS: Final = (*DASHBOARD_DEEDS, *APP_DEEDS)
