"""How the suite is run: what a test is called, and what many processes know together.

Nothing here is about yolotop.
"""

from __future__ import annotations

from typing import Final

import pytest

LONGEST_ID: Final = 60
"""Characters. A page of 64 KB is no name: it hides the line that it stands in."""

FOUND, USED = "snapshots_unused_here", "snapshots_used_here"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a long text by how it begins and how long it is."""
    if not isinstance(val, str | bytes) or len(val) <= LONGEST_ID:
        return None
    begins = ascii(val[: LONGEST_ID // 2]).removeprefix("b")[1:-1]
    return f"{begins}..{len(val)}"


class Pictures:
    """Tells of pictures that no test takes, where the tests run in many processes.

    syrupy does so in one process only: each of many would call the others' unused.
    """

    def __init__(self) -> None:
        self._unused: set[str] = set()
        self._used: set[str] = set()

    @property
    def left_over(self) -> list[str]:
        """Pictures that a process found where it took others, and that none took."""
        return sorted(self._unused - self._used)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take in what one process knows; one that crashed knows nothing."""
        known = getattr(node, "workeroutput", {})
        self._unused.update(known.get(FOUND, ()))
        self._used.update(known.get(USED, ()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a run in which all else went well: a test that failed took none."""
        if self.left_over and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Name them, and what removes them."""
        if not self.left_over or terminalreporter.stats.get("failed"):
            return
        terminalreporter.section("no test takes these pictures", red=True)
        for location in self.left_over:
            terminalreporter.write_line(location)
        terminalreporter.write_line("`make snapshots` removes them.")


def pytest_configure(config: pytest.Config) -> None:
    """Gather where the processes are started from, not in them."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Pictures())


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand on what syrupy, whose turn is first, knows in this process."""
    output = getattr(session.config, "workeroutput", None)
    report = getattr(getattr(session.config, "_syrupy", None), "report", None)
    if output is not None and report is not None:
        output[FOUND] = [each.location for each in report.unused]
        output[USED] = [each.location for each in report.used]
