"""Rows of inked text: what a painted widget draws, as plain data.

Owns spans, rows and how they are clipped, padded and joined by cell width. It must
not know Textual: what a card or a log line looks like can be asserted without a
screen. A *role* names what a span means (``down``, ``dim``, ``accent``); the style
sheet decides what that looks like. Roles are combined with ``+``.

Text in a span is shown as it is. Nothing here parses markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len, set_cell_size

from yolotop.model import Health, Severity
from yolotop.tui.palette import many_colours

ROLES: Final = (
    "text",
    "bright",
    "dim",
    "faint",
    "hairline",
    "accent",
    "trend",
    "up",
    "degraded",
    "down",
    "cold",
    "unknown",
    "paused",
    "maintenance",
    "debug",
    "info",
    "warning",
    "error",
    "critical",
    "bold",
    "reverse",
    "underline",
    "cursor",
    "band",
    "match",
    "phase-dns",
    "phase-connect",
    "phase-tls",
    "phase-send",
    "phase-wait",
    "phase-server",
    "phase-receive",
    *(f"class-{index}" for index in range(8)),
)
"""Every role there is; the style sheet has one rule for each."""


_IN_BETWEEN: Final = ("TMUX", "STY", "NO_COLOR", "TEXTUAL_DRIVER")
"""What stands between here and the pixels; the last is a browser's."""


class Span(NamedTuple):
    """Some text with one meaning; ``action`` is what a click on it does."""

    text: str
    role: str = "text"
    action: str = ""


Row = tuple[Span, ...]
"""One line of the screen, left to right."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the terminal can show.

    ``plain`` is ASCII only. ``braille`` says where dots of braille are used: ``None``
    where they serve (charts, the map), ``True`` in trends too, ``False`` nowhere.
    ``colours`` says that there are enough of them for a photograph, 256 at least, and
    ``pixels`` that pictures can be placed as text (see :mod:`yolotop.tui.graphics`).
    """

    plain: bool = False
    braille: bool | None = None
    colours: bool = True
    pixels: bool = False
    still: bool = False
    """Whether nothing turns: on a slow line every frame costs."""

    @property
    def dots(self) -> bool:
        """Whether charts and the map are drawn in braille."""
        return not self.plain and self.braille is not False

    @property
    def corners(self) -> tuple[str, str, str, str]:
        """Top left, top right, bottom left, bottom right."""
        return ("+", "+", "+", "+") if self.plain else ("╭", "╮", "╰", "╯")

    @property
    def across(self) -> str:
        """A horizontal hairline."""
        return "-" if self.plain else "─"

    @property
    def down(self) -> str:
        """A vertical hairline."""
        return "|" if self.plain else "│"

    @property
    def thumb(self) -> str:
        """Where one is in something longer than its pane."""
        return "#" if self.plain else "┃"

    @property
    def dot(self) -> str:
        """Between two facts."""
        return "-" if self.plain else "·"

    @property
    def ellipsis(self) -> str:
        """Where text was cut."""
        return "~" if self.plain else "…"

    @property
    def marker(self) -> str:
        """Before what is selected."""
        return ">" if self.plain else "▸"

    @property
    def bar(self) -> str:
        """The severity bar."""
        return "|" if self.plain else "▌"

    @property
    def live(self) -> str:
        """Before something that lives."""
        return "*" if self.plain else "●"


def literal(
    fore: tuple[int, int, int] | None, back: tuple[int, int, int] | None
) -> str:
    """A role that is two colours, for what no style sheet can know: a photograph."""
    front = "" if fore is None else "{:02x}{:02x}{:02x}".format(*fore)
    behind = "" if back is None else "{:02x}{:02x}{:02x}".format(*back)
    return f"#{front}/{behind}"


def look_of(symbols: str, env: Mapping[str, str], *, images: str = "auto") -> Look:
    """The look that ``[ui]`` asks for; ``auto`` looks at locale and TERM."""
    if symbols == "auto" and not _shows_unicode(env):
        symbols = "ascii"
    plain = symbols == "ascii"
    return Look(
        plain=plain,
        braille={"braille": True, "block": False}.get(symbols),
        colours=many_colours(env),
        pixels=not plain and places_pictures(images, env),
    )


def _shows_unicode(env: Mapping[str, str]) -> bool:
    if env.get("TERM") in ("linux", "dumb"):
        return False
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if value := env.get(name):
            return "utf" in value.lower()
    return True


def places_pictures(wish: str, env: Mapping[str, str]) -> bool:
    """Whether to send real pixels; ``wish`` is ``auto``, ``kitty`` or ``blocks``.

    ``auto`` does so where the environment names a terminal of which every version
    places pictures as text: Ghostty. Kitty does so from 0.28 on, but its environment
    does not tell the version, and an older one (Debian 12 has 0.26) would show the
    placeholders: there it takes a wish. Inside tmux and screen ``auto`` never does:
    they pass nothing on unless told to.
    """
    if wish != "auto":
        return wish == "kitty"
    if any(name in env for name in _IN_BETWEEN):
        return False
    return env.get("TERM") == "xterm-ghostty" or env.get("TERM_PROGRAM") == "ghostty"


def health_role(health: Health) -> str:
    """The role of a state."""
    return health.value


def severity_role(severity: Severity) -> str:
    """The role of a severity."""
    return severity.name.lower()


def width_of(row: Iterable[Span]) -> int:
    """Cells that a row takes."""
    # Most spans are ASCII without control characters (text.clean sees to that), and a
    # full screen asks this twenty thousand times.
    return sum([len(text) if text.isascii() else cell_len(text) for text, _, _ in row])


def cut(text: str, width: int, look: Look) -> str:
    """``text`` in at most ``width`` cells, an ellipsis where something went.

    Blanks at its end are nothing: they go without one.
    """
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    if cell_len(text.rstrip()) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1).rstrip() + look.ellipsis


def wrapped(text: str, width: int, lines: int, look: Look) -> list[str]:
    """``text`` on at most ``lines`` lines, broken at blanks; the last one is cut."""
    out: list[str] = []
    left = text
    while left and len(out) < lines - 1 and cell_len(left) > width > 0:
        room = set_cell_size(left, width + 1)
        at = room.rfind(" ")
        if at <= 0:
            break
        out.append(left[:at].rstrip())
        left = left[at + 1 :].lstrip()
    return [*out, cut(left, width, look)]


def clip(row: Sequence[Span], width: int, look: Look) -> Row:
    """The part of a row that fits ``width`` cells."""
    return tuple(_clipped(row, width, look)[0])


def _clipped(row: Sequence[Span], width: int, look: Look) -> tuple[list[Span], int]:
    """The part of a row that fits, and the cells that are left."""
    out: list[Span] = []
    left = width
    for span in row:
        text = span.text
        size = len(text) if text.isascii() else cell_len(text)
        if size <= left:
            out.append(span)
            left -= size
            continue
        if left > 0:
            out.append(span._replace(text=cut(text, left, look)))
        elif out and text.strip():
            # Cut between two spans: the one before must tell of it.
            last = out[-1].text
            text = cut(last + text, cell_len(last), look)
            out[-1] = out[-1]._replace(text=text)
        return out, width - width_of(out)
    return out, left


def fit(row: Sequence[Span], width: int, look: Look, role: str = "text") -> Row:
    """A row of exactly ``width`` cells: clipped, or filled with blanks on the right."""
    clipped, missing = _clipped(row, width, look)
    if missing > 0:
        clipped.append(Span(" " * missing, role))
    return tuple(clipped)


def spread(
    left: Sequence[Span],
    right: Sequence[Span],
    width: int,
    look: Look,
    *,
    filler: Span = Span(" "),  # noqa: B008 - a frozen value
) -> Row:
    """``left`` at the left edge, ``right`` at the right one, ``filler`` between.

    The right side wins when both do not fit; it goes when it would not fit alone.
    """
    taken = width_of(right)
    if taken >= width:
        return fit(left, width, look)
    room = width - taken
    kept = clip(left, room - 1, look)
    gap = room - width_of(kept)
    return (*kept, filler._replace(text=filler.text * gap), *right)


def on(row: Iterable[Span], role: str) -> Row:
    """A row with one more role on every span (a cursor's background, say)."""
    return tuple(span._replace(role=f"{span.role}+{role}") for span in row)


def centred(row: Sequence[Span], width: int, look: Look) -> Row:
    """A row in the middle of ``width`` cells."""
    pad = max(0, (width - width_of(row)) // 2)
    return fit((Span(" " * pad), *row), width, look)
