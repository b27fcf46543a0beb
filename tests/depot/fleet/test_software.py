# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who runs what: what the depot keeps of it, on both databases, and what it shows and raises alarms about."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from depot.fleet.condition import Aim
from depot.fleet.routes import router
from depot.fleet.software import Software, heard
from depot.fleet.tables import vehicle_software
from depot.fleet.watching import Aims, FleetWatch
from depot.people.roles import Role
from depot.store.database import Database
from depot.store.tables import audit
from messages.types import Health, SystemUpdate, Time, Update
from tests.depot import samples
from tests.depot.fleet.garage import Clock, Vehicle
from tests.depot.roads.web import Web, services

R1, R2, R3 = "2026.11.1", "2026.11.2", "2026.11.3"


@pytest.fixture
def clock(database: Database) -> Clock:
    made = Clock()
    database.now_utc = made
    return made


def web(database: Database, role: Role = "admin") -> Web:
    return Web(router(services(database)), role)


def of(database: Database, name: str) -> dict[str, Any]:
    found: dict[str, Any] = web(database).json(f"/api/vehicles/{name}")
    return found


def alarms(database: Database) -> set[tuple[str, str]]:
    found = web(database).json("/api/alarms", open=True)["alarms"]
    return {(alarm["vehicle"], alarm["rule"]) for alarm in found}


def test_each_change_is_kept_once_and_nothing_else(database: Database, clock: Clock) -> None:
    vehicle, watch = Vehicle(database, clock, "bus-1"), FleetWatch(database)
    vehicle.runs(R1, "street")
    for state in ("staged", "staged", "pending", "active", "active"):
        if state == "active":
            vehicle.runs(R2, "street", "tunnel")
        vehicle.updates(R2, state)
        for _ in range(3):
            clock.pass_s(30)
            watch.run_once()
    told = [(one["release"], one["update_state"], one["models"]) for one in of(database, "bus-1")["changes"]]
    assert told == [
        (R2, "active", ["street 0.3.0", "tunnel 0.3.0"]),
        (R1, "pending", ["street 0.3.0"]),
        (R1, "staged", ["street 0.3.0"]),
    ]


def test_a_vehicle_tells_what_it_runs_since_when_and_what_its_updater_does(database: Database, clock: Clock) -> None:
    vehicle, watch = Vehicle(database, clock, "bus-1"), FleetWatch(database)
    vehicle.runs(R1, "street")
    watch.run_once()
    began = clock()
    clock.pass_s(3600)
    vehicle.updates(R2, "failed", "self-test: 3 of 9 pictures judged otherwise", attempts=2)
    failed = clock()
    watch.run_once()
    clock.pass_s(3600)
    seen = of(database, "bus-1")
    assert (seen["release"], seen["release_since_utc"], seen["models"]) == (R1, began, ["street 0.3.0"])
    assert (seen["update_release"], seen["update_state"], seen["update_attempts"]) == (R2, "failed", 2)
    assert seen["update_reason"] == "self-test: 3 of 9 pictures judged otherwise"
    assert seen["update_since_utc"] == failed


def test_old_vehicles_without_an_updater_are_shown_and_raise_no_alarm(database: Database, clock: Clock) -> None:
    vehicle = Vehicle(database, clock, "bus-1")
    vehicle.runs(None, "street")
    vehicle.says(temperature_c=50.0)
    watch = FleetWatch(database, aims=lambda *_: Aims(Aim(R2, "2020-01-01T00:00:00.000Z")))
    watch.run_once()
    seen = of(database, "bus-1")
    assert (seen["release"], seen["update_state"], seen["software"]) == (None, None, "0.1.0")
    assert alarms(database) == set()
    (row,) = web(database).json("/api/fleet/software", release="none")["vehicles"]
    assert row["vehicle"] == "bus-1"


@pytest.mark.parametrize("utc", [None, "2036-01-01T00:00:00Z", "2026-05-04T08:00:00Z"])
def test_what_comes_late_changes_nothing_unless_nobody_can_tell_that_it_is_late(
    database: Database, clock: Clock, utc: str | None
) -> None:
    vehicle, watch = Vehicle(database, clock, "bus-1"), FleetWatch(database)
    vehicle.updates(R2, "active", utc="2026-05-04T09:00:00Z")
    watch.run_once()
    vehicle.says(update=Update(release=R2, state="staged", utc=utc))
    watch.run_once()
    # Without a time, or with one from the future, what comes last is all that there is to go by.
    is_late = utc is not None and utc.startswith("2026")
    assert of(database, "bus-1")["update_state"] == ("active" if is_late else "staged")


def test_a_second_failure_is_a_change_and_a_state_that_is_said_again_is_none(database: Database, clock: Clock) -> None:
    vehicle, watch = Vehicle(database, clock, "bus-1"), FleetWatch(database)
    for state in ("failed", "failed", "staged", "staged"):
        clock.pass_s(60)
        vehicle.updates(R2, state)
        watch.run_once()
    states = [one["update_state"] for one in web(database).json("/api/fleet/changes")["changes"]]
    assert states == ["staged", "failed", "failed"]


def test_the_database_itself_refuses_to_change_the_history(database: Database, clock: Clock) -> None:
    Vehicle(database, clock, "bus-1").runs(R1)
    FleetWatch(database).run_once()
    for statement in (update(vehicle_software).values(release="x"), delete(vehicle_software)):
        with pytest.raises(DBAPIError, match="only ever added"), database.writing() as connection:
            connection.execute(statement)


def test_a_failed_a_stuck_and_an_old_release_raise_alarms_that_end(database: Database, clock: Clock) -> None:
    aim = Aim(R2, clock(), frozenset({R3}))
    watch = FleetWatch(database, aims=lambda *_: Aims(aim))
    runs = {"failed": R1, "stuck": R1, "old": R1, "fine": R2, "newer": R3}
    fleet = {name: Vehicle(database, clock, f"bus-{name}") for name in runs}

    def speak() -> None:
        for name, vehicle in fleet.items():
            vehicle.runs(runs[name])
        watch.run_once()

    fleet["failed"].updates(R2, "failed", "disk full")
    fleet["stuck"].updates(R2, "staged")
    speak()
    assert alarms(database) == {("bus-failed", "update_failed")}
    clock.pass_s(25 * 3600)
    speak()
    assert alarms(database) == {("bus-failed", "update_failed"), ("bus-stuck", "update_waits")}
    clock.pass_s(7 * 86_400)
    speak()
    behind = {(f"bus-{name}", "update_behind") for name in ("failed", "stuck", "old")}
    assert alarms(database) == {("bus-failed", "update_failed"), ("bus-stuck", "update_waits"), *behind}
    for name in ("failed", "stuck", "old"):
        runs[name] = R2
        fleet[name].updates(R2, "active")
    speak()
    assert alarms(database) == set()


def test_the_depot_raises_its_own_alarm_before_the_repository_expires(database: Database, clock: Clock) -> None:
    days = {"repository": 3.5, "repository_keys": 200.0}
    watch = FleetWatch(database, aims=lambda *_: Aims(depot=dict(days)))
    watch.run_once()
    assert alarms(database) == set()
    days["repository"] = 2.9
    watch.run_once()
    assert alarms(database) == {("depot", "repository")}
    days.clear()  # the repository was taken out of the settings
    watch.run_once()
    assert alarms(database) == set()


def test_a_retired_vehicle_is_hidden_and_comes_back_when_it_is_heard(database: Database, clock: Clock) -> None:
    vehicle, watch = Vehicle(database, clock, "bus-1"), FleetWatch(database)
    vehicle.runs(R1)
    clock.pass_s(2000)
    watch.run_once()
    assert alarms(database) == {("bus-1", "offline")}
    answer = web(database).ask("PATCH", "/api/vehicles/bus-1", json={"retired": True})
    assert answer.json()["retired_utc"] == clock()
    watch.run_once()
    assert alarms(database) == set()
    assert web(database).json("/api/vehicles")["features"] == []
    assert len(web(database).json("/api/vehicles", retired=True)["features"]) == 1
    clock.pass_s(86_400)
    watch.run_once()
    assert alarms(database) == set()
    vehicle.says()
    watch.run_once()
    assert len(web(database).json("/api/vehicles")["features"]) == 1
    with database.reading() as connection:
        rows = connection.execute(select(audit.c.who, audit.c.action, audit.c.subject)).all()
    assert [tuple(row) for row in rows] == [("maria", "retire", "bus-1"), ("rule:heard-again", "back", "bus-1")]


def test_a_retired_vehicle_comes_back_by_hand(database: Database, clock: Clock) -> None:
    Vehicle(database, clock, "bus-1").runs(R1)
    for retired in (True, True, False):
        web(database).ask("PATCH", "/api/vehicles/bus-1", json={"retired": retired})
    assert of(database, "bus-1")["retired_utc"] is None
    with database.reading() as connection:
        assert connection.scalars(select(audit.c.action)).all() == ["retire", "back"]


def test_a_group_is_set_by_who_may_and_recorded(database: Database, clock: Clock) -> None:
    Vehicle(database, clock, "bus-1").runs(R1)
    Vehicle(database, clock, "bus-2").runs(R1)
    wanted = {"json": {"group": "canary"}}
    assert web(database, "dispatcher").ask("PATCH", "/api/vehicles/bus-1", **wanted).status_code == 403
    assert web(database).ask("PATCH", "/api/vehicles/bus-1", **wanted).status_code == 200
    assert web(database).ask("PATCH", "/api/vehicles/ghost", **wanted).status_code == 404
    assert web(database).ask("PATCH", "/api/vehicles/bus-1", json={"group": "Kanari!"}).status_code == 422
    found = web(database).json("/api/fleet/software")["vehicles"]
    assert [(one["vehicle"], one["group"]) for one in found] == [("bus-1", "canary"), ("bus-2", "fleet")]
    (only,) = web(database).json("/api/fleet/software", group="canary")["vehicles"]
    assert only["vehicle"] == "bus-1"
    with database.reading() as connection:
        (row,) = connection.execute(select(audit)).all()
    assert (row.who, row.action, row.kind, row.subject) == ("maria", "group", "vehicle", "bus-1")


def test_the_table_is_filtered_and_its_csv_runs_no_formula(database: Database, clock: Clock) -> None:
    fine, failed = Vehicle(database, clock, "bus-1"), Vehicle(database, clock, "bus-2")
    fine.runs(R2, "street")
    fine.updates(R2, "active")
    failed.runs(R1, "street", software='=cmd|"/c calc"!A1')
    failed.updates(R2, "failed", "@SUM(1+1), and\na line")
    FleetWatch(database).run_once()
    found = web(database).json("/api/fleet/software", update_state="failed")["vehicles"]
    assert [one["vehicle"] for one in found] == ["bus-2"]
    answer = web(database).get("/api/fleet/software.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["vehicle"], row["release"], row["models"]) for row in rows] == [
        ("bus-1", R2, "street 0.3.0"), ("bus-2", R1, "street 0.3.0"),
    ]  # fmt: skip
    assert rows[1]["software"].startswith("'=")
    assert rows[1]["update_reason"] == "'@SUM(1+1), and\na line"


def test_the_operating_system_s_update_stands_beside_the_application_s(database: Database, clock: Clock) -> None:
    told = SystemUpdate(state="failed", version="2026.11.22", reason="=not healthy for 15 minutes")
    Vehicle(database, clock, "bus-1").says(system=told)
    Vehicle(database, clock, "bus-2").runs(R1, "street")
    FleetWatch(database).run_once()
    first, second = web(database).json("/api/fleet/software")["vehicles"]
    assert (first["system_version"], first["system_state"]) == ("2026.11.22", "failed")
    assert first["system_reason"] == "=not healthy for 15 minutes"
    assert {second[name] for name in ("system_version", "system_state", "system_reason")} == {None}
    assert of(database, "bus-1")["system_state"] == "failed"
    answer = web(database).get("/api/fleet/software.csv")
    row = next(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert (row["system_state"], row["system_reason"]) == ("failed", "'=not healthy for 15 minutes")


UTC = st.sampled_from([None, "2026-05-04T08:00:00Z", "2026-05-04T09:00:00Z", "2036-01-01T00:00:00Z"])
UPDATES = st.builds(
    Update,
    release=st.sampled_from([R1, R2]),
    state=st.sampled_from(["staged", "pending", "active", "failed"]),
    reason=st.sampled_from(["", "disk full"]),
    running=st.sampled_from([None, R1, R2]),
    attempts=st.integers(0, 2),
    utc=UTC,
)


@given(st.lists(st.one_of(st.none(), UPDATES), max_size=12))
def test_hearing_the_same_twice_is_as_good_as_once(told: list[Update | None]) -> None:
    known: Software | None = None
    for minute, one in enumerate(told):
        health = Health(time=Time(boot="b", monotonic_s=float(minute), quality="ntp"), counters={}, update=one)
        now = f"2026-05-04T09:{minute:02}:00.000Z"
        known = heard(known, "bus-1", samples.status(), health, now)
        assert heard(known, "bus-1", samples.status(), health, f"2026-05-04T10:{minute:02}:00.000Z") is known
