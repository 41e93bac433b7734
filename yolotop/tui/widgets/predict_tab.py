"""The Predict tab: a picture, what the model sees in it, where the time went.

Owns how one asked picture is shared out over the tab. It must not ask: the page tells
it what came back.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from textual.timer import Timer

from yolotop.text import clean
from yolotop.tui import graphics
from yolotop.tui.ink import Look, Row, Span, fit, spread, width_of, wrapped
from yolotop.tui.marks import Mark
from yolotop.tui.picture import fitted, manner_of, picture_rows
from yolotop.tui.widgets.cards import FRAMES, PLAIN_FRAMES
from yolotop.tui.widgets.predict_rows import fact_rows, raw_rows, verdict_row
from yolotop.tui.widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from PIL import Image

DRAWN: Final = "synthetic"
GOLDEN: Final = "golden"
SPIN_S: Final = 0.25
"""Four frames a second, and only while something is being asked."""
_FACTS: Final = 34
"""Cells that the facts beside the picture want at least."""
_WIDEST_FACTS: Final = 64
_BESIDE: Final = 56
"""From this width on the facts stand beside the picture, else under it."""
_LEAST_ROWS: Final = 6
"""Rows that a picture above its facts gets at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One asked picture: what came back, or why nothing did (title, message, hint).

    ``image`` is what was sent, ``size`` its pixels as the model got them.
    """

    image: str
    result: Mapping[str, object] = field(default_factory=dict)
    picture: Image.Image | None = None
    marks: tuple[Mark, ...] = ()
    size: tuple[int, int] = (0, 0)
    error: tuple[str, str, str] | None = None


def called(image: str) -> str:
    """How people call a picture: ``drawn picture``, or a file's name."""
    known = {DRAWN: "drawn picture", GOLDEN: "golden picture"}
    return known.get(image) or clean(PurePath(image).name)


class PredictTab(Scrolled):
    """The tab."""

    def __init__(
        self, look: Look, *, name: str, deployment: str, writable: bool
    ) -> None:
        super().__init__(look, name=name)
        self.deployment = deployment
        self.writable = writable
        self.image = DRAWN
        self.choices: tuple[str, ...] = (DRAWN,)
        self.shot: Shot | None = None
        self.raw = False
        self.asking_s: float | None = None
        self._frame = 0
        self._spin: Timer | None = None
        self._number = 0
        self._drawn: tuple[tuple[object, ...], list[Row]] | None = None

    def on_mount(self) -> None:
        """Make the spinner's timer; it sleeps until something is asked."""
        self._spin = self.set_interval(SPIN_S, self._turn, pause=True)

    # -- what the page tells it ----------------------------------------------------

    def choose(self, image: str, choices: tuple[str, ...]) -> None:
        """This picture is sent next, out of these."""
        self.image, self.choices = image, choices
        self.repaint()

    def ask(self) -> None:
        """Something is being asked."""
        self.asking_s = 0.0
        if self._spin is not None:
            self._spin.resume()
        self.repaint()

    def settle(self, shot: Shot | None) -> None:
        """It came to an end; ``None``: it was given up."""
        self.asking_s = None
        if self._spin is not None:
            self._spin.pause()
        if shot is not None:
            self.shot, self.top = shot, 0
        self.repaint()

    def turn_raw(self) -> None:
        """The raw answer, and back."""
        self.raw = not self.raw
        self.top = 0
        self.repaint()

    def _turn(self) -> None:
        self._frame += 1
        if self.asking_s is not None:
            self.asking_s += SPIN_S
        self.repaint()

    # -- rows ----------------------------------------------------------------------

    def rows(self, width: int, height: int) -> Sequence[Row]:
        """A line that says where it stands, then picture and facts."""
        inner, room = width - 2, height - 2
        if inner <= 0 or room <= 0:
            return [self._status(width)][:height]
        shot = self.shot
        if shot is None or shot.error is not None:
            body = self.shown(self._invitation(inner), inner, room)
        elif self.raw:
            body = self.shown(raw_rows(shot.result), inner, room)
        elif inner >= _BESIDE:
            body = self._beside(shot, inner, room)
        else:
            body = self._under(shot, inner, room)
        return [self._status(width), (), *((Span(" "), *row) for row in body)]

    def _status(self, width: int) -> Row:
        look, shot = self.look, self.shot
        if self.asking_s is not None:
            frames = PLAIN_FRAMES if look.plain else FRAMES
            left: tuple[Span, ...] = (
                Span(f" {frames[self._frame % len(frames)]} ", "accent"),
                Span(f"asking with the {called(self.image)}", "bright"),
                Span(f"  {self.asking_s:.0f} s", "dim"),
            )
            return spread(left, (Span("esc gives up ", "faint"),), width, look)
        if shot is not None and shot.error is not None:
            sign = "x" if look.plain else "✖"
            left = (Span(f" {sign} {shot.error[0]}", "down+bold"),)
        elif shot is not None:
            left = (Span(" "), *verdict_row(shot.result, look))
        else:
            left = (Span(" nothing was sent yet", "dim"),)
        right = (Span(f"r sends the {called(self.image)} ", "dim"),)
        if width_of(left) + width_of(right) >= width:
            return fit(left, width, look)
        return spread(left, right, width, look)

    def _invitation(self, width: int) -> list[Row]:
        look, shot = self.look, self.shot
        rows: list[Row] = []
        if shot is not None and shot.error is not None:
            _, message, hint = shot.error
            rows += [(Span(part, "text"),) for part in wrapped(message, width, 4, look)]
            rows += [(Span(part, "dim"),) for part in wrapped(hint, width, 4, look)]
            rows.append(())
        else:
            line = f"Send {self.deployment} a picture, and see what it sees in it."
            rows += [(Span(part, "bright"),) for part in wrapped(line, width, 3, look)]
            line = "Nothing is sent until you ask."
            rows += [(Span(part, "dim"),) for part in wrapped(line, width, 3, look)]
            rows.append(())
        others = " or ".join(called(each) for each in self.choices)
        keys = [
            ("r", f"send the {called(self.image)} now"),
            ("i", f"choose: {others}" if len(self.choices) > 1 else ""),
            ("o", "send a picture from a file"),
        ]
        for key, does in keys:
            if does:
                rows.append((Span(f"  {key}  ", "accent"), Span(does, "text")))
        return rows

    def _beside(self, shot: Shot, width: int, height: int) -> list[Row]:
        across, down = fitted(shot.size, max(1, width - _FACTS - 2), height)
        if shot.picture is None:
            across = 0
        gap = 2 if across else 0
        side = min(_WIDEST_FACTS, width - across - gap)
        picture = self._drawing(shot, (across, down))
        facts = self.shown(
            fact_rows(shot.result, shot.marks, shot.size, side - 1, self.look),
            side,
            height,
        )
        blank: Row = (Span(" " * across),)
        lines = max(len(picture), len(facts))
        return [
            (
                *(picture[y] if y < len(picture) else blank),
                Span(" " * gap),
                *(facts[y] if y < len(facts) else ()),
            )
            for y in range(lines)
        ]

    def _under(self, shot: Shot, width: int, height: int) -> list[Row]:
        facts = fact_rows(shot.result, shot.marks, shot.size, width - 1, self.look)
        room = max(min(_LEAST_ROWS, height), height - len(facts) - 1)
        across, down = fitted(shot.size, width, room)
        picture = self._drawing(shot, (across, down)) if shot.picture else []
        left = height - len(picture) - 1
        if left < 1:
            return picture[:height]
        pad = Span(" " * ((width - across) // 2))
        return [
            *((pad, *row) for row in picture),
            (),
            *self.shown(facts, width, left),
        ]

    def _drawing(self, shot: Shot, size: tuple[int, int]) -> list[Row]:
        """The picture's rows; drawn anew only where something about them changed."""
        if shot.picture is None or not all(size):
            return []
        look, light = self.look, not self.app.current_theme.dark
        key = (id(shot), size, light)
        if self._drawn is None or self._drawn[0] != key:
            if look.pixels and graphics.fits(size):
                rows = self._placed(shot.picture, shot.marks, size)
            else:
                manner = manner_of(look)
                rows = picture_rows(
                    shot.picture, shot.marks, size, look, manner, light=light
                )
            self._drawn = (key, rows)
        return self._drawn[1]

    # -- real pixels -----------------------------------------------------------------

    def _placed(
        self, picture: Image.Image, marks: Sequence[Mark], size: tuple[int, int]
    ) -> list[Row]:
        self._forget()
        # A number of its own each time: cells that name an old picture stay empty.
        self._number = secrets.randbelow(0xFFFFFF) + 1
        drawn = graphics.annotated(picture, marks, size)
        self._transmit(graphics.sending(drawn, self._number, size))
        return graphics.placed(self._number, size)

    def _forget(self) -> None:
        if self._number:
            self._transmit(graphics.forgetting(self._number))
            self._number = 0

    def _transmit(self, sequence: str) -> None:
        # Through Textual's own writer: anything else could end up inside a sequence
        # that is being written.
        driver = self.app._driver  # noqa: SLF001 - there is no public way
        if driver is not None:
            driver.write(sequence)

    def on_unmount(self) -> None:
        """Free the picture in the terminal."""
        self._forget()
