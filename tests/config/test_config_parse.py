"""From text to a Config: every key, every problem with its place and its cure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from yolotop.config.deployment import KEYS, KINDS, deployment_from_table
from yolotop.config.preset_tables import CODE, PARTS
from yolotop.config.schema import RANGES, Config
from yolotop.errors import ConfigError
from yolotop.model import Deployment, Expectation, SecretRef
from yolotop.probe.dialects import KNOWN
from yolotop.view.snapshot import Range

Read = Callable[..., Config]
Refused = Callable[..., str]

ONE = '[[deployment]]\nname = "dock-cam"\nurl = "http://10.0.0.2:8000"\n'


def test_the_least_config_has_the_models_defaults(read: Read) -> None:
    config = read(ONE)
    assert config.deployments == (Deployment("dock-cam", "http://10.0.0.2:8000"),)
    assert config.warnings == ()


def test_every_key_arrives(read: Read, tmp_path: Path) -> None:
    (tmp_path / "gate.jpg").write_bytes(b"x")
    found = read(
        ONE
        + """
dialect = "ultralytics"
api_key = "file:key.txt"
group = "warehouse"
region = "eu"
tags = ["edge", "arm", "edge"]
interval = "20s"
predict_interval = "1m30s"
timeout = "500ms"
slow = "800ms"
scale_to_zero = false
cold_start = "30s"
image = "gate.jpg"
fail_after = 5
recover_after = 1
conf = 0.4
iou = 1
imgsz = 640
paused = true
[deployment.expect]
min_detections = 1
max_detections = 9
labels = ["person"]
"""
    ).deployments[0]
    assert found == Deployment(
        name="dock-cam",
        url="http://10.0.0.2:8000",
        api_key=SecretRef("file", str(tmp_path / "key.txt")),
        group="warehouse",
        region="eu",
        tags=("edge", "arm"),
        interval_s=20,
        predict_interval_s=90,
        timeout_s=0.5,
        slow_ms=800,
        cold_start_s=30,
        image=str(tmp_path / "gate.jpg"),
        fail_after=5,
        recover_after=1,
        conf=0.4,
        iou=1.0,
        imgsz=640,
        paused=True,
        expect=Expectation(min_detections=1, max_detections=9, labels=("person",)),
    )


def test_every_field_of_a_deployment_has_its_key() -> None:
    renamed = {"slow": "slow_ms"}
    fields = {field.name for field in dataclasses.fields(Deployment)}
    seen: set[str] = set()
    for key in KEYS:
        # The tables of the preset: what they come to is one field.
        name = "preset" if key in PARTS else renamed.get(key, key)
        assert name in fields or f"{name}_s" in fields
        seen |= {name, f"{name}_s"}
    # What its platform says of it is no setting.
    assert fields - seen == {"hosting"}


def test_ranges_are_the_views() -> None:
    assert tuple(range_.value for range_ in Range) == RANGES


def test_there_is_code_for_what_a_preset_may_name() -> None:
    assert set(KNOWN) <= set(CODE)


def test_a_deployments_own_key_wins_over_defaults(read: Read) -> None:
    config = read(
        '[defaults]\ntimeout = "3s"\ninterval = "7s"\nexpect = { drawn = true }\n'
        + ONE
        + 'timeout = "4s"\n'
    )
    found = config.deployments[0]
    assert (found.timeout_s, found.interval_s) == (4, 7)
    assert found.expect == Expectation(drawn=True)
    assert config.defaults["interval"] == "7s"


def test_the_environment_stands_in_for_keys_of_the_file(read: Read) -> None:
    env = {
        "YOLOTOP_DEFAULTS_TIMEOUT": "5s",
        "YOLOTOP_DEFAULTS_TAGS": "edge, arm",
        "YOLOTOP_DEFAULTS_FAIL_AFTER": "7",
        "YOLOTOP_DEFAULTS_CONF": "0.3",
        "YOLOTOP_DEFAULTS_SCALE_TO_ZERO": "true",
        "YOLOTOP_UI_THEME": "nord",
        "YOLOTOP_UI_READ_ONLY": "1",
        "YOLOTOP_SOMETHING_ELSE": "is nobody's business",
    }
    config = read('[defaults]\ntimeout = "9s"\n[ui]\ntheme = "dark"\n' + ONE, env)
    found = config.deployments[0]
    assert found.timeout_s == 5
    assert found.tags == ("edge", "arm")
    assert found.fail_after == 7
    assert found.conf == 0.3
    assert found.scale_to_zero
    assert (config.ui.theme, config.ui.read_only) == ("nord", True)


@pytest.mark.parametrize("section", ["DEFAULTS", "UI"])
def test_an_unknown_variable_of_ours_is_a_mistake(
    refused: Refused, section: str
) -> None:
    message = refused(ONE, {f"YOLOTOP_{section}_TIMEOT": "5s"})
    assert message.startswith(f"environment: YOLOTOP_{section}_TIMEOT: ")


def test_a_wrong_value_in_the_environment_names_it(refused: Refused) -> None:
    message = refused(ONE, {"YOLOTOP_DEFAULTS_TIMEOUT": "fast"})
    assert "environment" in message
    assert 'timeout "fast" is not a duration' in message


def test_all_problems_at_once_each_with_its_line(refused: Refused) -> None:
    message = refused(
        """\
bogus = 1
[defaults]
intervall = "15s"
timeout = 5
name = "x"
[ui]
range = "3h"
[[deployment]]
name = "dock-cam"
url = "ftp://h"
intervall = "3s"
[deployment.expect]
min_detection = 3
[[deployment]]
name = "dock-cam"
url = "http://h"
tags = "x"
interval = "0.5s"
fail_after = true
conf = 2
"""
    )
    assert message.split("\n") == [
        (
            'yolotop.toml:1: unknown section "bogus"; known are data_dir, ui, '
            "keymap, collector, store, platform, preset, defaults, deployment"
        ),
        'yolotop.toml:3: [defaults]: unknown key "intervall"; did you mean "interval"?',
        (
            "yolotop.toml:4: [defaults]: timeout is 5; write a duration such as "
            '"500ms", "15s", "2m", "1m30s" or "1h"'
        ),
        (
            "yolotop.toml:5: [defaults]: name belongs in a [[deployment]], "
            "not in [defaults]"
        ),
        'yolotop.toml:7: [ui]: range "3h" is not known; known are 1h, 6h, 24h, 7d, 30d',
        (
            'yolotop.toml:10: [[deployment]] "dock-cam": url must begin with '
            "http:// or https://"
        ),
        (
            'yolotop.toml:11: [[deployment]] "dock-cam": unknown key "intervall"; '
            'did you mean "interval"?'
        ),
        (
            'yolotop.toml:13: [[deployment]] "dock-cam" expect: '
            'unknown key "min_detection"; did you mean "min_detections"? A label '
            'called so goes into counts = { min_detection = ">=1" }'
        ),
        (
            'yolotop.toml:15: [[deployment]] "dock-cam": the name is taken by '
            "the one in line 9; every deployment needs its own"
        ),
        (
            'yolotop.toml:17: [[deployment]] "dock-cam": tags is a string; '
            'write an array of strings such as ["edge"]'
        ),
        (
            'yolotop.toml:18: [[deployment]] "dock-cam": interval "0.5s" is out of '
            "range; 1s to 1d are possible"
        ),
        (
            'yolotop.toml:19: [[deployment]] "dock-cam": fail_after is a boolean; '
            "write a whole number"
        ),
        (
            'yolotop.toml:20: [[deployment]] "dock-cam": conf is 2; '
            "write a number from 0 to 1"
        ),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('url = "http://"', "has no host"),
        ('url = "http://h:99999"', "is not a URL"),
        ('url = "http://h:0"', "has no host"),
        ('url = "http://a b"', "spaces or control"),
        ('url = "http://h/#x"', "fragment"),
        ('url = ""', "is empty"),
        ("url = 5", "is an integer"),
        ('image = "gone.jpg"', "is not a file"),
        ('image = ""', "is not a path"),
        ('dialect = "ultralytic"', 'did you mean "ultralytics"?'),
        ('tags = ["ok", 5]', "[1] is an integer"),
        ('tags = [" x"]', "white space"),
        ("expect = 5", "is an integer; write a table"),
        ("expect = { min_detections = 3, max_detections = 2 }", "is above"),
        ("conf = nan", "is nan"),
        ("imgsz = 31", "32 to 8192"),
        ('paused = "yes"', "no quotes"),
        ('group = "a\\u001bb"', "control"),
        ('region = "\\u202e"', "control"),
        ("scale_to_zero = 1979-05-27", "write true or false"),
        ('timeout = "11m"', "10ms to 10m"),
    ],
)
def test_what_is_wrong_is_said(refused: Refused, line: str, said: str) -> None:
    own = line.partition(" ")[0]
    base = "\n".join(row for row in ONE.split("\n") if not row.startswith(own))
    message = refused(base + line)
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "name", ["", " ", "a\tb", "a\\u0000b", "x" * 65, " a", "a ", "a\\u200bb", "a  b"]
)
def test_names_are_short_and_printable(refused: Refused, name: str) -> None:
    assert "name" in refused(f'[[deployment]]\nname = "{name}"\nurl = "http://h"')


@pytest.mark.parametrize("name", ["a", "x" * 64, "Größe 7/ü", "門-3", "a.b:c/d"])
def test_names_may_be_in_any_script(read: Read, name: str) -> None:
    config = read(f'[[deployment]]\nname = "{name}"\nurl = "http://h"')
    assert config.deployments[0].name == name


SECRET = "sk-live-0123456789abcdef"


@pytest.mark.parametrize(
    "line",
    [
        f'api_key = "{SECRET}"',
        f'api_key = "envv:{SECRET}"',
        f'api_key = "env:{SECRET}"',
        f'api_key = ["{SECRET}"]',
        f'url = "http://user:{SECRET}@h"',
        f'url = "http://{SECRET}@h:x"',
        f'url = "https://user:{SECRET} @h"',
    ],
)
def test_a_secret_in_the_wrong_place_is_never_echoed(
    refused: Refused, line: str
) -> None:
    own = line.partition(" ")[0]
    base = "\n".join(row for row in ONE.split("\n") if not row.startswith(own))
    message = refused(base + line)
    assert SECRET not in message
    assert own in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ui\n", "yolotop.toml:1:4: is not TOML"),
        ('a = 1\nb = "x\n', "yolotop.toml:2:"),
        ("a = 1\na = 2\n", "yolotop.toml:2:"),
        ("a = ", "is not TOML"),
        ("a = " + "[" * 5_000 + "]" * 5_000, "is not TOML"),
    ],
)
def test_syntax_errors_have_line_and_column(
    refused: Refused, text: str, said: str
) -> None:
    assert said in refused(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[deployment]\nname = "x"', "write [[deployment]]"),
        ("deployment = 5", "write [[deployment]] sections"),
        ("deployment = [1]", "is an integer"),
        ("ui = 1", "write it as a section, [ui]"),
        ("defaults = []", "write it as a section, [defaults]"),
        ("data_dir = 3", "data_dir must be a path"),
        ("[[deployments]]", 'did you mean "deployment"?'),
        ("[[deployment]]", "name is missing"),
    ],
)
def test_sections_in_the_wrong_form(refused: Refused, text: str, said: str) -> None:
    assert said in refused(text)


def test_what_is_rarely_meant_is_a_warning(read: Read) -> None:
    config = read(
        """\
[[deployment]]
name = "a"
url = "http://example.test"
api_key = "env:KEY"
timeout = "5m"

[[deployment]]
name = "b"
url = "https://example.test"
scale_to_zero = true
interval = "30s"
"""
    )
    late, clear, awake = config.warnings
    assert ":5: " in late
    assert "timeout 5m is longer" in late
    assert ":3: " in clear
    assert "unencrypted" in clear
    assert ":11: " in awake
    assert "keeps the instance awake" in awake


def test_what_scales_to_zero_is_left_asleep_by_default(read: Read) -> None:
    found = read(ONE + "scale_to_zero = true").deployments[0]
    assert found.interval_s == found.predict_interval_s == 3_600
    own = read(ONE + 'scale_to_zero = true\ninterval = "20m"').deployments[0]
    assert own.interval_s == 1_200
    assert read(ONE + "scale_to_zero = true").warnings == ()


def test_drawn_needs_the_synthetic_image(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"x")
    message = refused(ONE + 'image = "x.png"\nexpect = { drawn = true }')
    assert "drawn works with the synthetic image only" in message


def test_a_flood_of_problems_is_cut(refused: Refused) -> None:
    text = "\n".join(f"k{index} = 1" for index in range(200))
    message = refused(text)
    assert message.count("\n") == 40
    assert message.endswith("… and 160 more")


def test_a_trial_reads_one_table() -> None:
    found = deployment_from_table(
        json.loads('{"name": "t", "url": "http://h", "timeout": "2s"}'),
        {"interval": "9s"},
    )
    assert (found.timeout_s, found.interval_s) == (2, 9)
    with pytest.raises(ConfigError, match="trial: url must begin"):
        deployment_from_table({"name": "t", "url": "h"}, {}, "trial")


def test_kinds_cover_what_the_environment_can_say() -> None:
    assert set(KINDS.values()) == {
        "text",
        "list",
        "boolean",
        "integer",
        "number",
        "table",
    }
