"""The map: where places are, that no pin is lost, and where a step leads."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_fleet import fleet_cards

from yolotop.model import Health
from yolotop.tui.canvas import DotCanvas
from yolotop.tui.coastlines import PER_DEGREE, coastlines
from yolotop.tui.ink import Look, width_of
from yolotop.tui.projection import fitted
from yolotop.tui.widgets.cards import Setting
from yolotop.tui.widgets.region_table import table_lines
from yolotop.tui.widgets.sites import NOWHERE, sites_of, worst_of
from yolotop.tui.widgets.steps import step_from
from yolotop.tui.widgets.world import Lighting, coast_layer, pins_of, world_rows
from yolotop.view.regions import REGIONS
from yolotop.view.snapshot import Card

BASE = replace(fleet_cards()[0], health=Health.UP, checking=False)
EVERYWHERE = tuple(replace(BASE, name=code, region=code) for code in REGIONS)
LOOKS = (Look(), Look(braille=False), Look(plain=True))
SIZES = [(20, 6), (52, 12), (76, 22), (143, 33), (300, 80)]


def at(name: str, latitude: float, longitude: float, **more: object) -> Card:
    """A deployment at a spot."""
    card = replace(BASE, name=name, region=name, location=(latitude, longitude))
    return replace(card, **more)  # type: ignore[arg-type]


def picture(
    cards: tuple[Card, ...], width: int, height: int, **more: object
) -> list[str]:
    """The map as text."""
    sites = sites_of(cards)
    pins = pins_of(sites, width, height)
    lighting = Lighting(**{"look": Look(plain=True), **more})  # type: ignore[arg-type]
    rows = world_rows(sites, pins, width, height, lighting)
    return ["".join(span.text for span in row) for row in rows]


def test_the_coast_file_is_small_and_says_whose_it_is() -> None:
    coasts = coastlines()
    assert 300 < len(coasts) < 800
    for coast in coasts:
        assert len(coast.easts) == len(coast.norths) >= 2
        assert all(abs(east) <= 180 * PER_DEGREE for east in coast.easts)
        assert all(-62 <= north / PER_DEGREE <= 84 for north in coast.norths)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_east_is_right_north_is_up_and_all_of_it_is_inside(
    width: int, height: int
) -> None:
    projection = fitted(width, height)
    for place in REGIONS.values():
        x, y = projection.at(place.latitude, place.longitude)
        assert 0 <= x < width
        assert 0 <= y < height
    tokyo, lisbon = projection.at(35.7, 139.7), projection.at(38.7, -9.1)
    assert tokyo[0] > lisbon[0]
    assert projection.at(60, 0)[1] < projection.at(-30, 0)[1]
    # The far east of Russia lies right of Japan, not left of Alaska.
    assert projection.at(66, -172)[0] > tokyo[0]


@given(st.integers(20, 300), st.integers(6, 80), st.floats(-85, 85))
def test_the_shape_of_the_world_is_kept(
    width: int, height: int, latitude: float
) -> None:
    projection = fitted(width, height, [latitude])
    stretch = 2 * projection.rows_per_degree / projection.columns_per_degree
    assert 0.99 <= stretch <= 1.41
    assert 0 <= projection.at(latitude, 0)[1] <= height


def test_every_region_is_on_land_or_one_cell_off_the_coast() -> None:
    projection = fitted(200, 50)
    layer = coast_layer(200, 50, Look(), projection)
    lines = ["".join(span.text for span in row) for row in layer.rows()]
    for place in REGIONS.values():
        x, y = (int(each) for each in projection.at(place.latitude, place.longitude))
        # From open sea no coast is near in most directions; on land one is around.
        around = [
            any(
                0 <= y + n * dy < 50 and lines[y + n * dy][(x + n * dx) % 200] != " "
                for n in range(45)
            )
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        close = any(
            lines[min(49, y + dy)][(x + dx) % 200] != " "
            for dx in (-1, 0, 1)
            for dy in (-1, 0, 1)
        )
        assert close or all(around), place


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), *SIZES])
def test_the_map_has_exactly_its_size(look: Look, width: int, height: int) -> None:
    sites = sites_of(EVERYWHERE)
    pins = pins_of(sites, width, height)
    rows = world_rows(sites, pins, width, height, Lighting(look, "us-east1"))
    assert [width_of(row) for row in rows] == [width] * height


@pytest.mark.parametrize(("width", "height"), [(3, 2), *SIZES])
def test_no_deployment_is_hidden_and_no_pin_over_another(
    width: int, height: int
) -> None:
    pins = pins_of(sites_of(EVERYWHERE), width, height)
    names = [card.name for pin in pins for card in pin.cards]
    assert sorted(names) == sorted(REGIONS)
    for one, other in combinations(pins, 2):
        if one.y == other.y:
            left, right = sorted((one, other), key=lambda pin: pin.x)
            assert left.x + 1 < right.x
    if width >= 143:
        assert len(pins) == 42


def test_a_pin_is_nudged_a_little_and_never_by_a_state() -> None:
    width, height = 143, 33
    calm = pins_of(sites_of(EVERYWHERE), width, height)
    projection = fitted(width, height)
    for pin in calm:
        x, y = projection.at(*pin.sites[0].spot)
        assert abs(pin.x - x) <= 4
        assert abs(pin.y - y) <= 2
    sick = tuple(
        replace(card, health=Health.DOWN) if n % 3 else card
        for n, card in enumerate(EVERYWHERE)
    )
    spots = {(pin.x, pin.y) for pin in pins_of(sites_of(sick), width, height)}
    assert spots == {(pin.x, pin.y) for pin in calm}


def test_one_place_is_one_pin_with_the_worst_state_and_a_count() -> None:
    some = (
        at("a", 10, 10, health=Health.PAUSED),
        at("b", 10.02, 10, health=Health.DOWN),
        at("c", 10, 10.01, health=Health.UP),
    )
    (pin,) = pins_of(sites_of(some), 80, 20)
    assert (pin.health, pin.count) == (Health.DOWN, "3")
    assert any("x3" in line for line in picture(some, 80, 20))
    assert worst_of(some[::2]) is Health.UP


def test_what_is_in_trouble_comes_first_and_nowhere_last() -> None:
    lost = replace(BASE, name="lost", region="rack 4", location=None)
    some = (at("b", 1, 1), at("a", 9, 9), lost, at("z", 5, 5, health=Health.DOWN))
    assert [site.label for site in sites_of(some)] == ["z", "a", "b", NOWHERE]


def test_a_place_adds_up_what_can_be_added_up() -> None:
    figures = BASE.figures
    some = (
        at("a", 1, 1, figures=replace(figures, requests=100, failed=10, p95_ms=20.0)),
        at("b", 1, 1, figures=replace(figures, requests=300, failed=0, p95_ms=90.0)),
        at("c", 1, 1, figures=replace(figures, requests=0, failed=0, p95_ms=None)),
    )
    (site,) = sites_of(some)
    assert (site.requests, site.error_rate, site.p95_ms) == (400, 0.025, 90.0)
    assert sites_of(some[2:])[0].error_rate is None


def test_only_the_pin_being_checked_moves() -> None:
    cards = tuple(
        replace(card, checking=card.name == "asia-south1") for card in EVERYWHERE
    )
    first = picture(cards, 143, 33, frame=0)
    second = picture(cards, 143, 33, frame=1)
    changed = [
        (x, y)
        for y, (one, other) in enumerate(zip(first, second, strict=True))
        for x, (was, now) in enumerate(zip(one, other, strict=True))
        if was != now
    ]
    pin = next(
        pin
        for pin in pins_of(sites_of(cards), 143, 33)
        if pin.cards[0].name == "asia-south1"
    )
    assert changed == [(pin.x, pin.y)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_selected_one_can_be_told_apart(width: int, height: int) -> None:
    sites = sites_of(EVERYWHERE)
    pins = pins_of(sites, width, height)
    for name in ("europe-west3", "asia-east2"):
        rows = world_rows(sites, pins, width, height, Lighting(Look(), name))
        marked = [span for row in rows for span in row if "reverse" in span.role]
        assert [span.text for span in marked] == ["♥"]


@pytest.mark.parametrize("name", REGIONS)
def test_the_selected_one_has_its_name_in_any_crowd(name: str) -> None:
    pins = pins_of(sites_of(EVERYWHERE), 143, 33)
    pin = next(each for each in pins if each.cards[0].name == name)
    shown = "\n".join(picture(EVERYWHERE, 143, 33, selected=name))
    assert pin.label in shown


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_deployment_can_be_reached_by_arrow_keys(width: int, height: int) -> None:
    lost = tuple(replace(BASE, name=f"lost-{n}", region=None) for n in range(2))
    twins = (replace(BASE, name="twin", region="berlin"),)
    cards = (*EVERYWHERE, *twins, *lost)
    pins = pins_of(sites_of(cards), width, height)
    for start in ("us-west1", "lost-1"):
        seen, edge = {start}, [start]
        while edge:
            name = edge.pop()
            for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                there = step_from(name, *step, pins, lost)
                if there is not None and there not in seen:
                    seen.add(there)
                    edge.append(there)
        assert seen == {card.name for card in cards}, start


def test_a_step_goes_the_way_the_arrow_points() -> None:
    pins = pins_of(sites_of(EVERYWHERE), 143, 33)
    for name, step, there in (
        ("southamerica-east1", (1, 0), "africa-south1"),
        ("africa-south1", (-1, 0), "southamerica-east1"),
        ("us-west1", (-1, 0), None),
        ("australia-southeast2", (0, 1), None),
        ("asia-southeast1", (0, 1), "asia-southeast2"),
        ("asia-northeast3", (1, 0), "asia-northeast2"),
    ):
        assert step_from(name, *step, pins, ()) == there, name


@given(st.integers(8, 80), st.integers(1, 40), st.integers(1, 42), st.integers(0, 41))
def test_the_table_fits_and_holds_the_selected_one(
    width: int, height: int, number: int, chosen: int
) -> None:
    cards = EVERYWHERE[:number]
    name = cards[chosen % number].name
    setting = Setting(now=0.0, look=Look())
    lines = table_lines(sites_of(cards), name, width, height, setting)
    assert len(lines) <= height
    assert all(width_of(line.row) <= width for line in lines)
    assert name in [line.name for line in lines]


def test_a_canvas_of_the_map_is_not_drawn_on() -> None:
    sites = sites_of(EVERYWHERE)
    pins = pins_of(sites, 80, 20)
    layer: DotCanvas = coast_layer(
        80, 20, Look(), fitted(80, 20, [site.spot[0] for site in sites])
    )
    before = layer.rows()
    world_rows(sites, pins, 80, 20, Lighting(Look(), "us-east1"))
    assert layer.rows() == before
