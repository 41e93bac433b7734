"""Every kind of error comes down to one word of the closed set."""

from __future__ import annotations

from pathlib import Path

import pytest

from yolotop.judge.reception import reception
from yolotop.model import Answer, ErrorKind, Phases, ProbeKind, Reception

CONNECTING = Phases(dns=0.1, connect=900.0)
SHAKING_HANDS = Phases(dns=0.1, connect=0.2, tls=900.0)
WAITING = Phases(dns=0.1, connect=0.2, send=0.1, wait=900.0)
RECEIVING = Phases(dns=0.1, connect=0.2, send=0.1, wait=5.0, receive=900.0)


def word(
    kind: ErrorKind | None, *, phases: Phases = RECEIVING, status: int | None = None
) -> str | None:
    answer = Answer("d", ProbeKind.PREDICT, 0.0, phases=phases, http_status=status)
    return reception(answer, kind)


def test_every_kind_has_a_word_but_those_of_our_own() -> None:
    ours = {kind for kind in ErrorKind if word(kind) is None}
    assert ours == {ErrorKind.CANCELLED, ErrorKind.INTERNAL}
    assert word(None) == "ok"


@pytest.mark.parametrize(
    ("kind", "phases", "said"),
    [
        (ErrorKind.TIMEOUT, Phases(dns=900.0), "refused"),
        (ErrorKind.TIMEOUT, CONNECTING, "refused"),
        (ErrorKind.TIMEOUT, SHAKING_HANDS, "silent"),
        (ErrorKind.TIMEOUT, WAITING, "silent"),
        (ErrorKind.TIMEOUT, RECEIVING, "silent"),
        (ErrorKind.PROTOCOL, WAITING, "silent"),
        (ErrorKind.PROTOCOL, RECEIVING, "bad_body"),
    ],
)
def test_who_takes_the_connection_is_there(
    kind: ErrorKind, phases: Phases, said: str
) -> None:
    assert word(kind, phases=phases) == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (302, "client_error"),
        (451, "client_error"),
        (502, "not_ready"),
        (503, "not_ready"),
        (504, "silent"),
        (507, "handler_error"),
    ],
)
def test_a_bare_status_is_not_called_overload(status: int, said: str) -> None:
    assert word(ErrorKind.HTTP, status=status) == said


def test_a_wrong_answer_was_received() -> None:
    assert word(ErrorKind.WRONG_ANSWER, status=200) == "ok"


def test_the_page_tells_every_word_and_every_kind() -> None:
    page = (Path(__file__).parents[2] / "docs/json.md").read_text("utf-8")
    kinds, words = page.split("### `error.kind`")[1].split("### `reception`")
    assert [kind for kind in ErrorKind if f"\n| `{kind}` |" not in kinds] == []
    assert [one for one in Reception if f"\n| `{one}` |" not in words] == []
