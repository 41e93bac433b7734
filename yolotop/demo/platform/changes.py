"""What may be wished of deployments: created, renamed, started, stopped, changed.

Owns the closed schemas of such wishes and what is refused. It must not know HTTP, nor
what becomes of a change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from yolotop.demo.platform.deployment import Deployment, Refused
from yolotop.demo.platform.world import QUOTAS, World
from yolotop.view.regions import REGIONS

Done: TypeAlias = tuple[int, dict[str, object]]
Wish: TypeAlias = Mapping[str, Any]

SLUG: Final = r"[a-z0-9]+(?:-[a-z0-9]+)*"
_SLUG: Final = re.compile(SLUG)
LONGEST_SLUG: Final = 128
LONGEST_NAME: Final = 100
CPUS: Final = (1, 2, 4, 6, 8)
MEMORIES_GI: Final = (2, 4, 8, 16, 24, 32)
NEEDED: Final = ("project", "model", "deployment", "name", "region")
_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "start": (),
    "stop": (),
    "replace": ("project", "model", "name"),
    "resize": ("cpu", "memoryGi"),
    "camera": ("url",),
}


def create(world: World, owner: str, key: str, wish: object) -> Done:
    """A new one, bound to the key that asked for it. Raises :class:`Refused`."""
    told = _closed(wish, (*NEEDED, "cpu", "memoryGi"))
    for name in NEEDED:
        if not isinstance(told.get(name), str):
            raise Refused(f"Required: {name}")
    slug, region = told["deployment"], told["region"]
    if not _SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise Refused(f"Invalid deployment: {slug}")
    if region not in REGIONS:
        raise Refused(f"Invalid region: {region}")
    name = _name(told["name"])
    cpu, memory_gi = _size({"cpu": 1, "memoryGi": 2, **told})
    _known(world, owner, told)
    quota = QUOTAS.get(world.plan_of(owner))
    if quota is not None and len(list(world.of(owner))) >= quota:
        raise Refused(f"Deployment quota of {quota} reached", 403)
    made = world.add(
        Deployment(
            slug=slug,
            name=name,
            region=region,
            key=key,
            created_at=world.now(),
            owner=owner,
            project=told["project"],
            model=told["model"],
            cpu=cpu,
            memory_gi=memory_gi,
        )
    )
    body = {"id": made.id, "deployment": slug, "status": made.state}
    return 201, {**body, "message": "Deployment is being created", "region": region}


def change(world: World, found: Deployment, wish: object) -> Done:
    """Exactly one change. Raises :class:`Refused`."""
    if isinstance(wish, Mapping) and "action" in wish:
        return _act(world, found, wish)
    told = _closed(wish, ("name", "metadata"))
    if len(told) != 1:
        raise Refused("Exactly one change is expected")
    return _rename(world, found, told) if "name" in told else _note(found, told)


def _act(world: World, found: Deployment, wish: Wish) -> Done:
    action = wish["action"]
    if not isinstance(action, str) or action not in _ACTIONS:
        raise Refused(f"Unrecognized action: {action}")
    told = _closed(wish, ("action", *_ACTIONS[action]))
    now = world.now()
    if action == "replace":
        return _replace(world, found, told)
    if action == "resize":
        cpu, memory_gi = _size(told)
        return found.roll("resize", {"cpu": cpu, "memory_gi": memory_gi}, now)
    if action == "camera":
        return _camera(found, told, now)
    return found.change(action, now)


def _rename(world: World, found: Deployment, wish: Wish) -> Done:
    name = _name(wish["name"])
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not slug:
        raise Refused("name must have a letter or digit")
    world.rename(found, slug, name)
    # The new slug is told, since all that was saved of the old one is dead.
    body = found.done("Deployment renamed")
    return 200, {**body, "deployment": found.told(world.now(), detail=True)}


def _note(found: Deployment, wish: Wish) -> Done:
    if not isinstance(wish["metadata"], dict):
        raise Refused("metadata must be an object")
    found.metadata = wish["metadata"]
    return 200, found.done("Metadata saved")


def _replace(world: World, found: Deployment, wish: Wish) -> Done:
    for name in ("project", "model"):
        if not isinstance(wish.get(name), str):
            raise Refused(f"Required: {name}")
    _known(world, found.owner, wish)
    wanted = (wish["project"], wish["model"])
    if wanted == (found.project, found.model):
        raise Refused("The deployment has this model already", 409)
    coming = dict(zip(("project", "model"), wanted, strict=True))
    if "name" in wish:
        coming["name"] = _name(wish["name"])
    return found.roll("replace", coming, world.now())


def _camera(found: Deployment, wish: Wish, now: float) -> Done:
    if "url" not in wish:
        raise Refused("Required: url")
    url = wish["url"]
    if url is not None and not str(url).startswith(("rtsp://", "rtsps://")):
        raise Refused("url must be rtsp:// or rtsps://")
    found.camera, found.camera_at = url or "", now
    return 200, found.done("Camera saved" if url else "Camera removed")


def _closed(wish: object, keys: tuple[str, ...]) -> Wish:
    """Schemas are closed: one key too many is an error that names it."""
    if not isinstance(wish, Mapping):
        raise Refused("Expected object")
    for key in wish:
        if key not in keys:
            raise Refused(f'Unrecognized key: "{key}"')
    return wish


def _name(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise Refused(f"name must have 1 to {LONGEST_NAME} characters")
    return name


def _size(wish: Wish) -> tuple[int, int]:
    cpu, memory_gi = wish.get("cpu"), wish.get("memoryGi")
    if cpu not in CPUS or memory_gi not in MEMORIES_GI:
        raise Refused(f"cpu must be one of {CPUS}, memoryGi one of {MEMORIES_GI}")
    return int(cpu), int(memory_gi)


def _known(world: World, owner: str, wish: Wish) -> None:
    model = f"{owner}/{wish['project']}/{wish['model']}"
    if model not in world.models | world.public:
        raise Refused("Model not found", 404)
