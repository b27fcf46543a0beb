# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The store that needs no server: one SQLite file beside the folder of pictures.

WAL with synchronous=FULL: a commit that has returned survives a power cut. One connection writes,
any number read beside it.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from depot.errors import StoreError
from depot.intake import Chunk, Intake, Picture
from depot.store import partial, reading, schema
from depot.store.pictures import PictureFolder
from depot.store.port import Case, CaseQuery, Ride, Stretch, Summary, Vehicle
from depot.store.writing import Writer


def utc_now() -> str:
    """The depot's clock, as messages write it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SqliteStore:
    """`depot.store.port.Store` on SQLite."""

    def __init__(self, folder: Path, *, now_utc: Callable[[], str] = utc_now) -> None:
        """Open or make the store in `folder`.

        Raises:
            StoreError: the folder cannot be used, or the file is damaged or made by a newer depot.
        """
        self._file = folder / "depot.sqlite"
        self._now_utc = now_utc
        self._pictures = PictureFolder(folder / "pictures")
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._open: list[sqlite3.Connection] = []
        self._writing = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            schema.migrate(self._writer)
        except (OSError, sqlite3.Error, StoreError) as error:
            self.close()
            raise StoreError(f"{self._file}: {error}") from None

    def save(self, batch: Sequence[Intake]) -> None:
        """See `Store.save`. Pictures reach the disk before the rows that speak of them."""
        with self._writing, self._errors():
            for item in batch:
                if isinstance(item, Picture):
                    self._pictures.keep(item.sha256, item.content)
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                writer = Writer(self._writer, self._sequence(self._writer), self._now_utc())
                for item in batch:
                    writer.apply(item)
                self._writer.execute("UPDATE meta SET value = ? WHERE name = 'sequence'", (writer.sequence,))
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def held(self, chunk: Chunk) -> tuple[int, ...] | None:
        """See `Store.held`."""
        with self._reader() as connection:
            if connection.execute("SELECT 1 FROM pictures WHERE sha256 = ?", (chunk.sha256,)).fetchone():
                return None
            return partial.held(connection, chunk)

    def look(self, chunk: Chunk) -> bytes | tuple[int, ...] | None:
        """See `depot.ingest.IntakeStore`."""
        held = self.held(chunk)
        return self.assembled(chunk) if held is not None and chunk.is_whole(held) else held

    def assembled(self, chunk: Chunk) -> bytes:
        """See `Store.assembled`."""
        with self._reader() as connection:
            return partial.assembled(connection, chunk)

    def sequence(self) -> int:
        """See `Store.sequence`."""
        with self._reader() as connection:
            return self._sequence(connection)

    def cases(self, query: CaseQuery) -> list[Case]:
        """See `Store.cases`."""
        wheres, values = reading.conditions(query)
        where = f"WHERE {' AND '.join(wheres)}" if wheres else ""
        order = "c.number DESC" if query.after is None else "c.changed, c.number"
        with self._reader() as connection:
            rows = connection.execute(f"{reading.CASES} {where} ORDER BY {order} LIMIT ?", (*values, query.limit))
            return [reading.case(row) for row in rows]

    def case(self, number: int) -> Case | None:
        """See `Store.case`."""
        with self._reader() as connection:
            row = connection.execute(f"{reading.CASES} WHERE c.number = ?", (number,)).fetchone()
        return None if row is None else reading.case(row)

    def coverage(self, *, after: int, limit: int) -> list[Stretch]:
        """See `Store.coverage`."""
        with self._reader() as connection:
            return [reading.stretch(row) for row in connection.execute(reading.STRETCHES, (after, limit))]

    def roughness(self, *, after: int, limit: int) -> list[Ride]:
        """See `Store.roughness`."""
        with self._reader() as connection:
            return [reading.ride(row) for row in connection.execute(reading.RIDES, (after, limit))]

    def vehicles(self) -> list[Vehicle]:
        """See `Store.vehicles`."""
        with self._reader() as connection:
            rows = connection.execute(
                "SELECT name, seen_utc, status, health, lon, lat, position_utc FROM vehicles ORDER BY name"
            )
            return [reading.vehicle(row) for row in rows]

    def summary(self) -> Summary:
        """See `Store.summary`."""
        with self._reader() as connection:
            counts = connection.execute(reading.COUNTS).fetchone()
            classes = dict(connection.execute("SELECT class, count(*) FROM cases GROUP BY class ORDER BY class"))
            refused = dict(connection.execute("SELECT reason, count FROM refused ORDER BY reason"))
        names = Summary.__struct_fields__[: len(counts)]
        return Summary(**dict(zip(names, counts, strict=True)), classes=classes, refused=refused)

    def picture(self, sha256: str) -> bytes | None:
        """See `Store.picture`."""
        with self._errors():
            return self._pictures.read(sha256)

    def close(self) -> None:
        """See `Store.close`."""
        while self._open:
            self._open.pop().close()

    def _connect(self) -> sqlite3.Connection:
        # Each connection has one user at a time (lock or queue), but not always the same thread.
        connection = sqlite3.connect(self._file, timeout=10, isolation_level=None, check_same_thread=False)
        self._open.append(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._errors():
            try:
                connection = self._readers.get_nowait()
            except queue.Empty:
                connection = self._connect()
            try:
                yield connection
            finally:
                self._readers.put(connection)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the disk or another process can cause becomes a StoreError; our own mistakes stay what they are."""
        try:
            yield
        except OSError as error:
            raise StoreError(f"{error.filename or self._file}: {error.strerror or error}") from error
        except sqlite3.DatabaseError as error:
            if type(error) in {sqlite3.OperationalError, sqlite3.DatabaseError}:
                raise StoreError(f"{self._file}: {error}") from error
            raise

    @staticmethod
    def _sequence(connection: sqlite3.Connection) -> int:
        return int(connection.execute("SELECT value FROM meta WHERE name = 'sequence'").fetchone()[0])
