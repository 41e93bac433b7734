"""Code that asks a deployment what the probe asks it: Python, JavaScript, cURL.

Owns the three texts and how foreign words (URLs, names, paths) are quoted in each
language. Pure; it must not know the screen, and it never sees a key: an ``env:``
reference becomes the variable's name, a ``file:`` reference the file's path.

Python uses requests: it is what people write such calls with, and whoever has
ultralytics has it. The standard library alone would need twenty lines of multipart.
JavaScript is fetch as Node.js 20 has it. Every text is one that runs as it stands,
once the picture's name is right.
"""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from yolotop.config.duration import parse_duration
from yolotop.config.secrets import parse_ref
from yolotop.model import Deployment, SecretRef

PICTURE: Final = "image.jpg"
"""Stands for the picture where the probe draws its own."""
NO_VALUE: Final = "none"
"""How a setting that has no value is written."""
_UNIX: Final = "http+unix"


class Language(StrEnum):
    """In the order in which they are shown."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    CURL = "curl"


@dataclass(frozen=True, slots=True)
class Snippet:
    """One text: ``title`` says the language, ``needs`` what it runs with."""

    language: Language
    title: str
    needs: str
    text: str

    @property
    def file_name(self) -> str:
        """What a file with it is called."""
        endings = {Language.PYTHON: "py", Language.JAVASCRIPT: "mjs"}
        return f"predict.{endings.get(self.language, 'sh')}"


@dataclass(frozen=True, slots=True)
class _Call:
    """The request in parts. ``socket`` is the path of a Unix socket, or empty."""

    url: str
    socket: str
    picture: str
    fields: tuple[tuple[str, str], ...]
    key: SecretRef | None
    timeout_s: float
    ca: str
    verify: bool


def snippets(deployment: Deployment) -> tuple[Snippet, ...]:
    """The texts for a deployment; none for a dialect whose words are not known here.

    Over a Unix socket there is cURL only: neither requests nor fetch speaks it.
    """
    if deployment.dialect != "ultralytics":
        return ()
    call = _call(deployment)
    curl = Snippet(Language.CURL, "cURL", "curl 7.76 or newer", _curl(call))
    if call.socket:
        return (curl,)
    return (
        Snippet(Language.PYTHON, "Python", "pip install requests", _python(call)),
        Snippet(
            Language.JAVASCRIPT, "JavaScript", "Node.js 20 or newer", _javascript(call)
        ),
        curl,
    )


def _call(deployment: Deployment) -> _Call:
    settings = (
        ("conf", deployment.conf),
        ("iou", deployment.iou),
        ("imgsz", deployment.imgsz),
    )
    url, socket = _predict_url(deployment.url)
    patience = deployment.timeout_s
    if deployment.scale_to_zero:
        patience = max(patience, deployment.cold_start_s)
    drawn = deployment.image == "synthetic"
    return _Call(
        url=url,
        socket=socket,
        picture=PICTURE if drawn else deployment.image,
        fields=tuple(
            (key, f"{value:g}") for key, value in settings if value is not None
        ),
        key=deployment.api_key,
        timeout_s=patience,
        ca=deployment.ca or "",
        verify=deployment.verify_tls,
    )


def _predict_url(url: str) -> tuple[str, str]:
    """``…/predict`` from a base URL or one of its paths, and the socket it lies on."""
    parts = urlsplit(url)
    base = parts.path.rstrip("/")
    for known in ("/predict", "/health"):
        base = base.removesuffix(known)
    scheme, host, socket = parts.scheme, parts.netloc, ""
    if scheme == _UNIX:
        scheme, host, socket = "http", "localhost", unquote(parts.netloc)
    return urlunsplit((scheme, host, f"{base}/predict", parts.query, "")), socket


# --- Python --------------------------------------------------------------------------


def _python(call: _Call) -> str:
    imports = ["import requests"]
    key = call.key
    if key is not None and key.scheme == "env":
        imports = ["import os", "", *imports]
    elif key is not None:
        imports = ["from pathlib import Path", "", *imports]
    arguments = [_quoted(call.url)]
    if key is not None:
        arguments.append(
            f'headers={{"Authorization": f"Bearer {{{_python_key(key)}}}"}}'
        )
    if call.fields:
        pairs = ", ".join(f'"{name}": {value}' for name, value in call.fields)
        arguments.append(f"data={{{pairs}}}")
    arguments += ['files={"file": picture}', f"timeout={call.timeout_s:g}"]
    if not call.verify:
        arguments.append("verify=False")
    elif call.ca:
        arguments.append(f"verify={_quoted(call.ca)}")
    return "\n".join(
        [
            *imports,
            "",
            *(_python_file_key(key) if key is not None else ()),
            f'with open({_quoted(call.picture)}, "rb") as picture:',
            "    answer = requests.post(",
            *(f"        {argument}," for argument in arguments),
            "    )",
            "answer.raise_for_status()",
            'for found in answer.json()["images"][0]["results"]:',
            '    print(found["name"], found["confidence"], found["box"])',
            "",
        ]
    )


def _python_key(key: SecretRef) -> str:
    # Single quotes: before Python 3.12 an f-string could not hold its own kind.
    return f"os.environ['{key.target}']" if key.scheme == "env" else "key"


def _python_file_key(key: SecretRef) -> tuple[str, ...]:
    if key.scheme == "env":
        return ()
    return (f"key = Path({_quoted(key.target)}).read_text().strip()",)


def _quoted(text: str) -> str:
    """A Python string literal, in double quotes where that is as short."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return repr(text)


# --- JavaScript ----------------------------------------------------------------------


def _javascript(call: _Call) -> str:
    url, picture = _json(call.url), _json(call.picture)
    name = _json(call.picture.replace("\\", "/").rpartition("/")[2])
    options = ['  method: "POST",', "  body: form,"]
    if call.key is not None:
        token = _javascript_key(call.key)
        options.append(f"  headers: {{ Authorization: `Bearer ${{{token}}}` }},")
    options.append(f"  signal: AbortSignal.timeout({round(call.timeout_s * 1000)}),")
    lines = ['import { readFile } from "node:fs/promises";', ""]
    if not call.verify:
        lines.append('process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";')
    elif call.ca:
        lines.append(f"// Run with NODE_EXTRA_CA_CERTS={_one_line(_shell(call.ca))}")
    lines += [
        "const form = new FormData();",
        f'form.append("file", new Blob([await readFile({picture})]), {name});',
        *(f'form.append("{key}", "{value}");' for key, value in call.fields),
        "",
        f"const answer = await fetch({url}, {{",
        *options,
        "});",
        "if (!answer.ok) {",
        "  throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);",
        "}",
        "const { images } = await answer.json();",
        "for (const { name, confidence, box } of images[0].results) {",
        "  console.log(name, confidence, box);",
        "}",
        "",
    ]
    return "\n".join(lines)


def _javascript_key(key: SecretRef) -> str:
    if key.scheme == "env":
        return f"process.env.{key.target}"
    return f'(await readFile({_json(key.target)}, "utf8")).trim()'


def _json(text: str) -> str:
    """A JavaScript string literal: JSON with all but ASCII escaped is one."""
    return json.dumps(text)


# --- cURL ----------------------------------------------------------------------------


def _curl(call: _Call) -> str:
    # --globoff: brackets and braces in a URL are meant as they are.
    parts = [f"curl --fail-with-body --globoff --max-time {call.timeout_s:g}"]
    if not call.verify:
        parts[0] += " --insecure"
    elif call.ca:
        parts.append(f"--cacert {_shell(call.ca)}")
    if call.socket:
        parts.append(f"--unix-socket {_shell(call.socket)}")
    if call.key is not None:
        parts.append(f'-H "Authorization: Bearer {_curl_key(call.key)}"')
    parts.append(f"-F {_shell(f'file=@{_form_path(call.picture)}')}")
    parts += [f"-F {name}={value}" for name, value in call.fields]
    parts.append(_shell(call.url))
    return " \\\n  ".join(parts) + "\n"


def _curl_key(key: SecretRef) -> str:
    if key.scheme == "env":
        return f"${key.target}"
    return f"$(cat {_shell(key.target)})"


def _form_path(path: str) -> str:
    """A path as curl's ``-F`` reads it: in quotes where ``;`` or ``,`` would end it."""
    if not set(path) & set('";,\\'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _shell(text: str) -> str:
    """One word of a POSIX shell; what cannot be shown is escaped as bash does it."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + _one_line(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def _one_line(text: str) -> str:
    """Every character that cannot be shown as an escape of its bytes."""
    return "".join(
        char
        if char.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace"))
        for char in text
    )


# --- from what is set ----------------------------------------------------------------


def deployment_of(name: str, settings: Mapping[str, str]) -> Deployment:
    """The deployment that effective settings describe, as far as a call goes.

    ``settings`` are values as the config file writes them, by key; what cannot be read
    is left at its default.
    """
    values = {key: _value(text) for key, text in settings.items()}

    def text(key: str) -> str | None:
        value = values.get(key)
        return value if isinstance(value, str) and value else None

    def number(key: str) -> float | None:
        value = values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value)

    imgsz = number("imgsz")
    return Deployment(
        name,
        text("url") or "http://localhost",
        dialect=text("dialect") or "ultralytics",
        api_key=_ref(text("api_key")),
        timeout_s=_seconds(text("timeout"), 10.0),
        scale_to_zero=values.get("scale_to_zero") is True,
        cold_start_s=_seconds(text("cold_start"), 55.0),
        image=text("image") or "synthetic",
        conf=number("conf"),
        iou=number("iou"),
        imgsz=None if imgsz is None else int(imgsz),
        ca=text("ca"),
        verify_tls=values.get("verify_tls") is not False,
    )


def _value(text: str) -> object:
    if text == NO_VALUE:
        return None
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _ref(text: str | None) -> SecretRef | None:
    try:
        return None if text is None else parse_ref(text)
    except ValueError:
        return None


def _seconds(text: str | None, fallback: float) -> float:
    try:
        return fallback if text is None else parse_duration(text)
    except ValueError:
        return fallback
