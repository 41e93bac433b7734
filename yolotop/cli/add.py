"""``yolotop add``: find out what a server is, ask it once, register it.

Owns the conversation: what is shown, what a person may correct, when they agree to an
image being sent. It must not know how servers are recognised or the file is edited.

Nothing is posted before a person agrees: what is there is found with GETs. Without a
terminal there is nobody to ask, and the command is the agreement; ``--no-check`` asks
nothing at all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from yolotop.cli import out
from yolotop.cli.check import probe_now
from yolotop.cli.options import ConfigOption, DataDirOption, YesOption, places
from yolotop.errors import ExitCode, UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A line of its table, as the config file has it; repeatable.",
        ),
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
    given = {key: value for key, value in chosen.items() if value is not None}
    said = _merged(given, _typed(setting or []))
    if not no_check and "dialect" not in said:
        ask = not yes and sys.stdin.isatty()
        table = _merged(table, _found_out(table, said, known, path, ask=ask))
        if table.get("dialect") == _default_dialect(known):
            del table["dialect"]
    table = _merged(table, said)
    if "model" not in table and _wants_model(table, known):
        table["model"] = _asked_model(table, ask=not yes and sys.stdin.isatty())
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


# --- what was typed ------------------------------------------------------------------


def _typed(lines: Sequence[str]) -> dict[str, object]:
    """``--set`` as tables: each a line of TOML, or ``key=text`` without its quotes."""
    import tomllib

    found: dict[str, object] = {}
    for line in lines:
        key, sign, value = line.partition("=")
        try:
            one = tomllib.loads(line)
        except tomllib.TOMLDecodeError:
            quoted = json.dumps(value.strip(), ensure_ascii=False)
            try:
                one = tomllib.loads(f"{key} = {quoted}") if sign else {}
            except tomllib.TOMLDecodeError:
                one = {}
        if len(one) != 1:
            raise UsageError(
                f"{clean(line, limit=80)} is not a line of the config file",
                hint="Write --set KEY=VALUE, such as --set request.field=image",
            )
        found = _merged(found, one)
    return found


def _merged(
    under: Mapping[str, object], over: Mapping[str, object]
) -> dict[str, object]:
    """``under`` with the keys of ``over``; tables of both are merged, not replaced."""
    both = dict(under)
    for key, value in over.items():
        was = both.get(key)
        if isinstance(was, dict) and isinstance(value, dict):
            value = _merged(was, value)
        both[key] = value
    return both


def _model_of(said: Mapping[str, object]) -> dict[str, object]:
    return {"model": said["model"]} if "model" in said else {}


# --- what is it? ---------------------------------------------------------------------


def _found_out(
    table: Mapping[str, object],
    said: Mapping[str, object],
    known: Config | None,
    path: Path,
    *,
    ask: bool,
) -> dict[str, object]:
    """What the server tells, about the model that was said or is chosen here."""
    found = _recognised(_deployment({**table, **_model_of(said)}, known, path))
    told = _settings(found, known, ask=ask)
    chosen = told.get("model")
    if found is None or chosen is None or chosen in found.models[:1]:
        return told
    if told["dialect"] != found.dialect:
        return told
    # Shapes and names that were told are the first one's.
    again = _recognised(_deployment({**table, "model": chosen}, known, path))
    return {**told, **_settings(again, known, ask=False), "model": chosen}


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
        if found.wants_key is None:
            out.narrate(
                "--dialect says what it speaks: http for one that only says that it "
                "lives, generic for one of your own (docs/servers.md)"
            )
    else:
        likely = "It is" if found.sure else "It may be"
        out.narrate(f"{likely} {found.dialect}: {'; '.join(found.why)}")
    if found.asked:
        paths = ", ".join(asked.path for asked in found.asked)
        out.narrate(f"(asked with GET: {paths})")
    for sentence in found.unsaid:
        out.narrate(f"Yours to say: {sentence}")
    if found.wants_key is not None:
        out.narrate(f"It wants a key ({found.wants_key}): --api-key env:NAME")
    return found


def _settings(
    found: Finding | None, known: Config | None, *, ask: bool
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
    if ask and len(found.models) > 1:
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


def _wants_model(table: Mapping[str, object], known: Config | None) -> bool:
    """Whether it cannot be asked without a model's name, parts of its own included."""
    from yolotop.config.preset_tables import PARTS, names_a_model, with_parts
    from yolotop.config.presets import shipped
    from yolotop.config.problems import Findings
    from yolotop.config.schema import DIALECTS

    name = table.get("dialect", _default_dialect(known))
    own = known.presets if known is not None else {}
    if not isinstance(name, str) or (name not in own and name not in DIALECTS):
        return False  # What that is called is told with the rest of the table.
    preset = own[name] if name in own else shipped(name)
    parts = {key: table[key] for key in PARTS if key in table}
    scope = Findings("the command line").scope("")
    return names_a_model(with_parts(preset, parts, scope))


def _asked_model(table: Mapping[str, object], *, ask: bool) -> str:
    if ask:
        return str(typer.prompt("Model", err=True)).strip()
    raise UsageError(
        f"{clean(str(table.get('dialect')))} asks for a model by its name",
        hint="Say --model NAME; nothing was saved",
    )


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
