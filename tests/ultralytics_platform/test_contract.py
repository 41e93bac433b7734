"""Deployments are read leniently: keys come and go, and nothing breaks the reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.platform.contract import (
    Account,
    Change,
    EndpointHealth,
    Lifecycle,
    Listed,
    PlatformDeployment,
    error_in,
)

TOLD: dict[str, Any] = {"owner": "acme", "deployment": "dock", "status": "ready"}
KEYS = (
    "id", "owner", "deployment", "name", "status", "statusMessage", "region",
    "serviceUrl", "resources", "cpu", "memoryGi", "minInstances", "deployedAt",
    "camera", "deployments", "total", "healthy", "latencyMs", "error", "message",
    "username", "metered",
)  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["acme", "dock", "ready", "https://x.run.app", "2026-11-26"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8)
    ),
    max_leaves=25,
)


@given(JSON)
def test_nothing_that_is_json_breaks_it(document: object) -> None:
    Account.read(document)
    EndpointHealth.read(document)
    Change.read(document)
    error_in(document)
    one = PlatformDeployment.read(document, owner="acme")
    assert one is None or (one.slug and one.owner and one.name and one.id)
    listed = Listed.read(document, owner="acme")
    assert listed is None or listed.cut >= 0


def test_a_word_that_is_new_is_unknown_and_not_an_error() -> None:
    one = PlatformDeployment.read({**TOLD, "status": "hibernating"})
    assert one is not None
    assert one.lifecycle is Lifecycle.UNKNOWN
    assert not one.lifecycle.is_transitional


def test_a_cameras_password_is_nowhere() -> None:
    told = {**TOLD, "camera": "rtsp://admin:hunter22@10.0.0.9:554/live"}
    one = PlatformDeployment.read(told)
    assert one is not None
    assert "hunter22" not in repr(one)
    assert "10.0.0.9" in one.camera


@pytest.mark.parametrize(
    "told",
    [
        {"deployment": "dock", "status": "ready"},
        {**TOLD, "deployment": "../keys"},
        {**TOLD, "owner": "Acme Inc"},
    ],
)
def test_what_cannot_be_asked_for_again_is_passed_over(told: object) -> None:
    assert PlatformDeployment.read(told) is None
    listed = Listed.read({"deployments": [told, TOLD, 7], "total": 3}, owner="")
    assert listed is not None
    assert (len(listed.deployments), listed.cut) == (1, 2)


def test_a_service_url_is_one_or_none() -> None:
    one = PlatformDeployment.read({**TOLD, "serviceUrl": "javascript:alert(1)"})
    assert one is not None
    assert one.service_url == ""
