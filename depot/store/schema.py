# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the SQLite store and how an older file becomes a newer one.

`PRAGMA user_version` counts the migrations that a file has had; each runs in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from depot.errors import StoreError

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('sequence', 0);

-- Every event that was acknowledged, as it came. All else below could be made again from here.
CREATE TABLE events (
  received INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  type TEXT NOT NULL,
  received_utc TEXT NOT NULL,
  payload BLOB NOT NULL,
  UNIQUE (source, id)
);

CREATE TABLE cases (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  changed INTEGER NOT NULL,
  state TEXT NOT NULL,
  class TEXT NOT NULL,
  sightings INTEGER NOT NULL,
  best INTEGER NOT NULL REFERENCES events (received),
  lon REAL,
  lat REAL
);
CREATE INDEX cases_by_change ON cases (changed);
CREATE INDEX cases_by_class ON cases (class);
CREATE VIRTUAL TABLE case_places USING rtree (number, west, east, south, north);

CREATE TABLE observations (
  received INTEGER PRIMARY KEY REFERENCES events (received),
  case_number INTEGER NOT NULL REFERENCES cases (number),
  picture TEXT
);
CREATE INDEX observations_by_case ON observations (case_number);
CREATE INDEX observations_by_picture ON observations (picture);

CREATE TABLE coverage (
  received INTEGER PRIMARY KEY REFERENCES events (received),
  changed INTEGER NOT NULL
);
CREATE INDEX coverage_by_change ON coverage (changed);
CREATE VIRTUAL TABLE coverage_places USING rtree (received, west, east, south, north);

CREATE TABLE pictures (
  sha256 TEXT PRIMARY KEY,
  vehicle TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  received_utc TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE vehicles (
  name TEXT PRIMARY KEY,
  seen_utc TEXT,
  status BLOB,
  health BLOB,
  lon REAL,
  lat REAL,
  position_utc TEXT
) WITHOUT ROWID;
-- Which boots a vehicle has had: the last will of an earlier one says nothing about today.
CREATE TABLE boots (vehicle TEXT, boot TEXT, PRIMARY KEY (vehicle, boot)) WITHOUT ROWID;

CREATE TABLE refused (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""

_SECOND = """
-- Places that a vehicle corrected afterwards; all of them stay, the one with the highest number holds.
-- What one corrects is named by (source, observation). It may come before that and waits here.
CREATE TABLE revisions (
  received INTEGER PRIMARY KEY REFERENCES events (received),
  source TEXT NOT NULL,
  observation TEXT NOT NULL,
  number INTEGER NOT NULL
);
CREATE INDEX revisions_by_observation ON revisions (source, observation, number);
-- The one that holds; NULL: it lies where it said itself.
ALTER TABLE observations ADD COLUMN revision INTEGER REFERENCES revisions (received);
CREATE INDEX cases_by_best ON cases (best);

CREATE TABLE roughness (
  received INTEGER PRIMARY KEY REFERENCES events (received),
  changed INTEGER NOT NULL
);
CREATE INDEX roughness_by_change ON roughness (changed);

-- Blows to the wheels at a place where the camera had seen a defect; it, too, may come later.
CREATE TABLE shocks (
  received INTEGER NOT NULL REFERENCES events (received),
  source TEXT NOT NULL,
  observation TEXT NOT NULL,
  peak_mps2 REAL NOT NULL
);
CREATE INDEX shocks_by_observation ON shocks (source, observation);
"""

_THIRD = """
-- Pictures that have come in part. `touched` rises with every chunk: the longest untouched one gives way.
CREATE TABLE partial (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  vehicle TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  touched INTEGER NOT NULL,
  UNIQUE (vehicle, sha256, bytes)
);
CREATE INDEX partial_by_picture ON partial (sha256);
CREATE INDEX partial_by_use ON partial (touched);
CREATE TABLE chunk (
  partial INTEGER NOT NULL REFERENCES partial (number) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (partial, number)
);
"""

_FOURTH = """
-- What vehicles said of UTC once they knew it; of one boot the highest number holds. It may come before what it dates.
CREATE TABLE clocks (
  received INTEGER PRIMARY KEY REFERENCES events (received),
  source TEXT NOT NULL,
  boot TEXT NOT NULL,
  number INTEGER NOT NULL
);
CREATE INDEX clocks_by_boot ON clocks (source, boot, number);
-- What came without UTC.
CREATE TABLE undated (
  received INTEGER PRIMARY KEY REFERENCES events (received),
  source TEXT NOT NULL,
  boot TEXT NOT NULL
);
CREATE INDEX undated_by_boot ON undated (source, boot);
INSERT INTO undated
  SELECT received, source, json_extract(CAST(payload AS TEXT), '$.data.time.boot') FROM events
  WHERE type IN ('wegewart.observation.v1', 'wegewart.coverage.v1', 'wegewart.roughness.v1')
  AND json_extract(CAST(payload AS TEXT), '$.data.time.utc') IS NULL;
"""

MIGRATIONS = (_FIRST, _SECOND, _THIRD, _FOURTH)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest schema.

    Raises:
        StoreError: a newer depot made it.
        sqlite3.Error: it is no database or cannot be written.
    """
    while (version := _version(connection)) != len(MIGRATIONS):
        if version > len(MIGRATIONS):
            raise StoreError(
                f"made by a newer depot (schema {version}, this one knows {len(MIGRATIONS)}); update the depot"
            )
        with connection:  # commits, or takes back
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) == version:  # else another program was quicker
                for statement in _statements(MIGRATIONS[version]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements one by one: `executescript` would first commit the transaction that they belong to."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
