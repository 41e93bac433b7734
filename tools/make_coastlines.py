"""Make ``yolotop/tui/world.txt``: the coastlines behind the map, small enough to ship.

    python tools/make_coastlines.py land-50m.json

The argument is Natural Earth's 1:50m land as TopoJSON, as the ``world-atlas`` package
has it (Natural Earth is in the public domain). Coordinates become tenths of a degree:
at 600 dots around the world, the widest map there is, a dot is six of them. Rings that
the map never shows (Antarctica, specks) are left out; the cut at the antimeridian is
not a coast and goes too.

The format, read by ``yolotop/tui/coastlines.py``: lines that begin with ``#`` are
remarks; every other line is one stretch of coast, ``x y steps``: where it begins, in
tenths of a degree east and north, then two characters a step, how far east and how far
north, as ``chr(79 + n)`` (``!`` to ``}``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from math import ceil, hypot
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent.parent / "yolotop" / "tui" / "world.txt"
HEADER = """\
# Coastlines of the world, simplified from Natural Earth 1:50m land (public domain).
# Made by tools/make_coastlines.py, which tells the format.
"""
TENTHS = 10
NORTH, SOUTH = 84.0, -57.0
"""Beyond these nothing is drawn."""
TOLERANCE = 0.16
"""Degrees a coast may move: a quarter of a dot on the widest map."""
SPECK = 0.45
"""Islands less wide and high than this, in degrees, are left out."""
ZERO, REACH = 79, 46
"""``chr(ZERO + n)`` is a step of ``n``; a longer way is walked in several steps."""

Point = tuple[float, float]


def arcs_of(topology: dict[str, Any]) -> list[list[Point]]:
    """All arcs in degrees."""
    (scale_x, scale_y) = topology["transform"]["scale"]
    (shift_x, shift_y) = topology["transform"]["translate"]
    out = []
    for arc in topology["arcs"]:
        xs = accumulate(point[0] for point in arc)
        ys = accumulate(point[1] for point in arc)
        out.append(
            [
                (x * scale_x + shift_x, y * scale_y + shift_y)
                for x, y in zip(xs, ys, strict=True)
            ]
        )
    return out


def rings_of(topology: dict[str, Any]) -> Iterator[list[Point]]:
    """Every ring of the land; a negative number is an arc walked backwards."""
    arcs = arcs_of(topology)
    for geometry in topology["objects"]["land"]["geometries"]:
        shapes = geometry["arcs"]
        for polygon in [shapes] if geometry["type"] == "Polygon" else shapes:
            for ring in polygon:
                points: list[Point] = []
                for index in ring:
                    part = arcs[index] if index >= 0 else arcs[~index][::-1]
                    points += part[1:] if points else part
                yield points


def simplified(points: Sequence[Point], tolerance: float) -> list[Point]:
    """Douglas and Peucker: no point that is left out lies further away than this."""
    keep = {0, len(points) - 1}
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        length = hypot(x1 - x0, y1 - y0)
        worst, at = 0.0, 0
        for index in range(first + 1, last):
            x, y = points[index]
            away = (
                abs((x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)) / length
                if length
                else hypot(x - x0, y - y0)
            )
            if away > worst:
                worst, at = away, index
        if worst > tolerance:
            keep.add(at)
            spans += ((first, at), (at, last))
    return [points[index] for index in sorted(keep)]


def stretches(ring: Sequence[Point]) -> Iterator[list[Point]]:
    """A ring without what nothing shows: the cut at 180°, the far south and north."""
    part: list[Point] = []
    for here, there in pairwise(ring):
        # Along the cut, or straight across the whole world from one side of it.
        cut = min(abs(here[0]), abs(there[0])) > 179.9
        cut = cut or abs(here[0] - there[0]) > 180
        if cut or max(here[1], there[1]) < SOUTH or min(here[1], there[1]) > NORTH:
            if len(part) > 1:
                yield part
            part = []
            continue
        part = [*(part or [here]), there]
    if len(part) > 1:
        yield part


def is_speck(ring: Sequence[Point]) -> bool:
    """Too small to be worth a dot."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    return max(xs) - min(xs) < SPECK and max(ys) - min(ys) < SPECK


def written(points: Sequence[Point]) -> str:
    """One stretch as a line of the file."""
    spots = [(round(x * TENTHS), round(y * TENTHS)) for x, y in points]
    steps = (
        chr(ZERO + east) + chr(ZERO + north)
        for here, there in pairwise(spots)
        for east, north in walked(here, there)
    )
    return f"{spots[0][0]} {spots[0][1]} {''.join(steps)}\n"


def walked(here: tuple[int, int], there: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The way from here to there in steps that one character can say."""
    (x0, y0), (x1, y1) = here, there
    parts = ceil(max(abs(x1 - x0), abs(y1 - y0)) / REACH)
    for part in range(1, parts + 1):
        x = here[0] + round((there[0] - here[0]) * part / parts)
        y = here[1] + round((there[1] - here[1]) * part / parts)
        yield x - x0, y - y0
        x0, y0 = x, y


def main() -> None:
    """Read the atlas, write the coasts, say how much that is."""
    topology = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    coasts = [
        simplified(part, TOLERANCE)
        for ring in rings_of(topology)
        if not is_speck(ring)
        for part in stretches(ring)
    ]
    coasts.sort(key=len, reverse=True)
    text = HEADER + "".join(written(coast) for coast in coasts)
    OUT.write_text(text, "ascii")
    points = sum(len(coast) for coast in coasts)
    print(f"{OUT.name}: {len(coasts)} coasts, {points} points, {len(text)} bytes")


if __name__ == "__main__":
    main()
