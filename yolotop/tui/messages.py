"""What widgets say upwards: past participles, with what happened and to what.

Owns the messages of the terminal. It must not know who handles them.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from yolotop.store.protocol import LogLine


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


@dataclass
class NewerWanted(Message):
    """The log was scrolled to the end of what is in memory, which is not its tail."""

    after: int


@dataclass
class PlaceWanted(Message):
    """The log is to stand elsewhere: at an instant, or at its very beginning."""

    at: float | None


@dataclass
class TailWanted(Message):
    """The log is to stand at its tail, which is not in memory."""


@dataclass
class MatchWanted(Message):
    """The next match from a line on is not in memory."""

    seq: int
    forward: bool


@dataclass
class LineOpened(Message):
    """A line of the log was chosen to be looked at closely."""

    line: LogLine
