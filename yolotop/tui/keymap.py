"""A keymap from the config file, laid over the action table.

Owns which wish counts: an action that does not exist, a key that no terminal sends and
a key that two actions of one context want are told, and the default stays. It must not
know Textual: the command line checks a keymap without loading a terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from string import ascii_lowercase, ascii_uppercase, digits, punctuation
from types import MappingProxyType
from typing import Final

from yolotop.text import clean
from yolotop.tui.keys import CONTEXTS, DEEDS, Deed

_RENAMED: Final = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
_SHOWN: Final = {
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
_SAME_AS: Final = frozenset({"ctrl+i", "ctrl+j", "ctrl+m", "ctrl+h"})
"""What a terminal sends for tab, enter and backspace."""
_NEVER: Final = "f24"
"""A key that nobody has: Textual takes no empty one."""


def name_of(character: str) -> str:
    """What Textual calls the key of one printable character."""
    if character.isalnum():
        return character
    if character == " ":
        return "space"
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return _RENAMED.get(name, name)


_SIGNS: Final = {name_of(sign): sign for sign in punctuation}
EVERYWHERE: Final = frozenset(
    {*ascii_lowercase, *ascii_uppercase, *digits, *_SIGNS}
    | {"space", "enter", "escape", "tab", "shift+tab", "backspace", "delete"}
    | {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "f1"}
    | {f"ctrl+{letter}" for letter in ascii_lowercase} - _SAME_AS
)
"""Keys that every terminal sends, as Textual names them."""
KNOWN: Final = EVERYWHERE | frozenset(
    {f"f{number}" for number in range(2, 13)}
    | {"insert"}
    | {
        f"{held}+{arrow}"
        for held in ("shift", "ctrl")
        for arrow in ("up", "down", "left", "right", "home", "end")
    }
)
"""Keys that a keymap may name."""


@dataclass(frozen=True, slots=True)
class Keymap:
    """``keys`` by id, where they differ from the table; ``troubles`` as sentences."""

    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    troubles: tuple[str, ...] = ()

    def applied(self, deeds: Iterable[Deed]) -> tuple[Deed, ...]:
        """The deeds with the keys that count."""
        return tuple(
            deed if deed.id not in self.keys else _moved(deed, self.keys[deed.id])
            for deed in deeds
        )

    def bindings(self) -> dict[str, str]:
        """What Textual is told: keys by a binding's id, never none."""
        return {deed_id: keys or _NEVER for deed_id, keys in self.keys.items()}


def _moved(deed: Deed, keys: str) -> Deed:
    """A deed on other keys; one without any is in no footer."""
    show = shown(keys.partition(",")[0])
    return replace(deed, keys=keys, show=show, hint=deed.hint if keys else 0)


def shown(key: str) -> str:
    """How a key is written on the screen."""
    return _SIGNS.get(key) or _SHOWN.get(key, key)


def read(wishes: Mapping[str, Sequence[str]], table: Sequence[Deed] = DEEDS) -> Keymap:
    """What of ``wishes`` counts; keys are names or single characters."""
    troubles: list[str] = []
    by_id = {deed.id: deed for deed in table}
    wished: dict[str, str] = {}
    for deed_id, keys in wishes.items():
        if deed_id not in by_id:
            near = get_close_matches(deed_id, by_id, n=1)
            hint = f"; did you mean {near[0]}?" if near else "; docs/keys.md lists them"
            troubles.append(f"{_said(deed_id)}: there is no such action{hint}")
            continue
        named = [name_of(key) if len(key) == 1 else key.lower() for key in keys]
        wrong = [key for key in named if key not in KNOWN]
        troubles += (
            f'{_said(deed_id)}: "{clean(key, limit=40)}" is no key that terminals '
            f"send; {deed_id} stays on {by_id[deed_id].show}"
            for key in wrong
        )
        if not wrong:
            wished[deed_id] = ",".join(dict.fromkeys(named))
    while (clash := _clash(table, wished)) is not None:
        key, loser, winner, context = clash
        del wished[loser]
        troubles.append(
            f"{_said(loser)}: {shown(key)} is {winner} in {context}; give {winner} "
            f"another key too, or {loser} one that is free. It stays on "
            f"{by_id[loser].show}"
        )
    return Keymap(MappingProxyType(wished), tuple(troubles))


def _said(deed_id: str) -> str:
    return f"[keymap] {clean(deed_id, limit=64)}"


def _clash(
    table: Sequence[Deed], wished: Mapping[str, str]
) -> tuple[str, str, str, str] | None:
    """Key, who loses it, who has it, and where; the later wish loses."""
    order = {deed_id: rank for rank, deed_id in enumerate(wished)}
    for context, wheres in CONTEXTS.items():
        taken: dict[str, str] = {}
        for deed in table:
            if deed.where not in wheres:
                continue
            for key in filter(None, wished.get(deed.id, deed.keys).split(",")):
                other = taken.setdefault(key, deed.id)
                if other == deed.id:
                    continue
                first, last = sorted((other, deed.id), key=lambda i: order.get(i, -1))
                if last in wished:
                    return key, last, first, context
    return None
