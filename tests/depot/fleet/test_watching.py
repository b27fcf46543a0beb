# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles and alarms over both databases and over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from depot.fleet.projection import FleetProjection
from depot.fleet.routes import router
from depot.fleet.watching import FleetWatch
from depot.people.roles import Role
from depot.store.database import Database
from depot.store.tables import audit
from messages.types import Message, Time
from tests.depot import samples
from tests.depot.fleet.garage import Clock, Vehicle
from tests.depot.roads.samples import project, store
from tests.depot.roads.web import Web, services


@pytest.fixture
def clock(database: Database) -> Clock:
    made = Clock()
    database.now_utc = made
    return made


@pytest.fixture
def vehicle(database: Database, clock: Clock) -> Vehicle:
    return Vehicle(database, clock)


def web(database: Database, role: Role = "admin") -> Web:
    return Web(router(services(database)), role)


def alarms(database: Database, **query: Any) -> list[tuple[str, bool]]:
    found = web(database).json("/api/alarms", **query)["alarms"]
    return [(alarm["rule"], alarm["ended_utc"] is None) for alarm in found]


def properties(database: Database) -> dict[str, Any]:
    (feature,) = web(database).json("/api/vehicles")["features"]
    found: dict[str, Any] = feature["properties"]
    return found


def test_a_vehicle_tells_all_that_a_technician_asks(database: Database, clock: Clock, vehicle: Vehicle) -> None:
    vehicle.says(counters={"frames_seen": 1000, "throttlings": 2})
    FleetWatch(database).run_once()
    clock.pass_s(100)
    vehicle.says(
        counters={"frames_seen": 1800, "frames_judged": 60, "events_pending": 0, "throttlings": 2, "outbox_lost": 0},
        faults=("camera: no frame for 3 s", "clock not set"),
        temperature_c=61.5,
        pace_share=1.0,
        disk_free_mb=5000.0,
        position_error_m=1.4,
        speed_mps=7.5,
    )
    clock.pass_s(20)
    seen = properties(database)
    assert seen["online"] is True
    assert seen["frame_rate_fps"] == 8.0
    assert (seen["temperature_c"], seen["throttled"], seen["disk_free_mb"]) == (61.5, False, 5000.0)
    assert (seen["position_age_s"], seen["position_error_m"], seen["queue_age_s"]) == (20.0, 1.4, 0.0)
    assert (seen["software"], seen["models"], seen["last_error"]) == ("0.1.0", [], "camera: no frame for 3 s")
    assert (seen["time_quality"], seen["health_age_s"], seen["state"]) == ("ntp", 20.0, "online")


def test_a_vehicle_that_has_said_nothing_for_long_or_goodbye_is_not_online(
    database: Database, clock: Clock, vehicle: Vehicle
) -> None:
    vehicle.says()
    clock.pass_s(181)
    assert properties(database)["online"] is False
    vehicle.is_("stopped")
    assert properties(database)["online"] is False


def test_a_frame_rate_is_never_told_over_a_restart(database: Database, clock: Clock, vehicle: Vehicle) -> None:
    vehicle.says(counters={"frames_seen": 1000})
    FleetWatch(database).run_once()
    clock.pass_s(100)
    vehicle.says(counters={"frames_seen": 1500}, boot="b2")
    assert properties(database)["frame_rate_fps"] is None


def test_what_waits_on_a_vehicle_is_at_most_as_old_as_the_newest_that_came(
    database: Database, clock: Clock, vehicle: Vehicle
) -> None:
    told = store(database, samples.observation(time=samples.time_at()))
    project(database, FleetProjection(), told)
    clock.pass_s(3600)
    vehicle.says(counters={"events_pending": 40})
    seen = properties(database)
    assert seen["queue_age_s"] == pytest.approx(3588, abs=1)
    assert seen["fix_method"] == "gnss"
    FleetWatch(database).run_once()
    assert alarms(database) == []
    clock.pass_s(60)
    vehicle.says(counters={"events_pending": 41})
    FleetWatch(database).run_once()
    assert alarms(database) == [("queue_age", True)]


def test_what_a_vehicle_says_itself_of_its_queue_and_its_fix_counts(
    database: Database, clock: Clock, vehicle: Vehicle
) -> None:
    project(database, FleetProjection(), store(database, samples.observation(time=samples.time_at())))
    vehicle.says(counters={"events_pending": 40}, queue_age_s=7.5, fix_quality=4.0)
    assert (properties(database)["queue_age_s"], properties(database)["fix_quality"]) == (7.5, "rtk_fixed")
    for none_of_ours in (2.5, 99.0, -1.0):
        vehicle.says(fix_quality=none_of_ours)
        assert properties(database)["fix_quality"] is None


def test_an_older_event_says_nothing_new_of_the_fixes(database: Database, clock: Clock, vehicle: Vehicle) -> None:
    vehicle.says(counters={"events_pending": 1})
    poor = samples.Position(lon=6.7, lat=51.4, error_m=9.0, method="dead_reckoned")
    old = Time(boot="b0", monotonic_s=1.0, quality="rtc", utc="2026-05-01T09:00:00Z")
    messages: list[Message] = [samples.observation(), samples.observation(time=old, position=poor)]
    for one in messages:
        project(database, FleetProjection(), store(database, one))
    seen = properties(database)
    assert seen["fix_method"] == "gnss"
    assert seen["queue_age_s"] < 60


def test_an_alarm_begins_goes_on_and_ends_once(database: Database, clock: Clock, vehicle: Vehicle) -> None:
    watch, began, ended = FleetWatch(database), 0, 0
    for temperature in [70, 85, 88, 91, 85, 79, 77, 81, 70, 70, 70, 70]:
        vehicle.says(temperature_c=float(temperature))
        changed = watch.run_once()
        is_on = bool(alarms(database, open=True))
        began, ended = began + changed * is_on, ended + changed * (not is_on)
        clock.pass_s(30)
    assert (began, ended) == (1, 1)
    (alarm,) = web(database).json("/api/alarms")["alarms"]
    assert (alarm["since_utc"], alarm["worst"]) == ("2026-05-04T09:30:30.000Z", 91.0)
    assert (alarm["raised_at"], alarm["unit"], alarm["title"]["de"]) == (80.0, "°C", "zu heiß")
    assert alarm["ended_utc"] is not None


def test_an_alarm_survives_a_restart_of_the_depot(database: Database, clock: Clock, vehicle: Vehicle) -> None:
    vehicle.says(temperature_c=90.0)
    FleetWatch(database).run_once()
    clock.pass_s(60)
    vehicle.says(temperature_c=90.0)
    FleetWatch(database).run_once()
    clock.pass_s(60)
    FleetWatch(database).run_once()
    assert alarms(database) == [("temperature", True)]


def test_a_silent_vehicle_raises_its_alarm_and_its_other_values_stay_as_they_are(
    database: Database, clock: Clock, vehicle: Vehicle
) -> None:
    vehicle.says(temperature_c=90.0)
    watch = FleetWatch(database)
    watch.run_once()
    clock.pass_s(1000)
    watch.run_once()
    assert alarms(database) == [("offline", True)]
    vehicle.says(temperature_c=60.0)
    watch.run_once()
    assert alarms(database) == [("offline", False)]


def test_a_vehicle_that_said_goodbye_is_not_missed(database: Database, clock: Clock, vehicle: Vehicle) -> None:
    vehicle.says()
    vehicle.is_("stopped")
    clock.pass_s(100_000)
    FleetWatch(database).run_once()
    assert alarms(database) == []


def test_readings_are_kept_once_a_minute_and_forgotten_in_time(
    database: Database, clock: Clock, vehicle: Vehicle
) -> None:
    watch = FleetWatch(database)
    for _ in range(9):
        vehicle.says(temperature_c=50.0)
        watch.run_once()
        clock.pass_s(20)
    told = web(database).json("/api/vehicles/sweeper-1")
    assert len(told["readings"]) == 3
    assert told["readings"][0]["temperature_c"] == 50.0
    clock.pass_s(49 * 3600)
    watch.run_once()
    vehicle.says()
    assert web(database).json("/api/vehicles/sweeper-1", hours=720)["readings"] == []


def test_thresholds_are_set_by_those_who_may_and_the_change_is_recorded(
    database: Database, clock: Clock, vehicle: Vehicle
) -> None:
    wanted = {"rules": [{"name": "temperature", "raise_at": 60, "clear_at": 55, "for_s": 0}]}
    assert web(database, "dispatcher").ask("PUT", "/api/alarms/rules", json=wanted).status_code == 403
    answer = web(database).ask("PUT", "/api/alarms/rules", json=wanted).json()
    (rule,) = [rule for rule in answer["rules"] if rule["name"] == "temperature"]
    assert (rule["raise_at"], rule["default"]["raise_at"]) == (60, 80)
    vehicle.says(temperature_c=61.0)
    FleetWatch(database).run_once()
    assert alarms(database) == [("temperature", True)]
    with database.reading() as connection:
        (row,) = connection.execute(audit.select()).all()
    assert (row.who, row.action, row.kind) == ("maria", "set", "alarms")


def test_rules_that_would_flap_are_refused_with_one_line(database: Database, clock: Clock) -> None:
    wanted = {"rules": [{"name": "temperature", "raise_at": 60, "clear_at": 65}]}
    answer = web(database).ask("PUT", "/api/alarms/rules", json=wanted)
    assert (answer.status_code, "must not lie above" in answer.json()["detail"]) == (422, True)
    assert web(database).json("/api/alarms/rules")["rules"][3]["raise_at"] == 80


def test_a_vehicle_that_nobody_knows_is_not_found(database: Database, clock: Clock) -> None:
    assert web(database).get("/api/vehicles/ghost").status_code == 404


def test_a_reader_for_maps_does_not_see_the_vehicles(database: Database, clock: Clock) -> None:
    for path in ("/api/vehicles", "/api/vehicles/x", "/api/alarms", "/api/alarms/rules"):
        assert web(database, "reader").get(path).status_code == 403
