"""The log's text filter: parsed once, asked for every line.

Owns the grammar a person types after ``/``. It must not know where lines come from nor
how they are drawn.

A filter is words, all of which must be found; ``!word`` must not be; ``"two words"``
and ``!"two words"`` are phrases. Case does not matter. A word is looked for in the
message, the deployment's name, the severity's word and the HTTP status, never across
two of them. Every text is a filter: a quote that is never closed runs to the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from yolotop.store.protocol import LogLine

# A phrase, closed or not; or a run of anything but white space. Each with its "!".
_TERM: Final = re.compile(r'(!?)(?:"([^"]*)(?:"|$)|([^\s"]+))')


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase, case-folded; ``excluded`` when it must not be found."""

    text: str
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """All terms of a filter; without any it lets every line pass."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, line: LogLine) -> bool:
        """Whether every term says yes."""
        if not self.terms:
            return True
        fields = _fields(line)
        return all(
            any(term.text in field for field in fields) is not term.excluded
            for term in self.terms
        )


def parse(text: str) -> Filter:
    """The filter that ``text`` means. Never raises; ``!`` and ``""`` mean nothing."""
    terms = []
    for bang, phrase, word in _TERM.findall(text):
        wanted = (phrase or word).casefold()
        if wanted and wanted != "!":
            terms.append(Term(wanted, excluded=bool(bang)))
    return Filter(tuple(terms))


def _fields(line: LogLine) -> tuple[str, ...]:
    status = "" if line.http_status is None else str(line.http_status)
    deployment = line.deployment or ""
    return (
        line.message.casefold(),
        deployment.casefold(),
        line.severity.name.casefold(),
        status,
    )
