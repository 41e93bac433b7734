"""The disk under the history: how much of it is free, and whether it is a local one.

Owns the floor of free space, the ballast file and the list of network file systems. It
must not know SQL.

With a write-ahead log SQLite cannot even DELETE on a full disk, so nothing may rely on
making room when it has run out. So writing stops earlier, at a floor, and a file of a
few megabytes that is there for nothing else is removed at the first sign of need: its
space lets the collector say what is wrong and retention work.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from yolotop.errors import StoreError
from yolotop.text import clean

FLOOR_BYTES: Final = 200_000_000
FLOOR_SHARE: Final = 0.02
BALLAST_BYTES: Final = 4 * 1024 * 1024
"""About what the log may grow by until it is checkpointed."""
BALLAST_NAME: Final = "yolotop.ballast"

NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "ceph", "lustre"}
    | {"gfs2", "ocfs2", "glusterfs", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "davfs"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.davfs2"}
    | {"fuse.vmhgfs-fuse", "fuse.gcsfuse", "fuse.cephfs", "fuse.smbnetfs"}
)
"""File systems on which two machines, or two kernels, may see one file: the log's
shared memory does not reach across, and locks may be kept by nobody."""
_MOUNTS: Final = Path("/proc/self/mountinfo")


@dataclass(slots=True)
class Disk:
    """The disk that holds ``directory``, with the floor that must stay free on it.

    ``min_free_bytes`` of ``None`` is 2 % of the disk and at most 200 MB.
    """

    directory: Path
    min_free_bytes: int | None = None
    _laid: bool = field(default=False, init=False)

    def check_room(self) -> None:
        """Raises StoreError below the floor; the ballast goes the first time."""
        floor, free, total = self._room()
        if free < floor:
            self.drop_ballast()
            raise StoreError(
                f"{self.directory}: {_mb(free)} are free, less than the "
                f"{_mb(floor)} that must stay so",
                hint="Free some disk space; yolotop goes on by itself",
            )
        size = min(BALLAST_BYTES, total // 64)
        if not self._laid and free > floor + 2 * size:
            self._laid = True
            self._lay_ballast(size)

    def drop_ballast(self) -> bool:
        """Give its space free; whether there was any."""
        self._laid = False
        try:
            self._ballast.unlink()
        except OSError:
            return False
        return True

    @property
    def _ballast(self) -> Path:
        return self.directory / BALLAST_NAME

    def _room(self) -> tuple[int, int, int]:
        """Floor, free and total bytes. A disk that cannot be asked has room."""
        try:
            found = os.statvfs(self.directory)
        except OSError:
            return 0, 1 << 62, 1 << 62
        free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        floor = self.min_free_bytes
        if floor is None:
            floor = min(FLOOR_BYTES, int(total * FLOOR_SHARE))
        return floor, free, total

    def _lay_ballast(self, size: int) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            file = os.open(self._ballast, flags, 0o600)
        except OSError:
            return  # it lies there already, or nothing can be written here
        try:
            # Written, not only reserved: not every file system can reserve.
            os.write(file, b"\0" * size)
        except OSError:
            self.drop_ballast()
        finally:
            os.close(file)


def check_local(directory: Path, *, mounts: Path = _MOUNTS) -> None:
    """Raises StoreError where ``directory`` is, or will be, on a network file system.

    Where nobody tells (not on Linux), it passes.
    """
    try:
        text = mounts.read_text("utf-8", "surrogateescape")
    except OSError:
        return
    kind = file_system(os.path.realpath(directory), text)
    if kind in NETWORK:
        raise StoreError(
            f"{directory} is on a network file system ({clean(kind)}), where the "
            "history could be damaged",
            hint="Choose a local directory with --data-dir, or set "
            "`[store] allow_network = true` to take the risk",
        )


def file_system(path: str, mountinfo: str) -> str:
    """The type of the file system that ``path`` is on; empty if it is not told.

    ``mountinfo`` is the text of ``/proc/self/mountinfo``: of several mounts on one
    point the last one counts.
    """
    found, depth = "", -1
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 6 or not after:
            continue
        point = _unescaped(fields[4]).rstrip("/")
        if (path == point or path.startswith(point + "/")) and len(point) >= depth:
            found, depth = after.split(" ", 1)[0], len(point)
    return found


def _unescaped(text: str) -> str:
    """Spaces and the like stand as octal numbers there: ``\\040``."""
    for code, character in (("040", " "), ("011", "\t"), ("012", "\n"), ("134", "\\")):
        text = text.replace(f"\\{code}", character)
    return text


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size < 10_000_000 else f"{size // 10**6} MB"
