# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One consistent copy of a database in a file, and back: SQLite by its online backup, PostgreSQL by its own tools.

Sessions and tries to log in are left out: brought back, they would let people in who were thrown out since.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, text

from depot.errors import StoreError
from depot.keeping.errors import BackupError
from depot.store.database import Database

#: Tables whose rows are for now only.
_LEFT_OUT = ("sessions", "login_tries", "oidc_visits")


def save(database: Database, connection: Connection, into: Path) -> None:
    """Copy what `connection` sees (a transaction of `Database.reading`) into a new file. Raises StoreError."""
    if database.dialect == "sqlite":
        _save_sqlite(connection, into)
        return
    snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
    left_out = [f"--exclude-table-data={name}" for name in _LEFT_OUT]
    _run(database, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", *left_out,
         f"--file={into}")  # fmt: skip


def load(database: Database, dump: Path) -> None:
    """Make an empty database what `dump` says. The file may be moved away. Raises StoreError, BackupError."""
    if database.dialect == "sqlite":
        _load_sqlite(Path(database.engine.url.database or ""), dump)
        return
    _run(database, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
         "--no-comments", str(dump))  # fmt: skip


def place(database: Database) -> Path:
    """Where there is room for a copy on its way back."""
    if database.dialect == "sqlite":
        return Path(database.engine.url.database or "").absolute().parent
    return Path(tempfile.gettempdir())


def is_empty(database: Database) -> bool:
    """Whether nothing of a depot is there. Raises StoreError."""
    if database.dialect == "sqlite":
        path = Path(database.engine.url.database or "")
        return not path.exists() or path.stat().st_size == 0
    with database.reading() as connection:
        return connection.execute(text("SELECT to_regclass('events')")).scalar_one() is None


def _save_sqlite(connection: Connection, into: Path) -> None:
    source: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with closing(sqlite3.connect(into)) as copy:
            source.backup(copy)  # of what this very transaction sees
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA secure_delete = ON")
            for name in _LEFT_OUT:
                copy.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
            copy.commit()
            (found,) = copy.execute("PRAGMA quick_check").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"the database cannot be copied: {error}") from None
    if found != "ok":
        raise StoreError(f"the database is damaged: {found}")


def _load_sqlite(path: Path, dump: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(dump, path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from None


def _run(database: Database, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's tools; the password goes by the environment, which only we can read."""
    url = database.engine.url
    found = shutil.which(program)
    if found is None:
        raise BackupError(f"{program} is not there: install the client of PostgreSQL (apt install postgresql-client)")
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = os.environ | ({} if url.password is None else {"PGPASSWORD": str(url.password)})
    done = subprocess.run(  # noqa: S603 - arguments of ours, no shell
        [found, f"--dbname={address}", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise StoreError(f"{database.name}: {program} says: {said}")
