"""The action table: nothing in it may contradict anything else in it."""

from __future__ import annotations

import pytest

from yolotop.tui.keys import CONTEXTS, DEEDS, deed_of, deeds_in


def test_every_deed_has_an_id_of_its_own_and_says_what_it_does() -> None:
    ids = [deed.id for deed in DEEDS]
    assert len(ids) == len(set(ids))
    for deed in DEEDS:
        assert deed.keys, deed.id
        assert deed.show, deed.id
        assert deed.label, deed.id
        assert deed.help.endswith("."), deed.id
        assert deed_of(deed.id) is deed


def test_every_deed_counts_in_some_context() -> None:
    counted = {where for wheres in CONTEXTS.values() for where in wheres}
    assert {deed.where for deed in DEEDS} <= counted


@pytest.mark.parametrize("context", CONTEXTS)
def test_no_key_means_two_things_at_once(context: str) -> None:
    taken: dict[str, str] = {}
    for deed in deeds_in(*CONTEXTS[context]):
        for key in deed.keys.split(","):
            assert key not in taken, f"{key}: {taken[key]} and {deed.id}"
            taken[key] = deed.id
