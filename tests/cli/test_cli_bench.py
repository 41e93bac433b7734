"""``yolotop bench`` against endpoints that are really there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import Result

Run = Callable[..., Result]
SEEN = {
    "images": [{"shape": [320, 320], "speed": {"inference": 2.0}, "results": []}],
    "metadata": {"imageCount": 1, "version": "1", "model": "m"},
}
LEVEL = (
    "concurrency rate_per_s ended windows seconds requests answered per_s latency "
    "service server_p50_ms errors unsent dropped at_least late_p99_ms own_cpu"
)


class Home(Protocol):
    """What conftest's Home offers."""

    path: Path

    def write(self, text: str) -> Path: ...


class Scripted(Protocol):
    """What conftest's Scripted offers."""

    url: str
    predict: list[Any]
    asked: list[str]


class Pty(Protocol):
    """What conftest's Pty offers."""

    painted: bytes

    def sees(self, text: str, *, within_s: float = ...) -> None: ...
    def types(self, keys: str) -> None: ...
    def ends(self) -> int: ...


@dataclass
class Counting:
    """An endpoint that counts, takes its time, and stalls for a second if told to."""

    url: str = ""
    takes_s: float = 0.0
    stall_at: int = 0
    asked: int = 0
    ports: set[int] = field(default_factory=set)


def serving(kind: type[HTTPServer]) -> Iterator[Counting]:
    counting = Counting()
    never = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one packet: else each answer waits for a delayed ACK.
        wbufsize = -1

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            counting.asked += 1
            counting.ports.add(self.client_address[1])
            if counting.asked == counting.stall_at:
                never.wait(1.0)
            never.wait(counting.takes_s)
            body = json.dumps(SEEN).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    class Server(kind):  # type: ignore[misc,valid-type]
        request_queue_size = 128
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        counting.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield counting
        server.shutdown()
        thread.join()


@pytest.fixture
def one_at_a_time() -> Iterator[Counting]:
    """Answers one question after the other, as a GPU does."""
    yield from serving(HTTPServer)


@pytest.fixture
def many_at_once() -> Iterator[Counting]:
    yield from serving(ThreadingHTTPServer)


def known(home: Home, url: str, more: str = "", top: str = "") -> None:
    home.write(f'{top}\n[[deployment]]\nname = "cam"\nurl = "{url}"\n{more}\n')


def test_an_open_loop_shows_the_stall_that_a_closed_one_hides(
    run: Run, home: Home, one_at_a_time: Counting
) -> None:
    """The same server, the same stall of one second, two ways to look."""
    known(home, one_at_a_time.url)
    found = {}
    for loop, words in (
        ("closed", ["--concurrency", "1"]),
        ("open", ["--rate", "40/s"]),
    ):
        one_at_a_time.stall_at = one_at_a_time.asked + 40
        done = run(
            *("bench", "cam", *words, "--duration", "3s", "--window", "3s"),
            *("--yes", "--json"),
        )
        assert done.exit_code == 0, done.output
        found[loop] = json.loads(done.stdout)
        assert found[loop]["loop"] == loop
    (closed,), (opened,) = found["closed"]["levels"], found["open"]["levels"]
    # Both met it …
    assert closed["latency"]["max_ms"] > 990
    assert opened["latency"]["max_ms"] > 990
    # … but a patient asker asked once in that second, of hundreds of times.
    assert closed["requests"] > 150
    assert closed["latency"]["p99_ms"] < 300
    assert opened["requests"] == 120
    assert opened["latency"]["p99_ms"] > 900
    assert opened["latency"]["p95_ms"] > 700
    assert opened["unsent"] == 0


def test_json_and_the_bounds_before(
    run: Run, home: Home, many_at_once: Counting
) -> None:
    known(home, many_at_once.url)
    done = run(
        *("bench", "cam", "--concurrency", "1..2", "--duration", "1s"),
        *("--max-requests", "60", "--yes", "--json"),
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told) == {
        *("name", "url", "loop", "image", "request_bytes", "reuse", "duration_s"),
        *("window_s", "ended", "knee", "levels"),
    }
    assert told["name"] == "cam"
    assert told["url"] == f"{many_at_once.url}/predict"
    assert told["image"] == "320×320 JPEG"
    assert told["ended"] == "capped"
    for level in told["levels"]:
        assert " ".join(level) == LEVEL
        assert level["server_p50_ms"] == 2.0
        assert set(level["latency"]) == {"p50_ms", "p95_ms", "p99_ms", "max_ms"} | {
            "at_least"
        }
    # The cap is of all levels, and one question came before.
    assert sum(level["requests"] for level in told["levels"]) == 60
    assert many_at_once.asked == 61
    said = done.stderr
    assert f"POST {many_at_once.url}/predict" in said
    assert "at most 60 requests" in said
    assert "1, 2 at once" in said


def test_kept_connections_or_new_ones(
    run: Run, home: Home, many_at_once: Counting
) -> None:
    known(home, many_at_once.url)
    words = ["bench", "cam", "--concurrency", "2", "--duration", "1s"]
    words += ["--max-requests", "40", "--yes", "--json"]
    run(*words, "--reuse")
    # Two askers with one each, and that of the first question.
    assert len(many_at_once.ports) == 3
    many_at_once.ports.clear()
    run(*words)
    assert len(many_at_once.ports) == 41


def test_a_table_a_curve_and_words(
    run: Run, home: Home, one_at_a_time: Counting
) -> None:
    known(home, one_at_a_time.url, top='[ui]\nsymbols = "braille"')
    one_at_a_time.takes_s = 0.02
    done = run("bench", "cam", "--concurrency", "2,16", "--duration", "1s", "--yes")
    assert done.exit_code == 0, done.output
    head = " ".join(done.stdout.splitlines()[0].split())
    assert head == "at once got/s P50 P95 P99 max server errors level"
    # One at a time: sixteen at once only wait for each other.
    assert "Knee: 2 at once" in done.stdout
    assert "◆ 2 knee" in done.stdout
    assert "Closed loop" in done.stdout
    assert "16 at once: window 1/2" in done.stderr


def test_a_server_that_refuses_is_left_alone(
    run: Run, home: Home, scripted: Scripted
) -> None:
    known(home, scripted.url)
    scripted.predict = [(200, {}, SEEN), (503, {}, {"detail": "no room"})]
    done = run("bench", "cam", "--concurrency", "2,4", "--yes")
    assert done.exit_code == 1, done.output
    assert "the server is refusing, stopped" in done.stdout
    assert "no room" in done.stdout
    # Not even a second level was tried.
    assert 21 <= len(scripted.asked) <= 24


def test_what_is_down_is_not_loaded(run: Run, home: Home, scripted: Scripted) -> None:
    known(home, scripted.url)
    scripted.predict = [(500, {}, {"detail": "CUDA error"})]
    done = run("bench", "cam", "--yes")
    assert done.exit_code == 1
    assert "CUDA error" in done.stderr
    assert "Nothing more was sent" in done.stderr
    assert len(scripted.asked) == 1


def test_without_a_terminal_it_takes_yes(
    run: Run, home: Home, scripted: Scripted
) -> None:
    known(home, scripted.url)
    done = run("bench", "cam")
    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert scripted.asked == []


def test_no_is_no(home: Home, scripted: Scripted, sit_at: Callable[..., Pty]) -> None:
    known(home, scripted.url)
    terminal = sit_at("bench", "cam", "--concurrency", "1..4", "--duration", "2s")
    terminal.sees("Send them?")
    for words in ("at most 10,000 requests", "1, 2, 4 at once", scripted.url):
        assert words.encode() in terminal.painted
    terminal.types("n\r")
    assert terminal.ends() == 0
    assert scripted.asked == []


def test_ctrl_c_ends_it_with_what_it_has(
    home: Home, many_at_once: Counting, sit_at: Callable[..., Pty]
) -> None:
    known(home, many_at_once.url)
    terminal = sit_at("bench", "cam", "--duration", "60s", "--window", "500ms")
    terminal.sees("Send them?")
    terminal.types("y\r")
    terminal.sees("1 at once: window 1/")
    terminal.types("\x03")
    assert terminal.ends() == 130
    assert b"interrupted" in terminal.painted
    assert b"got/s" in terminal.painted


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--concurrency", "1..65"], "from 1 to 64"),
        (["--concurrency", "many"], "neither a number nor a range"),
        (["--rate", "5"], "no unit"),
        (["--rate", "5/s", "--concurrency", "2"], "cannot stand together"),
        (["--in-flight", "4"], "goes with --rate"),
        (["--duration", "soon"], "--duration"),
        (["--duration", "1h"], "4h in all"),
        (["--duration", "10ms"], "500ms to 1h"),
        (["--window", "1m"], "--window must be from 500ms"),
        (["--max-bytes", "many"], "is not a size"),
        (["--max-bytes", "1KB"], "more than --max-bytes"),
        (["--image", "none.jpg"], "none.jpg"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_sent(
    run: Run, home: Home, scripted: Scripted, words: list[str], why: str
) -> None:
    known(home, scripted.url)
    done = run("bench", "cam", *words, "--yes")
    assert done.exit_code == 2, done.output
    assert why in done.stderr
    assert scripted.asked == []


def test_the_config_bounds_how_many_at_once(
    run: Run, home: Home, scripted: Scripted
) -> None:
    known(home, scripted.url, top="[collector]\nin_flight = 4")
    done = run("bench", "cam", "--concurrency", "1..8", "--yes")
    assert done.exit_code == 2
    assert "more than the 4 that [collector] in_flight allows" in done.stderr
    assert scripted.asked == []


def test_one_that_predicts_nothing(run: Run, home: Home, scripted: Scripted) -> None:
    known(home, scripted.url, 'dialect = "http"')
    done = run("bench", "cam", "--yes")
    assert done.exit_code == 2
    assert "no prediction to load it with" in done.stderr
    assert run("bench", "nobody", "--yes").exit_code == 2
