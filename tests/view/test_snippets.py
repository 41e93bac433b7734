"""The snippets, read as text and run for real against a server that takes notes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from yolotop.config.deployment import deployment_from_table
from yolotop.config.load import load
from yolotop.config.origin import settings_of
from yolotop.config.presets import shipped
from yolotop.model import Deployment, SecretRef
from yolotop.probe.dialects import KNOWN
from yolotop.probe.dialects.ultralytics import Ultralytics
from yolotop.probe.frames import synthetic
from yolotop.view.snippets import Language, Snippet, deployment_of, snippets

KEY = "s3cret-of-nobody"
FOUND = {
    "name": "circle",
    "confidence": 0.91,
    "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4},
}
URLS = [
    "http://127.0.0.1:8000",
    "http://127.0.0.1:8000/predict",
    "http://127.0.0.1:8000/a/health/",
    "http://h/x'y\"z$(id)`id`;&|<>!/predict?a=[1-3]&b={x,y}&c=\\u0041${HOME}",
]


@dataclass
class Taken:
    """What the server was asked."""

    path: str = ""
    key: str = ""
    parts: dict[str, bytes] = field(default_factory=dict)
    file_name: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Server:
    """A server that answers every prediction with one circle."""

    url: str
    taken: list[Taken]


@pytest.fixture
def server() -> Iterator[Server]:
    taken: list[Taken] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            note = Taken(self.path, self.headers.get("Authorization", ""))
            note.headers = {name.lower(): text for name, text in self.headers.items()}
            note.body = raw
            form = BytesParser().parsebytes(head + raw).get_payload()
            for part in form if isinstance(form, list) else ():
                assert isinstance(part, Message)
                name = part.get_param("name", header="content-disposition")
                body = part.get_payload(decode=True)
                assert isinstance(body, bytes)
                note.parts[str(name)] = body
                note.file_name = part.get_filename() or note.file_name
            taken.append(note)
            body = json.dumps({"images": [{"results": [FOUND]}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            headers = {name.lower(): text for name, text in self.headers.items()}
            taken.append(Taken(self.path, headers=headers))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"circle": 0.91}')

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{listening.server_port}", taken)
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def of(dialect: str, url: str = "http://h", **keys: object) -> Deployment:
    table = {"name": "x", "url": url, "dialect": dialect, **keys}
    return deployment_from_table(table)


def snippet(deployment: Deployment, language: Language) -> Snippet:
    return next(each for each in snippets(deployment) if each.language is language)


def run(each: Snippet, folder: Path, **env: str) -> str:
    """Run it as a person would: saved in a folder, started there."""
    program = {
        Language.PYTHON: sys.executable,
        Language.JAVASCRIPT: shutil.which("node"),
        Language.CURL: shutil.which("bash") if shutil.which("curl") else None,
    }[each.language]
    if program is None:
        pytest.skip(f"{each.title} cannot be run here: its program is not installed")
    if each.language is Language.PYTHON:
        pytest.importorskip("requests", reason="the Python snippet uses requests")
    path = folder / each.file_name
    path.write_text(each.text, encoding="utf-8")
    done = subprocess.run(
        [program, path.name],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **env},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", Language, ids=str)
def test_runs_as_it_stands(server: Server, tmp_path: Path, language: Language) -> None:
    frame = synthetic(3)
    (tmp_path / "image.jpg").write_bytes(frame.data)
    deployment = Deployment(
        "x",
        f"{server.url}/predict",
        api_key=SecretRef("env", "DOCK_KEY"),
        conf=0.25,
        iou=0.5,
        imgsz=320,
    )
    said = run(snippet(deployment, language), tmp_path, DOCK_KEY=KEY)
    (taken,) = server.taken
    assert taken.path == "/predict"
    assert taken.key == f"Bearer {KEY}"
    assert taken.parts == {
        "file": frame.data,
        "conf": b"0.25",
        "iou": b"0.5",
        "imgsz": b"320",
    }
    assert taken.file_name == "image.jpg"
    assert "circle" in said
    assert "0.91" in said


@pytest.mark.parametrize("language", Language, ids=str)
def test_hostile_words_stay_words(
    server: Server, tmp_path: Path, language: Language
) -> None:
    folder = tmp_path / "it's;a $(touch pwned) `touch pwned` \\ folder"
    folder.mkdir()
    picture = folder / 'a,b;type=x "q".jpg'
    picture.write_bytes(b"picture")
    key = folder / "my key\n$(touch pwned)"
    key.write_text(f"{KEY}\n")
    deployment = Deployment(
        "x",
        f"{server.url}/a/predict?m={{1,2}}&n=[1-2]&o=$(touch+pwned)'",
        api_key=SecretRef("file", str(key)),
        image=str(picture),
    )
    run(snippet(deployment, language), tmp_path)
    (taken,) = server.taken
    path, _, query = taken.path.partition("?")
    assert path == "/a/predict"
    for word in ("m=", "1,2", "n=", "1-2", "o=$(touch+pwned)"):
        assert word in query
    assert taken.key == f"Bearer {KEY}"
    assert taken.parts == {"file": b"picture"}
    assert not list(tmp_path.rglob("pwned"))


PRESETS: dict[str, dict[str, object]] = {
    # How each carries image, settings and key, all four carriers and encodings.
    "litserve": {"conf": 0.25},
    "deepstack": {"conf": 0.25},
    "torchserve": {"model": "a b", "model_version": "2"},
    "mosec": {},
    "azureml": {"headers": {"azureml-model-deployment": "blue"}},
    "roboflow": {"model": 'sh"a\\pes/1', "conf": 0.25},
    "doods": {"conf": 0.25},
    "kserve-v1": {"model": "shapes"},
    "vertex": {},
    "mlflow": {"auth": {"carrier": "query", "name": "api&$key"}},
    "ultralytics-hub": {"model": "https://hub/m?a=1&b=;$(touch pwned)"},
    "frigate": {},
}


@pytest.mark.parametrize("language", Language, ids=str)
@pytest.mark.parametrize("dialect", PRESETS)
def test_asks_as_the_preset_does(
    server: Server, tmp_path: Path, dialect: str, language: Language
) -> None:
    """What the probe sends and what the text sends are the same request."""
    frame = synthetic(3)
    (tmp_path / "image.jpg").write_bytes(frame.data)
    keys = dict(PRESETS[dialect])
    deployment = of(dialect, f"{server.url}/base", api_key="env:DOCK_KEY", **keys)
    said = run(snippet(deployment, language), tmp_path, DOCK_KEY=KEY)
    (taken,) = server.taken
    meant = KNOWN[deployment.preset.dialect]
    spec = meant.authorise(meant.predict_request(deployment, frame), KEY, deployment)
    parts, wanted = urlsplit(taken.path), urlsplit(spec.url)
    assert (parts.path, parse_qs(parts.query)) == (wanted.path, parse_qs(wanted.query))
    for name, text in (*spec.headers, *deployment.headers):
        if not text.startswith("multipart/"):
            assert taken.headers[name.lower()] == text
    if taken.headers.get("content-type", "").startswith("application/json"):
        assert json.loads(taken.body) == json.loads(spec.body)
    elif taken.parts:
        for name, content in taken.parts.items():
            assert f'name="{name}"'.encode() in spec.body
            assert content in spec.body
        assert spec.body.count(b"form-data; name=") == len(taken.parts)
    else:
        assert taken.body == spec.body
    assert "circle" in said
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("dialect", [*PRESETS, "mine"])
def test_the_effective_settings_make_the_same_code(
    tmp_path: Path, dialect: str
) -> None:
    file = tmp_path / "yolotop.toml"
    keys = dict(PRESETS.get(dialect, {"conf": 0.5, "model": "m"}))
    own = "".join(f"{key} = {json.dumps(keys[key])}\n" for key in keys if key != "auth")
    if "headers" in keys:
        own = 'headers = { azureml-model-deployment = "blue" }\n'
    if "auth" in keys:
        own += 'auth = { carrier = "query", name = "api&$key" }\n'
    file.write_text(
        '[preset.mine.request]\npath = ""\nsettings = {}\nencoding = "raw"\n'
        f'[[deployment]]\nname = "x"\nurl = "http://h/base"\ndialect = "{dialect}"\n'
        f'api_key = "env:DOCK_KEY"\n{own}'
    )
    told = {each.key: each.value for each in settings_of(file, "x", {})}
    (meant,) = load(file, env={}).deployments
    assert snippets(deployment_of("x", told)) == snippets(meant) != ()


@pytest.mark.parametrize("url", URLS)
def test_asks_where_the_probe_asks(url: str) -> None:
    deployment = Deployment("x", url)
    asked = Ultralytics().predict_request(deployment, synthetic(0)).url
    python = snippet(deployment, Language.PYTHON).text
    assert repr(asked) in python or f'"{asked}"' in python


def test_never_holds_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCK_KEY", KEY)
    deployment = Deployment("x", "http://h", api_key=SecretRef("env", "DOCK_KEY"))
    for each in snippets(deployment):
        assert "DOCK_KEY" in each.text
        assert KEY not in each.text


def test_without_a_key_and_settings_there_is_no_word_of_them() -> None:
    for each in snippets(Deployment("x", "http://h")):
        assert "Authorization" not in each.text
        assert "conf" not in each.text.replace("confidence", "")


def test_private_authority_and_no_check() -> None:
    own = Deployment("x", "https://h", ca="/etc/my ca.pem")
    python, javascript, curl = (each.text for each in snippets(own))
    assert 'verify="/etc/my ca.pem"' in python
    assert "NODE_EXTRA_CA_CERTS='/etc/my ca.pem'" in javascript
    assert "--cacert '/etc/my ca.pem'" in curl
    python, javascript, curl = (
        each.text for each in snippets(Deployment("x", "https://h", verify_tls=False))
    )
    assert "verify=False" in python
    assert "NODE_TLS_REJECT_UNAUTHORIZED" in javascript
    assert "--insecure" in curl


def test_a_sleeper_is_given_the_time_to_wake() -> None:
    sleeper = Deployment("x", "https://h", scale_to_zero=True, cold_start_s=55)
    assert "timeout=55" in snippet(sleeper, Language.PYTHON).text
    assert "timeout=10" in snippet(Deployment("x", "h"), Language.PYTHON).text


def test_a_unix_socket_is_for_curl_only() -> None:
    (only,) = snippets(Deployment("x", "http+unix://%2Frun%2Fyolo%20s.sock/v1"))
    assert only.language is Language.CURL
    assert "--unix-socket '/run/yolo s.sock'" in only.text
    assert "http://localhost/v1/predict" in only.text


def test_where_the_question_cannot_be_written_down_there_is_none() -> None:
    assert snippets(of("oip", model="m")) == ()  # tensors
    assert snippets(of("http")) == ()  # asked nothing with an image
    assert snippets(Deployment("x", "h", preset=shipped("torchserve"))) == ()  # whose?
    # fetch sets Host itself, whatever it is told.
    kinds = [each.language for each in snippets(of("fastapi", headers={"Host": "m"}))]
    assert kinds == [Language.PYTHON, Language.CURL]


@pytest.mark.parametrize("language", Language, ids=str)
def test_nothing_unprintable_reaches_the_screen(language: Language) -> None:
    odd = Deployment(
        "x", "http://h", image="/a\x1b[31m\u202eb\n", api_key=SecretRef("file", "/k\n")
    )
    text = snippet(odd, language).text
    assert all(char.isprintable() or char == "\n" for char in text)


def test_the_settings_as_they_are_told_make_the_same_code(tmp_path: Path) -> None:
    file = tmp_path / "yolotop.toml"
    file.write_text(
        """
        [defaults]
        timeout = "4s"
        [[deployment]]
        name = "x"
        url = "http://127.0.0.1:8000/predict"
        api_key = "env:DOCK_KEY"
        conf = 0.3
        imgsz = 320
        scale_to_zero = true
        verify_tls = false
        """
    )
    told = {each.key: each.value for each in settings_of(file, "x", {})}
    meant = Deployment(
        "x",
        "http://127.0.0.1:8000/predict",
        api_key=SecretRef("env", "DOCK_KEY"),
        timeout_s=4,
        conf=0.3,
        imgsz=320,
        scale_to_zero=True,
        verify_tls=False,
    )
    assert snippets(deployment_of("x", told)) == snippets(meant)


def test_settings_that_cannot_be_read_are_left_out() -> None:
    odd = {"url": '"http://h"', "conf": '"x"', "timeout": '"soon"', "api_key": '"k"'}
    assert deployment_of("x", odd) == Deployment("x", "http://h")
