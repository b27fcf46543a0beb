# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A database that an earlier depot made opens, keeps all it has, and learns what is new.

The tables and the events stand here as the first version wrote them; no code of today makes them.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from depot.errors import StoreError
from depot.store import schema
from depot.store.port import Bbox, CaseQuery
from depot.store.sqlite import SqliteStore
from tests.depot import samples
from tests.depot.test_store import event

FIRST = """
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
PRAGMA user_version = 1;
"""

OBSERVATION = b"""{"specversion":"1.0","id":"5f3c9a-00000001","source":"wegewart/sweeper-1",\
"type":"wegewart.observation.v1","time":"2026-11-21T09:30:12.250Z","datacontenttype":"application/json",\
"data":{"class":"pothole","score":0.87,"frames_seen":6,\
"time":{"boot":"5f3c9a","monotonic_s":12.5,"quality":"gnss","utc":"2026-11-21T09:30:12.250Z"},\
"model":{"name":"street","version":"0.1.0","sha256":"%s"},"software":"0.1.0","calibration":"sweeper-front",\
"position":{"lon":6.7623,"lat":51.4344,"error_m":1.8,"method":"gnss"}}}""" % (b"ab" * 32)

COVERAGE = b"""{"specversion":"1.0","id":"5f3c9a-00000002","source":"wegewart/sweeper-1",\
"type":"wegewart.coverage.v1","datacontenttype":"application/json",\
"data":{"path":[[6.76,51.434],[6.7623,51.4344]],"length_m":170.0,"frames_judged":80,"valid":true,\
"time":{"boot":"5f3c9a","monotonic_s":12.5,"quality":"unset"}}}"""


@pytest.fixture
def yesterdays(tmp_path: Path) -> Path:
    """A folder with a database of the first version: one case, one stretch, one vehicle, one refusal."""
    with sqlite3.connect(tmp_path / "depot.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(FIRST)
        add = "INSERT INTO events (source, id, type, received_utc, payload) VALUES ('wegewart/sweeper-1', ?, ?, ?, ?)"
        now = "2026-11-21T09:30:13.000Z"
        connection.execute(add, ("5f3c9a-00000001", "wegewart.observation.v1", now, OBSERVATION))
        connection.execute(add, ("5f3c9a-00000002", "wegewart.coverage.v1", now, COVERAGE))
        connection.executescript(
            "INSERT INTO cases (changed, state, class, sightings, best, lon, lat)"
            " VALUES (1, 'new', 'pothole', 1, 1, 6.7623, 51.4344);"
            "INSERT INTO case_places VALUES (1, 6.7623, 6.7623, 51.4344, 51.4344);"
            "INSERT INTO observations VALUES (1, 1, NULL);"
            "INSERT INTO coverage VALUES (2, 2);"
            "INSERT INTO coverage_places VALUES (2, 6.76, 6.7623, 51.434, 51.4344);"
            "INSERT INTO vehicles (name, seen_utc) VALUES ('sweeper-1', '2026-11-21T09:30:13.000Z');"
            "INSERT INTO refused VALUES ('invalid', 3);"
            "UPDATE meta SET value = 2 WHERE name = 'sequence';"
        )
    connection.close()
    return tmp_path


def test_a_database_of_the_first_version_keeps_all_it_has(yesterdays):
    store = SqliteStore(yesterdays)
    (case,) = store.cases(CaseQuery())
    assert (case.event, case.revision, case.shock_mps2) == ("5f3c9a-00000001", 0, None)
    assert (case.observation.surface, case.observation.position.quality) == ("road", None)
    (stretch,) = store.coverage(after=0, limit=10)
    assert (stretch.coverage.length_m, stretch.coverage.line) == (170.0, None)
    summary = store.summary()
    assert (summary.sequence, summary.events, summary.refused) == (2, 2, {"invalid": 3})
    store.close()


def test_what_an_earlier_depot_stored_can_be_revised_and_confirmed_by_a_wheel(yesterdays):
    store = SqliteStore(yesterdays)
    store.save([event(samples.revision(1, 2), 20), event(samples.roughness(1), 21), event(samples.observation(), 1)])
    (case,) = store.cases(CaseQuery(bbox=Bbox(6, 51.43455, 7, 51.4347)))
    assert (case.number, case.revision, case.observation.position.lat, case.shock_mps2) == (1, 2, 51.4346, 12.5)
    store.close()


def test_a_migrated_database_is_like_a_new_one(yesterdays, tmp_path_factory):
    def tables(folder: Path) -> list[tuple[str, str]]:
        SqliteStore(folder).close()
        with sqlite3.connect(folder / "depot.sqlite") as connection:
            found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
            assert connection.execute("PRAGMA user_version").fetchone()[0] == len(schema.MIGRATIONS)
            assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
        return found

    assert tables(yesterdays) == tables(tmp_path_factory.mktemp("new"))


def test_a_migration_that_fails_leaves_the_database_as_it_was(yesterdays, monkeypatch):
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:1], schema.MIGRATIONS[1] + "SELECT nonsense;"))
    with pytest.raises(StoreError, match="nonsense"):
        SqliteStore(yesterdays)
    monkeypatch.undo()
    store = SqliteStore(yesterdays)
    assert store.summary().cases == 1
    store.close()


def test_two_programs_may_open_an_old_database_at_once(yesterdays):
    stores: list[SqliteStore] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(10)
        stores.append(SqliteStore(yesterdays))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [store.summary().cases for store in stores] == [1, 1, 1, 1]
    for store in stores:
        store.close()
