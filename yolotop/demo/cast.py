"""Who plays in the demo: one line per deployment of ``demo.toml``, in its order.

Owns names and the character behind each. A port is the block's first plus the place in
this list. It must not import the web framework: the command line reads it before it is
known whether the ``demo`` extra is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HOST: Final = "127.0.0.1"
FIRST_PORT: Final = 27801
"""The block ``demo.toml`` names. Below every system's ephemeral range (Linux 32768,
others 49152): an outgoing connection of somebody else never sits on one of them."""

BLOCKS: Final = tuple(FIRST_PORT + 20 * step for step in range(50))
"""First ports to try in turn: fixed, so that a second start finds the same ones."""

KEY_ENV: Final = "YOLOTOP_DEMO_KEY"
"""Environment variable with the key that ``demo.toml`` refers to."""


PLATFORM_KEY_ENV: Final = "YOLOTOP_DEMO_PLATFORM_KEY"
"""The same for the key of the workspace on the Platform's stand-in."""

PLATFORM_OWNER: Final = "acme"
CONTROL_PLANE: Final = "platform"
SEATS: Final = (CONTROL_PLANE, "pallet-count", "scan-gate", "press-watch")
"""What the Platform's stand-in listens with: its control plane, and the deployments
whose service addresses are real."""


class Part(StrEnum):
    """What an endpoint does in the demo."""

    HEALTHY = "healthy"
    KEYED = "keyed"
    SLOW = "slow"
    CREEPING = "creeping"
    FLAPPING = "flapping"
    LOCKED = "locked"
    SCALE_TO_ZERO = "scale_to_zero"
    BLIND = "blind"
    SWAPPED = "swapped"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Role:
    """A deployment's name and the part it plays."""

    name: str
    part: Part


CAST: Final = (
    Role("dock-cam", Part.HEALTHY),
    Role("belt-2", Part.KEYED),
    Role("crane-1", Part.SLOW),
    Role("press-4", Part.CREEPING),
    Role("kiln-5", Part.FLAPPING),
    Role("vault-2", Part.LOCKED),
    Role("silo-9", Part.SCALE_TO_ZERO),
    Role("yard-7", Part.BLIND),
    Role("lane-6", Part.SWAPPED),
    Role("gate-3", Part.DOWN),
)


def ports(first: int) -> dict[str, int]:
    """Return the port of every deployment in the block that starts at ``first``."""
    return {role.name: first + place for place, role in enumerate(CAST)}


def seats(first: int) -> dict[str, int]:
    """Return the ports of the Platform's stand-in, behind those of the ten."""
    return {name: first + len(CAST) + place for place, name in enumerate(SEATS)}
