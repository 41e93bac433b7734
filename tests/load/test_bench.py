"""The engine on a clock that jumps: pace, endings, bounds, and what a stall does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from yolotop.load.bench import Bench
from yolotop.load.plan import Level, Plan
from yolotop.load.tally import Asked, Ending, Figures
from yolotop.load.windows import Window

Play = Callable[[Coroutine[Any, Any, Any]], Any]
GOOD = Asked(10.0)


class Server:
    """Answers after ``takes_s``, ``workers`` at once, and not while it stalls."""

    def __init__(
        self,
        takes_s: float = 0.01,
        *,
        workers: int = 1_000,
        stall: tuple[float, float] = (0.0, 0.0),
        error: str | None = None,
        errs_from_s: float = 0.0,
    ) -> None:
        self.takes_s = takes_s
        self.gate = asyncio.Semaphore(workers)
        self.stall = stall
        self.error = error
        self.errs_from_s = errs_from_s
        self.begun: list[float] = []
        self.at_once = self.most_at_once = 0
        self.places: set[int] = set()

    async def ask(self, place: int) -> Asked:
        loop = asyncio.get_running_loop()
        started = loop.time()
        if not self.begun:
            self.zero = started
        self.begun.append(started)
        assert place not in self.places
        self.places.add(place)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            async with self.gate:
                first, last = (self.zero + edge for edge in self.stall)
                if first <= loop.time() < last:
                    await asyncio.sleep(last - loop.time())
                await asyncio.sleep(self.takes_s)
        finally:
            self.at_once -= 1
            self.places.discard(place)
        took_ms = (loop.time() - started) * 1000
        if self.error and started - self.zero >= self.errs_from_s:
            return Asked(took_ms, self.error, "no")
        return Asked(took_ms, server_ms=self.takes_s * 1000)


def plan(*levels: Level, duration_s: float = 30.0, most: int = 100_000) -> Plan:
    return Plan(levels, duration_s, duration_s / 6, most)


def measure(
    play: Play,
    server: Callable[[], Server],
    plan: Plan,
    *,
    meanwhile: Callable[[Bench], Awaitable[None]] | None = None,
) -> tuple[Server, tuple[Figures, ...], list[Window]]:
    windows: list[Window] = []

    def told(_level: Level, _number: int, window: Window) -> None:
        windows.append(window)

    async def work() -> tuple[Server, tuple[Figures, ...]]:
        it = server()
        heard: list[Figures] = []
        bench = Bench(
            it.ask,
            plan,
            told=told,
            done=heard.append,
        )
        other = None if meanwhile is None else asyncio.ensure_future(meanwhile(bench))
        found = await bench.run()
        assert list(found) == heard
        if other is not None:
            await other
        return it, found

    it, found = play(work())
    return it, found, windows


def p99(figures: Figures) -> float:
    assert figures.latency[2] is not None
    return figures.latency[2].ms


def test_a_steady_server_has_settled_after_three_windows(play: Play) -> None:
    server, (found,), windows = measure(play, Server, plan(Level(4)))
    assert found.ending is Ending.SETTLED
    assert found.windows == len(windows) == 3
    assert found.seconds == pytest.approx(15.0, abs=0.02)
    assert found.per_s == pytest.approx(400, rel=0.01)
    assert server.most_at_once == 4
    assert p99(found) == pytest.approx(10.0, rel=0.02)
    assert found.server_p50_ms == pytest.approx(10.0, rel=0.02)
    assert found.requests == found.answered == len(server.begun)
    assert (found.dropped, found.unsent, found.failed) == (0, 0, 0)


def test_one_that_never_settles_takes_its_time_and_no_more(play: Play) -> None:
    class Slower(Server):
        async def ask(self, place: int) -> Asked:
            self.takes_s *= 1.002
            return await super().ask(place)

    _, (found,), windows = measure(play, Slower, plan(Level(2)))
    assert found.ending is Ending.TIME
    assert len(windows) == 6
    assert 30.0 <= found.seconds < 35.0


def test_levels_come_one_after_the_other(play: Play) -> None:
    levels = [Level(n) for n in (1, 2, 4, 8)]
    _, found, _ = measure(play, lambda: Server(0.05, workers=2), plan(*levels))
    per_s = [round(each.per_s) for each in found]
    assert per_s[0] == 20
    assert per_s[1:] == [40, 40, 40]
    p95 = [each.latency[1].ms for each in found if each.latency[1]]
    assert p95 == pytest.approx([50, 50, 100, 200], rel=0.03)


# --- the point of it -----------------------------------------------------------------


def test_an_open_loop_shows_the_stall_that_a_closed_one_hides(play: Play) -> None:
    def stalling() -> Server:
        # From the 3rd second on nothing is answered for one second.
        return Server(0.01, workers=1, stall=(3.0, 4.0))

    _, (closed,), _ = measure(play, stalling, plan(Level(1), duration_s=10))
    _, (opened,), _ = measure(play, stalling, plan(Level(64, 50.0), duration_s=10))
    # A patient asker sent one question in that second; fifty were meant to begin.
    assert p99(closed) == pytest.approx(10.0, rel=0.03)
    assert closed.latency[3] is not None
    assert closed.latency[3].ms > 900
    assert p99(opened) > 800
    late = opened.latency[1]
    assert late is not None
    assert late.ms > 500


def test_the_latency_counts_from_the_meant_beginning(play: Play) -> None:
    """With one at a time the others wait here, not at the server: it is the same."""
    _, (found,), _ = measure(
        play,
        lambda: Server(0.01, workers=1, stall=(3.0, 4.0)),
        plan(Level(1, 50.0), duration_s=10),
    )
    assert p99(found) > 800
    # The questions' own time shows nothing of it: one of hundreds was slow.
    assert found.service[2] is not None
    assert found.service[2].ms == pytest.approx(10.0, rel=0.03)
    assert found.late_p99_ms == 0.0


def test_the_rate_is_kept_whatever_comes_back(play: Play) -> None:
    server, (found,), _ = measure(
        play, lambda: Server(2.0), plan(Level(64, 10.0), duration_s=6)
    )
    steps = [b - a for a, b in zip(server.begun, server.begun[1:], strict=False)]
    assert steps == pytest.approx([0.1] * len(steps))
    assert found.requests == 60
    assert server.most_at_once == 20
    # The last answers are waited for.
    assert found.seconds == pytest.approx(7.9, abs=0.11)
    assert found.answered == 60


def test_those_that_could_not_be_sent_count(play: Play) -> None:
    """10 a second where 2 at once take a second each: 48 of 60 cannot begin."""
    server, (found,), _ = measure(
        play, lambda: Server(1.0), plan(Level(2, 10.0), duration_s=6)
    )
    assert server.most_at_once == 2
    assert found.requests == len(server.begun)
    assert found.requests + found.unsent == 60
    assert found.unsent >= 46
    p50 = found.latency[0]
    assert p50 is not None
    assert p50.at_least
    assert p50.ms > 1_500


# --- endings -------------------------------------------------------------------------


def test_a_server_that_refuses_is_left_alone(play: Play) -> None:
    server, found, _ = measure(
        play, lambda: Server(0.001, error="overloaded"), plan(Level(1), Level(2))
    )
    assert len(found) == 1
    assert found[0].ending is Ending.REFUSING
    assert len(server.begun) == 20
    assert dict(found[0].errors) == {"overloaded": 20}


def test_refusing_in_the_second_window(play: Play) -> None:
    _, (found,), windows = measure(
        play,
        lambda: Server(0.01, error="http", errs_from_s=6.0),
        plan(Level(1)),
    )
    assert found.ending is Ending.REFUSING
    assert len(windows) == 1
    # 100 good ones of that window were followed by 101 bad ones.
    assert found.failed == pytest.approx(101, abs=2)


def test_slow_refusals_are_seen_at_the_window_end(play: Play) -> None:
    _, (found,), windows = measure(
        play, lambda: Server(1.0, error="timeout"), plan(Level(1))
    )
    assert found.ending is Ending.REFUSING
    assert len(windows) == 1


def test_the_cap_holds_for_all_levels_together(play: Play) -> None:
    server, found, _ = measure(
        play, Server, plan(Level(1), Level(2), Level(4), most=2_000)
    )
    # 1,500 of the first level in 15 s, and the rest.
    assert [each.ending for each in found] == [Ending.SETTLED, Ending.CAPPED]
    assert sum(each.requests for each in found) == len(server.begun) == 2_000
    assert sum(each.answered for each in found) == 2_000


@pytest.mark.parametrize("level", [Level(3), Level(64, 30.0)])
def test_the_cap_holds_in_both_loops(play: Play, level: Level) -> None:
    server, (found,), _ = measure(play, Server, plan(level, most=10))
    assert found.ending is Ending.CAPPED
    assert len(server.begun) == found.answered == 10


@pytest.mark.parametrize("level", [Level(3), Level(64, 3.0)])
def test_stopped_at_once_with_what_there_is(play: Play, level: Level) -> None:
    async def meanwhile(bench: Bench) -> None:
        await asyncio.sleep(12.0)
        bench.stop()

    server, found, _ = measure(
        play, lambda: Server(5.0), plan(level, Level(8)), meanwhile=meanwhile
    )
    assert len(found) == 1
    assert found[0].ending is Ending.INTERRUPTED
    assert found[0].seconds == pytest.approx(12.0)
    assert found[0].answered > 0
    assert found[0].dropped > 0
    assert found[0].answered + found[0].dropped == len(server.begun)
    # Those under way had waited already, as had one that was about to be sent.
    assert found[0].at_least == found[0].dropped + found[0].unsent
    assert found[0].unsent <= 1
    assert server.at_once == 0


def test_a_stop_while_the_last_answers_are_awaited(play: Play) -> None:
    async def meanwhile(bench: Bench) -> None:
        await asyncio.sleep(31.0)
        bench.stop()

    _, (found,), _ = measure(
        play, lambda: Server(100.0), plan(Level(2)), meanwhile=meanwhile
    )
    assert found.ending is Ending.INTERRUPTED
    assert found.seconds == pytest.approx(31.0)
    assert found.dropped == 2


def test_a_fault_of_our_own_is_not_swallowed(play: Play) -> None:
    class Broken(Server):
        async def ask(self, place: int) -> Asked:
            raise RuntimeError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        measure(play, Broken, plan(Level(1)))
    assert caught.group_contains(RuntimeError, match="a bug")
