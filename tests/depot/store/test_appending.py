# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What was taken in: once and only once, in any order, on both databases; pictures whole; errors to try again after."""

from __future__ import annotations

import dataclasses
import itertools
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from depot.errors import StoreError
from depot.ingest import Ingest
from depot.intake import Accepted, Intake, Refused, judge
from depot.store import every_table
from depot.store.appending import IntakeDatabase, append
from depot.store.database import Database
from depot.store.ingest_tables import boots, chunk, news, partial
from depot.store.migration import migrate
from depot.store.news import News
from depot.store.pictures import PictureFolder
from depot.store.tables import cases, events, meta, pending, pictures, refused, sightings, vehicles
from messages.types import Message, Position, Time
from tests.depot import samples


def event(data: Message, number: int = 1, vehicle: str = samples.VEHICLE) -> Intake:
    item = judge(samples.topic(type(data).__name__.lower(), vehicle), samples.payload(data, number, vehicle))
    assert isinstance(item, Accepted)
    return item


def picture(seed: int = 0) -> Intake:
    return judge(samples.picture_topic(samples.jpeg(seed)), samples.jpeg(seed))


def at(second: int) -> Time:
    return Time(boot=samples.BOOT, monotonic_s=float(second), quality="gnss", utc=f"2026-05-04T09:30:{second:02d}Z")


class Depot:
    """A database with its pictures, without a network."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.pictures = PictureFolder(folder)

    def save(self, *items: Intake) -> None:
        append(self.database, self.pictures, items)

    def rows(self, *columns: Any) -> list[tuple[Any, ...]]:
        with self.database.reading() as connection:
            return sorted((tuple(row) for row in connection.execute(select(*columns))), key=repr)

    def vehicle(self, name: str = samples.VEHICLE) -> dict[str, Any]:
        with self.database.reading() as connection:
            row = connection.execute(select(vehicles).where(vehicles.c.name == name)).one()
        found = dict(row._mapping)
        for key in ("status", "health"):
            found[key] = None if found[key] is None else msgspec.json.decode(found[key])
        return found

    def state_of(self, name: str = samples.VEHICLE) -> str:
        return str(self.vehicle(name)["status"]["state"])


@pytest.fixture
def depot(database: Database, tmp_path: Path) -> Depot:
    return Depot(database, tmp_path / "pictures")


def everything() -> list[Intake]:
    """A drive: what vehicles send in some minutes, two sessions of one boot."""
    return [
        event(samples.status("online", 1), 90),
        event(samples.status("offline", 1), 91),
        event(samples.status("online", 2), 92),
        *(event(samples.observation(time=at(n), picture=samples.picture_ref(samples.jpeg(n))), n) for n in range(4)),
        *(event(samples.revision(1, n), 30 + n) for n in (1, 3, 2)),
        event(samples.revision(3, 9), 38, "other-1"),
        event(samples.roughness(1), 40),
        event(samples.clock(), 41),
        event(samples.coverage(time=at(11)), 11),
        event(samples.coverage(time=at(12), path=(), valid=False, reason="dark"), 12),
        event(samples.health(13.0, frames=13), 0),
        event(samples.health(14.0, frames=14), 0),
        event(samples.observation(time=at(50)), 1, "other-1"),
        *(picture(n) for n in range(3)),
    ]


def _clear(database: Database) -> None:
    with database.writing() as connection:
        for table in reversed(every_table.METADATA.sorted_tables):
            if table.name in {each.name for each in (events, pending, pictures, vehicles, refused, boots, news)}:
                connection.execute(delete(table))


def state(depot: Depot) -> dict[str, Any]:
    """All that is kept, without what only tells the order of arrival."""
    with depot.database.reading() as connection:
        waiting = connection.execute(
            select(events.c.source, events.c.id).join(pending, pending.c.received == events.c.received)
        )
        all_pending = sorted(map(tuple, waiting))
    return {
        "events": depot.rows(events.c.source, events.c.id, events.c.type, events.c.payload),
        "pending": all_pending,
        "pictures": depot.rows(pictures.c.sha256, pictures.c.bytes, pictures.c.width, pictures.c.height),
        "vehicles": depot.rows(
            vehicles.c.name, vehicles.c.status, vehicles.c.health, vehicles.c.lon, vehicles.c.lat,
            vehicles.c.position_utc,
        ),
        "boots": depot.rows(boots),
    }  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_order_any_repetition_any_batches_end_in_the_same_state(depot, data):
    _clear(depot.database)
    depot.save(*everything())
    in_order = state(depot)
    _clear(depot.database)
    stream = data.draw(st.permutations(everything())) + data.draw(st.lists(st.sampled_from(everything()), max_size=15))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)) | {0, len(stream)})
    for start, end in itertools.pairwise(cuts):
        depot.save(*stream[start:end])
    assert state(depot) == in_order


def test_the_state_that_every_order_ends_in_is_the_right_one(depot):
    depot.save(*everything())
    found = state(depot)
    stored = [item for item in everything() if isinstance(item, Accepted)]
    kept = [item for item in stored if type(item.event.data).__name__ not in {"Status", "Health"}]
    assert [row[3] for row in found["events"]] == [
        item.payload for item in sorted(kept, key=lambda item: repr((item.event.source, item.event.id)))
    ], "as it came, byte by byte"
    assert found["pending"] == [(row[0], row[1]) for row in found["events"]]
    assert {row[0] for row in found["pictures"]} == {samples.sha256(samples.jpeg(n)) for n in range(3)}
    known = depot.vehicle()
    assert (known["status"]["state"], known["status"]["session"]) == ("online", 2)
    assert known["health"]["counters"] == {"frames": 14}
    assert (known["lon"], known["lat"], known["position_utc"]) == (6.7623, 51.4344, "2026-05-04T09:30:11Z")


def test_what_the_projector_took_does_not_come_back_when_it_is_sent_again(depot):
    depot.save(event(samples.observation(), 1))
    with depot.database.writing() as connection:
        connection.execute(delete(pending))
    depot.save(event(samples.observation(), 1), event(samples.observation(), 2))
    with depot.database.reading() as connection:
        assert connection.scalars(select(events.c.id).join(pending, pending.c.received == events.c.received)).all() == [
            samples.event_id(2)
        ]


def test_many_who_take_in_the_same_at_once_store_it_once(database_url, tmp_path):
    migrate(made := Database(database_url))
    made.close()
    depots = [Depot(Database(database_url), tmp_path / "pictures") for _ in range(4)]
    errors: list[BaseException] = []

    def work(number: int) -> None:
        items = everything()
        try:
            for start in range(0, 40, 5):
                turned = items[(start + number) % len(items) :] + items[: (start + number) % len(items)]
                depots[number].save(*turned)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(depots))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    # Two that change the same vehicles and pictures may be sent back by the database: then ingest tries again.
    assert [error for error in errors if not isinstance(error, StoreError)] == []
    depots[0].save(*everything())
    assert len(depots[0].rows(events)) == len({(row[1], row[2]) for row in depots[0].rows(events)}) == 13
    assert len(depots[0].rows(pending)) == 13
    for each in depots:
        each.database.close()


def test_what_was_saved_is_there_after_opening_again(database_url, tmp_path):
    database = Database(database_url)
    migrate(database)
    first = Depot(database, tmp_path)
    first.save(*everything())
    before = state(first)
    database.close()
    again = Database(database_url)
    assert state(Depot(again, tmp_path)) == before
    again.close()


def test_the_last_will_of_an_earlier_session_does_not_mark_a_newer_one_offline(depot):
    depot.save(event(samples.status("online", 7), 1), event(samples.status("offline", 6), 2))
    assert depot.state_of() == "online"
    depot.save(event(samples.status("offline", 7), 3))
    assert depot.state_of() == "offline"


def test_the_last_will_of_an_earlier_boot_does_not_mark_a_newer_one_offline(depot):
    depot.save(event(samples.status("online", 9, "boot-a"), 1), event(samples.status("online", 1, "boot-b"), 2))
    depot.save(event(samples.status("offline", 9, "boot-a"), 3))
    assert depot.state_of() == "online"
    depot.save(event(samples.status("offline", 1, "boot-b"), 4))
    assert depot.state_of() == "offline"


def test_a_last_will_is_not_the_vehicle_being_heard(depot):
    depot.save(event(samples.status("offline", 1), 1))
    assert depot.vehicle()["seen_utc"] is None
    depot.save(event(samples.health(), 2))
    assert depot.vehicle()["seen_utc"] is not None
    assert depot.vehicle()["health_utc"] == depot.vehicle()["seen_utc"]


def test_a_position_that_arrives_late_does_not_move_the_vehicle_back(depot):
    new = Position(lon=7.0, lat=51.0, error_m=1.0, method="gnss")
    depot.save(event(samples.observation(time=at(40), position=new), 1), event(samples.coverage(time=at(20)), 2))
    assert (depot.vehicle()["lon"], depot.vehicle()["lat"]) == (7.0, 51.0)


def test_an_undated_place_wins_by_coming_last_but_not_by_coming_twice(depot):
    """Red without `stored_before`: a lost acknowledgement would move the vehicle back."""
    undated = event(samples.observation(time=samples.undated(1.0)), 1)
    later = event(samples.coverage(time=samples.undated(2.0), path=((7.0, 51.0), (7.1, 51.0))), 2)
    depot.save(undated)
    depot.save(later)
    assert depot.vehicle()["lon"] == 7.1
    depot.save(undated)
    assert depot.vehicle()["lon"] == 7.1


def test_refusals_are_counted_by_reason(depot):
    depot.save(Refused("invalid", "a"), Refused("invalid", "b"), Refused("not_json", "c"))
    depot.save(Refused("invalid", "d"))
    assert depot.rows(refused.c.reason, refused.c.count) == [("invalid", 3), ("not_json", 1)]


def test_a_picture_damaged_on_the_disk_is_replaced_when_it_comes_again(depot):
    depot.save(picture())
    file = depot.pictures.path(samples.sha256(samples.jpeg()))
    file.write_bytes(b"damaged")
    depot.save(picture())
    assert file.read_bytes() == samples.jpeg()


def test_a_picture_that_retention_took_away_does_not_come_back(depot):
    depot.save(picture())
    sha256 = samples.sha256(samples.jpeg())
    with depot.database.writing() as connection:
        connection.execute(update(pictures).values(expired_utc="2026-06-01T00:00:00Z"))
    depot.pictures.path(sha256).unlink()
    depot.save(picture())
    assert depot.pictures.read(sha256) is None
    assert depot.rows(pictures.c.expired_utc) == [("2026-06-01T00:00:00Z",)]


def test_a_batch_whose_pictures_cannot_be_written_leaves_nothing_behind(depot):
    depot.pictures.path("00").parent.parent.write_text("in the way")
    with pytest.raises(StoreError, match="pictures"):
        depot.save(event(samples.observation()), picture())
    assert depot.rows(events) == []
    depot.save(event(samples.observation()))
    assert len(depot.rows(events)) == 1


def test_a_mistake_in_the_middle_of_a_batch_takes_all_of_it_back(depot):
    good, bad = event(samples.observation()), dataclasses.replace(picture(), width={"no": "number"})
    with pytest.raises((DBAPIError, TypeError)):
        depot.save(good, bad, event(samples.observation(), 2))
    assert depot.rows(events) == []
    depot.save(good)
    assert len(depot.rows(events)) == 1


def test_a_database_locked_by_another_program_is_an_error_to_try_again_after(tmp_path, monkeypatch):
    monkeypatch.setattr("depot.store.database._PATIENCE_S", 0)
    database = Database(f"sqlite:///{tmp_path / 'depot.sqlite'}")
    migrate(database)
    depot = Depot(database, tmp_path)
    other = sqlite3.connect(tmp_path / "depot.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        depot.save(event(samples.observation()))
    other.execute("COMMIT")
    depot.save(event(samples.observation()))
    assert len(depot.rows(events)) == 1
    other.close()
    database.close()


def test_a_server_that_goes_away_is_an_error_to_try_again_after(postgres_url, postgres_server, tmp_path):
    database = Database(postgres_url)
    migrate(database)
    depot = Depot(database, tmp_path)
    depot.save(event(samples.observation()))
    server = Database(postgres_server)
    with server.writing() as connection:
        name = postgres_url.rpartition("/")[2]
        gone = select(func.pg_terminate_backend(text("pid"))).select_from(text("pg_stat_activity"))
        connection.execute(gone.where(text("datname = :name")), {"name": name})
    server.close()
    ingest = Ingest(IntakeDatabase(database, depot.pictures))
    ingest._store_all([event(samples.observation(), number) for number in range(2, 5)])
    assert len(depot.rows(events)) == 4
    database.close()


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "depot.sqlite").write_bytes(b"\0" * 5000)
    database = Database(f"sqlite:///{tmp_path / 'depot.sqlite'}")
    with pytest.raises(StoreError, match=r"^[^\n]*depot\.sqlite[^\n]*$"):
        migrate(database)
    database.close()


def test_commits_to_sqlite_are_synchronous_and_in_wal(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'depot.sqlite'}")
    with database.writing() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    database.close()


def test_commits_to_postgresql_wait_for_the_disk(postgres_url):
    # fsync is the server's own setting; the tests' server does without (tests/postgres.py).
    with closing(Database(postgres_url)) as database, database.writing() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"


def test_an_arrived_picture_changes_the_case_that_shows_it_and_a_vehicle_the_sequence(depot):
    sha256 = samples.sha256(samples.jpeg())
    with depot.database.writing() as connection:
        row = {"changed": 0, "state": "new", "class": "pothole", "surface": "road", "opened_utc": "x", "sightings": 1}
        counts = {"passes": 1, "vehicles": 1, "looks_without": 0, "pinned": False, "reports": 0}
        connection.execute(insert(cases), [row | counts, row | counts])
        connection.execute(insert(sightings), [{"case": 2, "class": "pothole", "picture": sha256}])
    depot.save(picture())
    assert depot.database.sequence() == 0, "taking in does not wait for who changes what is shown"
    worker = News(depot.database)
    assert worker.run_once() == 1
    assert depot.rows(cases.c.number, cases.c.changed) == [(1, 0), (2, 2)]
    depot.save(picture())
    assert worker.run_once() == 0, "it was here before"
    depot.save(event(samples.health()), Refused("invalid", "a"))
    before = depot.database.sequence()
    assert worker.run_once() == 2
    assert depot.database.sequence() > before
    assert depot.rows(news) == []


def test_the_intake_tells_what_is_here_of_a_picture(depot):
    intake = IntakeDatabase(depot.database, depot.pictures)
    intake.save([picture()])
    assert len(depot.rows(pictures)) == 1
    assert depot.rows(partial) == depot.rows(chunk) == []
    assert depot.rows(meta.c.value) == [(0,)]
