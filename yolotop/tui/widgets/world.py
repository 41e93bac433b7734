"""The world as rows: coastlines, a pin for each place, names where there is room.

Owns where pins go and what they look like. Pure: from sites to rows. Nothing moves but
the pins that are being checked: a pin's place depends on the places alone, never on
states. Pins that would overlap are nudged by a cell or two, else they become one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import floor, hypot, log1p
from typing import Final

from rich.cells import cell_len

from yolotop.model import Health
from yolotop.tui.canvas import DotCanvas
from yolotop.tui.coastlines import PER_DEGREE, coastlines
from yolotop.tui.ink import Look, Row, health_role
from yolotop.tui.projection import Projection, fitted
from yolotop.tui.widgets.cards import FRAMES, PLAIN_FRAMES
from yolotop.tui.widgets.sites import TROUBLED, Site, worst_of
from yolotop.view import format as fmt
from yolotop.view.snapshot import Card

_NUDGES: Final = sorted(
    ((dx, dy) for dx in range(-3, 4) for dy in range(-1, 2)),
    key=lambda step: (hypot(step[0], 2 * step[1]), step),
)
"""How far a pin may be from where it belongs, the nearest first."""
_RING: Final = 3
"""Sizes of the ring around a pin, in braille; none around one with hardly traffic."""
_LEAST: Final = 3
"""Dots that an island has across or down at least, to be drawn."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One sign on the map, at a cell, for a site or for several that are too close."""

    x: int
    y: int
    sites: tuple[Site, ...]

    @property
    def cards(self) -> tuple[Card, ...]:
        """Every deployment that stands behind it."""
        return tuple(card for site in self.sites for card in site.cards)

    @property
    def health(self) -> Health:
        """The worst of its states."""
        return worst_of(self.cards)

    @property
    def count(self) -> str:
        """How many deployments, where it is more than one."""
        number = sum(len(site.cards) for site in self.sites)
        return str(number) if number > 1 else ""

    @property
    def label(self) -> str:
        """The name of its place; of the first and how many more."""
        name = self.sites[0].label
        more = len(self.sites) - 1
        return f"{name} +{more}" if more else name

    @property
    def width(self) -> int:
        """Cells it takes."""
        return 1 + len(self.count)


@dataclass(frozen=True, slots=True)
class Lighting:
    """What pins need to know of their surroundings."""

    look: Look
    selected: str | None = None
    focused: bool = True
    frame: int = 0


def pins_of(sites: Sequence[Site], width: int, height: int) -> tuple[Pin, ...]:
    """A pin for each site with a place, none over another, none outside."""
    placed = [site for site in sites if site.place is not None]
    projection = _projection(placed, width, height)
    taken: set[tuple[int, int]] = set()
    pins: list[Pin] = []
    for site in sorted(placed, key=lambda each: (each.spot, each.label)):
        x, y = projection.at(*site.spot)
        column = min(max(0, floor(x)), width - 1)
        row = min(max(0, floor(y)), height - 1)
        pin = _nudged(Pin(column, row, (site,)), taken, width, height)
        if pin is None:
            _join(pins, site, column, row)
            continue
        pins.append(pin)
        taken |= {(pin.x + step, pin.y) for step in range(-1, pin.width + 1)}
    return tuple(pins)


def _projection(placed: Sequence[Site], width: int, height: int) -> Projection:
    return fitted(width, height, (site.spot[0] for site in placed))


def _nudged(
    pin: Pin, taken: set[tuple[int, int]], width: int, height: int
) -> Pin | None:
    for dx, dy in _NUDGES:
        x, y = pin.x + dx, pin.y + dy
        if not (0 <= x <= max(0, width - pin.width) and 0 <= y < height):
            continue
        if not any((x + step, y) in taken for step in range(pin.width)):
            return Pin(x, y, pin.sites)
    return None


def _join(pins: list[Pin], site: Site, x: int, y: int) -> None:
    nearest = min(
        range(len(pins)), key=lambda n: hypot(pins[n].x - x, 2 * (pins[n].y - y))
    )
    pin = pins[nearest]
    pins[nearest] = Pin(pin.x, pin.y, (*pin.sites, site))


@lru_cache(maxsize=4)
def coast_layer(
    width: int, height: int, look: Look, projection: Projection
) -> DotCanvas:
    """The coastlines for one size; they are kept (a cold one takes 10 ms at 200x50).

    To be drawn over in a copy. What would be less than three dots is left out: on a
    small map islands are only noise.
    """
    canvas = DotCanvas(width, height, look)
    across, down = canvas.dots_x, canvas.dots_y
    dots_per_degree = projection.columns_per_degree * across
    for coast in coastlines():
        if coast.extent * dots_per_degree < _LEAST * PER_DEGREE:
            continue
        before: tuple[int, int] | None = None
        for north, east in zip(coast.norths, coast.easts, strict=True):
            x, y = projection.at(north / PER_DEGREE, east / PER_DEGREE)
            here = floor(x * across), floor(y * down)
            if before == here:
                continue
            # The way around the back of the world is not a coast.
            if before and abs(before[0] - here[0]) < 180 * dots_per_degree:
                canvas.line(*before, *here, "hairline")
            before = here
    return canvas


def world_rows(
    sites: Sequence[Site],
    pins: Sequence[Pin],
    width: int,
    height: int,
    lighting: Lighting,
) -> list[Row]:
    """The map, ``width`` × ``height`` cells."""
    projection = _projection([s for s in sites if s.place], width, height)
    canvas = coast_layer(width, height, lighting.look, projection).copy()
    busiest = max((_requests(pin) for pin in pins), default=0)
    for pin in sorted(pins, key=lambda each: each.health in TROUBLED):
        if lighting.look.dots:
            _ring(canvas, pin, busiest)
        else:
            # Blocks are heavier than any sign: a pin needs air, and no ring of them.
            canvas.text(pin.x - 1, pin.y, " " * (pin.width + 2), "text")
    for x, y, text, role in _labels(pins, width, height, lighting):
        canvas.text(x, y, text, role)
    for pin in pins:
        sign, role = _sign(pin, lighting)
        chosen = any(card.name == lighting.selected for card in pin.cards)
        canvas.text(pin.x, pin.y, sign, f"{role}+bold+reverse" if chosen else role)
        canvas.text(pin.x + 1, pin.y, pin.count, "dim")
    return canvas.rows()


def _requests(pin: Pin) -> int:
    return sum(card.figures.requests for card in pin.cards)


def _ring(canvas: DotCanvas, pin: Pin, busiest: int) -> None:
    requests = _requests(pin)
    size = round(_RING * log1p(requests) / log1p(busiest)) if busiest else 0
    if not size:
        return
    role = health_role(pin.health) if pin.health in TROUBLED else "faint"
    across, down = canvas.dots_x, canvas.dots_y
    canvas.circle(
        pin.x * across + across // 2, pin.y * down + down // 2, size + across / 2, role
    )


def _sign(pin: Pin, lighting: Lighting) -> tuple[str, str]:
    plain = lighting.look.plain
    role = health_role(pin.health)
    if any(card.checking for card in pin.cards):
        frames = PLAIN_FRAMES if plain else FRAMES
        turning = role if pin.health in TROUBLED else "accent"
        return frames[lighting.frame % len(frames)], turning
    return fmt.symbol(pin.health, plain=plain), role


def _labels(
    pins: Sequence[Pin], width: int, height: int, lighting: Lighting
) -> Iterator[tuple[int, int, str, str]]:
    """Names beside pins, the selected one's first, then the troubled ones'."""
    taken = {(pin.x + step, pin.y) for pin in pins for step in range(pin.width)}

    def rank(pin: Pin) -> tuple[bool, bool]:
        chosen = any(card.name == lighting.selected for card in pin.cards)
        return not chosen, pin.health not in TROUBLED

    for pin in sorted(pins, key=rank):
        other, calm = rank(pin)
        size = cell_len(pin.label)
        own = {(pin.x + step, pin.y) for step in range(pin.width)}
        for x, y in _beside(pin, size, width, height, chosen=not other):
            cells = {(x + step, y) for step in range(-1, size + 1)}
            if (cells - own) & taken:
                continue
            taken |= cells
            role = "faint" if calm else health_role(pin.health)
            if not other:
                role = "accent+bold" if lighting.focused else "bright+bold"
            yield x, y, pin.label, role
            break


def _beside(
    pin: Pin, size: int, width: int, height: int, *, chosen: bool
) -> Iterator[tuple[int, int]]:
    """Where its name could begin: outside its ring, close to it, above or below.

    The last two are for the selected one, which shall always have its name; another
    one's would be taken for a neighbour's.
    """
    right, left = pin.x + pin.width, pin.x - size
    for x in (right + 2, left - 2, right + 1, left - 1):
        if 0 <= x <= width - size:
            yield x, pin.y
    middle = max(0, min(width - size, pin.x - size // 2))
    for away in (1, 2, 3, 4) if chosen and size <= width else ():
        for y in (pin.y - away, pin.y + away):
            if 0 <= y < height:
                yield from ((x, y) for x in _around(middle, size, width))


def _around(middle: int, size: int, width: int) -> Iterator[int]:
    for aside in range(size // 2 + 1):
        for x in (middle + aside, middle - aside):
            if 0 <= x <= width - size:
                yield x
