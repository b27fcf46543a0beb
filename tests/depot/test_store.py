# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The SQLite store: once and only once, in any order; pictures whole; errors as one line."""

from __future__ import annotations

import dataclasses
import itertools
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depot.errors import StoreError
from depot.intake import Accepted, Intake, Refused, judge
from depot.store import schema
from depot.store.port import Bbox, CaseQuery
from depot.store.sqlite import SqliteStore
from messages.types import LinePosition, Message, Position, Time
from tests.depot import samples


@pytest.fixture
def store(tmp_path):
    made = SqliteStore(tmp_path)
    yield made
    made.close()


def event(data: Message, number: int = 1, vehicle: str = samples.VEHICLE) -> Intake:
    item = judge(samples.topic(type(data).__name__.lower(), vehicle), samples.payload(data, number, vehicle))
    assert isinstance(item, Accepted)
    return item


def picture(seed: int = 0) -> Intake:
    return judge(samples.picture_topic(samples.jpeg(seed)), samples.jpeg(seed))


def at(second: int) -> Time:
    return Time(boot=samples.BOOT, monotonic_s=float(second), quality="gnss", utc=f"2026-05-04T09:30:{second:02d}Z")


def everything() -> list[Intake]:
    """A drive: what a vehicle sends in some minutes, two sessions of one boot."""
    tunnel = LinePosition(line="U79", chainage_m=1200.0, error_m=3.0)
    harder = msgspec.structs.replace(samples.roughness().shocks[0], peak_mps2=99.0)
    return [
        event(samples.status("online", 1), 90),
        event(samples.status("offline", 1), 91),
        event(samples.status("online", 2), 92),
        *(event(samples.observation(time=at(n), picture=samples.picture_ref(samples.jpeg(n))), n) for n in range(4)),
        event(samples.observation(time=at(10), position=None, line=tunnel), 10),
        # The second one as this vehicle knew it at last; one for what never came; one by another vehicle.
        event(samples.revision(1, 1, heading_deg=90.0), 30),
        event(samples.revision(1, 3, line=tunnel), 32),
        event(samples.revision(1, 2), 31),
        event(samples.revision(2, 1), 34),
        event(samples.revision(2, 1, heading_deg=7.0), 35),
        event(samples.revision(10, 1, position=None, line=msgspec.structs.replace(tunnel, chainage_m=1190.0)), 36),
        event(samples.revision(77, 1), 37),
        event(samples.revision(3, 9), 38, "other-1"),
        event(samples.roughness(1), 40),
        event(samples.roughness(None, sections=(), shocks=()), 41),
        event(samples.roughness(1, shocks=(harder,)), 42, "other-1"),
        event(samples.coverage(time=at(11)), 11),
        event(samples.coverage(time=at(12), path=(), valid=False, reason="dark"), 12),
        event(samples.health(13.0, frames=13), 0),
        event(samples.health(14.0, frames=14), 0),
        *(picture(n) for n in range(3)),
    ]


def state(store: SqliteStore) -> tuple[Any, ...]:
    """All that is kept, without what only tells the order of arrival."""
    cases = [
        msgspec.structs.replace(case, number=0, changed=0, received_utc="") for case in store.cases(CaseQuery(limit=-1))
    ]
    moved = {case.event for case in store.cases(CaseQuery(bbox=Bbox(6, 51.43465, 7, 51.4348), limit=-1))}
    rides = sorted((r.vehicle, repr(r.roughness)) for r in store.roughness(after=0, limit=-1))
    stretches = sorted((s.vehicle, repr(s.coverage)) for s in store.coverage(after=0, limit=-1))
    vehicles = [msgspec.structs.replace(vehicle, seen_utc=None) for vehicle in store.vehicles()]
    summary = msgspec.structs.replace(store.summary(), sequence=0)
    return sorted(cases, key=repr), moved, stretches, rides, vehicles, summary


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    store = SqliteStore(tmp_path_factory.mktemp("reference"))
    store.save(everything())
    yield state(store)
    store.close()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_order_any_repetition_any_batches_end_in_the_same_state(in_order, data):
    all_of_it = everything()
    stream = data.draw(st.permutations(all_of_it)) + data.draw(st.lists(st.sampled_from(all_of_it), max_size=15))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)) | {0, len(stream)})
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder))
        try:
            for start, end in itertools.pairwise(cuts):
                store.save(stream[start:end])
            assert state(store) == in_order
        finally:
            store.close()


def test_the_state_that_every_order_ends_in_is_the_right_one(in_order):
    cases, moved, _, rides, _, summary = in_order
    by_event = {case.event: case for case in cases}
    second, third, fourth = (by_event[samples.event_id(number)] for number in (1, 2, 3))
    assert (second.revision, second.observation.position.lat, second.observation.position.revised) == (3, 51.4347, True)
    assert second.observation.heading_deg == 87.0, "as observed: the revision that holds says nothing of it"
    assert second.observation.line.line == "U79"
    assert second.first_position == samples.observation().position
    assert second.shock_mps2 == 12.5
    assert (third.revision, third.observation.heading_deg) == (1, 7.0), "of two with one number that of the greater id"
    assert (fourth.revision, fourth.shock_mps2) == (0, None), "nobody moves what another vehicle saw"
    assert fourth.observation.position == samples.observation().position
    tunnel = by_event[samples.event_id(10)].observation
    assert (tunnel.position, tunnel.line.chainage_m) == (None, 1190.0)
    assert moved == {samples.event_id(1)}
    assert (summary.revisions, summary.revisions_waiting, summary.roughness) == (8, 2, 2)
    assert len(rides) == 2


def test_a_revision_waits_for_its_observation_also_over_a_restart(tmp_path):
    first = SqliteStore(tmp_path)
    first.save([event(samples.revision(1, 2), 20)])
    assert (first.summary().cases, first.summary().revisions_waiting) == (0, 1)
    first.close()
    second = SqliteStore(tmp_path)
    second.save([event(samples.observation(), 1)])
    (case,) = second.cases(CaseQuery())
    assert (case.revision, case.observation.position.lat) == (2, 51.4346)
    assert second.summary().revisions_waiting == 0
    second.close()


def test_a_case_changes_when_it_is_revised_and_only_then(store):
    store.save([event(samples.observation(), 1), event(samples.observation(), 2)])
    before = store.sequence()
    store.save([event(samples.revision(1, 2), 20)])
    assert [case.number for case in store.cases(CaseQuery(after=before))] == [1]
    before = store.sequence()
    store.save([event(samples.revision(1, 2), 20), event(samples.revision(1, 1), 19)])
    assert store.cases(CaseQuery(after=before)) == [], "twice, or an older one that was late"


def test_a_case_without_position_gets_one_by_revision(store):
    store.save([event(samples.observation(position=None), 1)])
    assert store.summary().cases_without_position == 1
    store.save([event(samples.revision(1, 1), 20)])
    assert store.summary().cases_without_position == 0
    assert [case.number for case in store.cases(CaseQuery(bbox=Bbox(6, 51, 7, 52)))] == [1]


def test_every_place_that_was_ever_told_stays(store):
    store.save([event(samples.observation(), 1), *(event(samples.revision(1, n), 20 + n) for n in (2, 1, 3))])
    history = store._writer.execute(
        "SELECT number, json_extract(payload, '$.data.position.lat') FROM revisions JOIN events USING (received)"
        " UNION SELECT 0, json_extract(payload, '$.data.position.lat') FROM observations JOIN events USING (received)"
    ).fetchall()
    assert history == [(0, 51.4344), (1, 51.4345), (2, 51.4346), (3, 51.4347)]


def test_a_shock_changes_the_case_that_it_confirms(store):
    store.save([event(samples.observation(), 1), event(samples.observation(), 2)])
    before = store.sequence()
    store.save([event(samples.roughness(2), 20)])
    assert [(case.number, case.shock_mps2) for case in store.cases(CaseQuery(after=before))] == [(2, 12.5)]


def test_what_was_saved_is_there_after_opening_again(tmp_path, in_order):
    first = SqliteStore(tmp_path)
    first.save(everything())
    first.close()
    second = SqliteStore(tmp_path)
    assert state(second) == in_order
    second.close()


def test_the_last_will_of_an_earlier_session_does_not_mark_a_newer_one_offline(store):
    store.save([event(samples.status("online", 7), 1), event(samples.status("offline", 6), 2)])
    assert store.vehicles()[0].state == "online"
    store.save([event(samples.status("offline", 7), 3)])
    assert store.vehicles()[0].state == "offline"


def test_the_last_will_of_an_earlier_boot_does_not_mark_a_newer_one_offline(store):
    store.save([event(samples.status("online", 9, "boot-a"), 1), event(samples.status("online", 1, "boot-b"), 2)])
    store.save([event(samples.status("offline", 9, "boot-a"), 3)])
    assert store.vehicles()[0].state == "online"
    store.save([event(samples.status("offline", 1, "boot-b"), 4)])
    assert store.vehicles()[0].state == "offline"


def test_a_last_will_is_not_the_vehicle_being_heard(store):
    store.save([event(samples.status("offline", 1), 1)])
    assert store.vehicles()[0].seen_utc is None
    store.save([event(samples.health(), 2)])
    assert store.vehicles()[0].seen_utc is not None


def test_a_position_that_arrives_late_does_not_move_the_vehicle_back(store):
    new = Position(lon=7.0, lat=51.0, error_m=1.0, method="gnss")
    store.save([event(samples.observation(time=at(40), position=new), 1), event(samples.coverage(time=at(20)), 2)])
    assert (store.vehicles()[0].lon, store.vehicles()[0].lat) == (7.0, 51.0)


def test_cases_are_found_by_box_class_and_change(store):
    places = {1: (6.70, 51.40), 2: (6.80, 51.45), 3: (179.9, 0.0), 4: (-179.9, 0.0)}
    for number, (lon, lat) in places.items():
        where = Position(lon=lon, lat=lat, error_m=1.0, method="gnss")
        store.save([event(samples.observation(position=where, defect_class=f"kind-{number % 2}"), number)])
    store.save([event(samples.observation(position=None), 5)])

    def found(**query: object) -> list[int]:
        return [case.number for case in store.cases(CaseQuery(**query))]  # type: ignore[arg-type]

    assert found() == [5, 4, 3, 2, 1]
    assert found(limit=2) == [5, 4]
    assert found(bbox=Bbox(6.75, 51, 7, 52)) == [2]
    assert found(bbox=Bbox(6.70, 51.40, 6.70, 51.40)) == [1]
    assert found(bbox=Bbox(6.7000001, 51.40, 6.7000002, 51.41)) == []
    assert found(bbox=Bbox(179, -1, -179, 1)) == [4, 3]
    assert found(classes=("kind-1",)) == [3, 1]
    changed = [case.changed for case in store.cases(CaseQuery(after=0))]
    assert changed == sorted(set(changed))
    assert found(after=changed[2]) == [4, 5]


def test_a_case_changes_when_its_picture_arrives(store):
    store.save([event(samples.observation(picture=samples.picture_ref(samples.jpeg())))])
    before = store.sequence()
    assert [case.picture_stored for case in store.cases(CaseQuery())] == [False]
    assert store.summary().pictures_awaited == 1
    store.save([picture()])
    assert [case.picture_stored for case in store.cases(CaseQuery(after=before))] == [True]
    assert store.summary().pictures_awaited == 0


def test_refusals_are_counted_by_reason(store):
    store.save([Refused("invalid", "a"), Refused("invalid", "b"), Refused("not_json", "c")])
    assert store.summary().refused == {"invalid": 2, "not_json": 1}


def test_a_picture_damaged_on_the_disk_is_replaced_when_it_comes_again(store, tmp_path):
    store.save([picture()])
    (file,) = tmp_path.glob("pictures/*/*.jpg")
    file.write_bytes(b"damaged")
    store.save([picture()])
    assert store.picture(samples.sha256(samples.jpeg())) == samples.jpeg()


def test_a_batch_that_cannot_be_written_leaves_nothing_behind(store, tmp_path):
    (tmp_path / "pictures").write_text("in the way")
    with pytest.raises(StoreError, match="pictures"):
        store.save([event(samples.observation()), picture()])
    assert store.summary().events == 0
    store.save([event(samples.observation())])
    assert store.summary().events == 1


def test_a_mistake_in_the_middle_of_a_batch_takes_all_of_it_back(store):
    good, bad = event(samples.observation()), dataclasses.replace(picture(), width=[])  # a list fits into no column
    with pytest.raises(sqlite3.Error):
        store.save([good, bad, event(samples.observation(), 2)])
    assert store.summary().events == 0
    store.save([good])
    assert store.summary().events == 1


def test_a_database_locked_by_another_program_is_an_error_to_try_again_after(tmp_path):
    store = SqliteStore(tmp_path)
    other = sqlite3.connect(tmp_path / "depot.sqlite", isolation_level=None)
    store._writer.execute("PRAGMA busy_timeout = 1")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.save([event(samples.observation())])
    other.execute("COMMIT")
    store.save([event(samples.observation())])
    assert store.summary().events == 1
    other.close()
    store.close()


def test_a_file_that_is_no_database_is_one_clear_error(tmp_path):
    (tmp_path / "depot.sqlite").write_bytes(b"\0" * 5000)
    with pytest.raises(StoreError, match=r"depot\.sqlite"):
        SqliteStore(tmp_path)


def test_a_file_of_a_newer_depot_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "depot.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="newer depot"):
        SqliteStore(tmp_path)


def test_commits_are_synchronous_and_in_wal(store):
    assert store._writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._writer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
