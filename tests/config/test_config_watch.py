"""Changes of the file are noticed, however an editor makes them."""

from __future__ import annotations

import os
from pathlib import Path

from yolotop.config.watch import ConfigWatch


def test_every_way_a_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "y.toml"
    watch = ConfigWatch(path)
    assert not watch.changed()
    path.write_text("a = 1\n")
    assert watch.changed()
    assert not watch.changed()
    path.write_text("a = 12\n")
    assert watch.changed()
    # An editor that renames: same size, same time, another file.
    stamp = path.stat()
    other = tmp_path / "y.toml~"
    other.write_text("a = 13\n")
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    other.replace(path)
    assert watch.changed()
    path.unlink()
    assert watch.changed()
    assert not watch.changed()


def test_a_link_is_watched_at_its_end(tmp_path: Path) -> None:
    path, link = tmp_path / "real.toml", tmp_path / "link.toml"
    path.write_text("a = 1\n")
    link.symlink_to(path)
    watch = ConfigWatch(link)
    path.write_text("a = 100\n")
    assert watch.changed()


def test_no_file_never_changes() -> None:
    assert not ConfigWatch(None).changed()
