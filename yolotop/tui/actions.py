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
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from yolotop.errors import ConfigError, StoreError
from yolotop.store.protocol import Reader, RequestKind

if TYPE_CHECKING:
    from yolotop.config.origin import Setting

TRIAL_DEADLINE_S: Final = 75.0
"""Longest wait for a trial: a cold start (55 s) and a probe's own timeout."""
SOON_S: Final = 10.0
"""Longest wait for what takes no probe: a collector looks twice a second."""
_POLL_S: Final = 0.1
_MAINTAINED: Final = frozenset({"maintenance began", "maintenance ended"})

Table = Mapping[str, object]
"""A deployment as the config file writes it, or a baseline as its own file does."""


class Actions(Protocol):
    """Everything the terminal can change. All raise ``YolotopError`` with a cure."""

    async def trial(self, table: Table) -> list[dict[str, object]]:
        """Probe an endpoint that is not registered; rows as ``check --json`` prints."""

    async def recognise(self, table: Table) -> dict[str, object]:
        """Find out what a server is, with GETs alone; see ``store.shapes.Request``."""

    async def add(self, table: Table) -> None:
        """Register a deployment."""

    async def begin(self) -> Path:
        """Create a commented config file; one that exists is never overwritten."""

    async def remove(self, name: str) -> None:
        """Take a deployment out of the config file; its history stays."""

    async def pause(self, name: str) -> None:
        """Stop asking a deployment."""

    async def resume(self, name: str) -> None:
        """Ask it again."""

    async def probe(self, name: str) -> None:
        """Ask it now."""

    async def maintain(self, name: str, until: str) -> None:
        """Leave it alone for so long ("1h"), or until then; empty: ask it again."""

    async def predict(self, name: str, image: str) -> dict[str, object]:
        """Send it one image: ``synthetic``, ``golden`` or an absolute path.

        What comes back is described in :mod:`yolotop.collect.showing`.
        """

    async def pin(self, name: str, image_path: str, baseline: Table) -> None:
        """Ask with that image from now on, and compare with ``baseline``.

        That is what :meth:`predict` gave under this name.
        """

    async def settings(self, name: str) -> tuple[Setting, ...]:
        """Its effective settings, each with where it comes from."""


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
        return _rows(
            await self._result(number, self._deadline_s, "The test got no answer")
        )

    async def recognise(self, table: Table) -> dict[str, object]:
        """Leave the question and wait for what was found.

        Raises:
            ConfigError: the table would not be accepted in the config file.
            StoreError: no collector answered in time, or nobody answered it.
        """
        from yolotop.config import edit

        await asyncio.to_thread(edit.preview_deployment, self._config_path, table)
        number = await self._leave(RequestKind.RECOGNISE, body=json.dumps(dict(table)))
        refused = "What it is cannot be found out"
        return _object(await self._result(number, self._deadline_s, refused), refused)

    async def add(self, table: Table) -> None:
        """Append the deployment to the config file (created when it is missing)."""
        from yolotop.config import edit

        await asyncio.to_thread(edit.add_deployment, self._config_path, table)

    async def begin(self) -> Path:
        """Create the config file that edits go to; returns where it is."""
        from yolotop.config import edit

        await asyncio.to_thread(edit.init, self._config_path)
        return self._config_path

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

    async def maintain(self, name: str, until: str) -> None:
        """Tell the collector, and wait until it has said yes.

        Raises:
            StoreError: it cannot be (the sentence says why), or nobody answered.
        """
        number = await self._leave(RequestKind.MAINTENANCE, deployment=name, body=until)
        refused = "Maintenance cannot be set"
        told = await self._result(number, min(self._deadline_s, SOON_S), refused)
        if told not in _MAINTAINED:
            raise StoreError(told, title=refused)

    async def predict(self, name: str, image: str) -> dict[str, object]:
        """Leave the wish and wait for what came back.

        Raises:
            StoreError: no collector answered in time, or it could not send that image.
        """
        body = json.dumps({"image": image})
        number = await self._leave(RequestKind.PREDICT, deployment=name, body=body)
        refused = "The image could not be sent"
        return _object(await self._result(number, self._deadline_s, refused), refused)

    async def pin(self, name: str, image_path: str, baseline: Table) -> None:
        """Write the baseline beside the config file, and both into its table there."""
        from yolotop.config import pin

        await asyncio.to_thread(
            pin.pin_document, self._config_path, name, image_path, dict(baseline)
        )

    async def settings(self, name: str) -> tuple[Setting, ...]:
        """From the config file and this process's environment."""
        from yolotop.config import origin

        return await asyncio.to_thread(
            origin.settings_of, self._config_path, name, os.environ
        )

    async def _result(self, number: int, deadline_s: float, title: str) -> str:
        """What the collector answered; StoreError under ``title`` when it did not."""
        waited = 0.0
        while (text := await self._reader.request_result(number)) is None:
            if waited >= deadline_s:
                raise StoreError(
                    f"no collector answered within {deadline_s:.0f} s",
                    hint="see whether one runs: yolotop status",
                    title=title,
                )
            await self._sleep(_POLL_S)
            waited += _POLL_S
        return text

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


def _object(text: str, title: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        # The collector answers what it cannot do with one clean sentence.
        raise StoreError(text, title=title)
    return found


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
