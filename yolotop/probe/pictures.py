"""Images ready to send.

Owns the drawn scenes and the user's files between probes: drawn once, read again when
a file changes. Must not know requests.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from yolotop.probe.frames import Frame, from_file, synthetic

SCENES: Final = 16
"""Different drawn images. Drawing one costs some 12 ms of CPU, a probe under one."""

MOST_KEPT: Final = 32 * 1024 * 1024
"""Bytes of image files kept between probes."""

LOOK_AGAIN_S: Final = 1.0
"""Seconds for which a file counts as unchanged: a hundred deployments may share it, and
to look costs a thread's hop, 0.1 ms."""

_Stamp = tuple[int, int]


class Pictures:
    """Frames by image setting and seed."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[_Stamp, Frame]] = {}
        self._drawn: dict[int, Frame] = {}
        self._looked_at: dict[str, float] = {}
        self._one_at_a_time = asyncio.Lock()

    def clear(self) -> None:
        """Forget all."""
        self._files.clear()
        self._looked_at.clear()
        self._drawn.clear()

    async def frame(self, image: str, seed: int) -> Frame:
        """Raises FrameError for a file that cannot be used."""
        if image == "synthetic":
            return await self._scene(seed % SCENES)
        known, now = self._files.get(image), time.monotonic()
        looked_at = self._looked_at.get(image, -LOOK_AGAIN_S)
        if known is not None and now - looked_at < LOOK_AGAIN_S:
            return known[1]
        # In a thread: a file server that hangs must hold up this probe only.
        frame = await asyncio.to_thread(self._file, image)
        self._looked_at[image] = now
        while sum(len(kept.data) for _, kept in self._files.values()) > MOST_KEPT:
            gone = next(iter(self._files))
            self._files.pop(gone)
            self._looked_at.pop(gone, None)
        return frame

    def _file(self, image: str) -> Frame:
        path = Path(image).expanduser()
        stamp = _stamp(path)
        known = self._files.get(image)
        if known is None or known[0] != stamp:
            known = self._files[image] = (stamp, from_file(path))
        return known[1]

    async def _scene(self, scene: int) -> Frame:
        drawn = self._drawn.get(scene)
        if drawn is not None:
            return drawn
        # A hundred deployments start with the same scene: draw it once.
        async with self._one_at_a_time:
            if scene not in self._drawn:
                self._drawn[scene] = await asyncio.to_thread(synthetic, scene)
            return self._drawn[scene]


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)  # from_file will say what is wrong
    return (found.st_mtime_ns, found.st_size)
