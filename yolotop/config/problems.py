"""What is wrong with a config file: every problem at once, each with its place.

Owns the collecting and the wording of problems. It must not know the keys. A file
with three mistakes is corrected in one go, not in three rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from yolotop.config.locate import KeyPath, Layout
from yolotop.errors import ConfigError
from yolotop.text import clean, redact

MOST_SHOWN = 40
"""Problems told in one message; a file of garbage must not flood the screen."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct: ``source`` is a file or ``environment``, lines from 1."""

    source: str
    line: int | None
    subject: str
    text: str
    column: int | None = None

    def __str__(self) -> str:
        where = self.source
        if self.line is not None:
            where += f":{self.line}"
        if self.column is not None:
            where += f":{self.column}"
        return ": ".join(part for part in (where, self.subject, self.text) if part)


class InvalidConfig(ConfigError):  # noqa: N818 - reads as what happened
    """A config that cannot be used, with all its ``problems``."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(problem) for problem in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            shown.append(f"… and {len(self.problems) - MOST_SHOWN} more")
        # Only what stands in a file has a line, and only a file can be validated: the
        # cure for an argument or a variable is to give it anew.
        in_file = any(problem.line is not None for problem in self.problems)
        super().__init__(
            "\n".join(shown),
            hint="Correct this and run `yolotop config validate`"
            if in_file
            else "Correct this and try again",
        )


class NameTaken(ConfigError):  # noqa: N818 - reads as what happened
    """A deployment is to be added under a ``name`` that another one has."""

    title = "The deployment cannot be added"

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        super().__init__(
            f"{quoted(name)} is registered already in {source}",
            hint="Choose another name, or remove that one first",
        )


@dataclass(slots=True)
class Findings:
    """Where problems and warnings of one reading are gathered.

    ``locate`` finds out where things stand in the text; it is asked only when there is
    something to report: 20 ms for a hundred deployments, at every start of a face.
    """

    source: str
    locate: Callable[[], Layout] = Layout
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    _layout: Layout | None = field(default=None, init=False)

    def layout(self) -> Layout:
        """Where each table and key stands."""
        if self._layout is None:
            self._layout = self.locate()
        return self._layout

    def scope(self, subject: str, *path: str | int) -> Scope:
        """A place to report from."""
        return Scope(self, subject, path)

    def check(self) -> None:
        """Raise :class:`InvalidConfig` when anything was wrong."""
        if self.problems:
            ordered = sorted(self.problems, key=lambda problem: problem.line or 0)
            raise InvalidConfig(ordered)


@dataclass(frozen=True, slots=True)
class Scope:
    """One table of the file, as far as reporting goes."""

    findings: Findings
    subject: str
    path: KeyPath
    source: str = ""

    def child(self, subject: str, *keys: str | int, source: str = "") -> Scope:
        """A table inside this one, or the same from another ``source``."""
        return Scope(self.findings, subject, (*self.path, *keys), source or self.source)

    def problem(self, text: str, *keys: str | int) -> None:
        """``text`` is wrong at ``keys`` below this table."""
        self.findings.problems.append(self._problem(text, keys))

    def warn(self, text: str, *keys: str | int) -> None:
        """``text`` deserves a look."""
        self.findings.warnings.append(self._problem(text, keys))

    def unknown(self, key: str, known: Iterable[str], *, what: str = "key") -> None:
        """``key`` is not one of ``known``; the nearest is offered."""
        self.problem(f"unknown {what} {quoted(key)}; {nearest(key, known)}", key)

    def _problem(self, text: str, keys: tuple[str | int, ...]) -> Problem:
        if self.source:
            return Problem(self.source, None, self.subject, text)
        line = self.findings.layout().line(*self.path, *keys)
        return Problem(self.findings.source, line, self.subject, text)


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean "…"?`` or the list of what is known."""
    names = list(known)
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    return "known are " + ", ".join(names)


def quoted(value: object) -> str:
    """A value of the file as shown in a message: cleaned, redacted and short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{redact(clean(value, limit=80))}"'
    if isinstance(value, (int, float)):
        return clean(str(value), limit=40)
    return kind_of(value)


def kind_of(value: object) -> str:
    """What TOML calls the type of ``value``, with its article."""
    if isinstance(value, bool):
        return "a boolean"
    for types, name in (
        (str, "a string"),
        (int, "an integer"),
        (float, "a decimal number"),
        (list, "an array"),
        (dict, "a table"),
    ):
        if isinstance(value, types):
            return name
    return "a date or time"
