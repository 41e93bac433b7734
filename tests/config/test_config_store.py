"""``[store]``: sizes, durations and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.load import parse
from yolotop.config.problems import InvalidConfig
from yolotop.config.store import parse_size
from yolotop.model import StoreSettings

PATH = Path("/nowhere/yolotop.toml")


def read(text: str, **env: str) -> StoreSettings:
    return parse(text, path=PATH, env=env).store


def test_without_the_section_all_is_at_its_default() -> None:
    assert read("") == StoreSettings()


def test_every_key() -> None:
    found = read(
        """
        [store]
        max_size = "2GB"
        min_free = "50 MB"
        raw = "2d"
        slots = "1d"
        hours = "90d"
        events = "30d"
        allow_network = true
        """
    )
    assert found == StoreSettings(
        raw_s=172_800,
        slots_s=86_400,
        hours_s=7_776_000,
        events_s=2_592_000,
        max_bytes=2_000_000_000,
        min_free_bytes=50_000_000,
        allow_network=True,
    )


def test_the_environment_takes_the_place_of_a_key() -> None:
    text = '[store]\nmax_size = "2GB"\nraw = "2d"'
    found = read(text, YOLOTOP_STORE_MAX_SIZE="none", YOLOTOP_STORE_RAW="1d")
    assert (found.max_bytes, found.raw_s) == (None, 86_400)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('max_size = "1MB"', "too small; 8MB is the least"),
        ("max_size = 512", "write a string"),
        ('max_size = "512 MiB"', 'is not a size; write a size such as "512MB"'),
        ('min_free = "lots"', "is not a size"),
        ('slots = "1h"', "out of range; 1d to 400d"),
        ('raw = "10m"', "out of range; 1h to 400d"),
        ('allow_network = "yes"', "write true or false"),
        ('size = "1GB"', "unknown key"),
    ],
)
def test_what_is_refused_is_named(line: str, said: str) -> None:
    with pytest.raises(InvalidConfig) as caught:
        read(f"[store]\n{line}")
    assert said in str(caught.value)
    assert "yolotop.toml:2" in str(caught.value)


@given(n=st.integers(0, 10**9 - 1), unit=st.sampled_from(["KB", "MB", "GB", "TB"]))
def test_sizes_are_decimal(n: int, unit: str) -> None:
    factor = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert parse_size(f"{n}{unit}") == n * factor


@given(text=st.text(max_size=12))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        assert parse_size(text) >= 0
    except ValueError as error:
        assert "is not a size" in str(error)  # noqa: PT017 - both ends are right
