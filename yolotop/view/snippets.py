"""Code that asks a deployment what the probe asks it: Python, JavaScript, cURL.

Owns which texts there are, and what a deployment is from its settings as they are told.
Pure; it must not know the screen, and it never sees a key: an ``env:`` reference
becomes the variable's name, a ``file:`` reference the file's path. Every text is one
that runs as it stands, once the picture's name is right; where that cannot be, there is
none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from yolotop.config.duration import parse_duration
from yolotop.config.preset_tables import PARTS, read_preset
from yolotop.config.presets import shipped
from yolotop.config.problems import Findings
from yolotop.config.schema import DIALECTS
from yolotop.config.secrets import parse_ref
from yolotop.model import Deployment, SecretRef
from yolotop.model.preset import Preset
from yolotop.view.code.call import PICTURE, call_of
from yolotop.view.code.curl import curl
from yolotop.view.code.javascript import can_be_javascript, javascript
from yolotop.view.code.python import python

__all__ = ["PICTURE", "Language", "Snippet", "deployment_of", "snippets"]

NO_VALUE: Final = "none"
"""How a setting that has no value is written."""


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


def snippets(deployment: Deployment) -> tuple[Snippet, ...]:
    """The texts for a deployment; none where what is asked cannot be written down.

    Over a Unix socket there is cURL only: neither requests nor fetch speaks it.
    """
    call = call_of(deployment)
    if call is None:
        return ()
    command = Snippet(Language.CURL, "cURL", "curl 7.76 or newer", curl(call))
    if call.socket:
        return (command,)
    texts = [Snippet(Language.PYTHON, "Python", "pip install requests", python(call))]
    if can_be_javascript(call):
        needs = "Node.js 20 or newer"
        texts.append(
            Snippet(Language.JAVASCRIPT, "JavaScript", needs, javascript(call))
        )
    return (*texts, command)


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
    dialect = text("dialect") or "ultralytics"
    headers = values.get("headers")
    return Deployment(
        name,
        text("url") or "http://localhost",
        dialect=dialect,
        preset=_preset(dialect, values),
        model=text("model"),
        model_version=text("model_version"),
        headers=tuple((str(key), str(value)) for key, value in headers.items())
        if isinstance(headers, dict)
        else (),
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


def _preset(dialect: str, values: Mapping[str, object]) -> Preset:
    """From the rows of the effective settings, which tell all that is asked."""
    tables: dict[str, object] = {}
    for key, value in values.items():
        part, dot, inner = key.partition(".")
        if part not in PARTS or part == "refusals":
            continue
        if not dot:
            tables[part] = value
        elif isinstance(table := tables.setdefault(part, {}), dict):
            table[inner] = value
    base = shipped(dialect if dialect in DIALECTS else "generic")
    # What could not be read would have been refused with the file.
    found = read_preset(dialect, tables, base, Findings("").scope(""))
    return replace(found, title=base.title)


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
