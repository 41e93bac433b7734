"""Options that every command takes, and what they come to.

Owns ``--config`` and ``--data-dir``, which may stand before or after the command, and
the closed sets of words. It must not know any command.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from yolotop.cli.places import Places


def _config(help_: str) -> Any:  # whatever Typer makes of it
    return typer.Option(
        "--config", "-c", metavar="FILE", help=help_, show_default=False
    )


def _data_dir(help_: str) -> Any:
    return typer.Option("--data-dir", metavar="DIR", help=help_, show_default=False)


ConfigOption = Annotated[
    Path | None,
    _config(
        "The config file. Without: $YOLOTOP_CONFIG, ./yolotop.toml, "
        "~/.config/yolotop/yolotop.toml."
    ),
]
DataDirOption = Annotated[
    Path | None,
    _data_dir(
        "Where the history is kept. Without: $YOLOTOP_DATA_DIR, data_dir in the config "
        "file, ~/.local/share/yolotop."
    ),
]
DemoConfigOption = Annotated[
    Path | None,
    _config(
        "A config in place of the demo's own; its deployments that are named as the "
        "demo's are asked at the demo's ports."
    ),
]
DemoDataDirOption = Annotated[
    Path | None,
    _data_dir(
        "Where the demo's history is kept. Without: demo in the directory that yolotop "
        "uses otherwise."
    ),
]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON, whose shape stays stable.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class SeverityWord(StrEnum):
    """What ``--severity`` takes."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class RangeWord(StrEnum):
    """What ``--range`` takes."""

    H1 = "1h"
    H6 = "6h"
    H24 = "24h"
    D7 = "7d"
    D30 = "30d"


def places(ctx: typer.Context, config: Path | None, data_dir: Path | None) -> Places:
    """What stands after the command, or else what stood before it."""
    before = ctx.find_object(Places) or Places()
    return Places(
        config=config if config is not None else before.config,
        data_dir=data_dir if data_dir is not None else before.data_dir,
    )
