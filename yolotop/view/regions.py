"""Where the world's regions are: names to places, for the map.

Owns the 42 regions of Ultralytics Platform (Google Cloud's names) with their cities.
Latitudes and longitudes are city centres, good to a tenth of a degree; the region's
name comes from the server or the config file and is matched here, never guessed from
an address. It must not know how a place is drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Place(NamedTuple):
    """A spot on the earth, in degrees north and east.

    ``code`` is the Platform's name of the region, empty for a place that is none of
    its; ``label`` is what a reader knows it by.
    """

    label: str
    latitude: float
    longitude: float
    code: str = ""
    city: str = ""
    country: str = ""


_Line = tuple[str, str, str, str, float, float]
_REGIONS: Final[tuple[_Line, ...]] = (
    ("us-central1", "Council Bluffs", "Iowa", "USA", 41.26, -95.86),
    ("us-east1", "Moncks Corner", "South Carolina", "USA", 33.2, -80.01),
    ("us-east4", "Ashburn", "Northern Virginia", "USA", 39.04, -77.49),
    ("us-east5", "Columbus", "", "USA", 39.96, -83.0),
    ("us-south1", "Dallas", "", "USA", 32.78, -96.8),
    ("us-west1", "The Dalles", "Oregon", "USA", 45.59, -121.18),
    ("us-west2", "Los Angeles", "", "USA", 34.05, -118.24),
    ("us-west3", "Salt Lake City", "", "USA", 40.76, -111.89),
    ("us-west4", "Las Vegas", "", "USA", 36.17, -115.14),
    ("northamerica-northeast1", "Montreal", "", "Canada", 45.5, -73.57),
    ("northamerica-northeast2", "Toronto", "", "Canada", 43.65, -79.38),
    ("northamerica-south1", "Queretaro", "", "Mexico", 20.59, -100.39),
    ("southamerica-east1", "Sao Paulo", "", "Brazil", -23.55, -46.63),
    ("southamerica-west1", "Santiago", "", "Chile", -33.45, -70.67),
    ("europe-west1", "St. Ghislain", "", "Belgium", 50.45, 3.82),
    ("europe-west2", "London", "", "UK", 51.51, -0.13),
    ("europe-west3", "Frankfurt", "", "Germany", 50.11, 8.68),
    ("europe-west4", "Eemshaven", "", "Netherlands", 53.44, 6.84),
    ("europe-west6", "Zurich", "", "Switzerland", 47.38, 8.54),
    ("europe-west8", "Milan", "", "Italy", 45.46, 9.19),
    ("europe-west9", "Paris", "", "France", 48.86, 2.35),
    ("europe-west10", "Berlin", "", "Germany", 52.52, 13.41),
    ("europe-west12", "Turin", "", "Italy", 45.07, 7.69),
    ("europe-north1", "Hamina", "", "Finland", 60.57, 27.19),
    ("europe-north2", "Stockholm", "", "Sweden", 59.33, 18.07),
    ("europe-central2", "Warsaw", "", "Poland", 52.23, 21.01),
    ("europe-southwest1", "Madrid", "", "Spain", 40.42, -3.7),
    ("asia-east1", "Changhua", "", "Taiwan", 24.05, 120.52),
    ("asia-east2", "Kowloon", "", "Hong Kong", 22.32, 114.17),
    ("asia-northeast1", "Tokyo", "", "Japan", 35.68, 139.65),
    ("asia-northeast2", "Osaka", "", "Japan", 34.69, 135.5),
    ("asia-northeast3", "Seoul", "", "South Korea", 37.57, 126.98),
    ("asia-south1", "Mumbai", "", "India", 19.08, 72.88),
    ("asia-south2", "Delhi", "", "India", 28.61, 77.21),
    ("asia-southeast1", "Jurong West", "", "Singapore", 1.34, 103.71),
    ("asia-southeast2", "Jakarta", "", "Indonesia", -6.21, 106.85),
    ("asia-southeast3", "Bangkok", "", "Thailand", 13.76, 100.5),
    ("australia-southeast1", "Sydney", "", "Australia", -33.87, 151.21),
    ("australia-southeast2", "Melbourne", "", "Australia", -37.81, 144.96),
    ("africa-south1", "Johannesburg", "", "South Africa", -26.2, 28.05),
    ("me-central1", "Doha", "", "Qatar", 25.29, 51.53),
    ("me-west1", "Tel Aviv", "", "Israel", 32.09, 34.78),
)  # fmt: skip
"""Code, city, the wider name it goes by, country, latitude, longitude."""

REGIONS: Final[Mapping[str, Place]] = MappingProxyType(
    {
        code: Place(area or city, latitude, longitude, code, city, country)
        for code, city, area, country, latitude, longitude in _REGIONS
    }
)
"""Each region of the Platform by its code."""

_ALIASES: Final = {
    # What people write in a config file for what the Platform names otherwise.
    "taipei": Place("Taipei", 25.03, 121.56, "", "Taipei", "Taiwan"),
    "taiwan": REGIONS["asia-east1"],
    "hong kong": REGIONS["asia-east2"],
    "singapore": REGIONS["asia-southeast1"],
    "belgium": REGIONS["europe-west1"],
    "netherlands": REGIONS["europe-west4"],
    "finland": REGIONS["europe-north1"],
    "virginia": REGIONS["us-east4"],
    # The three that serve shared inference.
    "us": REGIONS["us-central1"],
    "eu": REGIONS["europe-west1"],
    "ap": REGIONS["asia-east1"],
}


def _key(name: str) -> str:
    """A name without case, accents and the choice between blank, dash and underline."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(letters.replace("-", " ").replace("_", " ").split())


_BY_NAME: Final[Mapping[str, Place]] = MappingProxyType(
    {
        **{_key(place.city): place for place in REGIONS.values()},
        **{_key(place.label): place for place in REGIONS.values()},
        **{_key(code): place for code, place in REGIONS.items()},
        **_ALIASES,
    }
)


def locate(
    region: str | None, location: tuple[float, float] | None = None
) -> Place | None:
    """Where a deployment is; ``None`` where nobody knows.

    ``location`` (latitude, longitude in degrees) wins over the region, whose name then
    is only the label. ``region`` is a code of the Platform or a city it is in, in any
    case, with or without accents: ``europe-west10``, ``Berlin``, ``são-paulo``.
    """
    known = _BY_NAME.get(_key(region)) if region else None
    if location is None:
        return known
    latitude, longitude = location
    if region:
        label = known.label if known else region
    else:
        label = f"{latitude:.1f}, {longitude:.1f}"
    return Place(label, latitude, longitude)
