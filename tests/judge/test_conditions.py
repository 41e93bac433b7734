"""Conditions: the grammar, what they come to, and the traps of those before us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.judge.conditions import Condition, Evidence, parse
from yolotop.judge.pointers import MISSING, every, found

ANSWER = {
    "success": True,
    "confidence": 0.93,
    "count": 3,
    "label": "bus",
    "error": None,
    "predictions": [{"label": "a"}],
    "a/b": {"~": 1},
}


def broken(text: str, value: object = ANSWER, said: str = "") -> str | None:
    headers = {"x-failed": "False", "x-ms": "0.201"}
    return parse(text).broken(Evidence(value, said, headers))


# --- what they come to ---------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "/success == true",
        "/success != false",
        "/confidence > 0.8",
        "/confidence <= 0.93",
        "/count == 3",
        "/count == 3.0",
        "/count >= 2.5",
        '/label == "bus"',
        '/label != "car"',
        '/label contains "US"',
        '/label lacks "car"',
        "/error == null",
        "/success != null",
        "/predictions exists",
        "/predictions/0 exists",
        "/predictions/1 missing",
        "/predictions/*/label exists",
        "/a~1b/~0 == 1",
        "/nothing missing",
        'header:X-Failed == "False"',
        "header:X-MS < 1",
        "header:x-none missing",
    ],
)
def test_holds(text: str) -> None:
    assert broken(text) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/success == false", "/success is true, expected == false"),
        ("/confidence > 0.95", "/confidence is 0.93, expected > 0.95"),
        ("/count != 3", "/count is 3, expected != 3"),
        ('/label == "car"', '/label is "bus", expected == "car"'),
        ("/error != null", "/error is null, expected != null"),
        ("/predictions == 1", "/predictions is a list of 1, expected == 1"),
        ("/success missing", "/success is true, expected to be missing"),
        ("/x exists", "/x is missing"),
        ("/x/y > 1", "/x/y is missing, expected > 1"),
    ],
)
def test_a_broken_one_tells_the_value(text: str, sentence: str) -> None:
    assert broken(text) == sentence


def test_a_text_is_looked_at_as_it_is() -> None:
    assert broken('text lacks "no data"', MISSING, "OK") is None
    assert (
        broken('text lacks "no data"', MISSING, "No Data provided")
        == 'the answer says "no data"'
    )
    assert broken('text contains "ok"', MISSING, "") is not None


# --- the traps of Gatus --------------------------------------------------------------


def test_floats_are_compared_as_floats() -> None:
    """Whole numbers only: 0.93 > 0.8 came to 0 > 0, and 0.1 >= 0.5 to 0 >= 0."""
    assert broken("/c > 0.8", {"c": 0.93}) is None
    assert broken("/c >= 0.5", {"c": 0.1}) is not None
    assert broken("/c < 1e-3", {"c": 0.0005}) is None


@pytest.mark.parametrize("test", ["< 5", "<= 5", "> -5", ">= -5", "== 0", "!= 5"])
@pytest.mark.parametrize(
    "value",
    [MISSING, {}, {"x": "text"}, {"x": "3"}, {"x": None}, {"x": True}, {"x": []}],
)
def test_what_is_missing_or_of_another_type_fails(test: str, value: object) -> None:
    """There, all of these were 0, and ``x < 5`` held."""
    assert broken(f"/x {test}", value) is not None


def test_types_are_not_mixed() -> None:
    assert broken("/x == 1", {"x": True}) is not None
    assert broken("/x == true", {"x": 1}) is not None
    assert broken("/x != true", {"x": "true"}) is not None
    assert broken('/x != "a"', {"x": 1}) is not None
    assert broken('/x lacks "a"', {"x": 1}) is not None
    assert broken("/x == 1", {"x": float("inf")}) is not None
    assert broken("/x > 1", {"x": float("inf")}) is not None
    assert broken("/x > 1", {"x": float("nan")}) is not None
    assert broken("/x > 1", {"x": 10**400}) is None


def test_all_is_read_when_the_configuration_is() -> None:
    for text, words in (
        ("", "not a condition"),
        ("/x", "not a condition"),
        ("x == 1", "begin with a pointer"),
        ("/x = 1", "not a test"),
        ("/x ~= 1", "not a test"),
        ("/x == ", "nothing stands after"),
        ("/x == yes", "is not a value"),
        ("/x == 'a'", "is not a value"),
        ('/x == "a', "is not a value"),
        ("/x == 1 2", "is not a value"),
        ("/x < true", "needs a number"),
        ('/x > "a"', "needs a number"),
        ("/x > 1e999", "beyond all numbers"),
        ("/x > nan", "is not a value"),
        ("/x contains 1", "needs a text"),
        ('/x lacks ""', "needs a text"),
        ("/x exists 1", "is too much"),
        ("text == 1", "a text is compared with a text"),
        ("text > 1", "a text is compared with a text"),
        ("header: == 1", "begin with a pointer"),
        ("/a~2 == 1", "tilde"),
        ("/x == " + "1" * 600, "characters"),
    ):
        with pytest.raises(ValueError, match=words):
            parse(text)


# --- the grammar ---------------------------------------------------------------------

SUBJECTS = st.sampled_from(["text", "header:X-A"]) | st.text(
    st.characters(codec="utf-8", exclude_characters="~"), max_size=12
).map(lambda text: "/" + "".join(text.split()))
NUMBERS = st.integers(-(10**20), 10**20) | st.floats(-1e300, 1e300, allow_nan=False)
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
CONDITIONS = st.one_of(
    st.builds(Condition, SUBJECTS, st.sampled_from(["exists", "missing"])),
    st.builds(Condition, SUBJECTS, st.sampled_from(["contains", "lacks"]), TEXTS),
    st.builds(Condition, SUBJECTS, st.sampled_from(["==", "!="]), TEXTS),
    st.builds(
        Condition,
        SUBJECTS.filter(lambda subject: subject != "text"),
        st.sampled_from(["==", "!="]),
        NUMBERS | st.booleans() | st.none(),
    ),
    st.builds(
        Condition,
        SUBJECTS.filter(lambda subject: subject != "text"),
        st.sampled_from(["<", "<=", ">", ">="]),
        NUMBERS,
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(CONDITIONS)
def test_what_is_written_is_read_again(condition: Condition) -> None:
    again = parse(str(condition))
    assert again == condition
    assert type(again.operand) is type(condition.operand)


@given(
    st.text(max_size=40) | st.from_regex(r"[/a-z]{1,6} [=<>!]{1,2} [-0-9a-z\"]{1,6}")
)
def test_any_text_is_a_condition_or_a_value_error(text: str) -> None:
    try:
        condition = parse(text)
    except ValueError:
        return
    assert parse(str(condition)) == condition


@given(CONDITIONS, VALUES)
def test_any_value_is_judged_and_what_is_missing_never_holds(
    condition: Condition, value: object
) -> None:
    sentence = condition.broken(Evidence(value, str(value)))
    assert sentence is None or sentence
    if condition.subject.startswith("/") and condition.test != "missing":
        assert condition.broken(Evidence(MISSING)) is not None
        if found(value, condition.subject) is MISSING:
            assert sentence is not None


@given(CONDITIONS.filter(lambda one: one.test in ("==", "!=")), VALUES)
def test_equal_and_not_equal_never_hold_both(
    condition: Condition, value: object
) -> None:
    other = Condition(
        condition.subject, "!=" if condition.test == "==" else "==", condition.operand
    )
    evidence = Evidence(value, str(value))
    assert condition.broken(evidence) or other.broken(evidence)


# --- pointers ------------------------------------------------------------------------


def test_a_star_is_any_member_and_of_many_the_first_is_found() -> None:
    stats = {"detectors": {"a": {"ms": 9}, "b": {"ms": 12}, "c": {}}}
    assert every(stats, "/detectors/*/ms") == (9, 12)
    assert found(stats, "/detectors/*/ms") == 9
    assert found(stats, "/cameras/*/ms") is MISSING
    assert found({"*": 1}, "/*") == 1
    assert every([1, [2]], "/*/0") == (2,)


@given(VALUES, st.text(max_size=8).map(lambda text: "/" + text.replace("~", "")))
def test_a_pointer_leads_somewhere_or_nowhere(value: object, pointer: str) -> None:
    reached = every(value, pointer)
    assert (found(value, pointer) is MISSING) == (not reached)
