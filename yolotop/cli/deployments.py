"""``yolotop list`` and ``remove``: what is registered, from the command line.

Owns the question asked before the config file changes. It must not know how the file
is edited.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli import out
from yolotop.cli.check import find, how_to_begin
from yolotop.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    YesOption,
    places,
)
from yolotop.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yolotop.model import Deployment


def list_(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """List what the config file registers."""
    found = places(ctx, config, data_dir).load()
    if json:
        out.data(out.as_json([_as_json(item) for item in found.deployments]))
        return
    if not found.deployments:
        out.narrate(f"No deployment is registered. {how_to_begin(found)}")
        return
    _show(found.deployments)


def remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to remove.")],
    yes: YesOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Unregister a deployment; its history stays."""
    from yolotop.config.edit import remove_deployment
    from yolotop.text import show_url

    where = places(ctx, config, data_dir)
    found = where.load()
    deployment = find(found, name)
    if found.path is None:
        raise UsageError("There is no config file", hint=how_to_begin(found))
    question = f"Remove {name} ({show_url(deployment.url)}) from {found.path}?"
    if not yes and not _confirmed(question):
        out.narrate("Nothing was changed")
        raise typer.Exit(ExitCode.UNHEALTHY)
    remove_deployment(found.path, name)
    out.narrate(f"Removed {name} from {found.path}; its history stays")


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "There is nobody to ask: standard input is not a terminal",
            hint="--yes removes without asking",
        )
    return typer.confirm(question, err=True)


def _show(deployments: Sequence[Deployment]) -> None:
    from yolotop.config.duration import format_duration
    from yolotop.text import show_url
    from yolotop.view.format import NOTHING

    out.table(
        [
            "name",
            "dialect",
            "region",
            "group",
            "health",
            "predict",
            "key",
            "tags",
            "url",
        ],
        [
            [
                item.name + (" (paused)" if item.paused else ""),
                item.dialect,
                item.region or NOTHING,
                item.group or NOTHING,
                format_duration(item.interval_s),
                format_duration(item.predict_interval_s),
                str(item.api_key) if item.api_key else NOTHING,
                ", ".join(item.tags) or NOTHING,
                show_url(item.url),
            ]
            for item in deployments
        ],
        right=frozenset({"health", "predict"}),
    )


def _as_json(item: Deployment) -> dict[str, object]:
    from yolotop.text import show_url

    return {
        "name": item.name,
        "url": show_url(item.url),
        "dialect": item.dialect,
        "api_key": str(item.api_key) if item.api_key else None,
        "group": item.group,
        "tags": list(item.tags),
        "region": item.region,
        "interval_s": item.interval_s,
        "predict_interval_s": item.predict_interval_s,
        "timeout_s": item.timeout_s,
        "scale_to_zero": item.scale_to_zero,
        "cold_start_s": item.cold_start_s,
        "image": item.image,
        "paused": item.paused,
    }
