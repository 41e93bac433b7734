"""What was said about files on the command line, and what it comes to.

Owns where the config file and the history are looked for. It must not know Typer: the
terminal opens without it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yolotop.config.schema import Config


@dataclass(frozen=True, slots=True)
class Places:
    """What was said about files: the config file and the data directory."""

    config: Path | None = None
    data_dir: Path | None = None

    def find(self) -> Path | None:
        """The config file to use, if there is one."""
        from yolotop.config.load import find

        return find(self.config)

    def load(self) -> Config:
        """The config; the empty one where there is no file."""
        from yolotop.config.load import load

        return load(self.find(), data_dir=self.data_dir)

    def target(self) -> Path:
        """The file that an edit changes or creates."""
        from yolotop.config.load import absolute, config_dir, find

        named = self.config
        if named is None and os.environ.get("YOLOTOP_CONFIG"):
            named = Path(os.environ["YOLOTOP_CONFIG"])
        if named is not None:
            return absolute(named)
        return find() or config_dir(os.environ) / "yolotop.toml"
