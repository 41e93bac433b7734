"""Whether the config file has changed, asked rather than told.

Owns a stat signature of one path. It must not know what the file means: a caller that
hears *changed* loads it again. No thread and no inotify: one stat costs 2 µs, works on
every file system, and sees an editor's rename as well as a write in place.
"""

from __future__ import annotations

from pathlib import Path

_Signature = tuple[int, int, int] | None


class ConfigWatch:
    """Remembers how ``path`` looked; :meth:`changed` compares and remembers anew."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether the file was written, replaced, removed or created since asked."""
        now = self._look()
        changed = now != self._seen
        self._seen = now
        return changed

    def _look(self) -> _Signature:
        if self._path is None:
            return None
        try:
            # stat follows links: what counts is the file that would be read.
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)
