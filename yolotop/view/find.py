"""What is looked for among the deployments, and what is found.

Owns narrowing a picture's list. The grammar is the log's (:mod:`yolotop.view.filter`).
It must not know how the list is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yolotop.view.filter import parse
from yolotop.view.snapshot import Card


@dataclass(frozen=True, slots=True)
class Found:
    """The deployments that pass, of ``total``, and what the text says of itself.

    ``problems`` are sentences about what was typed; empty without any.
    """

    text: str = ""
    cards: tuple[Card, ...] = ()
    total: int = 0
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is looked for."""
        return bool(self.text)


def find(cards: Sequence[Card], text: str) -> Found:
    """The deployments that pass ``text``, in their order; all of them without text."""
    wanted = parse(text)
    found = tuple(card for card in cards if wanted.matches_card(card))
    return Found(text, found, len(cards), wanted.problems)
