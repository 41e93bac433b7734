"""Any table and any document: a value or a ConfigError, nothing else."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolotop.config.deployment import KEYS, deployment_from_table
from yolotop.config.load import parse
from yolotop.errors import ConfigError

VALUES = st.recursive(
    st.none()
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.floats()
    | st.dates()
    | st.text(max_size=12)
    | st.sampled_from(["15s", "http://h", "env:X", "synthetic", "a@b://", "\x00", "~"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
TABLES = st.dictionaries(
    st.sampled_from([*KEYS, "nonsense", "drawn"]), VALUES, max_size=6
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(TABLES, TABLES)
def test_any_table_is_a_deployment_or_a_config_error(
    table: dict[str, object], defaults: dict[str, object]
) -> None:
    try:
        found = deployment_from_table(table, defaults)
    except ConfigError as error:
        said = (error.message, error.hint)
    else:
        said = (found.name, found.url)
    assert all(said)


@given(st.dictionaries(st.sampled_from(["ui", "defaults", "deployment"]), TABLES))
def test_any_document_is_a_config_or_a_config_error(
    document: dict[str, dict[str, object]],
) -> None:
    def without_none(value: object) -> object:
        if isinstance(value, dict):
            return {k: without_none(v) for k, v in value.items() if v is not None}
        if isinstance(value, list):
            return [without_none(item) for item in value if item is not None]
        return value

    plain = without_none(document)
    assert isinstance(plain, dict)
    if "deployment" in plain:
        plain["deployment"] = [plain["deployment"]]
    try:
        text = tomlkit.dumps(plain)
    except ValueError:  # tomlkit writes no lone surrogates
        return
    try:
        config = parse(text, path=Path("/nowhere/yolotop.toml"), env={})
    except ConfigError as error:
        said = error.message
    else:
        said = str(config.path)
    assert said.startswith("/nowhere/yolotop.toml")
