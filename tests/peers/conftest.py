"""Real servers for tests: opt-in, one alive at a time, gone when the test is.

``peer`` is a running server, shared by the tests that leave it whole; ``start_peer``
starts one for a test that breaks it. All but FastAPI, which the tests themselves need,
carry the marker ``peers`` and run with ``pytest -m peers`` only: they install up to
4 GB. Where a server cannot be had, its tests are skipped with one line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from peer_recipes import RECIPES, case
from peer_venvs import Unavailable
from peers import Peer, start

StartPeer = Callable[..., Peer]

_FIRST_S = 1200
"""A test's time, since the first of a server may install it (35 to 120 s seen)."""


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what is marked ``peers`` unless ``-m`` speaks of it."""
    marked = [item for item in items if item.get_closest_marker("peers")]
    for item in marked:
        item.add_marker(pytest.mark.timeout(_FIRST_S))
    places = [at for at, item in enumerate(items) if "tests/peers/" in item.nodeid]
    ordered = sorted((items[at] for at in places), key=_server_of)
    for at, item in zip(places, ordered, strict=True):
        items[at] = item
    if "peers" in (config.option.markexpr or ""):
        return
    config.hook.pytest_deselected(items=marked)
    items[:] = [item for item in items if item not in marked]


def _server_of(item: pytest.Item) -> str:
    """Whose test it is: those of one running server shall follow each other."""
    params = getattr(item, "callspec", None)
    return str(params.params.get("peer", "")) if params else ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of ``peer`` that names none is a test of each."""
    if "peer" in metafunc.fixturenames and not any(
        "peer" in str(mark.args[0])
        for mark in metafunc.definition.iter_markers("parametrize")
    ):
        names = [case(name) for name in RECIPES]
        metafunc.parametrize("peer", names, indirect=True)


def started(name: str, scratch: Path, *, fault: str = "", wait: bool = True) -> Peer:
    """Start a server, or skip with the reason why it cannot be had."""
    try:
        return start(RECIPES[name], scratch, fault=fault, wait=wait)
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report all that misses the same thing at one place, which makes it one line."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


_FIGURES: dict[str, str] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the servers cost: the figures of the README."""
    if _FIGURES and terminalreporter.config.option.markexpr:
        terminalreporter.section("real servers")
        head = ("server", "version", "up s", "answers s", "MB", "procs")
        terminalreporter.line("{:<12}{:<10}{:>6}{:>11}{:>8}{:>7}".format(*head))
        for line in _FIGURES.values():
            terminalreporter.line(line)


class Stage:
    """Holds the one server that is up, until another is asked for."""

    def __init__(self, scratch: Callable[[str], Path]) -> None:
        self._scratch = scratch
        self._peer: Peer | None = None

    def give(self, name: str) -> Peer:
        """This server, running."""
        if self._peer is None or self._peer.name != name:
            self.clear()
            self._peer = started(name, self._scratch(name))
            _FIGURES[name] = (
                f"{name:<12}{self._peer.version:<10}{self._peer.up_s:>6.1f}"
                f"{self._peer.answers_s:>11.1f}{self._peer.rss_mb():>8.0f}"
                f"{len(self._peer.pids()):>7}"
            )
        return self._peer

    def clear(self) -> None:
        """Stop the one that is up."""
        gone, self._peer = self._peer, None
        if gone is not None:
            gone.stop()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Where servers stand one after the other."""
    here = Stage(tmp_path_factory.mktemp)
    yield here
    here.clear()


@pytest.fixture
def peer(request: pytest.FixtureRequest, stage: Stage) -> Peer:
    """A server that answers; leave it as it is."""
    return stage.give(request.param)


@pytest.fixture
def start_peer(tmp_path: Path, stage: Stage) -> Iterator[StartPeer]:
    """Start servers that the test may break: name, ``fault=``, ``wait=``."""
    stage.clear()
    with contextlib.ExitStack() as ends:

        def begin(name: str, *, fault: str = "", wait: bool = True) -> Peer:
            running = started(name, tmp_path / name, fault=fault, wait=wait)
            ends.callback(running.stop)
            return running

        yield begin
