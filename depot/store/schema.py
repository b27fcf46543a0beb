# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the SQLite store and how an older file becomes a newer one.

`PRAGMA user_version` counts the migrations that a file has had; each runs in one transaction.
"""

from __future__ import annotations

import sqlite3

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

MIGRATIONS = (_FIRST,)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest schema.

    Raises:
        StoreError: a newer depot made it.
        sqlite3.Error: it is no database or cannot be written.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise StoreError(
            f"made by a newer depot (schema {version}, this one knows {len(MIGRATIONS)}); update the depot"
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
