"""Where a deployment is: two numbers, in the right order, on this planet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from yolotop.config.schema import Config

Read = Callable[..., Config]
Refused = Callable[..., str]

ONE = '[[deployment]]\nname = "dock-cam"\nurl = "http://10.0.0.2:8000"\n'


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("[52.52, 13.41]", (52.52, 13.41)),
        ("[-33, 151]", (-33.0, 151.0)),
        ("[90, -180]", (90.0, -180.0)),
        ("[-90.0, 180.0]", (-90.0, 180.0)),
    ],
)
def test_a_place(read: Read, written: str, found: tuple[float, float]) -> None:
    assert read(f"{ONE}location = {written}\n").deployments[0].location == found


def test_without_one_it_is_nowhere(read: Read) -> None:
    assert read(ONE).deployments[0].location is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[151.2, -33.9]", "has the latitude 151.2; -90 to 90 are possible"),
        ("[0, 180.01]", "has the longitude 180.01; -180 to 180 are possible"),
        ("[nan, 0]", "has the latitude nan"),
        ("[0, inf]", "has the longitude inf"),
        (f"[0, {10**400}]", "has the longitude"),
        ("[1]", "must be two numbers"),
        ("[1, 2, 3]", "must be two numbers"),
        ("{ lat = 1, lon = 2 }", "must be two numbers"),
        ('"52.5,13.4"', "must be two numbers"),
        ("[true, 0]", "has a boolean as its latitude"),
        ('[0, "13"]', "has a string as its longitude"),
    ],
)
def test_what_is_no_place(refused: Refused, written: str, said: str) -> None:
    message = refused(f"{ONE}location = {written}\n")
    assert message.startswith('yolotop.toml:4: [[deployment]] "dock-cam": location ')
    assert said in message
    assert "such as [52.52, 13.41]" in message


def test_it_is_of_one_deployment(refused: Refused) -> None:
    message = refused(f"[defaults]\nlocation = [1, 2]\n{ONE}")
    assert "location belongs in a [[deployment]], not in [defaults]" in message
