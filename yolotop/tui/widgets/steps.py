"""Where an arrow key leads on the map: through one place, then to the nearest pin.

Owns the geometry of a step. Pure; it must not know what a pin looks like.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from yolotop.tui.widgets.world import Pin
from yolotop.view.snapshot import Card

_ASIDE: Final = 2
"""A cell aside counts as much as so many straight on."""
_CELL: Final = 2
"""A cell is so many times as high as wide."""


def step_from(
    name: str | None,
    across: int,
    down: int,
    pins: Sequence[Pin],
    nowhere: Sequence[Card],
) -> str | None:
    """The deployment that a step leads to; ``None`` for nowhere.

    Up and down walk through the deployments of one pin first. Those without a place
    (``nowhere``) lie below the southernmost pin.
    """
    homeless = [card.name for card in nowhere]
    if name in homeless:
        return _among(homeless, name, down) or (
            _lowest(pins) if down < 0 or across else None
        )
    pin = next((p for p in pins if name in _names(p)), None)
    if pin is None:
        return _names(pins[0])[0] if pins else next(iter(homeless), None)
    if down and (inside := _among(_names(pin), name, down)):
        return inside
    target = _nearest(pin, across, down, pins)
    if target is not None:
        # From below one comes to the last of them, and walks on upwards.
        return _names(target)[-1 if down < 0 else 0]
    return homeless[0] if down > 0 and homeless else None


def _names(pin: Pin) -> list[str]:
    return [card.name for card in pin.cards]


def _among(names: list[str], name: str | None, down: int) -> str | None:
    at = names.index(name or "") + down
    return names[at] if down and 0 <= at < len(names) else None


def _lowest(pins: Sequence[Pin]) -> str | None:
    if not pins:
        return None
    return _names(max(pins, key=lambda pin: (pin.y, -pin.x)))[-1]


def _nearest(pin: Pin, across: int, down: int, pins: Sequence[Pin]) -> Pin | None:
    def cost(other: Pin) -> tuple[int, int]:
        along = (other.x - pin.x) * across + (other.y - pin.y) * _CELL * down
        aside = abs((other.x - pin.x) if down else (other.y - pin.y) * _CELL)
        return along + _ASIDE * aside, aside

    ahead = [
        other
        for other in pins
        if (other.x - pin.x) * across + (other.y - pin.y) * down > 0
    ]
    return min(ahead, key=cost, default=None)
