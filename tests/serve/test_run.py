"""From a name to a server, errors with a cure, and the command itself."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from yolotop.errors import ConfigError, MissingExtraError, UsageError
from yolotop.probe import frames
from yolotop.serve import run
from yolotop.serve.onnx_engine import OnnxEngine
from yolotop.serve.yolo_engine import YoloEngine

# The command on its own: the program's other commands are tested elsewhere.
ALONE = (
    "import typer; from yolotop.cli.serve import serve; "
    "app = typer.Typer(); app.command()(serve); app()"
)


def hide(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)


def test_auto_takes_onnx_for_onnx() -> None:
    assert isinstance(run.open_engine("shapes"), OnnxEngine)
    assert isinstance(run.open_engine(run.model_path("shapes2")), OnnxEngine)


@pytest.mark.parametrize("engine", ["auto", "onnx"])
def test_a_missing_file_is_named(engine: Any) -> None:
    with pytest.raises(UsageError, match=r"none\.onnx does not exist"):
        run.open_engine("none.onnx", engine)


def test_junk_keeps_the_first_reason(tmp_path: Path) -> None:
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"junk")
    with pytest.raises(UsageError, match="not an ONNX model"):
        run.open_engine(junk)


def test_without_onnxruntime_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "onnxruntime")
    monkeypatch.delitem(sys.modules, "yolotop.serve.onnx_engine")
    with pytest.raises(MissingExtraError) as caught:
        run.open_engine("shapes", "onnx")
    assert "onnxruntime" in caught.value.message
    assert caught.value.hint == "pip install 'yolotop[serve]'"


def test_without_ultralytics_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    hide(monkeypatch, "ultralytics")
    with pytest.raises(MissingExtraError) as caught:
        YoloEngine(Path("x.pt"))
    assert caught.value.hint == "pip install 'yolotop[yolo]'"


@pytest.mark.parametrize("missing", ["fastapi", "python_multipart"])
def test_without_the_framework_the_cure_is_named(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    engine = run.open_engine("shapes")
    hide(monkeypatch, missing)
    monkeypatch.delitem(sys.modules, "yolotop.serve.app", raising=False)
    with pytest.raises(MissingExtraError, match=missing):
        run.open_app(engine)


def test_importing_the_way_in_imports_nothing_heavy() -> None:
    code = (
        "import sys, yolotop.serve.run, yolotop.cli.serve, yolotop.probe.frames; "
        "heavy = {'onnxruntime', 'numpy', 'fastapi', 'uvicorn', 'torch', 'PIL', "
        "'ultralytics'}; print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_taken_port_is_said() -> None:
    with run.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}"):
            run.listen("127.0.0.1", port)


async def test_answers_do_not_wait_for_the_client_to_acknowledge() -> None:
    """Asyncio turns Nagle's algorithm off only where the socket says it is TCP."""
    nodelay: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def look(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        nodelay.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = run.listen("127.0.0.1", 0)
    async with await asyncio.start_server(look, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        assert await asyncio.wait_for(nodelay, 10) != 0
        writer.close()
        await writer.wait_closed()


def test_urls_bracket_ipv6() -> None:
    with run.listen("127.0.0.1", 0) as four:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", run.url_of(four))
    try:
        six = run.listen("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6 loopback")
    with six:
        assert re.fullmatch(r"http://\[::1\]:\d+", run.url_of(six))


def test_a_key_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from yolotop.cli.serve import serve

    monkeypatch.setenv("EMPTY_KEY", " ")
    for name in ("EMPTY_KEY", "NO_SUCH_KEY_IN_ENV"):
        with pytest.raises(ConfigError, match="not set, or empty"):
            serve("shapes", api_key_env=name)


def test_the_command_serves_and_says_how_to_ask() -> None:
    command = [sys.executable, "-c", ALONE, "shapes", "--port", "0"]
    command += ["--api-key-env", "TEST_KEY", "--log-level", "warning"]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "TEST_KEY": "s3cret"},
    ) as server:
        assert server.stderr is not None
        try:
            said = server.stderr.readline() + server.stderr.readline()
            url = re.search(r"at (http://127\.0\.0\.1:\d+)", said)
            assert url is not None, said
            assert '-H "Authorization: Bearer $TEST_KEY" -F file=@' in said
            assert "s3cret" not in said
            # The socket listens before the URL is said, so this waits and succeeds.
            answer = httpx.post(
                f"{url[1]}/predict",
                files={"file": frames.synthetic(0).data},
                headers={"Authorization": "Bearer s3cret"},
                timeout=20,
                trust_env=False,
            )
            assert answer.status_code == 200
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(20) in (0, 130, -signal.SIGINT)
