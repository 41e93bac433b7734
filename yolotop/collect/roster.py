"""Who is to be asked: the config file, followed while it is edited.

Owns reading the file again when it has changed, and what differs from before. It must
not know what is done about a difference.

A file that was found stays the file: one that vanishes for a moment under an editor,
or for good, is a broken edit like any other, and the last good roster stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

from yolotop.config.load import find, load
from yolotop.config.schema import Config
from yolotop.config.watch import ConfigWatch
from yolotop.model import Deployment


class ConfigSource(Protocol):
    """Where configurations come from."""

    def load(self) -> Config:
        """The configuration as it is now; raises ``ConfigError``."""

    def changed(self) -> bool:
        """Whether loading again may give something else."""


class FileSource:
    """A config file; without a ``path`` the first one that the search finds."""

    def __init__(
        self, path: Path | None, *, env: Mapping[str, str], data_dir: Path | None
    ) -> None:
        self._path = path
        self._env = env
        self._data_dir = data_dir
        self._watch = ConfigWatch(None)

    def load(self) -> Config:
        """See :class:`ConfigSource`."""
        if self._path is None:
            self._path = find(None, env=self._env)
        # Before reading: what is written meanwhile must count as a change.
        self._watch = ConfigWatch(self._path)
        return load(self._path, env=self._env, data_dir=self._data_dir)

    def changed(self) -> bool:
        """See :class:`ConfigSource`."""
        if self._path is None:
            return find(None, env=self._env) is not None
        return self._watch.changed()


@dataclass(frozen=True, slots=True)
class Change:
    """One deployment that is new (``before`` is ``None``), gone or different."""

    name: str
    before: Deployment | None
    after: Deployment | None

    @property
    def asks_elsewhere(self) -> bool:
        """Whether what was learnt of the old endpoint says nothing of the new one."""
        return (
            self.before is not None
            and self.after is not None
            and (self.before.url, self.before.dialect)
            != (self.after.url, self.after.dialect)
        )

    def __str__(self) -> str:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed; its history stays"
        different = [
            field.name.removesuffix("_s").removesuffix("_ms")
            for field in fields(Deployment)
            if getattr(self.before, field.name) != getattr(self.after, field.name)
        ]
        return f"changed: {', '.join(different)}"


def compare(
    before: Mapping[str, Deployment], after: Mapping[str, Deployment]
) -> tuple[Change, ...]:
    """What must be done to get from one roster to the other, the gone ones first."""
    gone = [
        Change(name, old, None) for name, old in before.items() if name not in after
    ]
    rest = [
        Change(name, before.get(name), new)
        for name, new in after.items()
        if before.get(name) != new
    ]
    return (*gone, *rest)
