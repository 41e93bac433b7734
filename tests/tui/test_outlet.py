"""What is written to a terminal that is gone is dropped, and nobody waits for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO

import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from yolotop.tui.outlet import Outlet


@pytest.fixture
def terminal() -> Iterator[tuple[int, IO[str]]]:
    """The master's number and the slave as a file."""
    master, slave = os.openpty()
    with open(slave, "w", encoding="utf-8", closefd=False) as file:
        yield master, file
        file_lost = Outlet(file)
        file_lost.flush()
    os.close(slave)


def test_a_terminal_that_is_there_gets_it(terminal: tuple[int, IO[str]]) -> None:
    master, file = terminal
    outlet = Outlet(file)
    assert outlet.isatty()
    assert outlet.fileno() == file.fileno()
    assert outlet.write("seen") == 4
    outlet.flush()
    assert os.read(master, 99) == b"seen"
    assert not outlet.lost
    os.close(master)


def test_the_thread_that_writes_outlives_the_terminal(
    terminal: tuple[int, IO[str]],
) -> None:
    master, file = terminal
    outlet = Outlet(file)
    os.close(master)
    writer = WriterThread(outlet)  # type: ignore[arg-type]
    writer.start()
    # More than the queue holds: with the bare file this waits for ever.
    for number in range(3 * MAX_QUEUED_WRITES):
        writer.write(f"line {number}\n" * 200)
    writer.stop()
    assert not writer.is_alive()
    assert outlet.lost


def test_a_file_that_was_closed_is_a_terminal_that_is_gone() -> None:
    reader, other = os.pipe()
    os.close(reader)
    file = open(other, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a number
    outlet = Outlet(file)
    file.close()
    assert outlet.write("nobody") == 6
    outlet.flush()
    assert outlet.lost
