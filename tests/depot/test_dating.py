# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What came without UTC is shown with it as soon as its vehicle knows the time; the event itself stays as it came."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.dating import dated
from depot.geojson import case_feature
from depot.store.port import CaseQuery
from depot.store.sqlite import SqliteStore
from messages.types import Clock, Time
from tests.depot import samples
from tests.depot.test_migration import yesterdays
from tests.depot.test_store import event
from tests.messages.strategies import messages

__all__ = ["yesterdays"]

SEEN = event(samples.observation(time=samples.undated(12.5)), 1)
CLOCK = event(samples.clock(), 2)
WRONG = event(samples.clock("2026-05-04T23:00:00.000Z", number=1), 3)
BETTER = event(samples.clock(number=2), 4)


def shown(folder: Path, *items) -> tuple[str | None, str]:
    store = SqliteStore(folder)
    for item in items:
        store.save([item])
    (case,) = store.cases(CaseQuery())
    store.close()
    properties = case_feature(case)["properties"]
    return properties["utc"], properties["time_quality"]


def test_an_observation_is_dated_by_the_clock_of_its_boot(tmp_path):
    assert shown(tmp_path, SEEN) == (None, "unset")
    assert shown(tmp_path, CLOCK) == ("2026-05-04T09:58:32.500Z", "gnss")


@pytest.mark.parametrize("order", list(itertools.permutations((SEEN, WRONG, BETTER))))
def test_the_order_of_arrival_changes_nothing_and_the_highest_number_holds(order, tmp_path):
    assert shown(tmp_path, *order, *order) == ("2026-05-04T09:58:32.500Z", "gnss")


@pytest.mark.parametrize(
    "other",
    [event(samples.clock(boot="another"), 2), event(samples.clock(), 2, vehicle="sweeper-2")],
    ids=["another boot", "another vehicle"],
)
def test_nobody_else_dates_it(other, tmp_path):
    assert shown(tmp_path, SEEN, other) == (None, "unset")


def test_what_carries_utc_keeps_it(tmp_path):
    assert shown(tmp_path, event(samples.observation(), 1), CLOCK) == ("2026-05-04T09:30:12.250Z", "gnss")


def test_coverage_and_roughness_are_dated_too_and_everything_dated_is_news_of_its_own(tmp_path):
    store = SqliteStore(tmp_path)
    undated = [samples.undated(second) for second in (10.0, 11.0, 12.0, 13.0)]
    made = [samples.observation(time=undated[0]), samples.observation(time=undated[1])]
    made += [samples.coverage(time=undated[2]), samples.roughness(None, time=undated[3])]
    store.save([event(message, 10 + number) for number, message in enumerate(made)])
    before = store.sequence()
    store.save([CLOCK])
    cases = store.cases(CaseQuery(after=before))
    (stretch,) = store.coverage(after=before, limit=10)
    (ride,) = store.roughness(after=before, limit=10)
    times = [case.observation.time for case in cases] + [stretch.coverage.time, ride.roughness.time]
    assert [time.utc for time in times] == [f"2026-05-04T09:58:3{second}.000Z" for second in (0, 1, 2, 3)]
    # Page by page: no two changes share a number.
    changes = [*(case.changed for case in cases), stretch.changed, ride.changed]
    assert len(set(changes)) == 4
    assert max(changes) <= store.sequence()
    store.close()
    with sqlite3.connect(tmp_path / "depot.sqlite") as connection:
        (payload,) = connection.execute("SELECT payload FROM events WHERE id LIKE '%10'").fetchone()
    connection.close()
    assert payload == samples.payload(made[0], 10)


def test_what_an_earlier_depot_stored_undated_is_dated_by_a_clock_that_comes_now(yesterdays):
    store = SqliteStore(yesterdays)
    store.save([event(samples.clock(), 9)])
    (stretch,) = store.coverage(after=2, limit=10)
    assert stretch.coverage.time.utc == "2026-05-04T09:58:32.500Z"
    store.close()


@given(messages(Time), messages(Clock))
def test_any_clock_and_any_time_give_a_time_that_a_message_could_carry(time, clock):
    found = dated(time, clock)
    assert (found.boot, found.monotonic_s) == (time.boot, time.monotonic_s)
    assert found == time or (found.utc is not None and len(found.utc) == len("2026-05-04T09:58:32.500Z"))


@given(st.floats(-1e6, 1e6), st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"))
def test_at_its_own_moment_a_clock_tells_its_own_utc(monotonic_s, utc):
    clock = samples.clock(utc, monotonic_s=monotonic_s)
    assert dated(samples.undated(monotonic_s), clock).utc == utc


def test_a_time_of_another_boot_and_one_with_utc_stay_as_they_are():
    assert dated(samples.undated(boot="another"), samples.clock()).utc is None
    assert dated(samples.time_at(), samples.clock()) == samples.time_at()
    assert dated(samples.undated(), samples.clock("2026-02-30T10:00:00Z")).utc is None
