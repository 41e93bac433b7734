"""Presets: those that ship, those of the file, and what a deployment changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolotop.config.deployment import deployment_from_table
from yolotop.config.load import load, parse
from yolotop.config.preset_back import as_tables
from yolotop.config.preset_tables import (
    CODE,
    KEYS,
    PART_KEYS,
    PARTS,
    read_preset,
)
from yolotop.config.presets import shipped
from yolotop.config.problems import Findings, InvalidConfig
from yolotop.config.schema import DIALECTS, Config
from yolotop.errors import ConfigError
from yolotop.model import ErrorKind
from yolotop.model.preset import (
    ULTRALYTICS,
    Auth,
    BoxForm,
    Carrier,
    Encoding,
    Preset,
    Time,
)

Read = Callable[..., Config]
Refused = Callable[..., str]
ONE = '[[deployment]]\nname = "d"\nurl = "http://h"\n'


# --- those that ship -----------------------------------------------------------------


def test_there_is_a_file_for_every_name_and_a_name_for_every_file() -> None:
    folder = files("yolotop") / "probe" / "presets"
    names = {file.name.removesuffix(".toml") for file in folder.iterdir()}
    assert names == set(DIALECTS)
    assert len(DIALECTS) == len(names)


@pytest.mark.parametrize("name", DIALECTS)
def test_each_is_whole(name: str) -> None:
    found = shipped(name)
    assert found.name == name
    assert found.dialect in CODE
    assert found.title != name
    assert found.liveness is not None or found.question is not None
    for rule in found.refusals:
        assert ErrorKind(rule.kind)
    if found.metrics is not None:
        assert found.metrics.path
        assert found.metrics.profile


@pytest.mark.parametrize("name", DIALECTS)
def test_each_is_what_its_tables_make_of_it(name: str) -> None:
    found = shipped(name)
    again = read_preset(name, dict(as_tables(found)), found, Findings("").scope(""))
    assert again.question == found.question
    assert again.liveness == found.liveness
    assert again.reading == found.reading
    assert again.auth == found.auth


def test_what_is_meant_when_nothing_is_said() -> None:
    assert shipped("ultralytics") == ULTRALYTICS


# --- the user's ----------------------------------------------------------------------

MINE = """
[preset.mine]
title = "My server"
base = "generic"
[preset.mine.auth]
carrier = "header"
name = "X-Token"
[preset.mine.liveness]
path = "/up"
holds = ['/state == "ready"']
not_ready = [418]
[preset.mine.request]
path = "/look/{model}"
encoding = "json"
template = { picture = { data = "" }, options = { top = 5 } }
field = "/picture/data"
settings = { conf = "/options/min" }
scale = 100
query = { v = "2" }
headers = { X-Trace = "yolotop" }
[preset.mine.response]
holds = ["/ok == true"]
detections = "/found"
label = "/what"
confidence = "/sure"
scale = 100
box = "/at/0 /at/1 /at/2 /at/3"
form = "cxcywh"
unit = "share"
times = { inference = { at = "/seconds", factor = 1000 }, call = "header:X-Ms" }
facts = { model = "/net" }
alive = "/uptime"
[[preset.mine.refusals]]
status = 418
says = ["busy"]
kind = "overloaded"
[preset.mine.metrics]
path = ":9100/metrics"
profile = "http"

[preset.ours]
base = "mine"
[preset.ours.request]
path = "/look"
"""


def test_a_preset_of_the_file(read: Read) -> None:
    config = read(MINE + ONE + 'dialect = "mine"\nmodel = "m"\n')
    (found,) = config.deployments
    preset = found.preset
    assert found.dialect == "mine"
    assert (preset.name, preset.dialect, preset.title) == (
        "mine",
        "generic",
        "My server",
    )
    assert preset.auth == Auth(Carrier.HEADER, "X-Token")
    assert preset.liveness is not None
    assert preset.liveness.holds == ('/state == "ready"',)
    assert preset.question is not None
    assert preset.question.encoding is Encoding.JSON
    assert preset.question.template == '{"picture":{"data":""},"options":{"top":5}}'
    assert preset.question.settings == (("conf", "/options/min"),)
    assert preset.reading.form is BoxForm.CXCYWH
    assert preset.reading.times == (
        Time("inference", "/seconds", 1000.0),
        Time("call", "header:X-Ms"),
    )
    assert preset.refusals[0].kind == "overloaded"
    assert preset.metrics is not None
    assert preset.metrics.profile == "http"
    assert set(config.presets) == {"mine", "ours"}


def test_one_is_based_on_another_wherever_it_stands(read: Read) -> None:
    config = read(MINE)
    ours, mine = config.presets["ours"], config.presets["mine"]
    assert ours.reading == mine.reading
    assert ours.refusals == mine.refusals
    assert ours.question is not None
    assert ours.question.path == "/look"
    assert ours.question.encoding is Encoding.JSON


def test_a_deployment_changes_what_it_names_and_keeps_the_rest(read: Read) -> None:
    (found,) = read(
        ONE
        + 'dialect = "deepstack"\nliveness = false\n'
        + '[deployment.request]\npath = "/v1/vision/custom/shapes"\n'
        + '[deployment.response]\ntimes = { call = "/duration" }\n'
        + '[[deployment.refusals]]\nsays = ["model"]\nkind = "model_not_found"\n'
    ).deployments
    plain = shipped("deepstack")
    assert found.preset.liveness is None
    assert found.preset.question is not None
    assert plain.question is not None
    assert found.preset.question.path == "/v1/vision/custom/shapes"
    assert found.preset.question.field == plain.question.field
    assert found.preset.reading.holds == plain.reading.holds
    assert found.preset.reading.times == (Time("call", "/duration"),)
    assert found.preset.refusals[0].kind == "model_not_found"


def test_defaults_hold_for_all_and_an_own_table_hides_theirs(read: Read) -> None:
    first, second = read(
        '[defaults]\ndialect = "fastapi"\nrequest = { field = "image" }\n'
        + ONE
        + '[[deployment]]\nname = "e"\nurl = "http://e"\nrequest = { path = "/x" }\n'
    ).deployments
    assert first.preset.question is not None
    assert second.preset.question is not None
    assert first.preset.question.field == "image"
    assert (second.preset.question.field, second.preset.question.path) == ("file", "/x")


def test_pointers_are_read_by_the_code_that_reads_them() -> None:
    """The ultralytics dialect finds the list itself; who names it wants to be heard."""
    table = {"name": "d", "url": "http://h", "response": {"detections": "/x"}}
    assert deployment_from_table(table).preset.dialect == "generic"
    assert deployment_from_table({"name": "d", "url": "http://h"}).preset.dialect == (
        "ultralytics"
    )


# --- what is wrong is said, with place and cure --------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            ONE + 'dialect = "torchserv"\n',
            ['4: [[deployment]] "d": dialect "torchserv" is not known; did you mean'],
        ),
        (
            ONE + 'dialect = "torchserve"\n',
            [
                'yolotop.toml:4: [[deployment]] "d": model is missing; TorchServe asks',
                'asks for a model by its name: add model = "..."',
            ],
        ),
        (
            ONE + 'dialect = "mine"\n[preset.mine]\nbase = "x"\n',
            ['6: [preset.mine]: base "x" is not known; known are ultralytics, '],
        ),
        (
            '[preset.a]\nbase = "b"\n[preset.b]\nbase = "a"\n',
            ['base "a" goes round in a circle'],
        ),
        (
            "[preset.mosec]\n",
            ['1: [preset.mosec]: "mosec" ships with yolotop; choose another name'],
        ),
        (
            "[preset.a.request]\nmethode = 1\n",
            ['2: [preset.a] request: unknown key "methode"; did you mean "method"?'],
        ),
        (
            "[preset.a.liveness]\nholds = ['/x = 1']\n",
            ['2: [preset.a] liveness: holds "=" is not a test; known are ==, !='],
        ),
        (
            '[preset.a.response]\nlabel = "name"\n',
            ['2: [preset.a] response: label "name" is not a pointer; write one such'],
        ),
        (
            '[preset.a.response]\nbox = "/x /y"\nform = "xyzw"\nunit = "mm"\n',
            [
                "2: [preset.a] response: box holds 2 pointers; write one, or four",
                '3: [preset.a] response: form "xyzw" is not known; did you mean',
                '4: [preset.a] response: unit "mm" is not known; known are pixel',
            ],
        ),
        (
            '[preset.a.request]\nencoding = "json"\n',
            ["2: [preset.a] request: field is missing; write a pointer into the templ"],
        ),
        (
            '[preset.a.auth]\ncarrier = "header"\n',
            ["2: [preset.a] auth: name is missing; a header has one"],
        ),
        (
            '[[preset.a.refusals]]\nkind = "bussy"\nstatus = 1\n',
            [
                '2: [preset.a] refusals 1: kind "bussy" is not known',
                "3: [preset.a] refusals 1: status is 1; 200 to 599 are possible",
            ],
        ),
        (
            '[[preset.a.refusals]]\nkind = "overloaded"\n',
            ["1: [preset.a] refusals 1: fits every answer; give it a status, or what"],
        ),
        (
            "[preset.a]\nrequest = true\nliveness = 7\n",
            [
                "2: [preset.a]: request is true; write a table, or false for none",
                "3: [preset.a]: liveness is an integer; write a table",
            ],
        ),
        (
            '[preset.a.request]\npath = "at"\n[preset.b.request]\npath = "/{id}"\n',
            [
                '2: [preset.a] request: path "at" is not a path; write one such',
                '4: [preset.b] request: path "/{id}" has {id} in it; {model} and',
            ],
        ),
        (
            '[preset.a.request]\ntemplate = "{"\nheaders = { Host = "x" }\n',
            [
                "2: [preset.a] request: template is not JSON",
                '3: [preset.a] request: headers "Host" cannot be a header of a preset',
            ],
        ),
    ],
)
def test_a_problem_names_place_and_cure(
    refused: Refused, text: str, sentences: list[str]
) -> None:
    said = refused(text)
    for sentence in sentences:
        assert sentence in said


def test_a_model_is_wanted_where_it_cannot_be_done_without(read: Read) -> None:
    for name in DIALECTS:
        preset = shipped(name)
        wants = preset.dialect == "oip" or name in (
            "torchserve",
            "kserve-v1",
            "tf-serving",
            "roboflow",
            "ultralytics-hub",
        )
        text = ONE + f'dialect = "{name}"\n'
        if wants:
            with pytest.raises(InvalidConfig, match="model is missing"):
                read(text)
        else:
            assert read(text).deployments


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.dates()
    | st.text(max_size=6)
    | st.sampled_from(
        ["/a/0", "/x == 1", "json", "header", "header:x", "cxcywh", "{}"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["conf", "inference", "at", "factor", "status", "kind", "ü"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)
PARTS_OF_ANY = st.fixed_dictionaries(
    {},
    optional={
        **{
            part: st.dictionaries(st.sampled_from(keys), VALUES, max_size=5) | VALUES
            for part, keys in PART_KEYS.items()
        },
        "refusals": VALUES,
        "base": st.sampled_from(["a", "b", "mosec", "nope"]) | VALUES,
        "dialect": VALUES,
    },
)


def without_none(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value if item is not None]
    return value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["a", "b"]), PARTS_OF_ANY), PARTS_OF_ANY)
def test_any_preset_is_one_or_a_config_error(
    presets: dict[str, object], own: dict[str, object]
) -> None:
    import tomlkit

    own = {key: value for key, value in own.items() if key in PARTS}
    document = {
        "preset": presets,
        "deployment": [{"name": "d", "url": "http://h", "dialect": "a", **own}],
    }
    text = tomlkit.dumps(without_none(document))  # type: ignore[arg-type]
    with contextlib.suppress(ConfigError):
        found = parse(text, path=None, env={}).deployments[0]
        assert isinstance(found.preset, Preset)


# --- what ships beside them ----------------------------------------------------------

ROOT = Path(__file__).parents[2]


def test_the_sample_has_every_server_once_and_the_whole_of_a_preset() -> None:
    config = load(ROOT / "sample_configs" / "servers.toml", env={})
    names = [found.dialect for found in config.deployments]
    assert sorted(names) == sorted([*DIALECTS, "our-server"])
    assert config.presets["our-server"].reading.times


def test_the_documentation_has_every_preset_and_every_key() -> None:
    text = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    for name in DIALECTS:
        assert f"`{name}`" in text
    for part, keys in PART_KEYS.items():
        section = text.partition(f"**`{part}`**")[2].partition("\n**`")[0]
        assert all(f"`{key}`" in section for key in keys), part
    assert all(f"`{key}`" in text for key in KEYS)
