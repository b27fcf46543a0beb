# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From messages to roads and days, on both databases."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from depot.roads.coverage import Period, RoadCoverage, ride_rows, roads_covered, stretch_rows
from depot.roads.matching import Matcher, waiting
from depot.roads.network import Roads
from depot.roads.projections import CoverageProjection, RoughnessProjection
from depot.roads.tables import road_days
from depot.store.database import Database
from messages.types import Clock, Time
from tests.depot import samples as telling
from tests.depot.roads.samples import CITY, import_roads, looked_at, project, store

ZONE = ZoneInfo("Europe/Berlin")
NOW = "2026-05-06T12:00:00.000Z"


@pytest.fixture
def database(database: Database) -> Database:
    database.now_utc = lambda: NOW
    import_roads(database)
    return database


def lay(database: Database, *, limit: int = 200) -> int:
    matcher, total = Matcher(database, Roads(), ZONE), 0
    while taken := matcher.run_once(limit):
        total += taken
    return total


def covered(
    database: Database, name: str = "Langstraße", first: str = "2026-05-01", last: str | None = None
) -> RoadCoverage:
    with database.reading() as connection:
        network = Roads().current(connection)
        found = roads_covered(connection, network, Period(from_day=first, to_day=last), NOW, ZONE)
    (road,) = [road for road in found if road.name == name]
    return road


def tell(database: Database, *messages: object, **about: str) -> None:
    project(database, CoverageProjection(), store(database, *messages, **about))  # type: ignore[arg-type]


def test_what_was_looked_at_is_shown_by_road_with_its_share_and_age(database: Database) -> None:
    tell(database, looked_at((0, 0), (100, 0)), looked_at((100, 0), (200, 0)))
    assert lay(database) == 2
    road = covered(database)
    assert road.valid_share == 0.5
    assert road.looked_at_m == pytest.approx(200, abs=1)
    assert road.last_looked_utc == "2026-05-04T09:30:00Z"
    assert road.age_days == pytest.approx(2.1, abs=0.05)
    never = covered(database, "Querweg")
    assert (never.valid_share, never.last_looked_utc, never.age_days) == (0.0, None, None)


def test_what_could_not_be_judged_is_told_with_its_reason(database: Database) -> None:
    tell(database, looked_at((0, 0), (200, 0), reason="dark"), looked_at((0, 0), (100, 0)))
    lay(database)
    road = covered(database)
    assert road.valid_share == 0.25
    assert road.not_judged_m == {"dark": pytest.approx(100, abs=1)}


def test_only_the_days_asked_for_count(database: Database) -> None:
    tell(database, looked_at((0, 0), (200, 0), utc="2026-04-01T09:00:00Z"), looked_at((200, 0), (300, 0)))
    lay(database)
    assert covered(database, first="2026-04-01").valid_share == 0.75
    assert covered(database, first="2026-05-01").valid_share == 0.25
    assert covered(database, first="2026-04-01", last="2026-04-30").valid_share == 0.5
    assert covered(database, first="2026-04-02", last="2026-04-30").valid_share == 0


def test_a_day_is_the_citys_day(database: Database) -> None:
    tell(database, looked_at((0, 0), (100, 0), utc="2026-05-03T22:30:00Z"))
    lay(database)
    with database.reading() as connection:
        assert connection.execute(select(road_days.c.day)).scalars().all() == ["2026-05-04"]


def test_the_lining_of_a_tunnel_is_no_road(database: Database) -> None:
    tell(database, looked_at((0, 0), (100, 0), surface="lining"))
    assert lay(database) == 1
    assert covered(database).valid_share == 0


def test_a_projection_that_meets_its_own_rows_adds_none(database: Database) -> None:
    stored = store(database, looked_at((0, 0), (100, 0)))
    for _ in range(2):
        project(database, CoverageProjection(), stored)
    with database.reading() as connection:
        assert len(stretch_rows(connection, 0, 10)) == 1
    assert lay(database) == 1


def test_two_workers_lay_each_stretch_once(database: Database) -> None:
    tell(database, *(looked_at((0, 0), (100, 0)) for _ in range(6)))
    one, other = Matcher(database, Roads(), ZONE), Matcher(database, Roads(), ZONE)
    while one.run_once(2) + other.run_once(1):
        pass
    with database.reading() as connection:
        assert connection.execute(select(road_days.c.looks)).scalar_one() == 6


def test_what_another_worker_laid_meanwhile_is_left_to_it(database: Database) -> None:
    tell(database, *(looked_at((0, 0), (100, 0)) for _ in range(3)))
    one, other = Matcher(database, Roads(), ZONE), Matcher(database, Roads(), ZONE)
    laying = one._lay

    def lay_while_the_other_does(*row: Any) -> Any:
        other.run_once(2)
        return laying(*row)

    one._lay = lay_while_the_other_does  # type: ignore[method-assign]
    one.run_once(3)
    with database.reading() as connection:
        assert connection.execute(select(road_days.c.looks)).scalar_one() == 3


def test_what_is_dated_anew_meanwhile_is_laid_with_its_new_date(database: Database) -> None:
    def clock(number: int, utc: str) -> Clock:
        return Clock(number=number, time=Time(boot="b1", monotonic_s=100.0, quality="gnss", utc=utc))

    tell(database, looked_at((0, 0), (100, 0), utc=None), clock(1, "2026-05-05T08:00:00Z"))
    matcher = Matcher(database, Roads(), ZONE)
    laying = matcher._lay

    def lay_while_a_clock_comes(*row: Any) -> Any:
        tell(database, clock(2, "2026-05-03T08:00:00Z"))
        return laying(*row)

    matcher._lay = lay_while_a_clock_comes  # type: ignore[method-assign]
    assert matcher.run_once() == 0
    lay(database)
    assert covered(database).last_looked_utc == "2026-05-03T08:00:00Z"


def test_what_was_laid_on_roads_that_are_gone_meanwhile_is_laid_again(database: Database) -> None:
    tell(database, looked_at((0, 0), (100, 0)))
    matcher = Matcher(database, Roads(), ZONE)
    laying = matcher._lay

    def lay_while_roads_are_imported(*row: Any) -> Any:
        import_roads(database, CITY[:1])
        return laying(*row)

    matcher._lay = lay_while_roads_are_imported  # type: ignore[method-assign]
    assert matcher.run_once() == 0
    matcher._lay = laying  # type: ignore[method-assign]
    assert matcher.run_once() == 1


def test_an_import_of_roads_lays_all_anew(database: Database) -> None:
    tell(database, looked_at((0, 0), (100, 0)))
    lay(database)
    before = covered(database)
    import_roads(database, CITY)
    with database.reading() as connection:
        assert waiting(connection) == 1
    assert covered(database).valid_share == 0
    lay(database)
    assert covered(database) == before


def test_what_came_undated_waits_for_its_clock_in_either_order(database: Database) -> None:
    undated = looked_at((0, 0), (100, 0), utc=None)
    clock = Clock(number=1, time=Time(boot="b1", monotonic_s=160.0, quality="gnss", utc="2026-05-05T08:01:00Z"))
    tell(database, undated)
    assert lay(database) == 0
    tell(database, clock)
    tell(database, looked_at((200, 0), (300, 0), utc=None))
    assert lay(database) == 2
    road = covered(database)
    assert road.valid_share == 0.5
    assert road.last_looked_utc == "2026-05-05T08:00:00Z"


def test_a_clock_of_another_vehicle_or_boot_dates_nothing(database: Database) -> None:
    tell(database, looked_at((0, 0), (100, 0), utc=None))
    clock = Clock(number=1, time=Time(boot="b1", monotonic_s=160.0, quality="gnss", utc="2026-05-05T08:01:00Z"))
    tell(database, clock, vehicle="bus-7")
    tell(database, Clock(number=1, time=Time(boot="b2", monotonic_s=1.0, quality="gnss", utc="2026-05-05T08:01:00Z")))
    assert lay(database) == 0


def test_a_better_clock_moves_what_it_dated_to_its_day(database: Database) -> None:
    def clock(number: int, utc: str) -> Clock:
        return Clock(number=number, time=Time(boot="b1", monotonic_s=100.0, quality="gnss", utc=utc))

    tell(database, looked_at((0, 0), (100, 0), utc=None), clock(2, "2026-05-05T08:00:00Z"))
    lay(database)
    tell(database, clock(1, "2026-05-01T08:00:00Z"))
    lay(database)
    assert covered(database).last_looked_utc == "2026-05-05T08:00:00Z", "the highest number holds"
    tell(database, clock(3, "2026-05-03T08:00:00Z"))
    lay(database)
    assert covered(database).last_looked_utc == "2026-05-03T08:00:00Z"
    assert covered(database, first="2026-05-05", last="2026-05-05").valid_share == 0


@pytest.mark.parametrize("utc", ["2026-02-30T09:00:00Z", "2099-01-01T00:00:00Z"])
def test_a_time_that_cannot_be_is_kept_and_proves_nothing(database: Database, utc: str) -> None:
    tell(database, looked_at((0, 0), (100, 0), utc=utc))
    assert lay(database) == 0
    assert covered(database).last_looked_utc is None
    with database.reading() as connection:
        assert [row.utc for row, _ in stretch_rows(connection, 0, 10)] == [utc]


def test_rides_come_with_the_date_that_their_clock_gives(database: Database) -> None:
    stored = store(database, telling.roughness(time=telling.undated()), telling.roughness(sections=(), shocks=()))
    projection = RoughnessProjection()
    project(database, projection, stored)
    project(database, projection, store(database, telling.clock()))
    with database.reading() as connection:
        ((row, felt),) = ride_rows(connection, 0, 10)
    assert row.utc == "2026-05-04T09:58:32.500Z"
    assert len(felt.sections) == 2


def test_pages_of_changes_miss_nothing(database: Database) -> None:
    tell(database, *(looked_at((0, 0), (100, 0)) for _ in range(5)))
    seen, after = [], 0
    with database.reading() as connection:
        while page := stretch_rows(connection, after, 2):
            seen += [row.received for row, _ in page]
            after = page[-1][0].changed
    assert len(seen) == len(set(seen)) == 5
