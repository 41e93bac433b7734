"""``yolotop config validate``, ``init``, ``show`` and ``path``.

Owns how findings about the config file are told. It must not know what a key means.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from yolotop.cli import out
from yolotop.cli.options import ConfigOption, DataDirOption, JsonOption, places
from yolotop.errors import ConfigError, ExitCode, UsageError
from yolotop.text import clean

if TYPE_CHECKING:
    from yolotop.config.schema import Config

_THEME_VARIABLE: Final = "YOLOTOP_UI_THEME"

app = typer.Typer(
    help="Check, create or find the config file.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def validate(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Say everything that is wrong in the config file; exit 0 or 2."""
    where = places(ctx, config, data_dir)
    path = where.find()
    if path is None:
        raise UsageError(
            "There is no config file to validate",
            hint=f"Create one with `yolotop config init`; looked for {_searched()}",
        )
    try:
        found = where.load()
        _require_theme(path, found)
    except ConfigError as error:
        if not json:
            raise
        out.data(out.as_json(_refused(path, error)))
        raise typer.Exit(ExitCode.USAGE) from None
    warnings = [*found.warnings, *_missing_secrets(found), *_unused_keys(found)]
    if json:
        out.data(out.as_json(_accepted(path, found, warnings)))
        return
    for warning in warnings:
        out.narrate(f"warning: {warning}")
    count = len(found.deployments)
    noun = "deployment" if count == 1 else "deployments"
    out.data(f"{clean(str(path))}: valid, {count} {noun}")


@app.command()
def init(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Create a commented config file; one that exists is never overwritten."""
    from yolotop.config.edit import init as create
    from yolotop.config.load import absolute, config_dir

    # Without a name it goes to the user's folder, wherever another one was found.
    named = places(ctx, config, data_dir).config or _from_environment()
    path = config_dir(os.environ) / "yolotop.toml" if named is None else absolute(named)
    create(path)
    out.data(str(path))
    out.narrate("Created. Add a deployment with `yolotop add URL`, or edit the file")


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which deployment.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Print every setting of a deployment and where it comes from."""
    from yolotop.config.origin import settings_of

    path = places(ctx, config, data_dir).find()
    if path is None:
        raise UsageError(
            "There is no config file",
            hint=f"Create one with `yolotop config init`; looked for {_searched()}",
        )
    settings = settings_of(path, name, os.environ)
    if json:
        out.data(out.as_json([dataclasses.asdict(setting) for setting in settings]))
        return
    rows = [(setting.key, setting.value, setting.origin) for setting in settings]
    out.table(["key", "value", "from"], rows)


@app.command("path")
def path_(
    ctx: typer.Context,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Print the path of the config file that is used; exit 1 if there is none."""
    from yolotop.config.load import search_paths

    found = places(ctx, config, data_dir).find()
    searched = [str(path) for path in search_paths()]
    if json:
        path = None if found is None else str(found)
        out.data(out.as_json({"path": path, "searched": searched}))
    elif found is not None:
        out.data(str(found))
    else:
        out.narrate(f"No config file; looked for {_searched()}")
    raise typer.Exit(ExitCode.OK if found is not None else ExitCode.UNHEALTHY)


def _from_environment() -> Path | None:
    named = os.environ.get("YOLOTOP_CONFIG")
    return Path(named) if named else None


def _searched() -> str:
    from yolotop.config.load import search_paths

    return ", ".join(clean(str(path)) for path in search_paths())


def _missing_secrets(config: Config) -> list[str]:
    """Keys that cannot be had here: they may be there where the collector runs."""
    from yolotop.config.secrets import resolve

    missing: list[str] = []
    for deployment in config.deployments:
        if deployment.api_key is not None:
            try:
                resolve(deployment.api_key)
            except ConfigError as error:
                missing.append(f'[[deployment]] "{deployment.name}": {error}')
    return missing


def _unused_keys(config: Config) -> tuple[str, ...]:
    """What of the keymap does not count, and why: only the terminal's table knows."""
    from yolotop.tui.keymap import read

    return read(config.ui.keymap).troubles


def _require_theme(path: Path, config: Config) -> None:
    """Raise InvalidConfig for a theme that no terminal has: only Textual knows them.

    A terminal opens all the same, and so must a collector.
    """
    from yolotop.config.load import read_text
    from yolotop.config.locate import locate
    from yolotop.config.problems import Findings, nearest, quoted
    from yolotop.tui.themes import NAMES

    name = config.ui.theme
    if name in NAMES:
        return
    findings = Findings(clean(str(path)), lambda: locate(read_text(path)))
    scope = findings.scope("[ui]", "ui")
    if _THEME_VARIABLE in os.environ:
        scope = scope.child(_THEME_VARIABLE, source="environment")
    scope.problem(
        f"theme {quoted(name)} does not exist; {nearest(name, NAMES)}", "theme"
    )
    findings.check()


def _accepted(path: Path, config: Config, warnings: list[str]) -> dict[str, object]:
    return {
        "path": str(path),
        "valid": True,
        "deployments": len(config.deployments),
        "problems": [],
        "warnings": warnings,
    }


def _refused(path: Path, error: ConfigError) -> dict[str, object]:
    from yolotop.config.problems import InvalidConfig, Problem

    problems = (
        error.problems
        if isinstance(error, InvalidConfig)
        else (Problem(str(path), None, "", str(error)),)
    )
    return {
        "path": str(path),
        "valid": False,
        "deployments": None,
        "problems": [
            {
                "source": problem.source,
                "line": problem.line,
                "column": problem.column,
                "subject": problem.subject,
                "message": problem.text,
            }
            for problem in problems
        ],
        "warnings": [],
    }
