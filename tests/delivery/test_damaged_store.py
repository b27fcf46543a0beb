# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A damaged store never keeps the vehicle from starting, and costs as little as can be."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge.delivery.outbox import Outbox
from edge.delivery.pictures import BAD_KEPT
from tests.delivery.test_outbox import confirm, keys, sha


def filled(path: Path, many: int = 60) -> list[str]:
    """A store with waiting events that was stopped cleanly (everything in the main file)."""
    outbox = Outbox(path)
    identities = [confirm(outbox, b"picture %d" % number if number % 20 == 0 else None) for number in range(many)]
    outbox.close()
    return identities


def reopened(path: Path) -> tuple[Outbox, list[str]]:
    outbox = Outbox(path)
    return outbox, [item.key for item in outbox.pending(1000) if item.kind != "picture"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: bytes(len(whole)), "not a database"),
        (lambda whole: whole[: len(whole) // 2], "malformed|quick_check"),
        (lambda whole: whole[:100], "malformed|not a database|quick_check"),
        (lambda whole: b"\xff" * 5000, "not a database"),
        (lambda whole: whole[:4096] + bytes(len(whole) - 4096), "malformed|quick_check"),
    ],
    ids=["zeros", "cut in half", "cut in the header", "garbage", "zeros after the first page"],
)
def test_a_damaged_store_is_set_aside_and_a_new_one_works(tmp_path: Path, damage, reason: str) -> None:
    """Red without the `except` in `open_database`; without quick_check for the two that SQLite opens happily."""
    path = tmp_path / "outbox.db"
    filled(path)
    broken = damage(path.read_bytes())
    path.write_bytes(broken)
    outbox = Outbox(path)
    assert outbox.fault is not None
    assert "set aside as outbox.db.bad" in outbox.fault
    assert "\n" not in outbox.fault, "one line"
    assert re.search(reason, outbox.fault), outbox.fault
    identity = confirm(outbox, b"new picture")
    assert identity in keys(outbox)
    assert outbox.picture(sha(b"new picture")) == b"new picture"
    outbox.close()
    assert (tmp_path / "outbox.db.bad").read_bytes()[:100] == broken[:100]
    again = Outbox(path)
    assert again.fault is None
    assert identity in keys(again)
    again.close()


def test_what_can_be_read_of_a_damaged_store_is_taken_over_once(tmp_path: Path) -> None:
    """Red without `_salvage`; the second end of the table is lost without the backward reading."""
    path = tmp_path / "outbox.db"
    identities = filled(path, 300)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    path.write_bytes(content)
    outbox, waiting = reopened(path)
    assert outbox.fault is not None
    assert f"{len(waiting)} waiting events taken over" in outbox.fault
    assert waiting == [identity for identity in identities if identity in set(waiting)], "order"
    assert len(waiting) > 250
    assert {identities[0], identities[-1]} <= set(waiting)
    assert outbox.counts().confirmed == outbox.counts().pending == len(waiting)
    assert outbox.picture(sha(b"picture 0")) == b"picture 0"
    new = confirm(outbox)
    assert new not in identities
    assert outbox.acknowledge(waiting).changed == len(waiting)
    outbox.close()


def test_the_log_of_a_crashed_and_damaged_store_is_read_too(tmp_path: Path) -> None:
    """Red when only the main file is read for what is taken over."""
    path, crashed = tmp_path / "outbox.db", tmp_path / "crashed" / "outbox.db"
    crashed.parent.mkdir()
    outbox = Outbox(path)
    identities = [confirm(outbox) for _ in range(5)]
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{crashed}{suffix}")
    database.close()
    outbox.close()
    salvaged, waiting = reopened(crashed)
    assert salvaged.fault is not None
    assert "format 99" in salvaged.fault
    assert waiting == identities
    salvaged.close()


def test_of_a_store_of_zeros_its_log_is_still_read(tmp_path: Path) -> None:
    """Red without the second loop of `_Pages.__iter__`; the log itself must not be taken for the new store's."""
    path = tmp_path / "outbox.db"
    earlier = filled(path)
    outbox = Outbox(path)
    last = confirm(outbox)
    log = Path(f"{path}-wal").read_bytes()
    outbox.close()
    path.write_bytes(bytes(path.stat().st_size))
    Path(f"{path}-wal").write_bytes(log)
    outbox, waiting = reopened(path)
    assert outbox.fault is not None
    assert waiting[-1] == last
    assert set(waiting) <= {*earlier, last}, "the page that the last one came into held some earlier ones"
    identity = confirm(outbox)
    outbox.close()
    outbox, again = reopened(path)
    assert (outbox.fault, again) == (None, [*waiting, identity])
    outbox.close()


def test_a_full_disk_while_a_new_store_is_made_leaves_the_damaged_one_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red when the damaged store is renamed before the new one is complete, or without `stand_in`: its events would
    not be sent.
    """
    path = tmp_path / "outbox.db"
    identities = filled(path, 300)
    damaged = path.read_bytes()[:-4096]
    path.write_bytes(damaged)

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("edge.delivery.database._renew", full)
        outbox, waiting = reopened(path)
        assert "free some space" in (outbox.fault or "")
        new = confirm(outbox)
        assert new in keys(outbox)
        outbox.close()
    assert path.read_bytes() == damaged
    outbox, again = reopened(path)
    assert again == waiting
    assert len(waiting) > 250
    assert set(waiting) <= set(identities)
    outbox.close()


@pytest.mark.parametrize("renamed", [("",), ("", "-wal"), ("", "-wal", "-shm")])
def test_a_power_cut_between_the_renames_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: tuple[str, ...]
) -> None:
    """Red without the look for `.new` in `open_database`, or when a log of the damaged store stays in its place."""
    path = tmp_path / "outbox.db"
    outbox = Outbox(path)
    identities = [confirm(outbox) for _ in range(5)]
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
        database.commit()
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(f"{path}{suffix}", f"{tmp_path}/copy{suffix}")
    outbox.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{tmp_path}/copy{suffix}").rename(f"{path}{suffix}")

    def power_cut(old: Path, new: Path) -> Path:
        for suffix in renamed:
            with contextlib.suppress(FileNotFoundError):
                Path(f"{old}{suffix}").rename(f"{old}.bad{suffix}")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("edge.delivery.database._swap", power_cut)
        with pytest.raises(KeyboardInterrupt):
            Outbox(path)
    outbox, waiting = reopened(path)
    assert waiting == identities
    outbox.close()


def test_another_programs_database_is_not_touched_but_set_aside(tmp_path: Path) -> None:
    """Red without the check of application_id: our tables would be made in somebody else's file."""
    path = tmp_path / "outbox.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE photos (name TEXT)")
        database.execute("INSERT INTO photos VALUES ('holiday')")
    database.close()
    outbox = Outbox(path)
    assert outbox.fault is not None
    assert "another program's database" in outbox.fault
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.db.bad") as database:
        assert database.execute("SELECT name FROM photos").fetchall() == [("holiday",)]
    database.close()


def test_a_failing_card_does_not_fill_itself_with_damaged_stores(tmp_path: Path) -> None:
    """Red without BAD_KEPT."""
    path = tmp_path / "outbox.db"
    for number in range(BAD_KEPT + 3):
        path.write_bytes(b"%d" % number * 1000)
        Outbox(path).close()
    assert len(list(tmp_path.glob("outbox.db.bad*"))) == BAD_KEPT


def test_an_empty_file_is_a_new_store(tmp_path: Path) -> None:
    """A power cut while the very first one was made. Red when size 0 counts as damage."""
    path = tmp_path / "outbox.db"
    path.touch()
    outbox = Outbox(path)
    assert outbox.fault is None
    assert confirm(outbox) in keys(outbox)
    outbox.close()


@pytest.mark.parametrize("tail", [b"", bytes(4096)], ids=["cut", "cut, then zeros"])
def test_a_log_cut_anywhere_leaves_a_prefix_of_what_was_confirmed(fast_path: Path, tail: bytes) -> None:
    """Red with `PRAGMA journal_mode = OFF`, or when an event and its counts are two transactions."""
    path = fast_path / "outbox.db"
    outbox = Outbox(path)
    identities = [confirm(outbox, b"x" * 100) for _ in range(4)]
    store, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    outbox.close()
    seen = set()
    for cut in [*range(0, len(log), 512), len(log)]:
        folder = fast_path / f"cut-{cut}"
        folder.mkdir()
        torn = folder / "outbox.db"
        torn.write_bytes(store)
        Path(f"{torn}-wal").write_bytes(log[:cut] + tail)
        again, waiting = reopened(torn)
        assert again.fault is None, f"cut at {cut}"
        assert waiting == identities[: len(waiting)], f"cut at {cut}"
        assert again.counts().confirmed == len(waiting), f"cut at {cut}"
        seen.add(len(waiting))
        again.close()
        shutil.rmtree(folder)
    assert seen == set(range(len(identities) + 1)), "every prefix was met"


_AS_NOBODY = """
import os, sys
from edge.delivery.outbox import Outbox
from edge.errors import StoreError
os.setgid(65534); os.setuid(65534)
try:
    outbox = Outbox(sys.argv[1])
    print("fault:", outbox.fault)
    outbox.confirm("coverage", lambda identity: b"{}", b"picture")
    print(outbox.counts())
    outbox.close()
except StoreError as error:
    print("StoreError:", error)
"""


def only_as_root() -> None:
    if os.getuid() != 0:
        pytest.skip("needs root to be another user")


def as_nobody(path: Path) -> str:
    only_as_root()
    for folder in (path.parent.parent, path.parent.parent.parent):  # new folders right below /dev/shm or /tmp
        if folder.name.startswith("tmp"):
            folder.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", _AS_NOBODY, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_store_that_belongs_to_somebody_else_is_set_aside(fast_path: Path) -> None:
    """Somebody ran it as root once. Red when only damaged content, not rights, leads to a new store; when the lock
    file is opened to write; without the rename of the picture folder.
    """
    only_as_root()
    path = fast_path / "data" / "outbox.db"
    path.parent.mkdir()
    filled(path, 3)
    for file in path.parent.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    path.with_name("outbox.db.lock").chmod(0o644)
    os.chown(path.parent, 65534, 65534)
    said = as_nobody(path)
    assert "set aside as outbox.db.bad" in said
    assert "StoreError" not in said
    assert "pictures_lost=0" in said


def test_in_a_folder_that_may_not_be_written_the_vehicle_drives_on_in_memory(fast_path: Path) -> None:
    """Red without `stand_in`, or without the lock on the folder where no lock file can be made."""
    path = fast_path / "data" / "outbox.db"
    path.parent.mkdir(mode=0o755)
    said = as_nobody(path)
    assert "check owner, rights and mount" in said
    assert "Counts(confirmed=1," in said


def test_a_folder_that_cannot_even_be_made_is_one_clear_line(fast_path: Path) -> None:
    """A wrong path in the configuration. Red without `except OSError` in `Outbox.__init__`."""
    only_as_root()
    fast_path.chmod(0o755)
    assert "StoreError: outbox" in as_nobody(fast_path / "no" / "data" / "outbox.db")


def test_foreign_files_and_folders_in_the_way_are_set_aside_or_left_alone(tmp_path: Path) -> None:
    """Red without `_remove`, when `PictureFolder.make` asks for a folder only, or without the scan's `except`."""
    path = tmp_path / "outbox.db"
    (path / "something").mkdir(parents=True)
    (tmp_path / "outbox.db.new").mkdir()
    (tmp_path / "outbox.db.pictures").write_text("no folder")
    (tmp_path / "outbox.db.pictures.bad" / "earlier").mkdir(parents=True)
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    outbox = Outbox(path)
    assert "set aside as outbox.db.bad" in (outbox.fault or "")
    confirm(outbox, b"picture")
    assert outbox.picture(sha(b"picture")) == b"picture"
    outbox.close()
    assert (tmp_path / "outbox.db.bad" / "something").is_dir()
    assert (tmp_path / "outbox.db.pictures.bad1").read_text() == "no folder"
    assert (tmp_path / "holiday.jpg").exists()
