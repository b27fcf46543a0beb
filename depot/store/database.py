# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The depot's database: SQLite without a server, or PostgreSQL with PostGIS, behind the same three doors.

`reading` sees one consistent state. `writing` is a transaction that does not touch anything shown. `changing` is one
that does: it takes the lock on the sequence first, so that changes become visible in the order of their numbers and a
reader who asks "what changed after N" never misses one. SQLite runs with WAL and synchronous=FULL, PostgreSQL with its
defaults (fsync, synchronous_commit): when `writing` or `changing` has ended well, a power cut loses nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Literal, cast

from sqlalchemy import Connection, create_engine, event, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.pool import QueuePool

from depot.errors import StoreError
from depot.store.tables import meta

#: Seconds that a writer waits for another one.
_PATIENCE_S = 30
#: SQLITE_BUSY in words: Python 3.10 does not tell the code.
_BUSY = "database is locked"


def utc_now() -> str:
    """The depot's clock, as messages write it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Change:
    """A transaction that changes what is shown. Each changed row takes its own `next()` as its `changed`."""

    def __init__(self, connection: Connection, sequence: int, now_utc: str) -> None:
        self.connection = connection
        self.sequence = sequence
        self.now_utc = now_utc

    def next(self) -> int:
        """The number of one more change."""
        self.sequence += 1
        return self.sequence


class Database:
    """One database. Every method may be called from any thread."""

    def __init__(self, url: str, *, now_utc: Callable[[], str] = utc_now) -> None:
        """Prepare the connection; `depot.store.migration.migrate` makes the tables.

        Args:
            url: `sqlite:////path/to/file` or `postgresql://user:password@host/name`.
            now_utc: the depot's clock.

        Raises:
            StoreError: the address is none.
        """
        try:
            parsed = make_url(url)
        except ArgumentError:
            raise StoreError("database.url: not an address of a database, e.g. postgresql://user@host/name") from None
        backend = parsed.get_backend_name()
        if backend not in {"sqlite", "postgresql"}:
            raise StoreError(f"database.url: {backend} is not known; sqlite or postgresql")
        self.dialect = cast('Literal["sqlite", "postgresql"]', backend)
        self.now_utc = now_utc
        #: For people and logs: never with the password.
        self.name = parsed.render_as_string(hide_password=True)
        self._writing = threading.Lock()  # SQLite has one writer; waiting here is fairer than its busy handler
        if self.dialect == "sqlite":
            self.engine = create_engine(
                parsed, poolclass=QueuePool, pool_size=16, max_overflow=16, connect_args={"check_same_thread": False}
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_size=16, max_overflow=16, pool_pre_ping=True
            )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent state, never changed. Raises StoreError."""
        with self._errors(), self.engine.connect() as connection:
            if self.dialect == "postgresql":
                connection = connection.execution_options(  # noqa: PLW2901
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of its own; committed at the end, taken back by any exception. Raises StoreError."""
        with self._errors(), self._one_writer(), self.engine.connect() as connection:
            connection = connection.execution_options(wegewart_writes=True)  # noqa: PLW2901
            with connection.begin():
                yield connection

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """A transaction that changes what is shown; such ones wait for each other. Raises StoreError."""
        with self.writing() as connection:
            if self.dialect == "postgresql":
                statement = select(meta.c.value).where(meta.c.name == "sequence").with_for_update()
            else:
                statement = select(meta.c.value).where(meta.c.name == "sequence")
            before = connection.execute(statement).scalar_one()
            change = Change(connection, before, self.now_utc())
            yield change
            if change.sequence != before:
                connection.execute(update(meta).where(meta.c.name == "sequence").values(value=change.sequence))

    def sequence(self) -> int:
        """The number of the last change. Raises StoreError."""
        with self.reading() as connection:
            return int(connection.execute(select(meta.c.value).where(meta.c.name == "sequence")).scalar_one())

    def close(self) -> None:
        """Let all connections go. May be called twice."""
        self.engine.dispose()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        if self.dialect == "postgresql":
            yield
            return
        with self._writing:
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """What the disk, the server or another process can cause becomes a StoreError; our own mistakes stay."""
        try:
            yield
        except (OperationalError, InterfaceError, InternalError) as error:
            raise StoreError(f"{self.name}: {_one_line(error)}") from error
        except DBAPIError as error:
            if type(error.orig) is sqlite3.DatabaseError or error.connection_invalidated:
                raise StoreError(f"{self.name}: {_one_line(error)}") from error
            raise


def _one_line(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())[:300]


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves, see below
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_S * 1000}")
    _use_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Several programs that open a new file at once: SQLite does not wait by itself for this one change."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # noqa: PERF203 - each round waits
            if str(error) != _BUSY or time.monotonic() > until_s:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("wegewart_writes", False)
    connection.execute(text(f"PRAGMA query_only = {'OFF' if writes else 'ON'}"))
    connection.execute(text("BEGIN IMMEDIATE" if writes else "BEGIN"))
