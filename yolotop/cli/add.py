"""``yolotop add``: find out what a server is, ask it once, register it.

Owns the conversation: what is shown, what a person may correct, when they agree to an
image being sent. It must not know how servers are recognised or the file is edited.

Nothing is posted before a person agrees: what is there is found with GETs. Without a
terminal there is nobody to ask, and the command is the agreement; ``--no-check`` asks
nothing at all.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli import out
from yolotop.cli.check import probe_now
from yolotop.cli.options import ConfigOption, DataDirOption, YesOption, places
from yolotop.errors import ExitCode, UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from yolotop.config.schema import Config
    from yolotop.model import Deployment, Sample
    from yolotop.probe.recognise import Finding


def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the endpoint is.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it. Without: its host and port.")
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(help="What it speaks. Without: found out from what it says."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What the server calls the model.")
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
    """Register an endpoint, after finding out what it is and asking it once."""
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
    # What the file would refuse is told before anything is asked.
    preview_deployment(path, table)
    chosen = {"dialect": dialect, "model": model}
    said = {key: value for key, value in chosen.items() if value is not None}
    if not no_check and dialect is None:
        found = _recognised(_deployment(table, known, path))
        table |= _settings(found, model, known, ask=not yes and sys.stdin.isatty())
        if table.get("dialect") == _default_dialect(known):
            del table["dialect"]
    table |= said
    preview_deployment(path, table)
    if not no_check:
        _show_first_answers(_deployment(table, known, path), yes=yes)
    add_deployment(path, table)
    out.narrate(f"Added {table['name']} to {path}")


def _deployment(
    table: Mapping[str, object], known: Config | None, path: Path
) -> Deployment:
    from yolotop.config.deployment import deployment_from_table

    said = {key: value for key, value in table.items() if value is not None}
    return deployment_from_table(
        said,
        known.defaults if known is not None else {},
        "the command line",
        base=path.parent,
        presets=known.presets if known is not None else {},
    )


# --- what is it? ---------------------------------------------------------------------


def _recognised(deployment: Deployment) -> Finding | None:
    """What the server says it is, told line by line; ``None`` where nobody answers."""
    from yolotop.config.secrets import resolve
    from yolotop.probe.failures import ProbeFailure
    from yolotop.probe.recognise import recognise

    try:
        found = asyncio.run(recognise(deployment, secret=resolve))
    except ProbeFailure as failure:
        out.narrate(f"What it is cannot be found out: {failure.message}")
        return None
    if found.dialect is None:
        out.narrate(f"What it is cannot be found out: {found.why[0]}")
    else:
        likely = "It is" if found.sure else "It may be"
        out.narrate(f"{likely} {found.dialect}: {'; '.join(found.why)}")
    if found.asked:
        paths = ", ".join(asked.path for asked in found.asked)
        out.narrate(f"(asked with GET: {paths})")
    if found.wants_key is not None:
        out.narrate(f"It wants a key ({found.wants_key}): --api-key env:NAME")
    return found


def _settings(
    found: Finding | None, model: str | None, known: Config | None, *, ask: bool
) -> dict[str, object]:
    """What was found, as keys of the table, corrected by whoever sits there."""
    if found is None:
        return {}
    settings: dict[str, object] = dict(found.settings)
    if found.dialect is not None:
        settings["dialect"] = found.dialect
        settings["url"] = found.url
    if ask:
        settings["dialect"] = _asked_dialect(found.dialect, known)
        if settings["dialect"] != found.dialect:
            # Another protocol's paths and tensors say nothing about this one.
            settings = {"dialect": settings["dialect"]}
    if ask and model is None and len(found.models) > 1:
        settings["model"] = typer.prompt(
            f"Model ({', '.join(found.models)})", default=found.models[0], err=True
        )
    return settings


def _default_dialect(known: Config | None) -> object:
    """What a deployment speaks when its table says nothing."""
    return (
        "ultralytics" if known is None else known.defaults.get("dialect", "ultralytics")
    )


def _asked_dialect(found: str | None, known: Config | None) -> str:
    from yolotop.config.schema import DIALECTS

    names = sorted((*DIALECTS, *(known.presets if known is not None else ())))
    while True:
        default = found or "ultralytics"
        said = str(typer.prompt("Dialect", default=default, err=True)).strip()
        if said in names:
            return said
        out.narrate(f"Known dialects: {', '.join(names)}")


# --- the first answers ---------------------------------------------------------------


def _show_first_answers(deployment: Deployment, *, yes: bool) -> None:
    """Ask the endpoint; leave the command where the person does not want it saved."""
    from dataclasses import replace

    from yolotop.text import show_url

    person = sys.stdin.isatty() and not yes
    if person and deployment.preset.question is not None:
        question = f"Send one test image to {show_url(deployment.url)} now?"
        if not typer.confirm(question, default=True, err=True):
            quiet = replace(deployment.preset, question=None)
            deployment = replace(deployment, preset=quiet)
    samples = probe_now([deployment])
    for sample in samples:
        out.narrate(_line(sample))
    if yes or all(sample.verdict.ok for sample in samples):
        return
    if person and typer.confirm("Save it all the same?", err=True):
        return
    out.narrate("Not saved (--yes saves without asking)")
    raise typer.Exit(ExitCode.UNHEALTHY)


def _line(sample: Sample) -> str:
    from yolotop.view import format as shown

    answer, verdict = sample.answer, sample.verdict
    took = shown.ms(answer.latency_ms)
    return f"{answer.kind.value}: {verdict.outcome.value} ({took}): {verdict.message}"


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
