"""The gate for foreign text: :func:`clean` and :func:`redact`.

Owns what a server, a certificate, a config file or an exception may put on a screen
or into the history. It must not know who shows the text. Every path of foreign text
passes here once, where it enters.

Why: text with ``ESC ] 52`` (clipboard write), C1 controls or bidi overrides reaches
the terminal unchanged through Textual and Rich, with or without markup.

All work is linear in the length of the text: a hostile megabyte costs what a friendly
one does (``tests/test_text.py`` compares the two).
"""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit, urlunsplit

MAX_LENGTH: Final = 2_048
"""Characters, and terminal columns, that are kept of one foreign text."""
MOST_MARKS: Final = 3
"""Combining marks on one character; Vietnamese and Hebrew need two, "Zalgo" fifty."""
MOST_JOINED: Final = 4
"""Emoji in one joined sequence: a family of four is the longest there is."""
MASK: Final = "•••"
SHORTEST_SECRET: Final = 4
"""Shorter values are not masked: that would mask half of every message."""
_MOST_GUARDED: Final = 20_000

# --- clean ---------------------------------------------------------------------------

# A control sequence goes with its payload: an OSC that loses only its ESC would still
# print "]52;c;..." as text. CSI first, then OSC, DCS, APC, PM and SOS up to ST or BEL
# (or the end: an unterminated one swallows what follows on a terminal, too).
_SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*+[0-~]?"
)
_PICTURES: Final = {code: 0x2400 + code for code in range(0x20)} | {0x7F: "␡"}
del _PICTURES[0x09], _PICTURES[0x0A]
# C1, surrogates, line separators, and what Unicode calls default-ignorable: bidi
# controls, zero-width characters, fillers, tags. Without ZWJ and variation selectors.
_UNSEEN: Final = re.compile(
    "[\x80-\x9f\ud800-\udfff\u2028\u2029\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_EMOJI: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_ZWJ: Final = "\u200d"
_JOINED: Final = re.compile(
    f"(?:[{_EMOJI}][\ufe0f\U0001f3fb-\U0001f3ff]{{0,2}}{_ZWJ})+[{_EMOJI}]|{_ZWJ}+"
)
_INSTEAD: Final = "\ufffd"


def clean(text: str, *, limit: int = MAX_LENGTH, lines: bool = False) -> str:
    """Foreign text made safe for a terminal, a log line and a database.

    Control sequences go with their payload and leave ``␛``; other control characters
    become their visible pictures; runs of what cannot be seen (bidi overrides,
    zero-width characters outside emoji, tags, lone surrogates) become one U+FFFD, and
    so do combining marks after the third on one character. Without ``lines``, white
    space runs become one space. The result has at most ``limit`` characters and takes
    at most ``limit`` columns; the last one is ``…`` where text was cut.

    Cleaning is idempotent. Never raises.
    """
    # Four times the limit is enough to fill it after sequences have gone, and bounds
    # the work on a hostile megabyte.
    if len(text) > limit * 4:
        text = text[: limit * 4] + "…"
    harmless = text.isascii() and text.isprintable()
    if not harmless:
        text = _SEQUENCES.sub("␛", text)
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_PICTURES)
        text = _UNSEEN.sub(_INSTEAD, text)
    text = text.strip() if lines else " ".join(text.split())
    if not harmless and not text.isascii():
        # Ordering marks costs the square of their number: fewer first, then exactly.
        text = unicodedata.normalize("NFC", _few_marks(text, 4 * MOST_MARKS))
        text = _few_marks(_JOINED.sub(_joined, text), MOST_MARKS, _INSTEAD)
    return _fit(text, limit)


def _joined(match: re.Match[str]) -> str:
    parts = match.group().split(_ZWJ)
    if not parts[0]:
        return _INSTEAD
    return _ZWJ.join(parts[:MOST_JOINED]) + "".join(parts[MOST_JOINED:])


def _is_mark(char: str) -> bool:
    # Hangul vowels and finals stack on the syllable before, like marks.
    if "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff":
        return True
    return unicodedata.category(char)[0] == "M"


def _few_marks(text: str, most: int, instead: str = "") -> str:
    """At most ``most`` marks on a character; ``instead`` of the rest of such a run.

    With ``instead``, none at the beginning of a line, where no character carries them.
    """
    bare = most if instead else 0
    out: list[str] = []
    count = bare
    for char in text:
        if char < "\u0300" or not _is_mark(char):
            count = bare if char in "\n\t" else 0
        else:
            count += 1
            if count > most:
                char = instead if count == most + 1 else ""
        out.append(char)
    return "".join(out)


def columns(text: str) -> int:
    """Cells of a terminal that ``text`` takes, joined emoji counted one by one."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if char < "\u0300":
        return 1
    if char == _ZWJ or (_is_mark(char) and unicodedata.category(char) != "Mc"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _fit(text: str, limit: int) -> str:
    if len(text) * 2 <= limit or (len(text) <= limit and columns(text) <= limit):
        return text
    room = limit - 1
    end = 0
    for char in text[:room]:
        room -= _columns(char)
        if room < 0:
            break
        end += 1
    return text[:end].rstrip(_ZWJ) + "…"


# --- redact --------------------------------------------------------------------------

_SECRET_NAME: Final = re.compile(
    r"(?i)(api[-_]?key|access[-_]?key|private[-_]?key|authorization|passw(?:or)?d"
    r"|passphrase|pwd|secret|token|credential|signature|cookie|^(?:key|sig|auth|code)$)"
)
# "name: value", "name=value", '"name": "value"', also inside quoted JSON. A reference
# to a secret (env:NAME, file:PATH) is none.
_ASSIGNED: Final = re.compile(
    r"(?im)((?:api[-_]?key|access[-_]?key|private[-_]?key|authorization|passw(?:or)?d"
    r"|passphrase|pwd|secret|token|credentials?)\\*+[\"']?\s*+[=:]\s*+"
    r"(?:(?:bearer|basic|digest|token|key)\s++)?)"
    r"(?![\"']?(?:env|file):)"
    r"(\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n])*+'?|\\+[\"'].*?(?:\\+[\"']|$)"
    r"|[^\s\"'&,;}]++)"
)
_IN_QUERY: Final = re.compile(
    r"(?i)([?&](?:key|sig|signature|auth|code|x-amz-[a-z-]{1,40})=)[^\s\"'&#]++"
)
_COOKIE: Final = re.compile(r"(?i)\b((?:set-)?cookie\s*+:\s*+)\S[^\n]*+")
# With a digit in it: "basic authentication" is prose. And what a server asks for is no
# credential: ``WWW-Authenticate: Bearer realm="models"``.
_BEARER: Final = re.compile(
    r"(?i)\b(bearer|basic)\s{1,8}(?=[^\s0-9=_]{0,256}[0-9=_])"
    r"(?!(?:realm|charset|scope|error|error_description|error_uri|resource_metadata"
    r"|authorization_uri)=)[A-Za-z0-9._~+/=-]{6,}+"
)
_URL_USERINFO: Final = re.compile(
    r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,30}://)[^\s/?#\"]+@"
)
_PLATFORM_KEY: Final = re.compile(r"\b(ul_[0-9a-f]{8})[0-9a-f]++")
# JSON web tokens, and the keys of the places that models come from.
_SHAPES: Final = re.compile(
    r"(?<![\w-])(?:eyJ[\w-]{10,}+\.[\w-]{10,}+(?:\.[\w-]*+)?"
    r"|hf_[A-Za-z0-9]{20,}+|gh[oprsu]_[A-Za-z0-9]{20,}+|sk-[\w-]{20,}+"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16})"
)

_Index = dict[str, dict[int, set[str]]]
"""Secrets in all their forms, by their first four characters and their length."""
_guarded: set[str] = set()
_index: _Index = {}


def guard(secret: str) -> None:
    """From now on every :func:`redact` of this process masks ``secret``.

    Whoever fetches a secret calls this, so that no traceback, log line or note has to
    know which secrets there are. Values of fewer than four characters are ignored.
    """
    if len(secret) < SHORTEST_SECRET or secret in _guarded:
        return
    if len(_guarded) >= _MOST_GUARDED:  # keys that are rotated, for years
        _guarded.clear()
        _index.clear()
    _guarded.add(secret)
    _enter(_index, _forms(secret))


def guard_url(url: str) -> None:
    """:func:`guard` the password and the values of secret query keys of a URL."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    guard(unquote(password or ""))
    for name, value in parse_qsl(parts.query):
        if _SECRET_NAME.search(name):
            guard(value)


def redact(text: str, *secrets: str) -> str:
    """``text`` without secrets: by value, by name (``api_key=…``) and by shape.

    ``secrets`` are values known to be secret besides those under :func:`guard`. Values
    are masked as they are, URL-encoded, in base64 (alone or as the password of a basic
    credential), in hex, and as JSON and HTML write them; also what is left of one
    where the text was cut (``…``). Idempotent for texts that were cleaned.
    """
    if _index:
        text = _mask(text, _index)
    if secrets:
        text = _mask(text, _index_of(secrets))
    text = _URL_USERINFO.sub(rf"\1{MASK}@", text)
    text = _ASSIGNED.sub(_assigned, text)
    text = _IN_QUERY.sub(rf"\1{MASK}", text)
    text = _COOKIE.sub(rf"\1{MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _PLATFORM_KEY.sub(rf"\1{MASK}", text)
    return _SHAPES.sub(MASK, text)


def redact_bytes(data: bytes, secret: str) -> bytes:
    """``data`` with one secret masked by value, before anything is cut or parsed."""
    if len(secret) >= SHORTEST_SECRET:
        for form in _encoded_forms(secret):
            if form in data:
                data = data.replace(form, MASK.encode())
    return data


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


def _assigned(match: re.Match[str]) -> str:
    name, value = match.groups()
    opening = re.match(r"\\*[\"']|", value)
    mark = opening.group() if opening else ""
    closed = mark and len(value) > len(mark) and value.endswith(mark)
    return f"{name}{mark}{MASK}{mark if closed else ''}"


def _mask(text: str, index: _Index) -> str:
    out: list[str] = []
    done = at = 0
    last = len(text) - SHORTEST_SECRET
    while at <= last:
        found = index.get(text[at : at + SHORTEST_SECRET])
        size = _length_at(text, at, found) if found else 0
        if size:
            out += (text[done:at], MASK)
            done = at = at + size
        else:
            at += 1
    return "".join((*out, text[done:])) if out else text


def _length_at(text: str, at: int, found: Mapping[int, set[str]]) -> int:
    """Characters from ``at`` that are a secret, or the rest of one before a ``…``."""
    for size in sorted(found, reverse=True):
        if text[at : at + size] in found[size]:
            return size
    cut = text.find("…", at, at + max(found))
    if cut >= 0:
        rest = text[at:cut]
        if any(form.startswith(rest) for forms in found.values() for form in forms):
            return cut - at
    return 0


@lru_cache(maxsize=1024)
def _index_of(secrets: tuple[str, ...]) -> _Index:
    index: _Index = {}
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            _enter(index, _forms(secret))
    return index


def _enter(index: _Index, forms: Iterable[str]) -> None:
    for form in forms:
        found = index.setdefault(form[:SHORTEST_SECRET], {})
        found.setdefault(len(form), set()).add(form)


@lru_cache(maxsize=1024)
def _encoded_forms(secret: str) -> tuple[bytes, ...]:
    forms = sorted(_forms(secret), key=len, reverse=True)
    return tuple(form.encode("utf-8", errors="replace") for form in forms)


def _forms(secret: str) -> set[str]:
    """All the ways a secret may be written."""
    raw = secret.encode("utf-8", errors="replace")
    escaped = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    as_json = {
        json.dumps(secret, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False)
    }
    forms = {
        secret,
        secret.strip(),
        clean(secret),
        html.escape(secret),
        repr(secret)[1:-1],
        raw.hex(),
        raw.hex().upper(),
        *escaped,
        *(re.sub("%..", lambda code: code.group().lower(), text) for text in escaped),
        *as_json,
        *(text.replace("/", "\\/") for text in as_json),
        *_in_base64(raw),
    }
    return {form for form in forms if len(form) >= SHORTEST_SECRET}


def _in_base64(raw: bytes) -> set[str]:
    forms: set[str] = set()
    # What stands before it decides where the groups of three bytes begin; characters
    # that it shares with its neighbours are left out.
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * before + raw).decode()
            bare = whole.rstrip("=")
            core = (bare if bare == whole else bare[:-1])[shared:]
            forms |= {core} if before else {core, bare, whole}
    return {form for form in forms if len(form) >= SHORTEST_SECRET + 2}
