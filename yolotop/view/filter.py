"""The filter a person types after ``/``: parsed once, asked for every line or card.

Owns the grammar and what a filter means. It must not know where lines come from nor how
they are drawn; :mod:`yolotop.view.fields` knows the fields.

A filter is terms, all of which must hold:

- a word or a ``"phrase"``, case aside: looked for in the message, the deployment's
  name, the severity's word and the HTTP status, never across two of them;
- a field and its value: ``sev>=warn``, ``status:5xx``, ``p95>80``, ``name:"dock 4"``;
- either with ``!`` before it must not hold; a ``!`` of its own in front turns the whole
  filter round.

Every text is a filter. What looks like a field and is none is told in ``problems`` and
looked for as a word; a field with a value that it cannot have is told and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from yolotop.store.protocol import LogLine, SharedLine
from yolotop.view.fields import (
    BY_KEY,
    FIELDS,
    BadValueError,
    Between,
    Test,
)
from yolotop.view.snapshot import Card

# A field with a phrase; a phrase, closed or not; a run of anything but white space.
_TERM: Final = re.compile(
    r'(!?)([A-Za-z]\w*)(>=|<=|!=|[:=<>])"([^"]*)(?:"|$)'
    r'|(!?)"([^"]*)(?:"|$)'
    r'|(!?)([^\s"]+)'
)
_FIELD: Final = re.compile(r"([A-Za-z][\w-]*)(>=|<=|!=|[:=<>])(.*)", re.DOTALL)
# A port, a path or an address with a scheme: text that only looks like a field.
_NO_VALUE: Final = re.compile(r"[\d/\\]|.*:|$")

_WORDS: Final = (
    ("timeout", "lines with this word; more words must all be found"),
    ('"in a row"', "lines with these exact words"),
    ("!timeout", "lines without it; so for phrases and fields: `!status:200`"),
    ("! gate timeout", "a `!` of its own in front: what the rest does *not* find"),
)


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase, case-folded; ``excluded`` when it must not be found."""

    text: str
    excluded: bool = False

    def of_line(self, line: LogLine) -> bool:
        """Whether it holds for a line."""
        return any(self.text in each for each in _texts(line)) is not self.excluded

    def of_card(self, card: Card) -> bool:
        """Whether it holds for a deployment."""
        return any(self.text in each for each in _card_texts(card)) is not self.excluded

    def of_shared(self, line: SharedLine) -> bool | None:
        """Whether it holds for every such line (or none); ``None``: it depends."""
        if any(self.text in each for each in _texts(line)):
            return not self.excluded
        # A word without a digit cannot reach over a number.
        if line.pieces is None or (
            len(line.pieces) > 1 and any("0" <= char <= "9" for char in self.text)
        ):
            return None
        return self.excluded


@dataclass(frozen=True, slots=True)
class Clause:
    """A field and what it must be; ``excluded`` when it must not."""

    key: str
    test: Test
    excluded: bool = False

    def of_line(self, line: LogLine | SharedLine, card: Card | None) -> bool:
        """Whether it holds for a line of this deployment."""
        asked = BY_KEY[self.key]
        if asked.of_line is not None:
            value = asked.of_line(line)
        else:
            value = None if card is None else asked.of_card(card)
        return self.test.passes(value) is not self.excluded

    def of_card(self, card: Card) -> bool:
        """Whether it holds for a deployment."""
        return self.test.passes(BY_KEY[self.key].of_card(card)) is not self.excluded

    def of_latency(self, span_ms: tuple[float, float] | None) -> bool:
        """Whether it can hold for a line with a latency inside the span."""
        if self.key != "ms" or not isinstance(self.test, Between):
            return True
        if span_ms is None:
            return self.excluded
        if self.excluded:
            return not self.test.covers(*span_ms)
        return self.test.touches(*span_ms)


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms of a filter; without any it lets every line pass.

    ``inverted`` turns all of it round. ``problems`` are sentences for whoever typed it.
    """

    terms: tuple[Term | Clause, ...] = ()
    inverted: bool = False
    problems: tuple[str, ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return bool(self.terms)

    @property
    def words(self) -> tuple[str, ...]:
        """The words and phrases that are in what is found: what to mark there."""
        if self.inverted:
            return ()
        found = [each for each in self.terms if isinstance(each, Term)]
        return tuple(each.text for each in found if not each.excluded)

    @property
    def keys(self) -> frozenset[str]:
        """The fields by which lines are found: what else to mark there."""
        if self.inverted:
            return frozenset()
        found = [each for each in self.terms if isinstance(each, Clause)]
        return frozenset(each.key for each in found if not each.excluded)

    def among(self, cards: Iterable[Card] = ()) -> LineFilter:
        """The filter for lines of these deployments, as they are now."""
        return LineFilter(self, {card.name: card for card in cards})

    def matches(self, line: LogLine) -> bool:
        """Whether a line passes, where nothing is known of its deployment."""
        return LineFilter(self, {}).matches(line)

    def matches_card(self, card: Card) -> bool:
        """Whether a deployment passes: by its name, place, state and figures, and by

        its newest prediction where a field is one of lines.
        """
        if not self.terms:
            return True
        return all(term.of_card(card) for term in self.terms) is not self.inverted


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A filter and the deployments it is asked about.

    Fulfils :class:`yolotop.store.protocol.LineQuery`.
    """

    filter: Filter
    cards: Mapping[str, Card]

    def matches(self, line: LogLine) -> bool:
        """Whether a line passes."""
        terms = self.filter.terms
        if not terms:
            return True
        card = self.cards.get(line.deployment or "")
        return (
            all(
                term.of_line(line)
                if isinstance(term, Term)
                else term.of_line(line, card)
                for term in terms
            )
            is not self.filter.inverted
        )

    def of_shared(self, line: SharedLine) -> bool | None:
        """Whether all lines pass that share this, or none; ``None``: it depends."""
        terms = self.filter.terms
        if not terms:
            return True
        card = self.cards.get(line.deployment or "")
        unsure = False
        for term in terms:
            if isinstance(term, Term):
                holds = term.of_shared(line)
            elif term.key == "ms":
                holds = None
            else:
                holds = term.of_line(line, card)
            if holds is False:
                return self.filter.inverted
            unsure = unsure or holds is None
        return None if unsure else not self.filter.inverted

    def of_latency(self, span_ms: tuple[float, float] | None) -> bool:
        """Whether a line with a latency inside the span, or with none, can pass."""
        return self.filter.inverted or all(
            term.of_latency(span_ms)
            for term in self.filter.terms
            if isinstance(term, Clause)
        )


def parse(text: str) -> Filter:
    """The filter that ``text`` means. Never raises; ``!`` and ``""`` mean nothing."""
    terms: list[Term | Clause] = []
    problems: list[str] = []
    inverted = False
    for number, found in enumerate(_TERM.finditer(text)):
        key, op, quoted, phrase, word = found.group(2, 3, 4, 6, 8)
        excluded = bool(found[1] or found[5] or found[7])
        if key is None and word is not None:
            if word == "!" and not excluded:
                inverted = inverted or number == 0
                continue
            if (parts := _FIELD.fullmatch(word)) is not None:
                key, op, quoted = parts.groups()
        if key is not None:
            told = _clause(key, op, quoted, excluded=excluded)
            if isinstance(told, Clause):
                terms.append(told)
                continue
            if told:
                problems.append(told)
            if key.casefold() in BY_KEY:
                continue
            word = f"{key}{op}{quoted}"
        if wanted := (phrase or word or "").casefold():
            terms.append(Term(wanted, excluded=excluded))
    return Filter(tuple(terms), inverted and bool(terms), tuple(problems))


def reference() -> tuple[tuple[str, str], ...]:
    """Every form a term can take: an example and what it finds. For help and docs."""
    return (*_WORDS, *((each.example, each.meaning) for each in FIELDS))


def _clause(key: str, op: str, value: str, *, excluded: bool) -> Clause | str:
    """The clause, or what is wrong with it; nothing is, where it is just a word."""
    asked = BY_KEY.get(key.casefold())
    if asked is None:
        near = get_close_matches(key.casefold(), BY_KEY, n=1, cutoff=0.7)
        far = value.startswith("//") or not (near and value)
        if far and _NO_VALUE.match(value) and (op in (":", "=") or not value):
            return ""
        hint = f"did you mean {near[0]}?" if near else "looked for as text"
        return f"no field '{key}'; {hint}"
    if not value.strip():
        return f"{asked.key}{op} what? For example {asked.example}"
    try:
        test = asked.parse(op if op != "!=" else "=", value.casefold().strip())
    except BadValueError as error:
        return f"{asked.key}: {error}"
    return Clause(asked.key, test, excluded is not (op == "!="))


def _texts(line: LogLine | SharedLine) -> tuple[str, ...]:
    status = "" if line.http_status is None else str(line.http_status)
    name = (line.deployment or "").casefold()
    level = line.severity.name.casefold()
    if isinstance(line, SharedLine):
        return (*(piece.casefold() for piece in line.pieces or ()), name, level, status)
    return (line.message.casefold(), name, level, status)


def _card_texts(card: Card) -> tuple[str, ...]:
    texts = (card.name, card.url, card.message, card.region or "", card.group or "")
    rest = (*texts, *card.tags, card.dialect, card.health.value)
    return tuple(text.casefold() for text in rest)
