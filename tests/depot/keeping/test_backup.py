# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What was saved comes back the same, byte for byte; what is no whole backup changes nothing."""

from __future__ import annotations

import io
import itertools
import stat
import subprocess
import tarfile
import threading
import warnings
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from depot.intake import judge
from depot.keeping import backup
from depot.keeping.archive import Reader
from depot.keeping.errors import BackupError
from depot.people import sessions, tokens, users
from depot.people.config import PeopleConfig
from depot.store.appending import append
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.pictures import PictureFolder
from depot.store.tables import cases, events
from depot.store.tables import pictures as pictures_table
from tests.depot import samples

SECRET_TABLES = {"sessions", "login_tries", "oidc_visits"}
_numbers = itertools.count()


def fill(database, pictures, start: int = 0, count: int = 12) -> None:
    """Events with their pictures, through the same door as what vehicles send."""
    items = []
    for number in range(start, start + count):
        content = samples.jpeg(number % 9, 320 + number, 180)
        ref = samples.picture_ref(content, 320 + number)
        seen = samples.observation(time=samples.time_at(float(number)), picture=ref)
        items.append(judge(samples.topic("observation"), samples.payload(seen, number)))
        items.append(judge(samples.picture_topic(content), content))
    append(database, pictures, items)


def decide(database) -> None:
    """What people did."""
    with database.changing() as change:
        users.add(change, who="test", name="anna", title="Anna Müller", role="admin", password="ein langer Weg")
        tokens.add(change, who="anna", name="qgis", role="reader")
        change.connection.execute(
            insert(cases).values({
                "number": 7, "changed": change.next(), "state": "rejected", "class": "pothole", "surface": "road",
                "sightings": 1, "passes": 1, "vehicles": 1, "looks_without": 0, "opened_utc": change.now_utc,
                "pinned": False, "reports": 0, "lon": 6.76230000000001, "lat": 51.4344, "note": "groß\nund 'breit'",
            })
        )  # fmt: skip
        sessions.begin(
            change.connection, "anna", by="password", now_utc=change.now_utc, people=PeopleConfig()
        )  # fmt: skip


def contents(database) -> dict[str, list]:
    """Every row of every table that is there, also of those that no code of ours knows."""
    found = MetaData()
    with database.reading() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PostGIS SQLAlchemy knows nothing
        found.reflect(connection)
        return {
            name: sorted(map(repr, connection.execute(select(table)).all()))
            for name, table in found.tables.items()
            if name not in SECRET_TABLES | {"spatial_ref_sys"}
        }


class Depot:
    def __init__(self, url: str, folder) -> None:
        self.database = Database(url)
        self.pictures = PictureFolder(folder / f"pictures-{next(_numbers)}")

    def made(self) -> Depot:
        if self.database.dialect == "sqlite":
            Path(self.database.engine.url.database).parent.mkdir(exist_ok=True)
        migrate(self.database)
        return self


@pytest.fixture
def new_url(request, database_url, tmp_path):
    """Addresses of further databases of the same kind."""

    def make() -> str:
        if database_url.startswith("sqlite"):
            return f"sqlite:///{tmp_path / f'other-{next(_numbers)}' / 'depot.sqlite'}"
        name = f"back_{next(_numbers)}"
        server = request.getfixturevalue("postgres_server")
        subprocess.run(["psql", "-q", server, "-c", f"CREATE DATABASE {name}"], check=True)
        request.addfinalizer(
            lambda: subprocess.run(["psql", "-q", server, "-c", f"DROP DATABASE {name} WITH (FORCE)"], check=True)
        )
        return f"{server.rpartition('/')[0]}/{name}"

    return make


@pytest.fixture
def opened():
    """Closes what a test opened, so that its databases can be dropped."""
    made: list[Depot] = []
    yield made
    for depot in made:
        depot.database.close()


@pytest.fixture
def old(database_url, tmp_path, opened):
    depot = Depot(database_url, tmp_path).made()
    opened.append(depot)
    fill(depot.database, depot.pictures)
    decide(depot.database)
    return depot


@pytest.fixture
def new(new_url, tmp_path, opened):
    depot = Depot(new_url(), tmp_path)
    opened.append(depot)
    return depot


def test_all_of_a_depot_comes_back_byte_for_byte(old, new, tmp_path):
    saved = backup.save(old.database, old.pictures, tmp_path / "b.tar")
    assert (saved.events, saved.pictures, saved.missing) == (12, 12, ())
    assert backup.restore(new.database, new.pictures, tmp_path / "b.tar") == saved
    before, after = contents(old.database), contents(new.database)
    assert {"events", "cases", "users", "tokens", "audit", "pictures", "alembic_version"} <= before.keys()
    assert all(before[name] for name in ("events", "cases", "users", "tokens", "audit", "pictures"))
    assert after == before
    with new.database.reading() as connection:
        for sha256 in connection.scalars(select(pictures_table.c.sha256)):
            assert new.pictures.read(sha256) == old.pictures.read(sha256) is not None


def test_what_came_back_works_on(old, new, tmp_path):
    """Counters go on where they were, the record of changes still takes no change, a migration finds its version."""
    backup.save(old.database, old.pictures, tmp_path / "b.tar")
    backup.restore(new.database, new.pictures, tmp_path / "b.tar")
    migrate(new.database)
    fill(new.database, new.pictures, start=8, count=8)
    with new.database.reading() as connection:
        assert len(connection.scalars(select(events.c.received)).all()) == 16, "four of them were there already"
    with new.database.changing() as change:
        tokens.revoke(change, "qgis", who="anna")
        assert change.next() == 2
    with pytest.raises(DBAPIError, match="only ever added"), new.database.writing() as connection:
        connection.execute(text("UPDATE audit SET who = 'nobody'"))


def test_nobody_is_logged_in_after_a_restore(old, new, tmp_path):
    backup.save(old.database, old.pictures, tmp_path / "b.tar")
    backup.restore(new.database, new.pictures, tmp_path / "b.tar")
    with old.database.reading() as connection:
        (key,) = connection.scalars(text("SELECT key FROM sessions")).all()
    with new.database.reading() as connection:
        assert connection.scalars(text("SELECT key FROM sessions")).all() == []
    assert key.encode() not in (tmp_path / "b.tar").read_bytes()


def test_a_backup_of_a_running_depot_is_of_one_moment(old, new, tmp_path):
    """Red if the list of pictures is read outside the transaction that the copy of the database is made of."""
    stop, started = threading.Event(), threading.Event()

    def write() -> None:
        number = 100
        while not stop.is_set():
            fill(old.database, old.pictures, start=number, count=3)
            number += 3
            started.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert started.wait(30)
        saved = backup.save(old.database, old.pictures, tmp_path / "b.tar")
    finally:
        stop.set()
        thread.join()
    back = backup.restore(new.database, new.pictures, tmp_path / "b.tar")
    assert back == saved
    with new.database.reading() as connection:
        assert len(connection.scalars(select(events.c.received)).all()) == saved.events
        assert len(connection.scalars(select(pictures_table.c.sha256)).all()) == saved.pictures == saved.events


def test_pictures_that_expired_are_not_missed_and_those_that_are_gone_are_named(old, new, tmp_path):
    with old.database.writing() as connection:
        expired, gone, damaged = connection.scalars(select(pictures_table.c.sha256).limit(3)).all()
        connection.execute(
            update(pictures_table).where(pictures_table.c.sha256 == expired).values(expired_utc="2026-01-01T00:00:00Z")
        )
    old.pictures.remove(expired)
    old.pictures.remove(gone)
    old.pictures.path(damaged).write_bytes(b"x")
    saved = backup.save(old.database, old.pictures, tmp_path / "b.tar")
    assert (saved.pictures, set(saved.missing)) == (9, {gone, damaged})
    assert set(backup.restore(new.database, new.pictures, tmp_path / "b.tar").missing) == {gone, damaged}


def test_a_backup_without_pictures_says_which_there_must_be(old, new, tmp_path):
    saved = backup.save(old.database, old.pictures, tmp_path / "b.tar", with_pictures=False)
    assert (saved.pictures, saved.missing) == (0, ())
    assert (tmp_path / "b.tar").stat().st_size < 3_000_000
    back = backup.restore(new.database, old.pictures, tmp_path / "b.tar")
    assert (back.pictures, back.missing) == (12, ()), "the pictures were saved otherwise and are there"


def test_it_is_a_plain_tar_that_only_its_owner_may_read(old, tmp_path):
    path = tmp_path / "b.tar"
    backup.save(old.database, old.pictures, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        names = tar.getnames()
    assert names[:3] == ["about.json", "database", "pictures.txt"]
    assert names[-1] == "end.json"
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")) == []


def test_nothing_is_overwritten(old, new, new_url, tmp_path, opened):
    path = tmp_path / "b.tar"
    backup.save(old.database, old.pictures, path)
    with pytest.raises(BackupError, match="is there already"):
        backup.save(old.database, old.pictures, path)
    before = contents(old.database)
    with pytest.raises(BackupError, match="is not empty"):
        backup.restore(old.database, old.pictures, path)
    assert contents(old.database) == before
    fresh = Depot(new_url(), tmp_path).made()
    opened.append(fresh)
    with pytest.raises(BackupError, match="is not empty"):
        backup.restore(fresh.database, fresh.pictures, path)


@pytest.fixture(scope="module")
def good_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    depot = Depot(f"sqlite:///{folder / 'depot.sqlite'}", folder).made()
    fill(depot.database, depot.pictures, count=4)
    backup.save(depot.database, depot.pictures, folder / "b.tar")
    depot.database.close()
    return folder / "b.tar"


def refuse(tmp_path, content: bytes, why: str = "whole backup|cannot be read|another depot") -> None:
    """Bring it back into an empty depot: one line, and nothing is there afterwards."""
    path = tmp_path / "bad.tar"
    path.write_bytes(content)
    target = tmp_path / "target"
    database = Database(f"sqlite:///{target / 'depot.sqlite'}")
    with pytest.raises(BackupError, match=why):
        backup.restore(database, PictureFolder(target / "pictures"), path)
    database.close()
    assert not target.exists()


def test_a_file_that_is_cut_short_anywhere_is_refused(good_file, tmp_path):
    whole = good_file.read_bytes()
    ends = [0, 1, 511, 512, 513, *range(1024, len(whole) - 2048, len(whole) // 40)]
    with tarfile.open(good_file) as tar:
        ends += [member.offset for member in tar]  # between two members a tar looks complete
    for end in ends:
        refuse(tmp_path, whole[:end])


def test_a_flipped_bit_anywhere_that_matters_is_refused(good_file, tmp_path):
    whole = good_file.read_bytes()
    with tarfile.open(good_file) as tar:
        for member in tar:
            for place in (member.offset + 5, member.offset_data, member.offset_data + member.size // 2):
                changed = bytearray(whole)
                changed[place] ^= 1
                refuse(tmp_path, bytes(changed))


def retarred(path, change) -> bytes:
    """The same backup with `change(name, content)` applied: None leaves a member out."""
    out = io.BytesIO()
    with tarfile.open(path) as tar, tarfile.open(fileobj=out, mode="w") as new:
        for member in tar:
            content = change(member.name, tar.extractfile(member).read())
            if content is not None:
                made = tarfile.TarInfo(member.name)
                made.size = len(content)
                new.addfile(made, io.BytesIO(content))
    return out.getvalue()


def test_a_backup_with_a_part_left_out_is_refused(good_file, tmp_path):
    with tarfile.open(good_file) as tar:
        names = tar.getnames()
    for left_out in names:
        refuse(tmp_path, retarred(good_file, lambda name, content: None if name == left_out else content))  # noqa: B023


def test_what_is_no_backup_of_ours_is_refused(good_file, tmp_path):
    for rubbish in (b"", b"x" * 5000, b"\x00" * 20_000, b"PK\x03\x04" + b"x" * 2000):
        refuse(tmp_path, rubbish, "no whole backup")
    newer = retarred(good_file, lambda name, content: b'{"version": 2}' if name == "about.json" else content)
    refuse(tmp_path, newer, "another depot")
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w") as tar:
        member = tarfile.TarInfo("database")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    refuse(tmp_path, link.getvalue(), "no plain file")
    with pytest.raises(BackupError, match="cannot be read"):
        Reader(tmp_path / "not-there").check()


def test_a_backup_of_the_other_kind_of_database_is_refused(good_file, postgres_url, tmp_path):
    database = Database(postgres_url)
    with pytest.raises(BackupError, match=r"of sqlite, and database\.url is postgresql"):
        backup.restore(database, PictureFolder(tmp_path / "p"), good_file)
    database.close()


def test_a_full_disk_is_one_line_and_leaves_nothing(old, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("depot.keeping.archive.Writer.picture", full)
    with pytest.raises(BackupError, match="No space left"):
        backup.save(old.database, old.pictures, tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()
    assert [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []
