"""Expectations and tolerances as people write them."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from yolotop.config.deployment import deployment_from_table
from yolotop.config.load import parse
from yolotop.errors import ConfigError
from yolotop.model import Deployment, Expectation, Tolerance

ONE = '[[deployment]]\nname = "a"\nurl = "http://h"\n'


def read(text: str) -> Deployment:
    [found] = parse(ONE + text, path=None, env={}).deployments
    return found


def test_labels_with_their_counts() -> None:
    found = read('expect = { person = ">=1", car = 2, min_confidence = 0.5 }')
    assert found.expect == Expectation(
        counts=(("person", ">=1"), ("car", "2")), min_confidence=0.5
    )


def test_a_label_that_is_called_like_a_key() -> None:
    found = read(
        "[deployment.expect]\n"
        'labels = ["car"]\n"no entry" = "0"\ncounts = { labels = "0", counts = "<3" }'
    )
    assert found.expect.labels == ("car",)
    assert found.expect.counts == (("no entry", "0"), ("labels", "0"), ("counts", "<3"))


def test_expectations_come_from_the_defaults_too() -> None:
    text = '[defaults]\nexpect = { person = ">=1" }\ntolerance = { extra = 3 }\n' + ONE
    [found] = parse(text, path=None, env={}).deployments
    assert found.expect.counts == (("person", ">=1"),)
    assert found.tolerance == Tolerance(extra=3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('expect = { person = ">=1.5" }', '"person" ">=1.5" is not a count; write one'),
        ("expect = { person = -1 }", '"person" "-1" is not a count'),
        ("expect = { person = true }", '"person" is a boolean; write a count'),
        ("expect = { person = 1.0 }", 'unknown key "person"'),
        ('expect = { label = ["a"] }', 'did you mean "labels"?'),
        ("expect = { min_detection = 1 }", "goes into counts = { min_detection ="),
        ("expect = { counts = 3 }", "counts is an integer; write a table"),
        ('expect = { counts = { a = "x" } }', 'counts "a" "x" is not a count'),
        ("expect = { min_confidence = 50 }", "write a number from 0 to 1"),
        ("tolerance = 3", "tolerance is an integer; write a table"),
        ("tolerance = { missing = 1 }", 'did you mean "missed"?'),
        ("tolerance = { iou = 80 }", "iou is 80; write a number from 0 to 1"),
        ("tolerance = { extra = 1000 }", "extra is 1000; 0 to 999 are possible"),
        ('golden = "gone.json"', "golden needs the image that was pinned"),
        ("golden = 3", "golden is an integer"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match="the configuration:4:") as caught:
        read(text)
    assert said in str(caught.value)


def test_a_baseline_belongs_to_one_deployment() -> None:
    with pytest.raises(ConfigError, match="golden belongs in a"):
        parse('[defaults]\ngolden = "x.json"\n' + ONE, path=None, env={})


def test_every_tolerance_has_its_key() -> None:
    plain = asdict(Tolerance())
    table = {"name": "a", "url": "http://h", "tolerance": plain}
    assert deployment_from_table(table).tolerance == Tolerance()
