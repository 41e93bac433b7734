"""What a platform says of a deployment is kept, and renamed with its history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.model import (
    Deployment,
    Event,
    EventKind,
    Health,
    HealthState,
    Hosting,
    Severity,
)
from yolotop.store.hosting import decode_hosting, encode_hosting

if TYPE_CHECKING:
    from tests.store.conftest import Backend, Make

T0 = 1_790_000_000.0

FULL = Hosting(
    source="P",
    id="6f",
    owner="acme",
    slug="dock",
    name="Dock",
    lifecycle="ready",
    message="é",
    cpu=1.0,
    memory_gib=2.0,
    min_instances=0,
    metered=True,
    deployed_at=7.5,
    log_at=8.5,
    probed=True,
)


def test_it_comes_back_as_it_was() -> None:
    assert decode_hosting(encode_hosting(FULL)) == FULL
    plain = Hosting("P", "1", "acme", "d")
    assert decode_hosting(encode_hosting(plain)) == plain
    assert len(encode_hosting(plain)) < 70


@pytest.mark.parametrize("text", ["", "[]", "{", '{"id":"1"}', '{"id":1,"source":""}'])
def test_what_names_no_deployment_is_none(text: str) -> None:
    assert decode_hosting(text) is None


def test_what_is_strange_takes_its_default() -> None:
    document = json.loads(encode_hosting(FULL))
    document |= {"cpu": "1", "metered": 1, "later": 3, "deployed_at": True}
    found = decode_hosting(json.dumps(document))
    assert found is not None
    assert (found.cpu, found.metered, found.deployed_at) == (None, None, None)
    assert found.slug == "dock"


@given(st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_nothing_breaks_it(text: str) -> None:
    decode_hosting(text)


def dock(name: str = "dock", hosting: Hosting | None = FULL) -> Deployment:
    return Deployment(name, "https://d.example", hosting=hosting)


async def test_readers_and_the_next_collector_find_it(backend: Backend) -> None:
    writer = await backend.writer()
    await writer.register([dock(), dock("own", None)], T0)
    reader = await backend.reader()
    assert [one.hosting for one in await reader.deployments()] == [FULL, None]
    assert await writer.load_hosted() == {"dock": FULL}
    await writer.register([dock("own", None)], T0 + 1)
    assert await writer.load_hosted() == {}


async def test_renamed_it_takes_its_history_along(backend: Backend, make: Make) -> None:
    writer = await backend.writer()
    await writer.register([dock()], T0)
    said = Event(T0, Severity.INFO, EventKind.PLATFORM, "before", "dock")
    up = HealthState(health=Health.UP, since=T0)
    await writer.append([make("dock")], [said], {"dock": up})
    await writer.register([dock("dock-2")], T0 + 1, renamed={"dock": "dock-2"})
    await writer.append([make("dock-2", at=T0 + 60)], [], {})
    reader = await backend.reader()
    found = await reader.deployments(removed=True)
    assert [(one.name, one.first_seen_at) for one in found] == [("dock-2", T0)]
    assert len(await reader.last_probes("dock-2", limit=9)) == 2
    assert (await reader.states())["dock-2"].health is Health.UP
    lines = await reader.log(deployment="dock-2")
    assert [line.message for line in lines if line.message == "before"] == ["before"]


async def test_a_name_that_was_used_before_keeps_what_is_its(
    backend: Backend, make: Make
) -> None:
    writer = await backend.writer()
    await writer.register([dock("dock-2")], T0)
    await writer.append([make("dock-2")], [], {})
    await writer.register([dock()], T0 + 1)
    await writer.append([make("dock", at=T0 + 60)], [], {})
    await writer.register([dock("dock-2")], T0 + 2, renamed={"dock": "dock-2"})
    reader = await backend.reader()
    kept = {one.name: one.removed_at for one in await reader.deployments(removed=True)}
    assert kept == {"dock-2": None, "dock": T0 + 2}
    assert len(await reader.last_probes("dock-2", limit=9)) == 1
