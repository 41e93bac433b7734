"""What is left on the terminal when the screen goes.

Owns those lines. It must not know the screen, nor who stops a collector.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yolotop.cli import out
from yolotop.cli.places import Places
from yolotop.cli.stop import stop_command
from yolotop.collect.lock import holder
from yolotop.view import format as shown

if TYPE_CHECKING:
    from yolotop.view.snapshot import Snapshot

MOST_SAID: Final = 20
"""Deployments named."""


def say(snapshot: Snapshot | None, trouble: str, *, stopped: bool) -> None:
    """The state of things as one leaves, which the screen takes away with it."""
    if snapshot is not None:
        plain = not (sys.stderr.encoding or "").lower().startswith("utf")
        for card in snapshot.cards[:MOST_SAID]:
            mark = shown.symbol(card.health, plain=plain)
            out.narrate(f"{mark} {card.name}: {card.health.value}  {card.message}")
        if len(snapshot.cards) > MOST_SAID:
            out.narrate(f"… and {len(snapshot.cards) - MOST_SAID} more")
    if trouble:
        out.narrate(f"No collector could be started: {trouble}")
    elif stopped:
        out.narrate(
            "The collector that this terminal started has stopped; "
            "`yolotop collect` runs one without a terminal"
        )


def say_left(data_dir: Path, where: Places) -> None:
    """That somebody goes on measuring, and how to end that."""
    pid = holder(data_dir)
    if pid is not None:
        out.narrate(
            f"The collector keeps running (process {pid}); stop it with "
            f"`{stop_command(where)}`"
        )
