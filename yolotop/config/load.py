"""From a file, the environment and flags to one :class:`~yolotop.config.schema.Config`.

Owns where the file is looked for, what overrides what, and the table of sections. It
must not know what a single deployment key means.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import platformdirs

from yolotop.config.deployment import read_defaults, read_deployment
from yolotop.config.environment import COLLECTOR_KINDS, read_environment
from yolotop.config.hosted import check_workspace, read_platform
from yolotop.config.locate import Layout, locate
from yolotop.config.presets import read_presets
from yolotop.config.problems import (
    Findings,
    InvalidConfig,
    Problem,
    Scope,
    kind_of,
    quoted,
)
from yolotop.config.schema import CollectorSettings, Config
from yolotop.config.store import read_store
from yolotop.config.table import Table, as_share
from yolotop.config.ui import read_ui
from yolotop.errors import ConfigError
from yolotop.model import Deployment
from yolotop.model.preset import Preset
from yolotop.text import clean

FILE_NAME: Final = "yolotop.toml"
LARGEST_BYTES: Final = 4 * 1024 * 1024
MOST_DEPLOYMENTS: Final = 10_000
_SECTIONS: Final = (
    "data_dir",
    "ui",
    "keymap",
    "collector",
    "store",
    "platform",
    "preset",
    "defaults",
    "deployment",
)
MOST_JITTER: Final = 0.5
_SYNTAX: Final = re.compile(
    r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$"
)


def config_dir(env: Mapping[str, str]) -> Path:
    """The user's own folder for the config file."""
    return _user_dir(env, "XDG_CONFIG_HOME", platformdirs.user_config_path)


def user_data_dir(env: Mapping[str, str]) -> Path:
    """Where data lives when nothing says otherwise."""
    return _user_dir(env, "XDG_DATA_HOME", platformdirs.user_data_path)


def search_paths(env: Mapping[str, str] | None = None) -> list[Path]:
    """Where the file is looked for when no ``--config`` is given, in order."""
    env = os.environ if env is None else env
    named = env.get("YOLOTOP_CONFIG", "")
    paths = [absolute(Path(named))] if named else []
    return [*paths, Path.cwd() / FILE_NAME, config_dir(env) / FILE_NAME]


def find(
    explicit: Path | None = None, *, env: Mapping[str, str] | None = None
) -> Path | None:
    """The config file to use, or ``None`` where there is none to be found.

    A file that was named, by ``explicit`` or ``$YOLOTOP_CONFIG``, must exist:
    :class:`~yolotop.errors.ConfigError` otherwise.
    """
    env = os.environ if env is None else env
    by = "--config"
    if explicit is None and env.get("YOLOTOP_CONFIG"):
        explicit, by = Path(env["YOLOTOP_CONFIG"]), "YOLOTOP_CONFIG"
    if explicit is not None:
        path = absolute(explicit)
        if not path.exists():
            raise ConfigError(
                f"{clean(str(path))}: there is no such file ({by} names it)",
                hint="Correct the path, or create it with `yolotop config init`",
            )
        return path
    return next((path for path in search_paths(env) if path.is_file()), None)


def load(
    path: Path | None,
    *,
    env: Mapping[str, str] | None = None,
    data_dir: Path | None = None,
) -> Config:
    """Read and validate ``path``; ``None`` gives the empty config with defaults.

    ``data_dir`` is the flag, which wins over everything. Raises
    :class:`~yolotop.errors.ConfigError` with every problem found.
    """
    env = os.environ if env is None else env
    if path is None:
        return parse("", path=None, env=env, data_dir=data_dir)
    path = absolute(path)
    return parse(read_text(path), path=path, env=env, data_dir=data_dir)


def read_text(path: Path) -> str:
    """The file's text, line ends as they stand."""
    shown = clean(str(path))
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(
                    f"{shown}: is not a regular file",
                    hint="The collector reads the file again later: give it a real one",
                )
            raw = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{shown}: cannot be read ({error.strerror})",
            hint="Correct the path or its permissions",
        ) from None
    if len(raw) > LARGEST_BYTES:
        raise ConfigError(
            f"{shown}: is larger than {LARGEST_BYTES // 1024**2} MiB",
            hint="This is hardly a yolotop.toml; correct the path",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidConfig(
            [Problem(shown, line, "", "is not UTF-8 text; save the file as UTF-8")]
        ) from None


def parse(
    text: str,
    *,
    path: Path | None,
    env: Mapping[str, str],
    data_dir: Path | None = None,
) -> Config:
    """The config that ``text`` describes; ``path`` names it and anchors its paths."""
    source = clean(str(path)) if path is not None else "the configuration"
    document = _document(text, source)
    findings = Findings(source, partial(locate, text) if document else Layout)
    base = path.parent if path is not None else None
    top = findings.scope("")
    for key in document:
        if key not in _SECTIONS:
            top.unknown(key, _SECTIONS, what="section")
    overrides = read_environment(env, findings)
    ui = read_ui(
        _section(document, "ui", top),
        overrides["ui"],
        _section(document, "keymap", top),
        findings,
    )
    collector = _collector(
        _section(document, "collector", top), overrides["collector"], findings
    )
    store = read_store(_section(document, "store", top), overrides["store"], findings)
    presets = read_presets(_section(document, "preset", top), findings)
    defaults = _defaults(
        _section(document, "defaults", top),
        overrides["defaults"],
        findings,
        base,
        presets,
    )
    deployments = _deployments(document, defaults, findings, base, presets)
    platform = read_platform(document, findings, base=base)
    platform = check_workspace(platform, deployments, findings)
    where = _data_dir(document, top, base=base, env=env, flag=data_dir)
    if path is not None:
        _check_mode(path, top)
    findings.check()
    return Config(
        path=path,
        data_dir=where,
        deployments=deployments,
        ui=ui,
        defaults=defaults,
        collector=collector,
        store=store,
        presets=presets,
        platform=platform,
        warnings=tuple(str(warning) for warning in findings.warnings),
    )


def absolute(path: Path, *, base: Path | None = None) -> Path:
    """``path`` with ``~`` expanded, anchored at ``base`` or the working directory."""
    try:
        return Path.cwd() / (base or "") / path.expanduser()
    except RuntimeError:
        raise ConfigError(
            f"{clean(str(path))}: there is no such home folder",
            hint="Write the path without ~",
        ) from None


def _user_dir(
    env: Mapping[str, str], variable: str, fallback: Callable[..., Path]
) -> Path:
    # platformdirs reads os.environ; a caller's own environment must win over that.
    named = env.get(variable, "")
    if named and Path(named).is_absolute() and os.name == "posix":
        return Path(named) / "yolotop"
    return fallback("yolotop", appauthor=False)


def _document(text: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = clean(str(error))
        match = _SYNTAX.match(message)
        line = column = None
        if match is not None:
            message = match[1]
            line = int(match[2]) if match[2] else text.count("\n") + 1
            column = int(match[3]) if match[3] else None
        raise InvalidConfig(
            [Problem(source, line, "", f"is not TOML: {message}", column)]
        ) from None
    except (RecursionError, ValueError):
        raise InvalidConfig(
            [Problem(source, None, "", "is not TOML: nested or sized beyond reason")]
        ) from None


def _section(
    document: Mapping[str, object], key: str, top: Scope
) -> Mapping[str, object]:
    value = document.get(key, {})
    if isinstance(value, Mapping):
        return value
    top.problem(f"{key} is {kind_of(value)}; write it as a section, [{key}]", key)
    return {}


def _collector(
    values: Mapping[str, object], override: Mapping[str, object], findings: Findings
) -> CollectorSettings:
    scope = findings.scope("[collector]", "collector")
    Table(values, scope, {}).only(tuple(COLLECTOR_KINDS))
    _collector_settings(Table(values, scope, {}))
    outer = scope.child("YOLOTOP_COLLECTOR_…", source="environment")
    _collector_settings(Table(override, outer, {}))
    return _collector_settings(Table({}, scope, {**values, **override}))


def _collector_settings(table: Table) -> CollectorSettings:
    plain = CollectorSettings()
    return CollectorSettings(
        jitter=table.read("jitter", plain.jitter, _as_jitter),
        in_flight=table.integer("in_flight", plain.in_flight, low=1, high=1_000),
        in_flight_per_host=table.integer(
            "in_flight_per_host", plain.in_flight_per_host, low=1, high=1_000
        ),
    )


def _as_jitter(value: object) -> float:
    share = as_share(value)
    if share > MOST_JITTER:
        raise ValueError(f"is above {MOST_JITTER:g}, half of the interval")
    return share


def _defaults(
    values: Mapping[str, object],
    override: Mapping[str, object],
    findings: Findings,
    base: Path | None,
    presets: Mapping[str, Preset],
) -> dict[str, object]:
    scope = findings.scope("[defaults]", "defaults")
    read_defaults(values, scope, base=base, presets=presets)
    if override:
        environment = scope.child("YOLOTOP_DEFAULTS_…", source="environment")
        read_defaults(override, environment, base=base, presets=presets)
    return {**values, **override}


def _deployments(
    document: Mapping[str, object],
    defaults: Mapping[str, object],
    findings: Findings,
    base: Path | None,
    presets: Mapping[str, Preset],
) -> tuple[Deployment, ...]:
    tables = document.get("deployment", [])
    top = findings.scope("")
    if not isinstance(tables, list):
        top.problem(
            "[deployment] has single brackets; write [[deployment]]"
            if isinstance(tables, Mapping)
            else f"deployment is {kind_of(tables)}; write [[deployment]] sections",
            "deployment",
        )
        return ()
    if len(tables) > MOST_DEPLOYMENTS:
        top.problem(f"{len(tables)} deployments; {MOST_DEPLOYMENTS} are the most")
        return ()
    found: list[Deployment] = []
    taken: dict[str, int] = {}
    for index, table in enumerate(tables):
        if not isinstance(table, Mapping):
            top.problem(
                f"deployment is {kind_of(table)}; write [[deployment]]",
                "deployment",
                index,
            )
            continue
        name = table.get("name")
        if isinstance(name, str):
            name = unicodedata.normalize("NFC", name)
        subject = (
            f"[[deployment]] {quoted(name) if isinstance(name, str) else index + 1}"
        )
        scope = findings.scope(subject, "deployment", index)
        before = len(findings.problems)
        deployment = read_deployment(table, defaults, scope, base=base, presets=presets)
        if isinstance(name, str) and name in taken:
            line = findings.layout().line("deployment", taken[name], "name")
            by = f" by the one in line {line}" if line else ""
            scope.problem(
                f"the name is taken{by}; every deployment needs its own", "name"
            )
        elif isinstance(name, str):
            taken[name] = index
        if len(findings.problems) == before:
            found.append(deployment)
    return tuple(found)


def _data_dir(
    document: Mapping[str, object],
    top: Scope,
    *,
    base: Path | None,
    env: Mapping[str, str],
    flag: Path | None,
) -> Path:
    written: Path | None = None
    if "data_dir" in document:
        value = document["data_dir"]
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            top.problem('data_dir must be a path such as "history"', "data_dir")
        else:
            written = absolute(Path(value), base=base)
    if flag is not None:
        return absolute(flag)
    if env.get("YOLOTOP_DATA_DIR"):
        return absolute(Path(env["YOLOTOP_DATA_DIR"]))
    if written is not None:
        return written
    return user_data_dir(env)


def _check_mode(path: Path, top: Scope) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & stat.S_IWOTH:
        top.warn(
            "everyone may write this file and so decide where keys are sent; "
            "run `chmod o-w` on it"
        )
