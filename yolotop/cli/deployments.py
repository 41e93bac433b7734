"""``yolotop add``, ``list`` and ``remove``: what is registered, from the command line.

Owns the questions asked before the config file changes. It must not know how the file
is edited.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli import out
from yolotop.cli.check import find, how_to_begin, probe_now
from yolotop.cli.options import (
    ConfigOption,
    DataDirOption,
    JsonOption,
    YesOption,
    places,
)
from yolotop.errors import ExitCode, UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from yolotop.config.schema import Config
    from yolotop.model import Deployment, Sample


def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the endpoint is.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it. Without: its host and port.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Where its key is: env:NAME or file:PATH."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Where it runs.")] = None,
    group: Annotated[str | None, typer.Option(help="What it belongs to.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="A word to find it by; repeatable.")
    ] = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Save without asking the endpoint first.")
    ] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Register an endpoint, after asking it once."""
    from yolotop.config.edit import add_deployment, preview_deployment
    from yolotop.config.load import load

    if "://" not in url:
        # The file's own words would name a line that is not in it yet.
        raise UsageError(
            f"{clean(url)} does not begin with http:// or https://",
            hint=f"yolotop add http://{clean(url)}",
        )
    where = places(ctx, config, data_dir)
    path = where.target()
    known = load(path, data_dir=where.data_dir) if path.exists() else None
    table: dict[str, object] = {
        "name": name or _name_for(url, known),
        "url": url,
        "api_key": api_key,
        "group": group,
        "tags": list(tag) if tag else None,
        "region": region,
    }
    preview_deployment(path, table)
    if not no_check:
        _show_first_answers(table, known, path, yes=yes)
    add_deployment(path, table)
    out.narrate(f"Added {table['name']} to {path}")


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


def _show_first_answers(
    table: Mapping[str, object], known: Config | None, path: Path, *, yes: bool
) -> None:
    """Ask the endpoint; leave the command where the person does not want it saved."""
    from yolotop.config.deployment import deployment_from_table

    said = {key: value for key, value in table.items() if value is not None}
    defaults = known.defaults if known is not None else {}
    deployment = deployment_from_table(
        said, defaults, "the command line", base=path.parent
    )
    samples = probe_now([deployment])
    for sample in samples:
        out.narrate(_line(sample))
    if yes or all(sample.verdict.ok for sample in samples):
        return
    if sys.stdin.isatty() and typer.confirm("Save it all the same?", err=True):
        return
    out.narrate("Not saved (--yes saves without asking)")
    raise typer.Exit(ExitCode.UNHEALTHY)


def _line(sample: Sample) -> str:
    from yolotop.view import format as shown

    answer, verdict = sample.answer, sample.verdict
    took = shown.ms(answer.latency_ms)
    return f"{answer.kind.value}: {verdict.outcome.value} ({took}): {verdict.message}"


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(
            "There is nobody to ask: standard input is not a terminal",
            hint="--yes removes without asking",
        )
    return typer.confirm(question, err=True)


def _name_for(url: str, known: Config | None) -> str:
    """A free name from the URL's host and port; the reader judges the URL itself."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "endpoint", parts.port
    except ValueError:
        host, port = "endpoint", None
    stem = clean(host if port is None else f"{host}:{port}", limit=56)
    taken = {deployment.name for deployment in known.deployments} if known else set()
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name


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
