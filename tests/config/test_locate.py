"""Positions: the line that is named is the line where it stands, in any valid TOML."""

from __future__ import annotations

import tomllib

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from yolotop.config.locate import KeyPath, locate

HARD = '''\
# a comment with [brackets] = "and quotes

top = 1
"quoted \\u00e9 key" . 'and.literal' = 2
text = """
[not.a.table]
key = "no"
\\""" still inside
"""""
raw = \'\'\'
[[nor.this]]
\'\'\'
list = [
  1, # one
  { a = 1, b = [ "]", '}' ] },
  "#",
]

[ spaced . table ]   # why not
when = 2024-01-01T00:00:00Z
inline = { x.y = 1, "z" = { deep = true } }

[[deployment]]
name = "one"
  [deployment.expect]
  drawn = true

[ui]
theme = "x"

[[deployment]]
name = "two"
expect.drawn = false
[[deployment.extra]]
a = 1
[[deployment.extra]]
a = 2'''


def paths_of(value: object, path: KeyPath = ()) -> list[KeyPath]:
    """The paths of everything in a parsed document."""
    found: list[KeyPath] = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += paths_of(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += paths_of(item, (*path, index))
    return found


def test_every_line_of_a_hard_file() -> None:
    layout = locate(HARD)
    lines = HARD.split("\n")

    def text(*path: str | int) -> str:
        line = layout.line(*path)
        assert line is not None
        return lines[line - 1].strip()

    assert text("top") == "top = 1"
    assert text("quoted é key", "and.literal").startswith('"quoted')
    assert text("raw") == "raw = '''"
    assert text("list", 1, "b", 0) == "{ a = 1, b = [ \"]\", '}' ] },"
    assert text("list", 2) == '"#",'
    assert text("spaced", "table", "when").startswith("when")
    assert text("spaced", "table", "inline", "z", "deep").startswith("inline")
    assert text("deployment", 0, "name") == 'name = "one"'
    assert text("deployment", 0, "expect", "drawn") == "drawn = true"
    assert text("deployment", 1) == "[[deployment]]"
    assert text("deployment", 1, "expect", "drawn") == "expect.drawn = false"
    assert text("deployment", 1, "extra", 1, "a") == "a = 2"
    # What is not there is told by what is around it.
    assert text("deployment", 1, "nothing") == "[[deployment]]"
    assert layout.line("nowhere") is None


def test_nothing_of_a_hard_file_is_without_its_line() -> None:
    layout = locate(HARD)
    assert set(paths_of(tomllib.loads(HARD))) == set(layout.lines)


def test_sections_end_with_their_last_key() -> None:
    text = "[a]\nx = 1\n# after\n\n[b]\n# only this\n[c]\ny = [\n1,\n]\n\n\n"
    sections = [(s.path, s.start, s.end) for s in locate(text).sections]
    assert sections == [(("a",), 1, 2), (("b",), 5, 5), (("c",), 7, 10)]


KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)
SCALARS = (
    st.integers(-1000, 1000)
    | st.booleans()
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_whatever_tomlkit_writes_is_found_where_it_stands(
    document: dict[str, object],
) -> None:
    text = tomlkit.dumps(document)
    layout = locate(text)
    lines = text.split("\n")
    for path in paths_of(tomllib.loads(text)):
        line = layout.line(*path)
        assert line is not None
        key = next(part for part in reversed(path) if isinstance(part, str))
        if path in layout.lines and path[-1] == key and key.isalnum():
            assert key in lines[line - 1]


@given(
    st.text(
        st.sampled_from(list("[]{}=\"'.,#\n\r ab1-\\")),
        max_size=40,
    )
)
def test_whatever_is_valid_can_be_scanned(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    layout = locate(text)
    for key in document:
        line = layout.line(key)
        assert line is None or 1 <= line <= text.count("\n") + 1
