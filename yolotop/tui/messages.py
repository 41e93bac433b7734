"""What widgets say upwards: past participles, with what happened and to what.

Owns the messages of the terminal. It must not know who handles them.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class DeploymentChosen(Message):
    """A card was selected. ``name`` is ``None`` when there is none."""

    name: str | None


@dataclass
class DeploymentOpened(Message):
    """A card was double-clicked."""

    name: str


@dataclass
class OlderWanted(Message):
    """The log was scrolled to its top and knows there is more."""

    before: int
