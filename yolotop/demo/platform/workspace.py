"""What is told of a workspace: its account, its quota, its keys, its deployments.

Owns these answers. It must not know who asks, nor what happens to one deployment.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from yolotop.demo.platform.changes import SLUG
from yolotop.demo.platform.deployment import Refused
from yolotop.demo.platform.lines import BadQueryError, limit_of
from yolotop.demo.platform.world import QUOTAS, World

Answer: TypeAlias = tuple[int, Mapping[str, str], object]

STATES: Final = ("creating", "deploying", "ready", "stopping", "stopped", "failed")
DATA_REGION: Final = "eu"
"""Where a workspace keeps its data, whatever regions its deployments are in."""
NO_ACCESS: Final = "You do not have access to this workspace"
SHOWN: Final = 11
"""Characters of a key that may be seen."""
_MODEL: Final = re.compile(rf"{SLUG}/{SLUG}")
LONGEST_MODEL: Final = 257


def account(world: World, owner: str) -> dict[str, object]:
    """The cheapest way to check a key."""
    return {
        "username": owner,
        "name": owner.title(),
        "accountType": "personal",
        "plan": world.plan_of(owner),
        "creditsCents": 500,
        "counts": {"projects": 1, "datasets": 1, "models": 1},
        # With a key there are never any.
        "teams": [],
    }


def storage(world: World, owner: str) -> dict[str, object]:
    """The quota of deployments, where the plan has one; stopped ones count."""
    limit = QUOTAS.get(world.plan_of(owner))
    if limit is None:
        return {"usage": {}}
    current = len(list(world.of(owner)))
    percent = round(100 * current / limit)
    told = {"current": current, "limit": limit, "percent": percent}
    return {"usage": {"deployments": told}}


def key_id(key: str) -> str:
    """An id and not the key: 24 digits."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def keys(world: World, owner: str) -> dict[str, object]:
    """Those that live, by what may be seen of them."""
    mine = [
        key
        for key, whose in world.owners.items()
        if whose == owner and key not in world.closed_keys
    ]
    told = [
        {"keyId": key_id(key), "keyPrefix": key[:SHOWN], "name": f"key {n}"}
        for n, key in enumerate(mine, 1)
    ]
    return {"keys": told}


def listed(world: World, owner: str, query: Mapping[str, str]) -> Answer:
    """One page and no other; the total tells what was cut.

    Raises :class:`Refused` or :class:`BadQueryError`.
    """
    state = query.get("status", "")
    if state and state not in STATES:
        raise Refused(f"Invalid status: {state}")
    limit = limit_of(query.get("limit", "20"), 100)
    model = _model(world, owner, query)
    now = world.now()
    found = [
        one.told(now)
        for one in world.of(owner)
        if (not state or one.state == state)
        and (not model or f"{one.project}/{one.model}" == model)
    ]
    told = {
        "deployments": found[:limit],
        "total": len(found),
        "region": DATA_REGION,
    }
    return 200, {}, told


def public_list(world: World, owner: str, query: Mapping[str, str]) -> Answer:
    """Without a key: the deployments of a public model, and nothing else."""
    if f"{owner}/{query.get('model', '')}" not in world.public:
        return 401, {}, {"error": "Unauthorized"}
    try:
        status, headers, told = listed(world, owner, query)
    except Refused as error:
        return error.status, {}, {"error": str(error)}
    except BadQueryError as error:
        return 400, {}, {"error": str(error)}
    assert isinstance(told, dict)
    for one in told["deployments"]:
        # For owners only.
        one.pop("apiKeyId", None)
        one.pop("camera", None)
    return status, headers, told


def _model(world: World, owner: str, query: Mapping[str, str]) -> str:
    model = query.get("model", "")
    if not model:
        return ""
    if len(model) > LONGEST_MODEL or not _MODEL.fullmatch(model):
        raise Refused("model must be project/model")
    if f"{owner}/{model}" not in world.models | world.public:
        raise Refused("Model not found", 404)
    return model
