"""Reading who is registered.

Owns that query and how a row becomes a deployment again. It must not know who asks, nor
how a config file becomes rows.
"""

from __future__ import annotations

import json
from typing import Final

from yolotop.store.hosting import decode_hosting
from yolotop.store.protocol import Registered
from yolotop.store.sqlite.connection import Rows

REGISTERED: Final = """
SELECT name, url, dialect, "group", region, tags, position, paused,
       predict_interval_s, first_seen_at, removed_at, objective, objective_range_s,
       lat, lon, hosting
FROM deployment WHERE ?1 OR removed_at IS NULL
ORDER BY removed_at IS NOT NULL, position, id
"""


def decode(rows: Rows) -> list[Registered]:
    """Rows of :data:`REGISTERED`."""
    return [
        Registered(
            name=row[0],
            url=row[1],
            dialect=row[2],
            group=row[3],
            region=row[4],
            tags=tuple(json.loads(row[5])),
            position=row[6],
            paused=bool(row[7]),
            predict_interval_s=row[8],
            first_seen_at=row[9],
            removed_at=row[10],
            objective=row[11],
            objective_range_s=row[12],
            location=None if row[13] is None else (row[13], row[14]),
            hosting=None if row[15] is None else decode_hosting(row[15]),
        )
        for row in rows
    ]
