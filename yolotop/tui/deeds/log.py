"""What is done with the log, wherever one is shown."""

from __future__ import annotations

from typing import Final

from yolotop.tui.deeds.deed import Deed

DEEDS: Final = (
    Deed(
        "filter", "slash", "/", "filter", "Keep the log lines that pass a filter.",
        "filter", "log", "Log", hint=6, palette="log: filter…",
    ),
    Deed(
        "severity.all", "0", "0", "all", "Every line.",
        "severity(0)", "log", "Log", palette="log: every severity",
    ),
    Deed(
        "severity.debug", "1", "1", "DEBUG", "DEBUG and above.",
        "severity(10)", "log", "Log",
    ),
    Deed(
        "severity.info", "2", "2", "INFO", "INFO and above.",
        "severity(20)", "log", "Log", palette="log: INFO and above",
    ),
    Deed(
        "severity.warning", "3", "3", "WARNING", "WARNING and above.",
        "severity(30)", "log", "Log", palette="log: WARNING and above",
    ),
    Deed(
        "severity.error", "4", "4", "ERROR", "ERROR and above.",
        "severity(40)", "log", "Log", palette="log: ERROR and above",
    ),
    Deed(
        "severity.critical", "5", "5", "CRITICAL", "CRITICAL only.",
        "severity(50)", "log", "Log", palette="log: CRITICAL only",
    ),
    Deed(
        "log.older", "pageup", "pgup", "older", "Back through the log; older lines"
        " are loaded as you get there.",
        "log_page(-1)", "log", "Log",
    ),
    Deed(
        "log.newer", "pagedown", "pgdn", "newer", "Forward through the log.",
        "log_page(1)", "log", "Log",
    ),
    Deed(
        "log.first", "home", "home", "oldest", "To the oldest line that is loaded.",
        "log_home", "log", "Log",
    ),
    Deed(
        "log.tail", "end", "end", "newest", "To the newest line, and follow.",
        "log_tail", "log", "Log", palette="log: follow the newest line",
    ),
    Deed(
        "log.up", "up,k", "up", "up", "A line back.",
        "scroll_lines(-1)", "lines", "Log",
    ),
    Deed(
        "log.down", "down,j", "down", "down", "A line forward.",
        "scroll_lines(1)", "lines", "Log",
    ),
    Deed(
        "clear", "escape", "esc", "clear filters", "Clear text and deployment filter.",
        "clear_filters", "log", "Log", palette="log: clear filters",
    ),
)  # fmt: skip
