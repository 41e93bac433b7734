"""What is done on the dashboard, to its list and to the deployments on it."""

from __future__ import annotations

from typing import Final

from yolotop.tui.deeds.deed import Deed

DEEDS: Final = (
    Deed(
        "open", "enter", "enter", "open", "Everything about the selected deployment.",
        "open", "list", "Deployments", hint=4, palette="open",
    ),
    Deed(
        "add", "a", "a", "add", "Register an endpoint; it is tested first.",
        "add", "dashboard", "Deployments", hint=12, palette="add deployment…",
        writes=True,
    ),
    Deed(
        "only", "o", "o", "its log", "Log of the selected deployment only;"
        " again for all.",
        "only", "dashboard", "Deployments", hint=11,
        palette="log: only the selected deployment",
    ),
    Deed(
        "probe", "p", "p", "probe now", "Ask the selected deployment now.",
        "probe", "deployment", "Deployments", hint=8, palette="probe now",
    ),
    Deed(
        "pause", "x", "x", "pause", "Stop or resume asking the selected"
        " deployment.",
        "pause", "deployment", "Deployments", hint=10, palette="pause or resume",
        writes=True,
    ),
    Deed(
        "maintain", "m", "m", "maintenance", "Leave the selected deployment alone for a"
        " while, or end that.",
        "maintain", "deployment", "Deployments", hint=13, palette="maintenance…",
        writes=True,
    ),
    Deed(
        "remove", "d,delete", "d", "remove", "Take the selected deployment out of the"
        " config file (asks first); its history stays.",
        "remove", "dashboard", "Deployments", palette="remove deployment…",
        writes=True,
    ),
    Deed(
        "view", "v", "v", "view", "The next view: cards, compact, table, map.",
        "view", "dashboard", "Deployments", hint=5, palette="view: next",
    ),
    Deed(
        "find", "f", "f", "find", "Show only the deployments that pass a filter.",
        "find", "dashboard", "Deployments", hint=9, palette="find deployments…",
    ),
    Deed(
        "sort", "s", "s", "sort", "Sort the table by its next column; after the last"
        " one as in the config file.",
        "sort", "dashboard", "Deployments", hint=6, palette="sort: by the next column",
    ),
    Deed(
        "reverse", "S", "S", "reverse", "Sort the table the other way round.",
        "reverse", "dashboard", "Deployments", hint=7,
        palette="sort: the other way round",
    ),
    Deed(
        "switch", "tab,shift+tab", "tab", "list or log", "Between the list and the"
        " log.",
        "switch_pane", "dashboard", "Deployments",
    ),
    Deed(
        "demo", "d", "d", "demo", "Ten endpoints on this machine, with"
        " faults, and this screen watching them.",
        "see_demo", "empty", "To begin", hint=14, palette="see the demo",
    ),
    Deed(
        "begin", "w", "w", "config", "A commented config file to start from.",
        "begin", "empty", "To begin", hint=13,
        palette="write a config file to start from", writes=True,
    ),
    Deed(
        "list.up", "up,k", "up", "up", "The deployment above.",
        "move(0, -1)", "list", "Deployments",
    ),
    Deed(
        "list.down", "down,j", "down", "down", "The deployment below.",
        "move(0, 1)", "list", "Deployments",
    ),
    Deed(
        "list.left", "left,h", "left", "left", "The deployment to the left.",
        "move(-1, 0)", "list", "Deployments",
    ),
    Deed(
        "list.right", "right,l", "right", "right", "The deployment to the right.",
        "move(1, 0)", "list", "Deployments",
    ),
)  # fmt: skip
