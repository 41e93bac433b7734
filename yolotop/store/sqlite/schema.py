"""The layout of the database, as numbered migrations.

Owns every CREATE statement and the reasons for the layout. It must not know how rows
are filled or read.

The probe table is the bulk of the file, so its row is cut to what differs from probe
to probe; with its indexes it stays under 30 bytes (``tests/store`` measures it):

- ``line`` names everything a log line repeats (deployment, question, outcome,
  severity, status, message template) in two bytes;
- ``at`` is milliseconds since the ``anchor`` in force (three bytes, not six; the
  anchors also find a time in a table that has no index on time);
- ``alert`` is NULL but for WARNING and above (deployment · 8 + severity ÷ 10), so the
  two indexes that make severity filters fast hold only those rows;
- ``data`` is :mod:`yolotop.store.codec`.

``slot`` rows know the first and last ``seq`` they sum and how many of their lines are
INFO or more: the map by which the log finds a quiet deployment's lines without an
index on every row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from yolotop.store.sqlite import changes, presence, tails, traffic

APPLICATION_ID: Final = 0x594F4C4F
"""``YOLO`` in the file header, so that ``file`` and we know whose database it is."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, run in one transaction; ``number`` is its version.

    ``fill`` runs last, for what SQL alone cannot compute from the rows that are there.
    """

    number: int
    statements: tuple[str, ...]
    fill: Callable[[sqlite3.Connection], None] | None = None


_FIRST: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "INSERT INTO meta VALUES ('seq', 0)",
    """
    CREATE TABLE deployment (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      url TEXT NOT NULL,
      dialect TEXT NOT NULL,
      "group" TEXT,
      region TEXT,
      tags TEXT NOT NULL DEFAULT '[]',
      position INTEGER NOT NULL,
      paused INTEGER NOT NULL DEFAULT 0,
      predict_interval_s REAL NOT NULL,
      first_seen_at REAL NOT NULL,
      removed_at REAL
    )
    """,
    """
    CREATE TABLE state (
      dep INTEGER PRIMARY KEY REFERENCES deployment,
      body TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE line (
      id INTEGER PRIMARY KEY,
      dep INTEGER NOT NULL REFERENCES deployment,
      kind TEXT NOT NULL,
      outcome TEXT NOT NULL,
      severity INTEGER NOT NULL,
      cold INTEGER NOT NULL,
      http_status INTEGER,
      error_kind TEXT,
      message TEXT,
      used_seq INTEGER NOT NULL
    )
    """,
    "CREATE TABLE anchor (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL)",
    """
    CREATE TABLE probe (
      seq INTEGER PRIMARY KEY,
      line INTEGER NOT NULL REFERENCES line,
      at INTEGER NOT NULL,
      alert INTEGER,
      data BLOB NOT NULL
    )
    """,
    "CREATE INDEX probe_alert ON probe (alert) WHERE alert IS NOT NULL",
    "CREATE INDEX probe_severity ON probe (alert & 7) WHERE alert IS NOT NULL",
    """
    CREATE TABLE failure (
      seq INTEGER PRIMARY KEY,
      dep INTEGER NOT NULL REFERENCES deployment,
      body_head TEXT NOT NULL
    )
    """,
    "CREATE INDEX failure_dep ON failure (dep)",
    """
    CREATE TABLE event (
      seq INTEGER PRIMARY KEY,
      at REAL NOT NULL,
      severity INTEGER NOT NULL,
      kind TEXT NOT NULL,
      dep INTEGER REFERENCES deployment,
      message TEXT NOT NULL
    )
    """,
    "CREATE INDEX event_severity ON event (severity)",
    "CREATE INDEX event_dep ON event (dep)",
    """
    CREATE TABLE slot (
      width_s INTEGER NOT NULL,
      start_s INTEGER NOT NULL,
      dep INTEGER NOT NULL REFERENCES deployment,
      requests INTEGER NOT NULL,
      failed INTEGER NOT NULL,
      cold INTEGER NOT NULL,
      health INTEGER NOT NULL,
      health_failed INTEGER NOT NULL,
      shown INTEGER NOT NULL,
      first_seq INTEGER NOT NULL,
      last_seq INTEGER NOT NULL,
      histogram BLOB NOT NULL,
      PRIMARY KEY (width_s, start_s, dep)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE request (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at REAL NOT NULL,
      kind TEXT NOT NULL,
      deployment TEXT,
      body TEXT NOT NULL,
      taken INTEGER NOT NULL DEFAULT 0,
      finished_at REAL,
      result TEXT
    )
    """,
    """
    CREATE TABLE collector (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      pid INTEGER NOT NULL,
      started_at REAL NOT NULL,
      beat_at REAL NOT NULL,
      version TEXT NOT NULL,
      config_path TEXT,
      note TEXT NOT NULL,
      overruns INTEGER NOT NULL,
      stopped_at REAL
    )
    """,
)

# The defaults are those of the configuration; registering overwrites them.
_OBJECTIVES: Final = (
    "ALTER TABLE deployment ADD COLUMN objective REAL NOT NULL DEFAULT 0.99",
    "ALTER TABLE deployment ADD COLUMN objective_range_s REAL NOT NULL DEFAULT 604800",
)

# The events are few (some hundreds a day) and asked for by time and by deployment; the
# newest probes are found without any index.
_CHANGES: Final = (
    "ALTER TABLE failure ADD COLUMN headers TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE event ADD COLUMN health TEXT",
    changes.DERIVE,
    "CREATE INDEX event_at ON event (at)",
    "CREATE INDEX event_dep_at ON event (dep, at, kind)",
)

_LOCATIONS: Final = (
    "ALTER TABLE deployment ADD COLUMN lat REAL",
    "ALTER TABLE deployment ADD COLUMN lon REAL",
)

_HOSTING: Final = (
    "ALTER TABLE deployment ADD COLUMN hosting TEXT",
    "ALTER TABLE collector ADD COLUMN platform TEXT NOT NULL DEFAULT ''",
)

MIGRATIONS: Final = (
    Migration(1, _FIRST),
    Migration(2, (tails.CREATE,), fill=tails.fill),
    Migration(3, _OBJECTIVES),
    Migration(4, _CHANGES),
    Migration(5, _LOCATIONS),
    Migration(6, (presence.CREATE,), fill=presence.start),
    Migration(7, traffic.CREATE),
    Migration(8, _HOSTING),
)
