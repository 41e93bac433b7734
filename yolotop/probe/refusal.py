"""What a server that refuses says, as one sentence.

Owns finding the human part of an error body: JSON of several habits, HTML, plain
text, a traceback. Must not know status codes or verdicts.
"""

from __future__ import annotations

import html
import json
import re
from typing import Final

from yolotop.text import clean

LONGEST: Final = 240
"""Characters of a sentence: one line of a log pane with room to spare."""

# MLServer answers a bad request with a 913,736-byte traceback: look at its ends only.
_LOOKED_AT: Final = 64 * 1024
_HTML_LOOKED_AT: Final = 16 * 1024
_DEEPEST: Final = 4
_MOST_ITEMS: Final = 3
_SPEAKING: Final = (
    "message",
    "msg",
    "error",
    "detail",
    "error_description",
    "reason",
    "title",
    "errors",
    "description",
)
# Bounded on all sides: 64 KiB of "<title>" took 4.4 s of an event loop otherwise.
_TITLE = re.compile(
    r"(?is)<(title|h1|h2)\b[^<>]{0,200}+>(.{0,300}?)</\1\s{0,9}>",
)
_NOT_TEXT = re.compile(r"(?is)<(script|style)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)")
_TAG = re.compile(r"<[^<>]*+>")


def error_sentence(body: bytes, content_type: str = "") -> str:
    """One clean sentence from an error body; empty when it says nothing.

    ``content_type`` only breaks ties: servers label JSON as text and the reverse.
    """
    text = body[:_LOOKED_AT].decode("utf-8", errors="replace").strip("\ufeff \t\r\n\0")
    if not text:
        return ""
    if text[0] in '{["':
        said = _from_json(body if len(body) <= _LOOKED_AT else b"")
        if said is not None:
            return clean(said, limit=LONGEST)
    if text[0] == "<" or "html" in content_type.lower():
        return clean(_from_html(text), limit=LONGEST)
    if text.count("\ufffd") * 5 > len(text):
        return f"{len(body):,} bytes that are not text"
    if text.startswith("Traceback "):
        tail = body[-_LOOKED_AT:].decode("utf-8", errors="replace").rstrip()
        text = tail.rpartition("\n")[2]
    return clean(text, limit=LONGEST)


def _from_json(body: bytes) -> str | None:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return _said(value, _DEEPEST)


def said(value: object) -> str:
    """Return the human part of a decoded JSON value, cleaned; may be empty."""
    return clean(_said(value, _DEEPEST) or "", limit=LONGEST)


def _said(value: object, deep: int) -> str | None:
    if isinstance(value, str):
        return value
    if deep == 0:
        return None
    if isinstance(value, list):
        told = [_said(item, deep - 1) for item in value[:_MOST_ITEMS]]
        return "; ".join(item for item in told if item) or None
    if not isinstance(value, dict):
        return None
    for key in _SPEAKING:
        text = _said(value.get(key), deep - 1)
        if text:
            return _with_place(text, value)
    code = value.get("code")
    return code if isinstance(code, str) else None


def _with_place(text: str, item: dict[str, object]) -> str:
    """FastAPI says *where* in ``loc``: ``body.file: Field required``."""
    place = item.get("loc")
    if not isinstance(place, list) or not place:
        return text
    path = ".".join(str(step) for step in place if isinstance(step, (str, int)))
    return f"{path}: {text}"


def _from_html(text: str) -> str:
    text = text[:_HTML_LOOKED_AT]
    found = _TITLE.search(text)
    if found and (title := _plain(found[2])):
        return title
    return _plain(_NOT_TEXT.sub(" ", text)) or "an HTML page"


def _plain(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", markup)).split())
