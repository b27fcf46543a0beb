# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All of a depot in one file, while it runs; and back, into an empty one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, select

from depot.errors import StoreError
from depot.keeping import dump
from depot.keeping.archive import VERSION, About, Entry, Reader, Writer, digest
from depot.keeping.errors import BackupError
from depot.services import Pictures
from depot.store.database import Database
from depot.store.tables import events, meta
from depot.store.tables import pictures as pictures_table


@dataclass(frozen=True)
class Outcome:
    """What a backup holds, or what was brought back. `missing`: pictures that should be there and are not."""

    events: int
    pictures: int
    missing: tuple[str, ...]


def save(database: Database, pictures: Pictures, file: Path, *, with_pictures: bool = True) -> Outcome:
    """Write a backup. The depot goes on meanwhile; the file is that of one moment, and appears only when it is whole.

    A picture that is missing or damaged in the store is left out and named, it holds nothing up.

    Raises:
        BackupError: the file is there already or cannot be written.
        StoreError: the database cannot be read.
    """
    if file.exists():
        raise BackupError(f"{file}: is there already; a backup overwrites nothing")
    with _room(file.absolute().parent, file) as folder:
        copy, whole = folder / "database", folder / "backup"
        with database.reading() as connection:
            entries = _entries(connection)  # read first: from now on this transaction sees one moment
            dump.save(database, connection, copy)
            about = _about(database, connection, copy, with_pictures=with_pictures)
        missing: list[str] = []
        whole.touch(mode=0o600)  # people's names and hashes of their passwords are in it
        with whole.open("wb") as out:
            writer = Writer(out)
            writer.database(about, copy)
            writer.manifest(entries)
            for entry in (entry for entry in entries if with_pictures and not entry.expired):
                content = _whole(pictures, entry.sha256)
                if content is None:
                    missing.append(entry.sha256)
                else:
                    writer.picture(entry.sha256, content)
            writer.end()
            out.flush()
            os.fsync(out.fileno())
        whole.rename(file)
        _sync_folder(file.absolute().parent)
    kept = sum(not entry.expired for entry in entries) - len(missing) if with_pictures else 0
    return Outcome(about.events, kept, tuple(missing))


def restore(database: Database, pictures: Pictures, file: Path) -> Outcome:
    """Bring a backup back. All of it is checked first; only an empty depot is filled.

    Raises:
        BackupError: the file is no whole backup, of another kind of database, or the depot is not empty.
        StoreError: the database or the pictures cannot be written.
    """
    reader = Reader(file)
    about, entries = reader.check()
    if about.dialect != database.dialect:
        raise BackupError(f"{file}: of {about.dialect}, and database.url is {database.dialect}")
    if not dump.is_empty(database):
        raise BackupError(f"{database.name}: is not empty; a backup is brought back only into a new database")
    with _room(dump.place(database), file) as folder:
        reader.database(folder / "database")
        dump.load(database, folder / "database")
    back = set()
    for sha256, content in reader.pictures():
        pictures.keep(sha256, content)
        back.add(sha256)
    wanted = [entry.sha256 for entry in entries if not entry.expired]
    missing = [sha256 for sha256 in wanted if sha256 not in back and _whole(pictures, sha256) is None]
    return Outcome(about.events, len(wanted) - len(missing), tuple(missing))


def _about(database: Database, connection: Connection, copy: Path, *, with_pictures: bool) -> About:
    with copy.open("rb") as file:
        sha256 = digest(file)
    return About(
        version=VERSION,
        made_utc=database.now_utc(),
        dialect=database.dialect,
        events=connection.execute(select(func.count()).select_from(events)).scalar_one(),
        sequence=connection.execute(select(meta.c.value).where(meta.c.name == "sequence")).scalar_one(),
        database_sha256=sha256,
        with_pictures=with_pictures,
    )


def _entries(connection: Connection) -> list[Entry]:
    columns = (pictures_table.c.sha256, pictures_table.c.bytes, pictures_table.c.expired_utc)
    rows = connection.execute(select(*columns).order_by(pictures_table.c.sha256))
    return [Entry(row.sha256, row.bytes, row.expired_utc is not None) for row in rows]


def _whole(pictures: Pictures, sha256: str) -> bytes | None:
    try:
        content = pictures.read(sha256)
    except StoreError:  # a bad place on the disk must not cost all the rest
        return None
    return content if content is not None and hashlib.sha256(content).hexdigest() == sha256 else None


@contextmanager
def _room(place: Path, file: Path) -> Iterator[Path]:
    """A folder of our own in `place`, gone afterwards."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=place) as folder:
            yield Path(folder)
    except OSError as error:
        raise BackupError(f"{file}: no room in {place}: {error.strerror or error}") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
