"""The one error tree and the exit codes.

Owns how yolotop fails towards people: every error it raises on purpose carries a
title (what), a message (where and why) and a hint (the cure). It must not know who
shows them: the command line and the terminal both render the three parts.

::

    YolotopError
    ├── ConfigError      the config file, a key in it, an environment variable
    ├── UsageError       the command line
    ├── StoreError       the database
    │   └── SchemaTooNew the database was written by a newer yolotop
    ├── LockedError      another collector owns the data directory
    └── MissingExtraError an optional dependency is not installed
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    OK = 0
    UNHEALTHY = 1
    USAGE = 2
    LOCKED = 3
    INTERRUPTED = 130


class YolotopError(Exception):
    """An error with a cure. ``exit_code`` is what a command that hits it returns."""

    title = "yolotop could not go on"
    exit_code = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "", title: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if title:
            self.title = title

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class ConfigError(YolotopError):
    """The config file cannot be used as it is."""

    title = "The configuration cannot be used"


class UsageError(YolotopError):
    """The command line asks for something that does not exist."""

    title = "That command cannot be carried out"


class StoreError(YolotopError):
    """The history cannot be read or written."""

    title = "The history cannot be used"


class SchemaTooNew(StoreError):  # noqa: N818 - reads as what happened
    """A newer yolotop wrote this database; this one must not touch it."""

    title = "The history was written by a newer yolotop"


class LockedError(YolotopError):
    """Another collector is the single writer of this data directory."""

    title = "Another collector is running"
    exit_code = ExitCode.LOCKED


class MissingExtraError(YolotopError):
    """An optional dependency is needed and not installed."""

    title = "An optional part is not installed"
