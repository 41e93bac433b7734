"""Words of a POSIX shell.

Owns their quoting, and nothing of what they mean.
"""

from __future__ import annotations

import shlex


def shell(text: str) -> str:
    """One word of a POSIX shell; what cannot be shown is escaped as bash does it."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + one_line(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def one_line(text: str) -> str:
    """Every character that cannot be shown as an escape of its bytes."""
    return "".join(
        char
        if char.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace"))
        for char in text
    )
