# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Better places, dates, blows and looks find their sightings and cases, whichever comes first."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from depot.cases.history import looks
from depot.cases.ports import Placed
from depot.people.audit import record
from depot.store.tables import audit, cases
from messages.types import LinePosition, Shock
from tests.depot import samples
from tests.depot.cases.test_joining import pothole
from tests.depot.cases.world import Depot, at, position, when

V = "sweeper-1"
NORTH = [at(0.0, 100.0 * n) for n in range(4)]


def better(of: str, number: int, north_m: float, **more):
    made = samples.revision(number=number, position=position(0.0, north_m, 0.8))
    return replace(made, observation=of, **more)


SEEN = (V, "seen", pothole())
FIRST = (V, "first", better("seen", 1, 100.0))
SECOND = (V, "second", better("seen", 2, 200.0))


@pytest.mark.parametrize("order", list(itertools.permutations((SEEN, FIRST, SECOND))))
@pytest.mark.parametrize("at_once", [False, True])
def test_a_case_lies_where_the_highest_revision_says_whatever_came_first(lite, order, at_once):
    for said in [order] if at_once else [[one] for one in order]:
        lite.store(said)
        lite.project()
    (case,) = lite.cases()
    assert (case.lon, case.lat) == pytest.approx(NORTH[2], abs=1e-9)
    assert case.error_m == 0.8
    (one,) = lite.sightings()
    assert one.revision is not None


def test_of_two_revisions_of_one_number_the_greater_id_holds(depot):
    said = [SEEN, (V, "x-b", better("seen", 1, 100.0)), (V, "x-a", better("seen", 1, 300.0))]
    for one in said:
        depot.store([one])
        depot.project()
    (case,) = depot.cases()
    assert case.lat == pytest.approx(NORTH[1][1], abs=1e-9)


def test_nobody_else_moves_a_sighting_and_a_revision_of_nothing_does_nothing(depot):
    depot.store([SEEN, ("another", "first", better("seen", 1, 100.0)), (V, "x", better("unknown", 1, 100.0))])
    depot.project()
    (case,) = depot.cases()
    assert case.lat == pytest.approx(NORTH[0][1], abs=1e-9)


def test_what_was_seen_without_a_place_joins_its_case_once_it_has_one(depot):
    depot.hear(pothole())
    depot.store([(V, "late", pothole(position=None, boot="b1", day=1))])
    depot.project()
    assert len(depot.cases()) == 2
    depot.store([(V, "place", better("late", 1, 0.4))])
    depot.project()
    (case,) = depot.cases()
    assert case.sightings == 2
    gone = [one for one in depot.cases(merged=True) if one.state == "merged"]
    assert [one.merged_into for one in gone] == [case.number]


def test_a_sighting_that_was_joined_at_a_wrong_place_leaves_again(depot):
    depot.hear(pothole(), pothole(0.3, boot="b1", day=1))
    depot.store([(V, "wrong", pothole(0.1, boot="b2", day=2))])
    depot.project()
    assert [case.sightings for case in depot.cases()] == [3]
    depot.store([(V, "right", better("wrong", 1, 100.0))])
    depot.project()
    assert [case.sightings for case in depot.cases()] == [2, 1]
    assert depot.cases()[0].last_seen_utc.startswith("2026-05-05")


def test_a_revision_may_give_a_line_alone(depot):
    depot.store([SEEN, (V, "x", better("seen", 1, 0.0, line=LinePosition(line="U79", chainage_m=7.0, error_m=2.0)))])
    depot.project()
    (case,) = depot.cases()
    assert (case.line, case.chainage_m) == ("U79", 7.0)


UNDATED = (V, "seen", pothole(time=samples.undated(12.5)))
WRONG = (V, "wrong", samples.clock("2026-05-04T23:00:00.000Z", number=1))
RIGHT = (V, "right", samples.clock(number=2))


@pytest.mark.parametrize("order", list(itertools.permutations((UNDATED, WRONG, RIGHT))))
@pytest.mark.parametrize("at_once", [False, True])
def test_a_sighting_is_dated_by_the_highest_clock_of_its_boot_whatever_came_first(lite, order, at_once):
    for said in [order] if at_once else [[one] for one in order]:
        lite.store(said)
        lite.project()
    (case,) = lite.cases()
    assert case.first_seen_utc == case.last_seen_utc == "2026-05-04T09:58:32.500Z"


@pytest.mark.parametrize(
    "other",
    [(V, "c", samples.clock(boot="another")), ("sweeper-2", "c", samples.clock())],
    ids=["another boot", "another vehicle"],
)
def test_nobody_else_dates_it(depot, other):
    depot.store([UNDATED, other])
    depot.project()
    assert depot.cases()[0].first_seen_utc is None


def test_what_carries_utc_keeps_it(depot):
    depot.store([(V, "seen", pothole(time=samples.time_at())), RIGHT])
    depot.project()
    assert depot.cases()[0].first_seen_utc == "2026-05-04T09:30:12.250Z"


def test_being_dated_is_news_of_its_own(depot):
    depot.store([UNDATED])
    depot.project()
    before = depot.database.sequence()
    depot.store([RIGHT])
    depot.project()
    assert depot.cases()[0].changed > before


def blows(of: str, *peaks: float):
    made = [Shock(peak_mps2=peak, speed_mps=8.0, monotonic_s=12.0, observation=of) for peak in peaks]
    return samples.roughness(None, shocks=tuple(made))


@pytest.mark.parametrize("first", [True, False])
def test_the_hardest_blow_at_its_place_is_the_cases_whichever_came_first(depot, first):
    said = [(V, "seen", pothole()), (V, "felt", blows("seen", 7.0, 12.5))]
    for one in said if first else said[::-1]:
        depot.store([one])
        depot.project()
    depot.store([(V, "more", blows("seen", 3.0)), ("another", "felt", blows("seen", 99.0))])
    depot.project()
    assert depot.cases()[0].shock_mps2 == 12.5


def past(day: float, boot: str, second: float = 12.0, **more):
    path = more.pop("path", (at(-60.0), at(40.0)))
    return samples.coverage(path=path, time=when(day, second, boot), **more)


def test_passes_that_did_not_see_it_are_counted_until_it_is_seen_again(depot):
    depot.hear(pothole(), past(0, "b0"))
    assert (depot.cases()[0].looks_without, depot.cases()[0].last_look_utc) == (0, None)
    depot.hear(past(3, "b3"), past(3, "b3", 20.0), vehicle="sweeper-2")
    depot.hear(past(5, "b5"), past(6, "b6", valid=False, reason="dark"), past(7, "b7", path=(at(40.0), at(-60.0))))
    (case,) = depot.cases()
    assert (case.looks_without, case.last_look_utc) == (2, "2026-05-09T09:30:12.000Z")
    with depot.database.reading() as connection:
        seen = [(look.seen, look.vehicle) for look in looks(connection, case.number)]
    assert seen == [(False, V), (False, "sweeper-2"), (False, "sweeper-2"), (True, V)]
    depot.hear(pothole(0.2, day=8, boot="b8"))
    assert (depot.cases()[0].looks_without, depot.cases()[0].last_look_utc) == (0, None)


def test_the_sighting_of_a_look_may_come_after_it(depot):
    depot.hear(pothole(), past(3, "b3"))
    assert depot.cases()[0].looks_without == 1
    depot.hear(pothole(0.2, day=3, boot="b3", second=9.0))
    assert depot.cases()[0].looks_without == 0


def test_a_look_that_comes_undated_counts_once_it_is_dated(depot):
    depot.hear(pothole())
    undated = samples.undated(12.0, boot="late")
    depot.hear(samples.coverage(path=(at(-60.0), at(40.0)), time=undated))
    assert depot.cases()[0].looks_without == 0
    depot.hear(samples.clock("2026-06-01T10:00:00.000Z", boot="late"))
    assert (depot.cases()[0].looks_without, depot.cases()[0].last_look_utc) == (1, "2026-06-01T09:58:32.000Z")


def test_a_rejected_case_is_not_looked_for(depot):
    depot.hear(pothole())
    decide(depot, "rejected", day=1)
    depot.hear(past(3, "b3"))
    assert depot.cases()[0].looks_without == 0


def decide(depot: Depot, state: str, day: float):
    utc = when(day).utc
    with depot.database.changing() as change:
        values = {"state": state, "decided_utc": utc, "decided_by": "erika", "changed": change.next()}
        change.connection.execute(update(cases).values(values))
        record(change.connection, utc=utc, who="erika", action=state, kind="case", subject=1)


def test_what_was_repaired_and_is_seen_on_a_later_pass_is_reopened_by_the_rule(depot):
    depot.hear(pothole())
    decide(depot, "repaired", day=3)
    depot.hear(pothole(0.2, day=2, boot="b2"))  # came late, and was seen before the repair
    assert depot.cases()[0].state == "repaired"
    depot.hear(pothole(0.2, day=4, boot="b4"))
    (case,) = depot.cases()
    assert (case.state, case.decided_by, case.sightings) == ("reopened", "rule:seen-again", 3)
    with depot.database.reading() as connection:
        last = connection.execute(select(audit).order_by(audit.c.number.desc())).first()
    assert (last.who, last.action, last.subject) == ("rule:seen-again", "reopen", str(case.number))
    assert last.before == '{"state":"repaired"}'
    depot.hear(pothole(0.2, day=5, boot="b5"))
    assert depot.cases()[0].state == "reopened"


def test_what_was_rejected_stays_rejected_when_it_is_seen_again(depot):
    depot.hear(pothole())
    decide(depot, "rejected", day=1)
    depot.hear(pothole(0.2, day=4, boot="b4"))
    (case,) = depot.cases()
    assert (case.state, case.sightings) == ("rejected", 2)


class ByGrade:
    """An office for each grade; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def place(self, _connection, case):
        self.asked += 1
        return Placed(district="Mitte", road="Hauptstr.", road_class="primary", office=f"grade-{case.grade}")


def test_a_case_is_placed_anew_where_it_has_changed_and_a_chosen_office_stays(database):
    placing = ByGrade()
    depot = Depot(database, placing)
    depot.hear(pothole())
    (case,) = depot.cases()
    assert (case.district, case.road, case.office, case.office_proposed) == ("Mitte", "Hauptstr.", "grade-3", "grade-3")
    with depot.database.changing() as change:
        change.connection.execute(update(cases).values(office="mine", office_by="erika", changed=change.next()))
    worse = [replace(pothole().severity, grade=5)] * 3
    for number, severity in enumerate(worse):
        depot.hear(pothole(day=1 + number, boot=f"c{number}", severity=severity))
    (case,) = depot.cases()
    assert (case.office, case.office_proposed, case.grade) == ("mine", "grade-5", 5)
    asked = placing.asked
    depot.hear(past(30, "b30"))
    assert placing.asked == asked


def test_growth_is_told(depot):
    for number in range(6):
        size = replace(pothole().size, length_m=0.4 + 0.08 * number, width_m=0.4 + 0.08 * number, error_m=0.04)
        depot.hear(pothole(day=10.0 * number, boot=f"b{number}", size=size))
    (case,) = depot.cases()
    assert case.trend == "growing"
    assert case.length_m > 0.6
