"""Where in a TOML text each table and key stands, to the line.

Owns a position scanner for text that :mod:`tomllib` has already accepted, which is
why it need not judge anything. It must not know what the keys mean. ``tomllib`` and
``tomlkit`` both drop positions, and an error without its line sends people searching.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One ``[header]`` with its lines, 1-based, both ends included.

    ``path`` is its resolved path: ``("deployment", 0, "expect")``. ``end`` is the last
    line that holds a key, or the header itself: comments after it are not part of it.
    """

    path: KeyPath
    start: int
    end: int


@dataclass(slots=True)
class Layout:
    """Every key and table of a text by path, and its sections in order."""

    lines: dict[KeyPath, int] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)

    def line(self, *path: str | int) -> int | None:
        """The line of the closest thing to ``path`` that stands in the text."""
        for length in range(len(path), 0, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return None


def locate(text: str) -> Layout:
    """The layout of ``text``, which must be valid TOML."""
    return _Scanner(text).run()


class _Scanner:
    def __init__(self, text: str) -> None:
        # TOML newlines are LF or CRLF; a lone CR cannot stand outside a string.
        self._text = text
        self._at = 0
        self._line = 1
        self._layout = Layout()
        self._arrays: dict[KeyPath, int] = {}

    def run(self) -> Layout:
        table: KeyPath = ()
        start = 0
        end = 0
        while self._skip(newlines=True):
            line = self._line
            if self._peek() == "[":
                if start:
                    self._layout.sections.append(Section(table, start, end))
                table = self._header()
                start = end = line
            else:
                self._pair(table)
                end = self._line
        if start:
            self._layout.sections.append(Section(table, start, end))
        return self._layout

    # -- statements -------------------------------------------------------------
    def _header(self) -> KeyPath:
        line = self._line
        array = self._text.startswith("[[", self._at)
        self._advance(2 if array else 1)
        parts = list(self._key())
        self._advance(2 if array else 1)
        path = (*self._resolve(parts[:-1]), parts[-1])
        if array:
            index = self._arrays.get(path, 0)
            self._arrays[path] = index + 1
            self._layout.lines.setdefault(path, line)
            path = (*path, index)
        else:
            path = self._resolve(parts)
        # A table that only a longer header implies stands where that header does.
        for length in range(1, len(path)):
            self._layout.lines.setdefault(path[:length], line)
        self._layout.lines[path] = line
        return path

    def _resolve(self, parts: list[str]) -> KeyPath:
        path: KeyPath = ()
        for part in parts:
            path = (*path, part)
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        path = table
        line = self._line
        for part in self._key():
            path = (*path, part)
            self._layout.lines.setdefault(path, line)
        self._advance(1)  # "="
        self._skip(newlines=False)
        self._value(path)

    def _key(self) -> Iterator[str]:
        parts: list[str] = []
        while True:
            self._skip(newlines=False)
            if self._peek() in "\"'":
                parts.append(self._quoted_key())
            else:
                begin = self._at
                while self._peek() not in " \t.=]":
                    self._advance(1)
                parts.append(self._text[begin : self._at])
            self._skip(newlines=False)
            if self._peek() != ".":
                return iter(parts)
            self._advance(1)

    def _quoted_key(self) -> str:
        begin = self._at
        self._string()
        # Escapes are the reader's business; it has the one right answer.
        parsed: str = tomllib.loads(f"k={self._text[begin : self._at]}")["k"]
        return parsed

    # -- values -----------------------------------------------------------------
    def _value(self, path: KeyPath) -> None:
        char = self._peek()
        if char in "\"'":
            self._string()
        elif char == "[":
            self._array(path)
        elif char == "{":
            self._inline(path)
        else:
            while self._peek() not in ",]}#\n\r" and self._at < len(self._text):
                self._advance(1)

    def _array(self, path: KeyPath) -> None:
        self._advance(1)
        index = 0
        while self._skip(newlines=True) and self._peek() != "]":
            if self._peek() == ",":
                self._advance(1)
                continue
            self._layout.lines[*path, index] = self._line
            self._value((*path, index))
            index += 1
        self._advance(1)

    def _inline(self, path: KeyPath) -> None:
        self._advance(1)
        while self._skip(newlines=True) and self._peek() != "}":
            if self._peek() == ",":
                self._advance(1)
                continue
            self._pair(path)
        self._advance(1)

    def _string(self) -> None:
        quote = self._peek()
        mark = quote * 3
        if self._text.startswith(mark, self._at):
            self._advance(3)
            self._to_end_of(quote, mark)
            # Up to two quotes may stand directly before the closing three.
            while self._peek() == quote:
                self._advance(1)
        else:
            self._advance(1)
            self._to_end_of(quote, quote)

    def _to_end_of(self, quote: str, mark: str) -> None:
        while not self._text.startswith(mark, self._at):
            escaped = quote == '"' and self._peek() == "\\"
            self._advance(2 if escaped else 1)
        self._advance(len(mark))

    # -- characters -------------------------------------------------------------
    def _peek(self) -> str:
        return self._text[self._at : self._at + 1] or "\n"

    def _advance(self, count: int) -> None:
        if self._at >= len(self._text):
            raise ValueError("the text is not valid TOML")
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _skip(self, *, newlines: bool) -> bool:
        """Past white space (and comments); whether anything is left."""
        blank = " \t\r\n" if newlines else " \t"
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in blank:
                self._advance(1)
            elif char == "#" and newlines:
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return True
        return False
