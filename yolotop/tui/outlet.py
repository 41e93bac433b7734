"""Where pictures go: the terminal's file, which may be gone from one write to the next.

Owns what becomes of text that no terminal takes any more. It must not know what is
drawn.

Textual writes in a thread of its own, through a queue of 30 places. Where the terminal
is gone a write fails, the thread ends with it, and whoever writes next waits for room
for ever: of 136 terminals closed in their first 0.7 s three never ended, each while it
switched the mouse off.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


class Outlet:
    """A text file that takes whatever is written, also when nobody reads it."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.lost = False

    def write(self, text: str) -> int:
        """Pass it on, or drop it once a write has failed."""
        if not self.lost:
            try:
                return self._file.write(text)
            except (OSError, ValueError):  # ValueError: it was closed.
                self.lost = True
        return len(text)

    def flush(self) -> None:
        """Pass on what waits, or drop it."""
        if not self.lost:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self.lost = True

    def isatty(self) -> bool:
        """As the file says."""
        return self._file.isatty()

    def fileno(self) -> int:
        """That of the file."""
        return self._file.fileno()


class SureDriver(LinuxDriver):
    """Textual's own, which outlives its terminal."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if self._file is not None:
            self._file = Outlet(self._file)  # type: ignore[assignment]
