"""Text to the clipboard of whoever sits in front of the terminal, also over ssh.

Owns the escape sequence (OSC 52) and how it gets through tmux and screen. It must not
know a clipboard program: over ssh ``xclip`` and the like "succeed" on the wrong
machine. Nobody answers the sequence, so that nobody can claim that it worked.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

MOST_BYTES: Final = 74_994
"""Longest text in bytes: with its frame it comes to 100,000 bytes encoded, from where
on terminals drop a sequence, whole and without a word."""
_SCREEN_BYTES: Final = 76
"""GNU screen cuts a passed-on string at 256 bytes in old versions."""


def fits(text: str) -> bool:
    """Whether a terminal can be expected to take ``text``."""
    return len(text.encode("utf-8", "replace")) <= MOST_BYTES


def sequence(text: str, env: Mapping[str, str]) -> str:
    """What to send to the terminal so that ``text`` gets into its clipboard.

    Inside tmux it goes twice: as it is, which tmux takes with ``set-clipboard on``,
    and wrapped, which tmux passes on with ``allow-passthrough on``. Both are off in a
    fresh tmux 3.3 and either may be on.
    """
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    plain = f"\x1b]52;c;{encoded}\x07"
    if env.get("TMUX"):
        doubled = plain.replace("\x1b", "\x1b\x1b")
        return f"{plain}\x1bPtmux;{doubled}\x1b\\"
    if env.get("STY"):
        parts = range(0, len(plain), _SCREEN_BYTES)
        return "".join(f"\x1bP{plain[at : at + _SCREEN_BYTES]}\x1b\\" for at in parts)
    return plain


def condition(env: Mapping[str, str]) -> str:
    """What must be set for the text to arrive, empty where nothing is known."""
    if env.get("TMUX"):
        return "tmux passes it on with set-clipboard on"
    return ""
