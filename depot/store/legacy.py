# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes over what a depot before this one kept: the file `depot.sqlite` with a `user_version` of 1 to 4.

The file is set aside as `depot-earlier.sqlite` and stays there. Its events go into the database as if they came now,
but with the time of their arrival, and wait for the projector; its pictures stay where they are, or move to the store
of pictures that is set. What stops in the middle goes on at the next start; nothing comes twice. Chunks of pictures
that had come in part are not taken over: their vehicles send them again.
"""

from __future__ import annotations

import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from depot.errors import StoreError
from depot.services import Pictures
from depot.store.bulk import NewEvent, insert_events
from depot.store.database import Database
from depot.store.ingest_tables import boots
from depot.store.migration import SQLITE_VERSION
from depot.store.tables import meta, refused, vehicles
from depot.store.tables import pictures as picture_table
from depot.store.upserting import upsert

log = logging.getLogger(__name__)

EARLIER = "depot-earlier.sqlite"
_VERSIONS = range(1, 5)
#: Row of `meta` that says that all of it is here.
_DONE = "earlier_taken_over"
_AT_ONCE = 1000


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Whoever opens the depot's files in this folder waits for the one before. Raises StoreError."""
    try:
        with (folder / "depot.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from None


def set_aside(file: Path) -> None:
    """Rename the file if an earlier depot made it.

    Raises:
        StoreError: it is no database, one of a newer depot, or an earlier depot still uses it.
    """
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=1)) as old:
            version = old.execute("PRAGMA user_version").fetchone()[0]
            if version in {0, SQLITE_VERSION}:
                return
            if version not in _VERSIONS:
                raise StoreError(f"{file}: made by a newer depot (version {version}); update the depot")
            old.execute("PRAGMA journal_mode = DELETE")  # all of it in one file; fails while anybody else has it open
    except sqlite3.Error as error:
        raise StoreError(f"{file}: {error}") from None
    earlier = file.with_name(EARLIER)
    if earlier.exists():
        raise StoreError(
            f"{file}: made by an earlier depot, but {earlier.name} is there already; move one of them away"
        )
    file.rename(earlier)
    log.info("%s was made by an earlier depot; it is %s now", file, earlier.name)


def take_over(database: Database, pictures: Pictures, folder: Path) -> None:
    """Put what stands in the file that was set aside into the database, unless that was done before.

    Raises:
        StoreError: either cannot be used now; to be tried again.
    """
    file = folder / EARLIER
    if not file.exists():
        return
    with database.reading() as connection:
        if connection.scalar(select(meta.c.name).where(meta.c.name == _DONE)) is not None:
            return
    try:
        with closing(sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True)) as old:
            old.row_factory = sqlite3.Row
            count = _events(database, old)
            _pictures(database, pictures, old, folder / "pictures")
            _rest(database, old, count)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{file}: {error}") from None
    log.info("%d events of %s are taken over", count, file.name)


def _events(database: Database, old: sqlite3.Connection) -> int:
    count = 0
    rows = old.execute("SELECT source, id, type, received_utc, payload FROM events ORDER BY received")
    while some := rows.fetchmany(_AT_ONCE):
        with database.writing() as connection:
            insert_events(connection, [NewEvent(*row) for row in some])
        count += len(some)
    return count


def _pictures(database: Database, pictures: Pictures, old: sqlite3.Connection, folder: Path) -> None:
    rows = old.execute("SELECT sha256, vehicle, bytes, width, height, received_utc FROM pictures")
    while some := rows.fetchmany(_AT_ONCE):
        there = [dict(row) for row in some if _has_bytes(pictures, row["sha256"], folder)]
        if there:
            with database.writing() as connection:
                connection.execute(upsert(connection, picture_table).on_conflict_do_nothing(), there)


def _has_bytes(pictures: Pictures, sha256: str, folder: Path) -> bool:
    """Whether its bytes are where they belong, or can be put there from the earlier depot's folder."""
    if pictures.read(sha256) is not None:
        return True
    file = folder / sha256[:2] / f"{sha256}.jpg"
    if not file.exists():
        log.warning("the picture %s is missing; its vehicle may still have it", sha256)
        return False
    pictures.keep(sha256, file.read_bytes())
    return True


def _rest(database: Database, old: sqlite3.Connection, count: int) -> None:
    """What must come once only goes together with the word that all is here."""

    def rows(query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in old.execute(query)]

    with database.writing() as connection:
        _add(connection, vehicles, rows("SELECT name, seen_utc, status, health, lon, lat, position_utc FROM vehicles"))
        _add(connection, boots, rows("SELECT vehicle, boot FROM boots"))
        row = upsert(connection, refused)
        counted = row.on_conflict_do_update(
            index_elements=[refused.c.reason], set_={"count": refused.c.count + row.excluded.count}
        )
        if reasons := rows("SELECT reason, count FROM refused"):
            connection.execute(counted, reasons)
        (sequence,) = old.execute("SELECT value FROM meta WHERE name = 'sequence'").fetchone()
        # A page that is still open asks for what came after a number of the earlier depot.
        connection.execute(
            update(meta).where(meta.c.name == "sequence", meta.c.value < sequence).values(value=sequence)
        )
        connection.execute(insert(meta).values(name=_DONE, value=count))


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """What came since then is newer and stays."""
    if rows:
        connection.execute(upsert(connection, table).on_conflict_do_nothing(), rows)
