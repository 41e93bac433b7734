"""Pages of the log over a real SQLite history."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from yolotop.model import (
    Answer,
    Deployment,
    Event,
    EventKind,
    Outcome,
    ProbeKind,
    Sample,
    Severity,
    Verdict,
)
from yolotop.store.open import open_reader, open_writer
from yolotop.store.protocol import LogLine, Writer
from yolotop.view.filter import parse
from yolotop.view.log import LogPage, LogQuery, matches
from yolotop.view.session import Session
from yolotop.view.snapshot import Range

AT = 1_700_000_000.0
SEVERITIES = (Severity.DEBUG, Severity.INFO, Severity.WARNING, Severity.ERROR)


def line(index: int) -> Sample:
    """Line ``index`` of a log in which severities, names and words take turns."""
    severity = SEVERITIES[index % 4]
    failed = severity is Severity.ERROR
    answer = Answer(
        deployment=("dock", "gate", "yard")[index % 3],
        kind=ProbeKind.PREDICT,
        started_at=AT + index,
        latency_ms=20.0,
        http_status=503 if failed else 200,
    )
    outcome = Outcome.FAILED if failed else Outcome.OK
    return Sample(answer, Verdict(outcome, severity, f"line {index}, of {index % 7}"))


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[Writer]:
    writer = await open_writer(tmp_path)
    await writer.register(
        [Deployment(name, "http://127.0.0.1") for name in ("dock", "gate", "yard")], AT
    )
    yield writer
    await writer.close()


@pytest.fixture
async def session(writer: Writer, tmp_path: Path) -> AsyncIterator[Session]:
    await writer.append([line(index) for index in range(400)], (), {})
    reader = await open_reader(tmp_path)
    yield Session(reader)
    await reader.close()


async def every_page(session: Session, query: LogQuery, limit: int) -> list[LogLine]:
    """All lines, oldest first, by going back page after page."""
    pages: list[LogPage] = [await session.log(query, limit=limit)]
    while pages[-1].more_before:
        pages.append(await session.log(query, before=pages[-1].first, limit=limit))
    return list(itertools.chain.from_iterable(page.lines for page in reversed(pages)))


async def forward(session: Session, query: LogQuery, limit: int) -> list[LogLine]:
    """All lines, oldest first, from the beginning on."""
    lines: list[LogLine] = []
    page = LogPage(more_after=True)
    while page.more_after:
        page = await session.log(query, after=page.last, limit=limit)
        lines += page.lines
    return lines


@pytest.mark.parametrize("limit", [1, 7, 200, 400, 1_000])
@pytest.mark.parametrize(
    "query",
    [
        LogQuery(),
        LogQuery(min_severity=Severity.WARNING),
        LogQuery(text="503"),
        LogQuery(text='"of 3" !gate', min_severity=Severity.INFO),
        LogQuery(deployment="yard"),
        LogQuery(text="dock", deployment="yard"),
    ],
)
async def test_pages_put_together_are_the_log(
    session: Session, query: LogQuery, limit: int
) -> None:
    shown = await every_page(session, query, limit)
    everything = (await session.log(LogQuery(), limit=1_000)).lines
    assert len(everything) == 400
    expected = [line for line in everything if matches(query, line)]
    assert shown == expected
    assert await forward(session, query, limit) == expected
    if query.text == "dock":
        assert not expected
    else:
        assert expected


async def test_a_page_tells_what_it_looked_at(session: Session) -> None:
    page = await session.log(LogQuery(text="error"), limit=10)
    assert [line.message for line in page.lines[-2:]] == [
        "line 395, of 3",
        "line 399, of 0",
    ]
    assert (page.first, page.last, page.looked) == (364, 400, 37)
    assert (page.more_before, page.more_after) == (True, False)
    page = await session.log(LogQuery(text="nothing says so"))
    assert (page.lines, page.looked, page.extent.total) == ((), 400, 400)
    assert not page.more_before
    page = await session.log(LogQuery(), before=201, limit=50)
    assert (page.first, page.last) == (151, 200)
    assert page.more_before
    assert page.more_after


async def test_one_look_is_bounded_and_can_go_on(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yolotop.store.sqlite.search.ASKED", 100)
    monkeypatch.setattr("yolotop.store.sqlite.search._NEAR", 1)
    query = LogQuery(text="ms>20.5")
    page = await session.log(query)
    looks = 1
    while page.more_before:
        assert page.lines == ()
        page = await session.log(query, before=page.first)
        looks += 1
    assert looks == 4


async def test_a_page_around_an_instant_goes_on_both_ways(session: Session) -> None:
    query = LogQuery(min_severity=Severity.INFO)
    page = await session.log(query, at=AT + 200, limit=20)
    numbers = [line.seq for line in page.lines]
    assert len(numbers) == 20
    assert numbers[9] < 201 <= numbers[10]
    assert page.more_before
    assert page.more_after
    older = await session.log(query, before=page.first, limit=999)
    newer = await session.log(query, after=page.last, limit=999)
    everything = await every_page(session, query, 999)
    assert [*older.lines, *page.lines, *newer.lines] == everything
    for at, kept in ((0.0, everything[:10]), (AT + 9_999, everything[-10:])):
        page = await session.log(query, at=at, limit=20)
        assert list(page.lines) == kept


async def test_a_filter_knows_the_deployments_of_the_picture(session: Session) -> None:
    query = LogQuery(text="p95>10")
    assert (await session.log(query)).lines == ()
    await session.refresh(Range.H1)
    found = await session.log(LogQuery(text="dialect:ultra"), limit=9)
    assert len(found.lines) == 9
    assert (await session.log(LogQuery(text="region:eu"))).lines == ()


async def test_following_gives_what_came_after(
    session: Session, writer: Writer
) -> None:
    newest = (await session.log(LogQuery(), limit=1)).lines[-1]
    query = LogQuery(min_severity=Severity.INFO, text="!503")
    page = await session.log(query, after=newest.seq)
    assert page.lines == ()
    assert not page.more_after
    event = Event(AT + 500, Severity.INFO, EventKind.COLLECTOR, "collector stopped")
    await writer.append([line(index) for index in range(400, 420)], [event], {})
    page = await session.log(query, after=newest.seq, limit=4)
    assert page.more_after
    assert [line.message for line in page.lines] == [
        f"line {index}, of {index % 7}" for index in (401, 402, 405, 406)
    ]
    rest = await session.log(query, after=page.last)
    assert not rest.more_after
    assert rest.lines[-1].message == "collector stopped"
    assert rest.lines[-1].deployment is None
    assert len(rest.lines) == 7


async def test_an_empty_log_is_an_empty_page(tmp_path: Path) -> None:
    reader = await open_reader(tmp_path / "new")
    try:
        for text in ("", "word"):
            page = await Session(reader).log(LogQuery(text=text))
            assert (page.lines, page.looked) == ((), 0)
            assert (page.more_before, page.more_after) == (False, False)
    finally:
        await reader.close()


async def test_a_page_is_before_or_after(session: Session) -> None:
    with pytest.raises(ValueError, match="either before or after"):
        await session.log(LogQuery(), before=1, after=1)


def test_a_line_can_be_asked_for_alone() -> None:
    wanted = LogLine(1, AT, Severity.WARNING, "dock", "slow")
    assert matches(LogQuery(Severity.WARNING, "slow", "dock"), wanted)
    assert not matches(LogQuery(Severity.ERROR), wanted)
    assert not matches(LogQuery(deployment="gate"), wanted)
    assert not matches(LogQuery(), wanted, text=parse("!slow"))
