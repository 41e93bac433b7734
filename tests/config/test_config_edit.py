"""Edits: the table asked for and no other byte, whole or not at all."""

from __future__ import annotations

import multiprocessing
import resource
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yolotop.config.edit import (
    add_deployment,
    init,
    preview_deployment,
    remove_deployment,
)
from yolotop.config.load import load
from yolotop.errors import ConfigError
from yolotop.text import clean

GATE: Mapping[str, object] = {"name": "gate-3", "url": "http://10.0.0.3:8000"}
FILE = """\
# head

[defaults]   # for all
timeout = '3s'

# the dock
[[deployment]]
name = "dock-cam"      # the first
url  =   "http://h"
# slow = "1s"

# the belt
[[deployment]]
name = "belt"
url = "http://h"
[deployment.expect]
drawn = true

[ui]
theme = "dark"
# tail
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with comments everywhere."""
    path = tmp_path / "yolotop.toml"
    path.write_text(FILE)
    return path


def names(path: Path) -> list[str]:
    return [deployment.name for deployment in load(path, env={}).deployments]


def test_adding_appends_and_touches_nothing_else(path: Path) -> None:
    add_deployment(
        path,
        {
            "api_key": "env:GATE_KEY",
            **GATE,
            "tags": ("edge", 'quo"te'),
            "region": None,
            "expect": {"labels": ["person"]},
        },
    )
    assert path.read_text() == (
        FILE
        + """
[[deployment]]
name = "gate-3"
url = "http://10.0.0.3:8000"
api_key = "env:GATE_KEY"
tags = ["edge", "quo\\"te"]

[deployment.expect]
labels = ["person"]
"""
    )
    assert names(path) == ["dock-cam", "belt", "gate-3"]


def test_removing_takes_the_table_and_leaves_every_comment(path: Path) -> None:
    remove_deployment(path, "dock-cam")
    assert path.read_text() == FILE.replace(
        '[[deployment]]\nname = "dock-cam"      # the first\nurl  =   "http://h"\n',
        "",
    )
    remove_deployment(path, "belt")
    text = path.read_text()
    for comment in ("# head", "# for all", "# the dock", "# the belt", "# tail"):
        assert comment in text
    assert names(path) == []
    assert load(path, env={}).ui.theme == "dark"


def test_removing_takes_the_tables_parts_wherever_they_stand(path: Path) -> None:
    path.write_text(
        '[[deployment]]\nname = "a"\nurl = "http://h"\n\n[ui]\nrange = "1h"\n\n'
        "[deployment.expect]\ndrawn = true\n"
    )
    remove_deployment(path, "a")
    assert tomllib.loads(path.read_text()) == {"ui": {"range": "1h"}}


def test_what_is_added_and_removed_leaves_no_trace(path: Path) -> None:
    add_deployment(path, GATE)
    remove_deployment(path, "gate-3")
    assert path.read_text() == FILE


COMMENTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"),
    max_size=20,
)
LABELS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=10).filter(
    lambda text: (
        text.isprintable() and clean(text) == unicodedata.normalize("NFC", text)
    )
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Valid files of our own with comments and blank lines in all places."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines: list[str] = []

    def fill() -> None:
        texts = draw(st.lists(st.none() | COMMENTS, max_size=3))
        lines.extend("" if text is None else f"# {text}" for text in texts)

    fill()
    if draw(st.booleans()):
        lines.append('[defaults] # [[deployment]] name = "no"')
        fill()
        lines.append('timeout = """5s"""')
    fill()
    for index in range(draw(st.integers(0, 3))):
        lines.append("[[deployment]]")
        lines.append(f"name = '{index}'")
        fill()
        lines.append('url = "http://h" # here')
        fill()
        if draw(st.booleans()):
            lines.append("[deployment.expect]")
            fill()
    return newline.join([*lines, ""])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=40,
)
@given(files(), LABELS, st.lists(LABELS, max_size=3))
def test_add_and_remove_are_inverse_for_any_file(
    tmp_path: Path, text: str, name: str, tags: list[str]
) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(text.encode())
    before = names(path)
    if unicodedata.normalize("NFC", name) in before:
        return
    add_deployment(path, {"name": name, "url": "http://new", "tags": tags})
    assert names(path) == [*before, unicodedata.normalize("NFC", name)]
    assert path.read_bytes().startswith(text.encode())
    remove_deployment(path, name)
    after = path.read_bytes().decode()
    # A file of blank lines only may come back without them.
    assert after == text or not text.strip()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=40,
)
@given(files(), st.data())
def test_removing_any_keeps_the_others(
    tmp_path: Path, text: str, data: st.DataObject
) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(text.encode())
    left = names(path)
    if not left:
        return
    gone = data.draw(st.sampled_from(left))
    remove_deployment(path, gone)
    left.remove(gone)
    assert names(path) == left


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"name": "dock-cam", "url": "http://h"},
            '"dock-cam" is registered already in',
        ),
        ({"name": "x", "url": "nope"}, "url must begin"),
        ({"name": "x", "url": "http://h", "intervall": "5s"}, "did you mean"),
        ({"name": "x", "url": "http://h", "api_key": "sk-secret-1"}, "a reference"),
    ],
)
def test_what_would_not_be_valid_is_not_written(
    path: Path, table: dict[str, object], said: str
) -> None:
    for change in (preview_deployment, add_deployment):
        with pytest.raises(ConfigError, match=said) as caught:
            change(path, table)
        assert "sk-secret" not in str(caught.value)
    assert path.read_text() == FILE
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_file_is_not_edited(path: Path) -> None:
    path.write_text(FILE + "[ui\n")
    said = r"yolotop\.toml:\d+:\d+: is not TOML"
    with pytest.raises(ConfigError, match=said):
        add_deployment(path, GATE)
    with pytest.raises(ConfigError, match=said):
        remove_deployment(path, "belt")
    assert path.read_text() == FILE + "[ui\n"


def test_removing_what_is_wrong_mends_the_file(path: Path) -> None:
    path.write_text(FILE + '[[deployment]]\nname = "bad"\nurl = "ftp://h"\n')
    remove_deployment(path, "bad")
    assert path.read_text() == FILE


def test_removing_what_is_not_there(path: Path) -> None:
    with pytest.raises(ConfigError, match="no deployment") as caught:
        remove_deployment(path, "dok-cam")
    assert "dock-cam" in caught.value.hint


def test_an_inline_array_is_left_to_the_person(path: Path) -> None:
    path.write_text('deployment = [{ name = "a", url = "http://h" }]\n')
    with pytest.raises(ConfigError, match="one inline array"):
        remove_deployment(path, "a")
    with pytest.raises(ConfigError, match="is not TOML"):
        add_deployment(path, GATE)


def test_a_missing_file_is_created_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "yolotop.toml"
    add_deployment(path, GATE)
    assert names(path) == ["gate-3"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_modes_and_links_survive(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path.name)
    add_deployment(link, GATE)
    assert link.is_symlink()
    assert names(path)[-1] == "gate-3"
    assert path.stat().st_mode & 0o777 == 0o640


def test_init_writes_a_valid_file_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "new" / "yolotop.toml"
    init(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load(path, env={}).deployments == ()
    with pytest.raises(ConfigError, match="is there already"):
        init(path)


def _add(path: Path, number: int) -> None:
    for index in range(5):
        add_deployment(path, {"name": f"{number}-{index}", "url": "http://h"})


def test_editors_at_the_same_time_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert len(names(path)) == 2 + 15


def test_a_disk_that_takes_no_more(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(ConfigError, match="cannot be written"):
            add_deployment(path, GATE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_text() == FILE
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_one(path: Path) -> None:
    with pytest.raises(ConfigError, match="folder cannot be used"):
        add_deployment(path / "below" / "y.toml", GATE)
