"""What a person can change from the terminal, as a protocol and for real.

Owns the way from a key press to the two places a face may write: the config file and
the requests in the store. It must not probe: a trial is a request that the collector
answers, so that what the form shows was measured like everything else.

``yolotop.config.edit`` is imported where it is used: tomlkit costs 30 ms, the first
paint does not need it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from yolotop.errors import ConfigError, StoreError
from yolotop.store.protocol import Reader, RequestKind

TRIAL_DEADLINE_S: Final = 75.0
"""Longest wait for a trial: a cold start (55 s) and a probe's own timeout."""
_POLL_S: Final = 0.1

Table = Mapping[str, object]
"""A deployment as the config file writes it."""


class Actions(Protocol):
    """Everything the terminal can change. All raise ``YolotopError`` with a cure."""

    async def trial(self, table: Table) -> list[dict[str, object]]:
        """Probe an endpoint that is not registered; rows as ``check --json`` prints."""

    async def add(self, table: Table) -> None:
        """Register a deployment."""

    async def remove(self, name: str) -> None:
        """Take a deployment out of the config file; its history stays."""

    async def pause(self, name: str) -> None:
        """Stop asking a deployment."""

    async def resume(self, name: str) -> None:
        """Ask it again."""

    async def probe(self, name: str) -> None:
        """Ask it now."""


class StoreActions:
    """The real ones: edits one config file, leaves requests in one store."""

    def __init__(
        self,
        reader: Reader,
        config_path: Path,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        deadline_s: float = TRIAL_DEADLINE_S,
    ) -> None:
        self._reader = reader
        self._config_path = config_path
        self._now = now
        self._sleep = sleep
        self._deadline_s = deadline_s

    async def trial(self, table: Table) -> list[dict[str, object]]:
        """Leave a trial and wait for its result.

        Raises:
            ConfigError: the table would not be accepted in the config file.
            StoreError: no collector answered in time, or not with a list of rows.
        """
        from yolotop.config import edit

        # What the file would refuse is told at once, before anything is asked.
        await asyncio.to_thread(edit.preview_deployment, self._config_path, table)
        number = await self._leave(RequestKind.TRIAL, body=json.dumps(dict(table)))
        waited = 0.0
        while (text := await self._reader.request_result(number)) is None:
            if waited >= self._deadline_s:
                raise StoreError(
                    f"no collector answered within {self._deadline_s:.0f} s",
                    hint="see whether one runs: yolotop status",
                    title="The test got no answer",
                )
            await self._sleep(_POLL_S)
            waited += _POLL_S
        return _rows(text)

    async def add(self, table: Table) -> None:
        """Append the deployment to the config file (created when it is missing)."""
        from yolotop.config import edit

        await asyncio.to_thread(edit.add_deployment, self._config_path, table)

    async def remove(self, name: str) -> None:
        """Remove the deployment's table from the config file."""
        from yolotop.config import edit

        await asyncio.to_thread(edit.remove_deployment, self._config_path, name)

    async def pause(self, name: str) -> None:
        """Ask the collector to pause it."""
        await self._leave(RequestKind.PAUSE, deployment=name)

    async def resume(self, name: str) -> None:
        """Ask the collector to resume it."""
        await self._leave(RequestKind.RESUME, deployment=name)

    async def probe(self, name: str) -> None:
        """Ask the collector to probe it now."""
        await self._leave(RequestKind.PROBE, deployment=name)

    async def _leave(
        self, kind: RequestKind, *, deployment: str | None = None, body: str = ""
    ) -> int:
        return await self._reader.leave_request(
            kind, deployment=deployment, body=body, at=self._now()
        )


def _rows(text: str) -> list[dict[str, object]]:
    try:
        rows = json.loads(text)
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        # The collector answers a trial it cannot run with one clean sentence.
        raise StoreError(text, title="The test could not be run")
    return rows


def fields_of(error: ConfigError) -> dict[str, str]:
    """Which key of the table each problem is about, for a form: key → sentence."""
    from yolotop.config.problems import InvalidConfig, NameTaken, quoted

    if isinstance(error, NameTaken):
        return {"name": f"{quoted(error.name)} is taken; choose another name"}
    if not isinstance(error, InvalidConfig):
        return {}
    found: dict[str, str] = {}
    for problem in error.problems:
        key, _, rest = problem.text.partition(" ")
        found.setdefault(key.strip('":'), rest or problem.text)
    return found
