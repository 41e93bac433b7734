"""Names become places."""

from __future__ import annotations

import pytest

from yolotop.view.regions import REGIONS, Place, locate


def test_there_are_all_regions_of_the_platform_each_somewhere_else() -> None:
    assert len(REGIONS) == 42
    spots = {(place.latitude, place.longitude) for place in REGIONS.values()}
    assert len(spots) == 42
    for place in REGIONS.values():
        assert -60 < place.latitude < 75
        assert -180 <= place.longitude <= 180
        assert place.city
        assert place.country


@pytest.mark.parametrize("code", REGIONS)
def test_a_region_is_found_by_code_city_and_label(code: str) -> None:
    place = REGIONS[code]
    assert locate(code) is place
    assert locate(place.city.upper()) is place
    assert locate(place.label) is place


@pytest.mark.parametrize(
    ("written", "city"),
    [
        ("  Berlin ", "Berlin"),
        ("são-paulo", "Sao Paulo"),
        ("ZÜRICH", "Zurich"),
        ("the_dalles", "The Dalles"),
        ("oregon", "The Dalles"),
        ("Taiwan", "Changhua"),
        ("taipei", "Taipei"),
        ("EU", "St. Ghislain"),
    ],
)
def test_people_write_names_in_many_ways(written: str, city: str) -> None:
    place = locate(written)
    assert place is not None
    assert place.city == city


@pytest.mark.parametrize("region", [None, "", "rack 4", "west"])
def test_what_nobody_knows_is_nowhere(region: str | None) -> None:
    assert locate(region) is None


def test_coordinates_win_and_the_region_stays_the_name() -> None:
    assert locate("berlin", (48.1, 11.6)) == Place("Berlin", 48.1, 11.6)
    assert locate("rack 4", (48.1, 11.6)) == Place("rack 4", 48.1, 11.6)
    assert locate(None, (48.14, -11.6)) == Place("48.1, -11.6", 48.14, -11.6)
