"""What the end-to-end tests share: a person at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from person import Person


@pytest.fixture
def sit_down(tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Start the program as a person with a home of their own; all end with the test."""
    people: list[Person] = []

    def start(*args: str, columns: int = 120, rows: int = 40) -> Person:
        person = Person(*args, columns=columns, rows=rows, home=tmp_path)
        people.append(person)
        return person

    yield start
    for person in people:
        person.child.close(force=True)
