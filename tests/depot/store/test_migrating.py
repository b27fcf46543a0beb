# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A new database and one that went through all migrations are the same; what must not change cannot."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from depot.errors import StoreError
from depot.people.audit import record
from depot.store import migration
from depot.store.database import Database
from depot.store.every_table import METADATA
from depot.store.migration import migrate, upgrade_from_nothing
from depot.store.tables import audit, cases
from tests.postgres import _bin


def _schema(database: Database, url: str) -> str:
    """All that the database was told to be, as text."""
    if database.dialect == "sqlite":
        with database.reading() as connection:
            rows = connection.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY type, name"))
            return "\n".join(" ".join(str(value) for value in row) for row in rows)
    dump = subprocess.run(
        [_bin() / "pg_dump", "--schema-only", "--no-owner", url], check=True, capture_output=True, text=True
    )
    return re.sub(r"^\\(un)?restrict .*$", "", dump.stdout, flags=re.MULTILINE)


@pytest.fixture
def empty(database_url: str):
    made = Database(database_url)
    yield made
    made.close()


def test_all_migrations_make_what_a_new_database_has(empty, database_url):
    """Red when a table changes and no migration says so: `python -m depot.store.migration "what changes"`."""
    with empty.writing() as connection:
        upgrade_from_nothing(connection)
    migrated = _schema(empty, database_url)
    with empty.writing() as connection:
        _empty(connection, empty.dialect)
    migrate(empty)
    assert _lines(_schema(empty, database_url)) == _lines(migrated)
    assert empty.sequence() == 0


def _lines(schema: str) -> list[str]:
    """Each line alone: in which order columns were added says nothing."""
    lines = schema.splitlines()
    # SQLite writes added columns behind the last one, into the same line.
    parts = (part for line in lines for part in re.split(r",\s+(?![^(]*\))", line))
    return sorted(part.strip().rstrip(",") for part in parts if part.strip())


def _empty(connection: Connection, dialect: str) -> None:
    cascade = " CASCADE" if dialect == "postgresql" else ""
    if dialect == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    for name in (*METADATA.tables, "alembic_version"):
        connection.execute(text(f'DROP TABLE "{name}"{cascade}'))
    if dialect == "postgresql":
        connection.execute(text("DROP FUNCTION append_only"))


def test_migrating_again_changes_nothing(database, database_url):
    before = _schema(database, database_url)
    migrate(database)
    assert _schema(database, database_url) == before


def test_a_database_of_a_newer_depot_is_refused_by_one_line(database):
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"^[^\n]*made by a newer depot \(schema 9999\); update the depot$"):
        migrate(database)


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty, database_url, monkeypatch):
    before = _schema(empty, database_url)

    def fail(connection: Connection) -> None:
        upgrade_from_nothing(connection)
        connection.execute(text("SELECT nonsense"))

    monkeypatch.setattr(migration, "_make", fail)
    with pytest.raises((StoreError, DBAPIError), match="nonsense"):
        migrate(empty)
    assert _schema(empty, database_url) == before


def test_many_programs_may_migrate_at_once(database_url):
    databases = [Database(database_url) for _ in range(4)]
    barrier = threading.Barrier(len(databases))
    errors: list[BaseException] = []

    def work(database: Database) -> None:
        barrier.wait(10)
        try:
            migrate(database)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert [database.sequence() for database in databases] == [0] * 4
    for database in databases:
        database.close()


@pytest.mark.parametrize("statement", [update(audit).values(who="me"), delete(audit)])
def test_the_record_of_changes_can_only_grow(database, statement):
    with database.writing() as connection:
        record(connection, utc="2026-05-04T09:30:00Z", who="ada", action="confirm", kind="case", subject=1)
    with pytest.raises((StoreError, DBAPIError), match="rows of audit are only ever added"), database.writing() as c:
        c.execute(statement)
    with database.reading() as connection:
        assert connection.scalars(select(audit.c.who)).all() == ["ada"]


def test_the_record_of_changes_cannot_be_emptied_at_once(postgres_url):
    database = Database(postgres_url)
    migrate(database)
    with pytest.raises((StoreError, DBAPIError), match="only ever added"), database.writing() as connection:
        connection.execute(text("TRUNCATE audit"))
    database.close()


def test_a_case_has_a_point_that_a_gis_finds(postgres_url):
    database = Database(postgres_url)
    migrate(database)
    row = {"changed": 1, "state": "new", "class": "pothole", "surface": "road", "opened_utc": "x", "sightings": 1}
    with database.writing() as connection:
        counts = {"passes": 1, "vehicles": 1, "looks_without": 0, "pinned": False, "reports": 0}
        connection.execute(insert(cases), [{**row, **counts, "lon": 6.76, "lat": 51.43}])
        found = connection.execute(
            text("SELECT ST_SRID(geometry) FROM cases WHERE geometry && ST_MakeEnvelope(6, 51, 7, 52, 4326)")
        )
        assert found.scalars().all() == [4326]
    database.close()


def test_a_database_without_postgis_does_all_but_the_geometry(postgres_url):
    database = Database(postgres_url)
    with database.writing() as connection:
        connection.execute(text("DROP EXTENSION postgis CASCADE"))
        connection.execute(text("CREATE ROLE nobody_special LOGIN"))
        connection.execute(text("GRANT ALL ON SCHEMA public TO nobody_special"))
    poor = Database(postgres_url.replace("wegewart@", "nobody_special@"))
    try:
        migrate(poor)
        assert poor.sequence() == 0
    finally:
        poor.close()
        with database.writing() as connection:
            connection.execute(text("DROP OWNED BY nobody_special CASCADE"))
            connection.execute(text("DROP ROLE nobody_special"))
        database.close()


def test_an_earlier_depot_leaves_a_file_of_today_alone(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'depot.sqlite'}")
    migrate(database)
    database.close()
    connection = sqlite3.connect(tmp_path / "depot.sqlite")
    assert connection.execute("PRAGMA user_version").fetchone()[0] > 4
    connection.close()
