"""Who plays on the Platform's stand-in: eight deployments and what befalls them.

Owns names, lives and the script. It must not know sockets. All but two are the same
ones at every start, with the history of three days behind them, so that what somebody
has seen of them yesterday goes on. No region is one of the demo's ten.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from yolotop.demo.platform.deployment import Deployment, Refused
from yolotop.demo.platform.workspace import key_id
from yolotop.demo.platform.world import OWNER, World

HISTORY_S: Final = 3 * 86_400.0
STOPPED_S: Final = 3 * 3_600.0
"""How long ago those that are stopped were."""
START_S: Final = 20.0
RENAME_S: Final = 90.0
DELETE_S: Final = 240.0
"""When things happen, counted from the beginning."""
MEMORY: Final = "container exceeded its memory limit of 2 GiB while loading the model"

_LIVES: Final[Mapping[str, Mapping[str, Any]]] = {
    # Busy, and fine.
    "pallet-count": {
        "region": "europe-west1", "rate_per_h": 600.0, "swing": 0.5,
        "error_share": 0.003, "p50_ms": 48.0,
    },
    # Busy, and 8 % of it fails.
    "scan-gate": {
        "region": "us-east4", "rate_per_h": 720.0, "swing": 0.2,
        "error_share": 0.08, "p50_ms": 95.0,
    },
    # Nobody asks it: it has no instance.
    "night-yard": {"region": "asia-northeast3"},
    "lab-bench": {"region": "us-west1", "rate_per_h": 60.0, "p50_ms": 70.0},
    "pilot": {"region": "me-west1", "rate_per_h": 40.0},
    # Paid, and bound to a key that is another than the workspace's.
    "press-watch": {
        "region": "asia-southeast1", "rate_per_h": 480.0, "swing": 0.2,
        "error_share": 0.001, "p50_ms": 28.0, "cpu": 4, "memory_gi": 8,
        "min_instances": 1, "metered": True,
    },
    "old-model": {"region": "europe-north1", "rate_per_h": 30.0, "p50_ms": 180.0},
    # Created as the play begins.
    "new-line": {"region": "southamerica-west1", "rate_per_h": 90.0},
}  # fmt: skip
NAMES: Final = tuple(_LIVES)


def bound_key(key: str, slug: str) -> str:
    """The one key that an endpoint takes."""
    if slug != "press-watch":
        return key
    return "ul_" + hashlib.sha256(f"{slug}/{key}".encode()).hexdigest()[:40]


def enter(world: World, key: str, addresses: Mapping[str, str]) -> None:
    """Fill the workspace of ``key``, and begin the play.

    ``addresses`` are those of the deployments that really serve; all others lead
    nowhere.
    """
    begun = world.now()
    world.owners[key] = OWNER
    # A colleague's, of the same workspace: the Platform takes both, an endpoint one.
    world.owners[bound_key(key, "press-watch")] = OWNER
    world.plans[OWNER] = "pro"
    world.models.add(f"{OWNER}/warehouse/shapes2")
    cast = {
        slug: world.add(_deployment(slug, life, key, addresses.get(slug, ""), begun))
        for slug, life in _LIVES.items()
    }
    for one in cast.values():
        one.pass_time(begun - STOPPED_S)
    for slug in ("lab-bench", "pilot"):
        cast[slug].change("stop", begun - STOPPED_S)
    cast["pilot"].fails = MEMORY
    _script(world, cast, begun)


def _deployment(
    slug: str, life: Mapping[str, Any], key: str, address: str, begun: float
) -> Deployment:
    bound = bound_key(key, slug)
    is_new = slug == "new-line"
    # The same name is the same deployment at the next start, but for those two that
    # are made and deleted in between.
    fixed = hashlib.sha256(f"{OWNER}/{slug}".encode()).hexdigest()[:24]
    return Deployment(
        slug=slug,
        name=slug.replace("-", " ").capitalize(),
        key=bound,
        created_at=begun if is_new else begun - HISTORY_S,
        owner=OWNER,
        service_url=address,
        api_key_id="" if bound == key else key_id(bound),
        id="" if slug in ("new-line", "old-model") else fixed,
        **life,
    )


def _script(world: World, cast: Mapping[str, Deployment], begun: float) -> None:
    old = cast["old-model"]

    def rename(_: float) -> None:
        world.rename(old, "old-model-2", "Old model 2")

    def delete(_: float) -> None:
        world.delete(old)

    def start(at: float) -> None:
        cast["pilot"].change("start", at)

    for after_s, one, act in (
        (START_S, cast["pilot"], start),
        (RENAME_S, old, rename),
        (DELETE_S, old, delete),
    ):
        world.later(begun + after_s, _unless_gone(one, act))


def _unless_gone(
    one: Deployment, act: Callable[[float], None]
) -> Callable[[float], None]:
    """Who watches may have stopped, renamed or deleted it meanwhile."""

    def guarded(at: float) -> None:
        if one.state != "deleted":
            with contextlib.suppress(Refused):
                act(at)

    return guarded
