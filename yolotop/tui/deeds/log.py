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
        "troubles", "E", "E", "warnings, errors", "Warnings and errors only, and back.",
        "troubles", "log", "Log", palette="log: warnings and errors only",
    ),
    Deed(
        "match.next", "n", "n", "next match", "To the next line that matches.",
        "match(1)", "log", "Log",
    ),
    Deed(
        "match.previous", "N", "N", "match before", "To the line before that matches.",
        "match(-1)", "log", "Log",
    ),
    Deed(
        "mark", "u", "u", "mark only", "Show all lines and only mark those that match.",
        "mark_only", "log", "Log", palette="log: only mark matches",
    ),
    Deed(
        "line", "enter", "enter", "details", "Everything about the line under the"
        " cursor.",
        "open_line", "lines", "Log", hint=2,
    ),
    Deed(
        "copy.line", "y", "y", "copy", "Copy the line under the cursor.",
        "copy_line", "log", "Log", palette="log: copy the line",
    ),
    Deed(
        "write", "w", "w", "write", "Write the lines that pass the filters to a file.",
        "write_log", "log", "Log", palette="log: write to a file",
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
        "log.first", "home", "home", "oldest", "To the oldest line of all.",
        "log_home", "log", "Log",
    ),
    Deed(
        "log.tail", "end", "end", "newest", "To the newest line, and follow.",
        "log_tail", "log", "Log", palette="log: follow the newest line",
    ),
    Deed(
        "log.up", "up,k", "up", "up", "A line back.",
        "cursor(-1)", "lines", "Log",
    ),
    Deed(
        "log.down", "down,j", "down", "down", "A line forward.",
        "cursor(1)", "lines", "Log",
    ),
    Deed(
        "clear", "escape", "esc", "clear filters", "Clear text and deployment filter.",
        "clear_filters", "dashboard", "Log", palette="log: clear filters",
    ),
)  # fmt: skip
