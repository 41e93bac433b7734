"""From degrees to cells: the whole inhabited world on a pane of any size.

Owns the projection and what of the earth it shows. Equirectangular: latitude and
longitude are read off straight, and a region is found where people expect it. It must
not know what is drawn. Cells are taken to be twice as high as wide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WEST: Final = -169.0
"""The cut runs through the Bering Strait, where it parts no land."""
_NORTH: Final = (66.0, 80.0)
_SOUTH: Final = (-47.0, -57.0)
"""The least and the most that is shown, in degrees."""
_STRETCH: Final = 1.4
"""How much higher than true to the equator the map may be. At 45° north, where most
regions are, 1.4 is true."""
_MARGIN: Final = 3.0
"""Degrees around a place outside of that."""


@dataclass(frozen=True, slots=True)
class Projection:
    """``left`` and ``top`` are where 169° west and ``north`` lie, in cells."""

    left: float
    top: float
    north: float
    columns_per_degree: float
    rows_per_degree: float

    def at(self, latitude: float, longitude: float) -> tuple[float, float]:
        """A place in cells from the top left corner."""
        east = (longitude - WEST) % 360
        return (
            self.left + east * self.columns_per_degree,
            self.top + (self.north - latitude) * self.rows_per_degree,
        )


def fitted(width: int, height: int, latitudes: Iterable[float] = ()) -> Projection:
    """The world on ``width`` × ``height`` cells, the given latitudes on it.

    The map is as wide as the pane. Where the pane is high, more of the Arctic is shown
    and the map is stretched a little; where it is low, the map is less wide.
    """
    marked = list(latitudes)
    north = max([_NORTH[0], *(each + _MARGIN for each in marked)])
    south = min([_SOUTH[0], *(each - _MARGIN for each in marked)])
    north_most, south_most = max(north, _NORTH[1]), min(south, _SOUTH[1])
    least, most = north - south, north_most - south_most
    columns = width / 360
    if height < columns / 2 * least:
        columns = 2 * height / least
    rows = columns / 2
    rows *= min(_STRETCH, max(1.0, height / (rows * most)))
    span = min(most, height / rows)
    more = (span - least) / (most - least) if most > least else 0.0
    return Projection(
        left=(width - 360 * columns) / 2,
        top=(height - span * rows) / 2,
        north=north + (north_most - north) * more,
        columns_per_degree=columns,
        rows_per_degree=rows,
    )
