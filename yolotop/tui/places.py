"""A region's name in few cells.

Owns how it is shortened: another name for the same place, whole words, and only then a
cut. Pure; it must not know where on the screen the name goes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

from yolotop.tui.ink import Look, cut
from yolotop.view.regions import locate

REGION_CELLS: Final = 12
"""The most that a region is given on a line."""
_WORD: Final = re.compile(r"[^\W_]+")


@lru_cache(maxsize=1024)
def region_text(region: str, width: int, look: Look) -> str:
    """``region`` in at most ``width`` cells; its city where only that fits."""
    if cell_len(region) <= width:
        return region
    place = locate(region)
    names = (place.label, place.city) if place is not None else ()
    for name in names:
        if name and cell_len(name) <= width:
            return name
    kept = ""
    for word in _WORD.finditer(region):
        more = region[: word.end()]
        if cell_len(more) + cell_len(look.ellipsis) > width:
            break
        kept = more
    return f"{kept}{look.ellipsis}" if kept else cut(region, width, look)
