"""What happened between two lists, in words for the log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from yolotop.model import Severity
from yolotop.platform.contract import Lifecycle, PlatformDeployment
from yolotop.platform.news import news

DOCK = PlatformDeployment(
    "1", "acme", "dock", "Dock", Lifecycle.READY, project="p", model="m"
)


def test_the_same_list_is_no_news() -> None:
    assert news([DOCK], [replace(DOCK, updated_at=5.0, cpu=2.0)]) == ()


@pytest.mark.parametrize(
    ("after", "severity", "message"),
    [
        (replace(DOCK, slug="gate"), Severity.INFO,
         "renamed on the Platform: dock → gate"),
        (replace(DOCK, name="Gate"), Severity.INFO,
         "called Gate on the Platform now, Dock before"),
        (replace(DOCK, model="m2"), Severity.WARNING,
         "another model on the Platform: p/m → p/m2"),
        (replace(DOCK, lifecycle=Lifecycle.STOPPING), Severity.WARNING,
         "ready → stopping"),
        (replace(DOCK, lifecycle=Lifecycle.FAILED, message="out of memory"),
         Severity.ERROR, "ready → failed: out of memory"),
    ],
)  # fmt: skip
def test_a_change_is_told(
    after: PlatformDeployment, severity: Severity, message: str
) -> None:
    (one,) = news([DOCK], [after])
    assert (one.severity, one.message) == (severity, message)
    assert one.deployment == after


def test_a_start_that_failed_ends_stopped_and_is_an_error() -> None:
    starting = replace(DOCK, lifecycle=Lifecycle.DEPLOYING)
    (one,) = news([starting], [replace(DOCK, lifecycle=Lifecycle.STOPPED)])
    assert one.severity is Severity.ERROR
    (one,) = news(
        [replace(DOCK, lifecycle=Lifecycle.STOPPING)],
        [replace(DOCK, lifecycle=Lifecycle.STOPPED)],
    )
    assert one.severity is Severity.WARNING


def test_new_and_deleted_ones() -> None:
    other = replace(DOCK, id="2", slug="gate", lifecycle=Lifecycle.CREATING)
    new, gone = news([DOCK], [other])
    assert (new.deployment, new.message) == (other, "new on the Platform: creating")
    assert gone.deployment == DOCK
    assert "its history stays" in gone.message


def test_one_that_is_listed_twice_is_not_new_with_every_list() -> None:
    assert news([DOCK], [DOCK, DOCK]) == ()
