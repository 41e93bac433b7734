"""References to secrets: read from where they are, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.secrets import LARGEST_BYTES, parse_ref, resolve
from yolotop.errors import ConfigError
from yolotop.model import SecretRef


def test_a_variable() -> None:
    ref = parse_ref("env:KEY")
    assert ref == SecretRef("env", "KEY")
    assert resolve(ref, env={"KEY": " sk-1\n"}) == "sk-1"


def test_a_file_with_white_space_around(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n  sk-2  \r\n")
    ref = parse_ref("file:key", base=tmp_path)
    assert ref == SecretRef("file", str(tmp_path / "key"))
    assert resolve(ref, env={}) == "sk-2"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({}, "KEY is not set"),
        ({"KEY": ""}, "is empty"),
        ({"KEY": " \n"}, "is empty"),
        ({"KEY": "two words"}, "one word"),
        ({"KEY": "a\nb"}, "one word"),
        ({"KEY": "käse"}, "one word"),
    ],
)
def test_variables_that_hold_no_key(env: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        resolve(SecretRef("env", "KEY"), env=env)
    assert caught.value.hint
    value = env.get("KEY", "").strip()
    assert not value or value not in str(caught.value)


def test_files_that_hold_no_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    ref = SecretRef("file", str(path))
    with pytest.raises(ConfigError, match="does not exist"):
        resolve(ref)
    path.mkdir()
    with pytest.raises(ConfigError, match="not a regular file"):
        resolve(ref)
    path.rmdir()
    path.write_text("k" * (LARGEST_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        resolve(ref)


def test_a_missing_home_folder() -> None:
    with pytest.raises(ValueError, match="home folder"):
        parse_ref("file:~nobody-of-that-name/key")


@given(st.text(min_size=6, max_size=60))
def test_what_is_no_reference_is_never_repeated(text: str) -> None:
    try:
        ref = parse_ref(text)
    except ValueError as error:
        said = str(error)
    else:
        assert ref.scheme in ("env", "file")
        return
    sentence = parse_error_sentences()
    assert any(said.startswith(start) for start in sentence)


def parse_error_sentences() -> tuple[str, ...]:
    """All there are: fixed texts, so nothing of the value can be in them."""
    return (
        (
            'must be a reference, "env:NAME" (an environment variable) or "file:PATH" '
            "(a file), not the key itself"
        ),
        'needs the name of an environment variable after "env:" (letters, digits and',
        'needs a path after "file:"',
        'starts with "~" but there is no such home folder',
    )
