# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The outbox's SQLite file: opened, checked, and set aside when it is damaged.

A file that cannot be used (filled with zeros, cut off, no database, another program's, not ours to
write) is renamed to `NAME.bad` together with its `-wal` and `-shm`, after what can still be read of it was
taken over into a new one. Nobody has to come with a screwdriver for that; the caller gets one line to report.
Where nothing can be written at all, `stand_in` gives a store in memory with the same content.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.delivery.pictures import BAD_KEPT
from edge.delivery.salvage import FoundEvent, scan
from edge.durable import fsync_folder
from edge.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

#: "WgOb": tells our files from any other SQLite database.
APPLICATION_ID = 0x57674F62
VERSION = 1
#: What the outbox holds, what is sent first standing first; also the last level of the topic.
KINDS = ("observation", "revision", "clock", "look", "coverage", "roughness")
_SUFFIXES = ("", "-wal", "-shm")

SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE boot (            -- one row per start of the process; its counts are of the events confirmed in it
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  uptime_s REAL NOT NULL DEFAULT 0,
  confirmed INTEGER NOT NULL DEFAULT 0,
  acknowledged INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  pictures_confirmed INTEGER NOT NULL DEFAULT 0,
  pictures_acknowledged INTEGER NOT NULL DEFAULT 0,
  pictures_refused INTEGER NOT NULL DEFAULT 0,
  pictures_lost INTEGER NOT NULL DEFAULT 0,
  dropped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  boot INTEGER NOT NULL,
  kind TEXT NOT NULL,          -- see KINDS
  payload BLOB NOT NULL,       -- the CloudEvent as it is sent
  picture TEXT,                -- sha256
  state TEXT NOT NULL DEFAULT 'pending',  -- pending, acknowledged, refused
  reason TEXT,
  done_s REAL                  -- operating time when it left 'pending'
);
CREATE INDEX event_picture ON event (picture) WHERE picture IS NOT NULL;
CREATE TABLE picture (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL UNIQUE, -- also the name of its file
  boot INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',  -- pending, acknowledged, refused, lost
  reason TEXT,
  done_s REAL
);
CREATE INDEX picture_pending ON picture (seq) WHERE state = 'pending';
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""
# Kept apart: a store that an earlier version made gets them, too, without losing its format's number.
_DROPPED = "ALTER TABLE boot ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0"
_BY_KIND = """
DROP INDEX IF EXISTS event_pending;
CREATE INDEX IF NOT EXISTS event_waiting ON event (kind, seq) WHERE state = 'pending';
"""


class _UnusableError(Exception):
    """This file cannot serve as our store."""


@dataclass(frozen=True)
class Opened:
    """A usable connection, and one line about what had to be done for it (None: nothing)."""

    connection: sqlite3.Connection
    fault: str | None = None


def store_error(path: Path, error: Exception) -> StoreError:
    """One line for an error of SQLite or of the file system, with what to do about it."""
    text = str(error)
    if "full" in text or "No space" in text:
        hint = "free some space"
    elif "read" in text.lower() or "permission" in text.lower() or "unable to open" in text:
        hint = "check owner, rights and mount of the folder"
    elif "locked" in text:
        hint = "another program holds it"
    else:
        hint = "if it stays, the disk or card is failing: replace it"
    return StoreError(f"outbox {path}: {text}; {hint}")


def open_database(path: Path) -> Opened:
    """Open the store; set a damaged one aside, start a new one and take over what can be read.

    Raises:
        StoreError: no store can be opened here (read-only or full file system, rights, locked).
    """
    new = path.with_name(path.name + ".new")
    try:
        if new.exists() and not path.exists():  # a power cut came between the renames of `_swap`
            _swap(path, new)
        return Opened(_open(path))
    except (sqlite3.Error, _UnusableError, OSError) as error:
        passing = isinstance(error, OSError) or any(word in str(error) for word in ("disk is full", "locked"))
        if passing:
            raise store_error(path, error) from None
        reason = " ".join(str(error).split())
    try:
        taken_over = _renew(path, new)
        bad = _swap(path, new)
        connection = _open(path)
    except (OSError, sqlite3.Error, _UnusableError) as error:
        raise store_error(path, error) from None
    what = f"set aside as {bad.name}, {taken_over} waiting events taken over into a new one"
    return Opened(connection, f"outbox {path.name} was unusable ({reason}): {what}")


def stand_in(path: Path) -> sqlite3.Connection:
    """A store in memory with the waiting events that can be read of the one at `path`."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(SCHEMA + _BY_KIND)
    connection.execute("BEGIN")
    take_over(path, connection)
    connection.execute("COMMIT")
    return connection


def take_over(path: Path, into: sqlite3.Connection) -> int:
    """Enter what waits in the store at `path` and is not known in `into`; returns how many events.

    Within a transaction. Ids stay as they are, so the depot drops what it already has. All are counted under start
    number 0; pictures are entered without a look at their files.
    """
    waiting: set[str] = set()
    answered: set[str] = set()
    for found in scan(path):
        key = found.id if isinstance(found, FoundEvent) else found.sha256
        (waiting if found.state == "pending" else answered).add(key)
    [(last,)] = into.execute("SELECT ifnull(max(seq), 0) FROM event")
    # Ids sort in the order of confirmation; pages do not lie in it.
    numbers = {key: last + number for number, key in enumerate(sorted(waiting - answered), 1)}
    into.execute("INSERT OR IGNORE INTO boot (number, name) VALUES (0, 'taken over')")
    before = into.total_changes
    pictures: dict[str, int] = {}
    for found in scan(path):
        if isinstance(found, FoundEvent) and found.id in numbers:
            into.execute(
                "INSERT OR IGNORE INTO event (seq, id, boot, kind, payload, picture) VALUES (?, ?, 0, ?, ?, ?)",
                (numbers[found.id], found.id, found.kind, found.payload, found.sha256),
            )
        sha256, size = (found.sha256, found.picture_bytes if isinstance(found, FoundEvent) else found.size_bytes)
        if sha256 is not None and sha256 not in answered and found.state == "pending":
            pictures[sha256] = max(size, pictures.get(sha256, 0))
    events = into.total_changes - before
    into.executemany("INSERT OR IGNORE INTO picture (sha256, boot, bytes) VALUES (?, 0, ?)", pictures.items())
    entered = into.total_changes - before - events
    into.execute(
        "UPDATE boot SET confirmed = confirmed + ?, pictures_confirmed = pictures_confirmed + ? WHERE number = 0",
        (events, entered),
    )
    return events


def _open(path: Path) -> sqlite3.Connection:
    with tempfile.TemporaryFile(dir=path.parent):
        pass  # a file system that is not ours to write is no fault of the store's content
    # Someone who looks at it with sqlite3 may hold it; a stage of the daemon must not hang for that.
    connection = sqlite3.connect(path, timeout=2.0, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
        fsync_folder(path.parent)  # the file's name itself must survive a power cut
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    check = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if check != "ok":
        raise _UnusableError(f"quick_check: {check}")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    is_new = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not is_new and application != APPLICATION_ID:
        raise _UnusableError("it is another program's database")
    if not is_new and version != VERSION:
        raise _UnusableError(f"it has format {version}, this software reads {VERSION}")
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise _UnusableError("this file system cannot hold a write-ahead log")
    # FULL: a commit is on the disk when it returns, not only in the write-ahead log's cache.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 4194304")
    if is_new:
        connection.executescript(SCHEMA)
    if all(column[1] != "dropped" for column in connection.execute("PRAGMA table_info(boot)")):
        connection.execute(_DROPPED)
    connection.executescript(_BY_KIND)


def _renew(path: Path, new: Path) -> int:
    """Make a new store beside the damaged one, with the waiting events that can still be read; returns how many.

    The damaged one is not touched: when this fails (full disk), nothing is worse than before.
    """
    for suffix in _SUFFIXES:
        _remove(new.with_name(new.name + suffix))
    with contextlib.closing(_open(new)) as into:
        into.execute("BEGIN IMMEDIATE")
        taken_over = take_over(path, into)
        into.execute("COMMIT")
        return taken_over


def _swap(path: Path, new: Path) -> Path:
    """Rename the damaged store to its new name, which is returned, and the new one into its place. Raises OSError."""
    names = [path.with_name(f"{path.name}.bad{n or ''}") for n in range(BAD_KEPT)]
    bad = next((name for name in names if not name.exists()), None)
    if bad is None:  # a failing card must not fill itself with damaged stores
        bad = min(names, key=lambda name: name.stat().st_mtime_ns)
        for suffix in _SUFFIXES:
            _remove(bad.with_name(bad.name + suffix))
    for suffix in _SUFFIXES:  # with its log, or that would be taken for the new one's
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(bad.with_name(bad.name + suffix))
    new.rename(path)
    fsync_folder(path.parent)
    return bad


def _remove(path: Path) -> None:
    """Delete a file, or a folder that somebody has put into its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
