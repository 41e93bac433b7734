"""The gate for foreign text: :func:`clean` and :func:`redact`.

Owns what a server, a certificate, a config file or an exception may put on a screen
or into the history. It must not know who shows the text. Every path of foreign text
passes here once, where it enters.

Why: text with ``ESC ] 52`` (clipboard write), C1 controls or bidi overrides reaches
the terminal unchanged through Textual and Rich, with or without markup.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit, urlunsplit

MAX_LENGTH: Final = 2_048
"""Characters that are kept of one foreign text."""

# A control sequence goes with its payload: an OSC that loses only its ESC would still
# print "]52;c;..." as text. CSI first, then the string-carrying ones up to ST or BEL.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_BIDI = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_ZERO_WIDTH = frozenset("\u200b\u2060\ufeff\u2028\u2029")
_SECRET_NAME = re.compile(
    r"(?i)(api[-_]?key|authorization|password|passwd|secret|token|x-api-key)"
)
# "name: value", "name=value", '"name": "value"' and "Bearer value".
_ASSIGNED = re.compile(
    r"(?i)((?:api[-_]?key|authorization|password|passwd|secret|(?:access[-_]?)?token)"
    r"[\"']?\s*[=:]\s*[\"']?(?:bearer\s+|basic\s+)?)([^\s\"'&,;}]+)"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_PLATFORM_KEY = re.compile(r"\bul_[0-9a-f]{8}[0-9a-f]+\b")
_URL_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@")
MASK: Final = "•••"


def _visible(char: str) -> str:
    code = ord(char)
    if char in "\t\n":
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code <= 0x9F or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if char in _BIDI or char in _ZERO_WIDTH:
        return "\ufffd"
    return char


def clean(text: str, *, limit: int = MAX_LENGTH, lines: bool = False) -> str:
    """Foreign text made safe for a terminal, a log line and a database.

    Control sequences go with their payload and leave ``␛``; other control characters
    become their visible pictures; bidi overrides, zero-width and lone surrogates
    become U+FFFD. Without ``lines``, white space runs become one space. The result
    has at most ``limit`` characters, the last of them ``…`` where text was cut.

    Cleaning is idempotent. Never raises.
    """
    # Four times the limit is enough to fill it after sequences have gone, and bounds
    # the work on a hostile megabyte.
    text = _SEQUENCES.sub("␛", text[: limit * 4])
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(_visible(char) for char in text)
    text = unicodedata.normalize("NFC", text)
    text = text.strip() if lines else " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def redact(text: str, *secrets: str) -> str:
    """``text`` without secrets: by name (``api_key=…``), by shape, and by value.

    ``secrets`` are values known to be secret; those of fewer than four characters are
    left, since masking them would mask half of every message.
    """
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, MASK)
    text = _URL_USERINFO.sub(rf"\1{MASK}@", text)
    text = _ASSIGNED.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    return _PLATFORM_KEY.sub(lambda match: match.group()[:11] + MASK, text)


def show_url(url: str) -> str:
    """A URL for people: userinfo and the values of secret query keys masked."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return redact(clean(url))
    query = "&".join(
        f"{pair.partition('=')[0]}={MASK}"
        if _SECRET_NAME.search(pair.partition("=")[0])
        else pair
        for pair in parts.query.split("&")
        if pair
    )
    return redact(clean(urlunsplit(parts._replace(query=query))))
