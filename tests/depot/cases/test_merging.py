# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What people join or part stays so, and is recorded."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from depot.cases.history import history, looks, possible_duplicates
from depot.cases.merging import CannotJoinError, merge, split
from depot.store.tables import audit
from tests.depot.cases.test_following import better, past
from tests.depot.cases.test_joining import pothole
from tests.depot.cases.world import Depot, at


def both(depot: Depot, day: float = 0.0, vehicle: str = "sweeper-1", shift_m: float = 0.0) -> None:
    """A pass that sees two potholes 3 m apart."""
    boot = f"d{day:g}"
    depot.hear(
        pothole(shift_m, second=10.0, boot=boot, day=day),
        pothole(3.0 + shift_m, second=10.3, boot=boot, day=day),
        vehicle=vehicle,
    )


def do(depot: Depot, action, *values):
    with depot.database.changing() as change:
        return action(change, *values, "erika")


def test_merged_cases_are_one_and_later_passes_that_see_both_parts_open_nothing_new(depot):
    both(depot)
    first, second = depot.cases()
    do(depot, merge, first.number, second.number)
    (case,) = depot.cases()
    assert (case.number, case.sightings, case.passes, case.pinned) == (first.number, 2, 1, True)
    gone = depot.cases(merged=True)[1]
    assert (gone.state, gone.merged_into, gone.sightings) == ("merged", first.number, 0)
    for day in range(1, 5):
        both(depot, day, "sweeper-2", 0.4 * day - 1.0)
    (case,) = depot.cases()
    assert (case.sightings, case.passes, case.vehicles) == (10, 5, 2)


def test_a_split_stays_although_the_two_are_very_near(depot):
    names = depot.hear(*(pothole(0.3 * n, day=n, boot=f"b{n}") for n in range(4)))
    (case,) = depot.cases()
    taken = [one.number for one in depot.sightings()[2:]]
    new = do(depot, split, case.number, taken)
    assert [(one.number, one.sightings, one.pinned) for one in depot.cases()] == [
        (case.number, 2, True),
        (new, 2, True),
    ]
    # A better place of a sighting is no reason to move it back.
    depot.store([("sweeper-1", "better", better(names[3], 1, 0.0))])
    depot.project()
    assert [one.sightings for one in depot.cases()] == [2, 2]
    both(depot, 9.0)
    assert sum(one.sightings for one in depot.cases()) == 6
    with depot.database.reading() as connection:
        assert new not in [one.number for one in possible_duplicates(connection, case.number)]


def test_what_was_parted_may_be_joined_by_a_person_again(depot):
    depot.hear(*(pothole(0.3 * n, day=n, boot=f"b{n}") for n in range(3)))
    (case,) = depot.cases()
    new = do(depot, split, case.number, [depot.sightings()[2].number])
    do(depot, merge, case.number, new)
    assert [one.sightings for one in depot.cases()] == [3]


@pytest.mark.parametrize(
    ("action", "values", "why"),
    [
        (merge, (1, 1), "itself"),
        (merge, (1, 99), "no case 99"),
        (merge, (98, 1), "no case 98"),
        (merge, (1, 3), "on the road"),
        (split, (1, []), "name the sightings"),
        (split, (1, [99]), "no sighting 99"),
        (split, (1, [1]), "must stay"),
        (split, (99, [1]), "no case 99"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line_and_changes_nothing(depot, action, values, why):
    depot.hear(pothole(), pothole(50.0), pothole(90.0, surface="lining"))
    before = depot.cases()
    with pytest.raises(CannotJoinError, match=why):
        do(depot, action, *values)
    assert depot.cases() == before


def test_a_merged_case_can_neither_be_merged_nor_split_again(depot):
    both(depot)
    do(depot, merge, 1, 2)
    with pytest.raises(CannotJoinError, match="was merged into case 1"):
        do(depot, merge, 1, 2)
    with pytest.raises(CannotJoinError, match="was merged into case 1"):
        do(depot, split, 2, [1])


def test_history_tells_who_did_what_also_of_the_cases_that_were_merged(depot):
    both(depot)
    both(depot, 1.0)
    taken = [one.number for one in depot.sightings() if one.case == 1][:1]
    new = do(depot, split, 1, taken)
    do(depot, merge, 1, 2)
    with depot.database.reading() as connection:
        told = [(one.case, one.who, one.action, one.after) for one in history(connection, 1)]
        assert connection.execute(select(audit).where(audit.c.kind != "case")).all() == []
    assert told == [
        (1, "erika", "split", {"split": new, "taken": taken}),
        (2, "erika", "merge", {"state": "merged", "merged_into": 1}),
        (1, "erika", "merge", {"sightings": 3, "merged": 2, "taken": [2, 4]}),
    ]


def test_passes_that_looked_at_either_looked_at_the_merged_one(depot):
    both(depot)
    depot.hear(past(2, "b2", path=(at(1.5), at(40.0))), vehicle="sweeper-2")
    assert [case.looks_without for case in depot.cases()] == [0, 1]
    do(depot, merge, 1, 2)
    with depot.database.reading() as connection:
        assert [look.seen for look in looks(connection, 1)] == [False, True, True]
    assert depot.cases()[0].looks_without == 1


def test_looks_count_again_when_the_newest_sighting_was_of_another_defect(depot):
    depot.hear(pothole(), past(2, "b2"), pothole(0.2, day=4, boot="b4"))
    assert [case.looks_without for case in depot.cases()] == [0]
    do(depot, split, 1, [depot.sightings()[1].number])
    assert [case.looks_without for case in depot.cases()] == [1, 0]


def test_possible_duplicates_are_near_alike_and_nearest_first(depot):
    names = ["pothole", "pothole", "pothole", "longitudinal_crack"]
    places = [0.0, 4.0, 2.0, 1.0]
    depot.hear(
        *(pothole(x, second=10.0 + n, defect_class=c) for n, (x, c) in enumerate(zip(places, names, strict=True)))
    )
    with depot.database.reading() as connection:
        found = [(one.number, one.distance_m) for one in possible_duplicates(connection, 1)]
        assert possible_duplicates(connection, 99) == []
    assert found == [(3, 2.0), (2, 4.0)]
