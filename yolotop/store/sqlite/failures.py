"""SQLite's errors as ours: what failed, where, and the cure.

Owns the translation and how long a connection waits for a lock. It must not know what
was being done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yolotop.errors import StoreError
from yolotop.text import clean

BUSY_S: Final = 5.0
"""How long a connection waits for another one's lock."""

MOVES_ASIDE: Final = "Start the collector: it moves a ruined database aside"
_HINTS: Final = (
    ("full", "Free some disk space; yolotop goes on by itself"),
    (
        "readonly",
        "Make the data directory writable, or choose one with --data-dir",
    ),
    ("locked", "Another program holds the database; close it and try again"),
    ("malformed", MOVES_ASIDE),
    ("not a database", MOVES_ASIDE),
    ("unable to open", "Check that the data directory exists and is yours"),
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as :class:`StoreError`, naming the file and the cure."""
    try:
        yield
    except sqlite3.Error as error:
        text = clean(str(error))
        hint = next((cure for mark, cure in _HINTS if mark in text), "")
        raise StoreError(f"{path}: {text}", hint=hint) from error
    except (UnicodeError, OverflowError) as error:
        raise StoreError(f"{path}: a value cannot be stored: {error!r}") from error
    except OSError as error:
        reason = clean(error.strerror or str(error))
        raise StoreError(
            f"{path}: {reason}",
            hint="Check that the data directory exists and is yours",
        ) from error
