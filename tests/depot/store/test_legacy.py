# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What an earlier depot kept in its file is taken over whole, into either database, once.

The tables and the events stand here as the first version wrote them; no code of today makes them. The versions 2 to 4
added tables that were made from events, and changed none of those that are read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from depot.errors import StoreError
from depot.intake import Accepted, judge
from depot.store import legacy
from depot.store.appending import append
from depot.store.config import DatabaseConfig
from depot.store.database import Database
from depot.store.opening import open_database
from depot.store.pictures import PictureFolder
from depot.store.tables import events, pending, pictures, refused, vehicles
from tests.depot import samples

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


SHA256 = samples.sha256(samples.jpeg())


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of an earlier depot: two events, a picture, a vehicle, refusals."""
    made = tmp_path / "depot data"
    made.mkdir()
    with closing(sqlite3.connect(made / "depot.sqlite")) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(FIRST)
        add = "INSERT INTO events (source, id, type, received_utc, payload) VALUES ('wegewart/sweeper-1', ?, ?, ?, ?)"
        now = "2026-11-21T09:30:13.000Z"
        connection.execute(add, ("5f3c9a-00000001", "wegewart.observation.v1", now, OBSERVATION))
        connection.execute(add, ("5f3c9a-00000002", "wegewart.coverage.v1", now, COVERAGE))
        connection.execute("INSERT INTO pictures VALUES (?, 'sweeper-1', 9, 320, 180, ?)", (SHA256, now))
        connection.execute("INSERT INTO vehicles (name, seen_utc, lon, lat) VALUES ('sweeper-1', ?, 6.7, 51.4)", (now,))
        connection.execute("INSERT INTO refused VALUES ('invalid', 3)")
        connection.execute("UPDATE meta SET value = 7 WHERE name = 'sequence'")
        connection.execute(f"PRAGMA user_version = {getattr(request, 'param', 1)}")
    PictureFolder(made / "pictures").keep(SHA256, samples.jpeg())
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest) -> DatabaseConfig:
    """The default, which uses the same file name, and a server."""
    if request.param == "sqlite":
        return DatabaseConfig()
    return DatabaseConfig(url=request.getfixturevalue("postgres_url"))


def rows(database: Database, *columns: Any) -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        return sorted(map(tuple, connection.execute(select(*columns))))


@pytest.fixture
def opened(config: DatabaseConfig, folder: Path) -> Iterator[Database]:
    database = open_database(config, folder, PictureFolder(folder / "pictures"))
    yield database
    database.close()


def check(database: Database) -> None:
    """All of it is there, once."""
    assert rows(database, events.c.id, events.c.received_utc, events.c.payload) == [
        ("5f3c9a-00000001", "2026-11-21T09:30:13.000Z", OBSERVATION),
        ("5f3c9a-00000002", "2026-11-21T09:30:13.000Z", COVERAGE),
    ]
    assert len(rows(database, pending)) == 2, "the projector makes cases and coverage of them"
    assert rows(database, pictures.c.sha256, pictures.c.width) == [(SHA256, 320)]
    assert rows(database, vehicles.c.name, vehicles.c.seen_utc, vehicles.c.lon) == [
        ("sweeper-1", "2026-11-21T09:30:13.000Z", 6.7)
    ]
    assert rows(database, refused.c.reason, refused.c.count) == [("invalid", 3)]
    assert database.sequence() == 7, "numbers of changes go on where they were"


@pytest.mark.parametrize("folder", [1, 4], indirect=True)
def test_all_that_an_earlier_depot_kept_is_taken_over(opened, folder):
    check(opened)
    assert (folder / legacy.EARLIER).exists()


def test_opening_again_takes_nothing_over_twice(opened, config, folder):
    again = open_database(config, folder, PictureFolder(folder / "pictures"))
    check(again)
    again.close()


def test_what_its_vehicle_sends_again_is_known(opened, folder):
    item = judge(samples.topic("observation"), OBSERVATION)
    assert isinstance(item, Accepted)
    append(opened, PictureFolder(folder / "pictures"), [item])
    assert len(rows(opened, events.c.id)) == 2


@pytest.mark.parametrize("step", ["_events", "_pictures", "_rest"])
def test_what_stopped_in_the_middle_goes_on_at_the_next_start(config, folder, monkeypatch, step):
    """Red when the mark is set before the end, or the counts of refusals are added more than once."""

    def stop(*_: object) -> int:
        raise StoreError("disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(legacy, step, stop)
        with pytest.raises(StoreError, match="disk is full"):
            open_database(config, folder, PictureFolder(folder / "pictures"))
    again = open_database(config, folder, PictureFolder(folder / "pictures"))
    check(again)
    again.close()


def test_pictures_move_to_the_store_that_is_set(config, folder, tmp_path):
    elsewhere = PictureFolder(tmp_path / "elsewhere")
    database = open_database(config, folder, elsewhere)
    assert elsewhere.read(SHA256) == samples.jpeg()
    database.close()


def test_a_picture_whose_bytes_are_gone_may_come_again(config, folder):
    PictureFolder(folder / "pictures").path(SHA256).unlink()
    database = open_database(config, folder, PictureFolder(folder / "pictures"))
    assert rows(database, pictures.c.sha256) == []
    database.close()


def test_a_file_that_an_earlier_depot_still_uses_is_left_alone(config, folder):
    with closing(sqlite3.connect(folder / "depot.sqlite")) as user:
        user.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(StoreError, match=r"^[^\n]*depot\.sqlite: database is locked$"):
            open_database(config, folder, PictureFolder(folder / "pictures"))
    database = open_database(config, folder, PictureFolder(folder / "pictures"))
    check(database)
    database.close()


@pytest.mark.parametrize("version", [5, 101])
def test_a_file_of_a_newer_depot_is_refused_by_one_line(tmp_path, version):
    with closing(sqlite3.connect(tmp_path / "depot.sqlite")) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match=r"^[^\n]*depot\.sqlite: made by a newer depot[^\n]*$"):
        open_database(DatabaseConfig(), tmp_path, PictureFolder(tmp_path))
    assert (tmp_path / "depot.sqlite").exists()


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "depot.sqlite").write_bytes(b"\0" * 5000)
    with pytest.raises(StoreError, match=r"^[^\n]*depot\.sqlite[^\n]*$"):
        open_database(DatabaseConfig(), tmp_path, PictureFolder(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be made"):
        open_database(DatabaseConfig(), tmp_path / "file" / "data", PictureFolder(tmp_path))


def test_a_password_comes_from_its_file_and_is_in_no_message(tmp_path, postgres_url):
    file = tmp_path / "password"
    file.write_text("sehr geheim/:@\n")
    config = DatabaseConfig(url=postgres_url.replace("127.0.0.1", "127.0.0.2"), password_file=file)
    with pytest.raises(StoreError) as caught:
        open_database(config, tmp_path, PictureFolder(tmp_path))
    assert "geheim" not in str(caught.value)
    good = open_database(DatabaseConfig(url=postgres_url, password_file=file), tmp_path, PictureFolder(tmp_path))
    assert good.engine.url.password == "sehr geheim/:@"
    good.close()
