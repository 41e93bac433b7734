"""Lengths of time as people say them.

Owns the wording of spans in events and messages. It must not know what lasted.
"""

from __future__ import annotations


def span(seconds: float) -> str:
    """A length of time for people: ``40 s``, ``4 min``, ``2 h 5 min``, ``3 d 4 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
