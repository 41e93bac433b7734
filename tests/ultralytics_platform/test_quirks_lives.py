"""Quirks of lives: created, changed, renamed, deleted, failed: facts §1.2 and §3.3."""

from __future__ import annotations

from typing import Any

import pytest
from stand_in import LIST, OTHER_KEY, Asker, client_of, error

from tests.platform_server import HandClock, PlatformServer
from yolotop.platform.contract import Lifecycle
from yolotop.platform.failure import FailureKind, PlatformError

NEW = {
    "project": "warehouse",
    "model": "shapes",
    "deployment": "lane",
    "name": "Lane",
    "region": "europe-west1",
}


# --- creating ------------------------------------------------------------------------


async def test_a_new_one_is_ready_within_40_to_60_s_and_has_no_address_before(
    server: PlatformServer, hand: HandClock
) -> None:
    """§1.2, §3.3: creating → deploying → ready; serviceUrl and deployedAt after it."""
    server.deploy("dock", ready=False)
    seen: list[tuple[float, Lifecycle]] = []
    async with client_of(server) as client:
        for second in range(0, 62, 2):
            hand.at += 2 if second else 0
            one = await client.deployment("dock")
            if not seen or seen[-1][1] is not one.lifecycle:
                seen.append((second, one.lifecycle))
            assert bool(one.service_url) is (one.lifecycle is Lifecycle.READY)
            assert (one.deployed_at is None) is (one.lifecycle is not Lifecycle.READY)
    states = [state for _, state in seen]
    assert states == [Lifecycle.CREATING, Lifecycle.DEPLOYING, Lifecycle.READY]
    assert 40 <= seen[-1][0] <= 60


def test_creating_answers_201_and_binds_the_key_that_asked(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2, §2.0: created with the owner's key means bound to that key."""
    server.deploy("dock")
    server.world.owners[OTHER_KEY] = "acme"
    made = ask("POST", LIST, json={**NEW, "cpu": 2, "memoryGi": 4}, key=OTHER_KEY)
    assert made.status_code == 201
    told = made.json()
    assert set(told) == {"id", "deployment", "status", "message", "region"}
    assert (told["deployment"], told["status"]) == ("lane", "creating")
    assert ask.one("lane")["resources"]["memoryGi"] == 4
    found = server.world.find("acme", "lane")
    assert found is not None
    assert found.key == OTHER_KEY
    hand.at += 60
    assert ask.one("lane")["status"] == "ready"


@pytest.mark.parametrize(
    ("wish", "refused"),
    [
        ({"deployment": "dock"}, (409, "A deployment of that name exists already")),
        ({"gpu": 1}, (400, 'Unrecognized key: "gpu"')),
        ({"name": None}, (400, "Required: name")),
        ({"name": "n" * 101}, (400, "name must have 1 to 100 characters")),
        ({"deployment": "Dock!"}, (400, "Invalid deployment: Dock!")),
        ({"region": "me-central2"}, (400, "Invalid region: me-central2")),
        ({"model": "none"}, (404, "Model not found")),
    ],
)
def test_what_cannot_be_created(
    server: PlatformServer,
    ask: Asker,
    wish: dict[str, object],
    refused: tuple[int, str],
) -> None:
    """§1.2, §4: schemas are closed; 409 for a name; Dammam is no region any more."""
    server.deploy("dock")
    assert error(ask("POST", LIST, json={**NEW, **wish})) == refused
    assert ask.get(LIST).json()["total"] == 1


@pytest.mark.parametrize("wish", [{"cpu": 3}, {"memoryGi": 1}, {"cpu": "2"}])
def test_a_size_that_is_not_sold(
    server: PlatformServer, ask: Asker, wish: dict[str, object]
) -> None:
    """§1.2: cpu of 1, 2, 4, 6, 8; memoryGi of 2, 4, 8, 16, 24, 32."""
    server.deploy("dock")
    assert ask("POST", LIST, json={**NEW, **wish}).status_code == 400


def test_a_full_quota_is_a_403_until_one_is_deleted(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: deleting frees a slot."""
    for slug in ("one", "two", "three"):
        server.deploy(slug)
    server.world.plans["acme"] = "free"
    refused = (403, "Deployment quota of 3 reached")
    assert error(ask("POST", LIST, json=NEW)) == refused
    assert ask("DELETE", f"{LIST}/one").json() == {"success": True}
    assert ask("POST", LIST, json=NEW).status_code == 201


# --- states --------------------------------------------------------------------------


async def test_a_first_provisioning_that_fails_says_why(
    server: PlatformServer, hand: HandClock
) -> None:
    """§3.3: deploying → failed, with a statusMessage; only a stopped one is started."""
    server.deploy("dock", ready=False, fails="container failed to start")
    hand.at += 70
    async with client_of(server) as client:
        (one,) = (await client.deployments()).deployments
        assert (one.lifecycle, one.message) == (
            Lifecycle.FAILED,
            "container failed to start",
        )
        with pytest.raises(PlatformError) as caught:
            await client.metrics("dock")
        assert caught.value.kind is FailureKind.STATE
        with pytest.raises(PlatformError, match="with status: failed") as caught:
            await client.start("dock")
    assert caught.value.kind is FailureKind.STATE


async def test_stop_start_and_a_start_that_fails_ends_stopped(
    server: PlatformServer, hand: HandClock
) -> None:
    """§3.3: deploying → stopped if a start fails; a slow stop passes stopping."""
    dock = server.deploy("dock")
    async with client_of(server) as client:
        assert (await client.stop("dock")).lifecycle is Lifecycle.STOPPED
        assert (await client.stop("dock")).message == "it was stopped already"
        dock.fails = "quota exceeded"
        assert (await client.start("dock")).lifecycle is Lifecycle.DEPLOYING
        with pytest.raises(PlatformError, match="deploying") as caught:
            await client.stop("dock")
        assert caught.value.kind is FailureKind.STATE
        hand.at += 70
        one = await client.deployment("dock")
        assert (one.lifecycle, one.message) == (Lifecycle.STOPPED, "quota exceeded")
        dock.fails, dock.slow_stop = "", True
        await client.start("dock")
        hand.at += 70
        assert (await client.stop("dock")).lifecycle is Lifecycle.STOPPING
        hand.at += 10
        assert (await client.deployment("dock")).lifecycle is Lifecycle.STOPPED


def test_a_stop_is_done_at_once_and_a_second_is_a_400(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2, captured: 200 without stopping; a stop is not idempotent."""
    server.deploy("dock")
    done = ask.patch("dock", action="stop")
    assert (done.status_code, done.json()) == (
        200,
        {"success": True, "status": "stopped", "message": "Deployment stopped"},
    )
    refused = (400, "Cannot stop deployment with status: stopped")
    assert error(ask.patch("dock", action="stop")) == refused
    rolling = ask.patch("dock", action="start")
    assert (rolling.status_code, rolling.json()["status"]) == (202, "deploying")


def test_the_address_outlives_every_change_but_deleting(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2, §2.0: stop, start, replace and resize keep it, as a rename does."""
    server.deploy("dock")
    server.world.models.add("acme/warehouse/gates")
    before = ask.one("dock")
    for wish in (
        {"action": "stop"},
        {"action": "start"},
        {"action": "replace", "project": "warehouse", "model": "gates"},
        {"action": "resize", "cpu": 2, "memoryGi": 8},
        {"name": "Gate"},
    ):
        slug = ask.get(LIST).json()["deployments"][0]["deployment"]
        assert ask.patch(slug, **wish).status_code in (200, 202)
        hand.at += 70
    after = ask.one("gate")
    assert after["model"] == "gates"
    for key in ("id", "serviceUrl", "deployedAt"):
        assert after[key] == before[key]
    ask("DELETE", f"{LIST}/gate")
    ask("POST", LIST, json={**NEW, "deployment": "dock"})
    hand.at += 70
    assert ask.one("dock")["serviceUrl"] != before["serviceUrl"]


# --- changes -------------------------------------------------------------------------


def test_another_model_rolls_out_while_the_old_one_serves(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§3.3: ready → deploying on replace, and the old model keeps serving."""
    server.deploy("dock", rate_per_h=60.0)
    server.world.models.add("acme/warehouse/gates")
    wish: dict[str, Any] = {"action": "replace", "project": "warehouse"}
    rolling = ask.patch("dock", **wish, model="gates")
    assert (rolling.status_code, rolling.json()["status"]) == (202, "deploying")
    assert ask.one("dock")["model"] == "shapes"
    assert ask("POST", f"{LIST}/dock/predict").status_code == 200
    busy = (409, "Cannot replace deployment with status: deploying")
    assert error(ask.patch("dock", **wish, model="gates")) == busy
    hand.at += 70
    assert ask.one("dock")["model"] == "gates"
    same = (409, "The deployment has this model already")
    assert error(ask.patch("dock", **wish, model="gates")) == same
    assert ask.patch("dock", **wish, model="none").status_code == 404


def test_a_replacement_that_fails_is_a_502_and_changes_nothing(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: 502, replace failed."""
    server.deploy("dock", fails="", rate_per_h=1.0).fails = "image pull failed"
    server.world.models.add("acme/warehouse/gates")
    wish = {"action": "replace", "project": "warehouse", "model": "gates"}
    assert error(ask.patch("dock", **wish)) == (
        502,
        "Replace failed: image pull failed",
    )
    assert (ask.one("dock")["model"], ask.one("dock")["status"]) == ("shapes", "ready")


def test_size_camera_and_metadata(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§1.2: resize rolls out; camera and cameraApplying; metadata in the detail."""
    server.deploy("dock")
    assert ask.patch("dock", action="resize", cpu=4, memoryGi=8).status_code == 202
    hand.at += 70
    assert ask.one("dock")["resources"]["cpu"] == 4
    assert ask.patch("dock", action="resize", cpu=5, memoryGi=8).status_code == 400
    url = "rtsp://user:secret@10.0.0.7/stream"
    assert ask.patch("dock", action="camera", url=url).status_code == 200
    told = ask.one("dock")
    assert (told["camera"], told["cameraApplying"]) == (url, True)
    hand.at += 5
    assert ask.one("dock")["cameraApplying"] is False
    assert ask.patch("dock", action="camera", url="http://x").status_code == 400
    assert ask.patch("dock", action="camera", url=None).status_code == 200
    assert "camera" not in ask.one("dock")
    assert ask.patch("dock", metadata={"line": 7}).status_code == 200
    assert ask.one("dock")["metadata"] == {"line": 7}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({}, "Exactly one change is expected"),
        ({"name": "A", "metadata": {}}, "Exactly one change is expected"),
        ({"action": "start", "name": "A"}, 'Unrecognized key: "name"'),
        ({"action": "restart"}, "Unrecognized action: restart"),
        ({"action": ["stop"]}, "Unrecognized action: ['stop']"),
        ({"region": "us-east1"}, 'Unrecognized key: "region"'),
        ({"metadata": 7}, "metadata must be an object"),
        ({"action": "replace"}, "Required: project"),
        ({"action": "camera"}, "Required: url"),
    ],
)
def test_a_wish_that_is_none(
    server: PlatformServer, ask: Asker, wish: dict[str, object], words: str
) -> None:
    """§1.2, §4: exactly one change, in a closed schema."""
    server.deploy("dock")
    assert error(ask.patch("dock", **wish)) == (400, words)
    assert error(ask("PATCH", f"{LIST}/dock", content=b"{")) == (400, "Invalid JSON")


# --- names and ends ------------------------------------------------------------------


async def test_a_renamed_one_keeps_its_id_and_its_old_slug_leads_nowhere(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.2: a name changes the slug too; the answer carries the new one."""
    server.deploy("dock")
    async with client_of(server) as client:
        before = await client.deployment("dock")
        done = ask.patch("dock", name="Gate 2 (north)").json()
        assert done["deployment"]["deployment"] == "gate-2-north"
        assert (await client.deployment("gate-2-north")).id == before.id
        with pytest.raises(PlatformError) as caught:
            await client.deployment("dock")
    assert caught.value.kind is FailureKind.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "status"), [("Gate", 409), ("!!!", 400), ("", 400), ("DOCK", 200)]
)
def test_a_name_that_is_taken_or_makes_no_slug(
    server: PlatformServer, ask: Asker, name: str, status: int
) -> None:
    """§1.2: 409 and 400; another's deployment is never written over."""
    server.deploy("dock")
    gate = server.deploy("gate")
    assert ask.patch("dock", name=name).status_code == status
    assert ask.one("gate")["id"] == gate.id
    assert ask.get(LIST).json()["total"] == 2
    assert ask.one("dock")["deployment"] == "dock"


def test_one_that_is_on_its_way_is_not_deleted(
    server: PlatformServer, ask: Asker, hand: HandClock
) -> None:
    """§3.3: from ready, stopped or failed; there is no trash."""
    server.deploy("dock", ready=False)
    refused = (400, "Cannot delete deployment with status: creating")
    assert error(ask("DELETE", f"{LIST}/dock")) == refused
    hand.at += 60
    assert ask("DELETE", f"{LIST}/dock").status_code == 200
    assert ask.get(f"{LIST}/dock").status_code == 404
    assert ask("DELETE", f"{LIST}/dock").status_code == 404


def test_no_two_have_one_id_however_fast_they_are_made(
    server: PlatformServer, ask: Asker
) -> None:
    """§1.1: 24 digits; those created at one instant, and one made again."""
    server.deploy("dock")

    def made_id(slug: str) -> str:
        told: str = ask("POST", LIST, json={**NEW, "deployment": slug}).json()["id"]
        return told

    ids = [ask.one("dock")["id"], *(made_id(f"c-{n}") for n in range(5))]
    # The name is free again within the same instant of the clock.
    made = server.world.find("acme", "c-0")
    assert made is not None
    server.world.rename(made, "moved", "Moved")
    ids.append(made_id("c-0"))
    assert len(set(ids)) == len(ids)
    assert all(len(each) == 24 for each in ids)
