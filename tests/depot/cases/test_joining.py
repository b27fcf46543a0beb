# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One case for each physical defect, whatever passes it was seen on and in whatever order their words arrive."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict

import pytest
from sqlalchemy import select, update

from depot.cases.joining import join_report
from depot.cases.records import Seen
from depot.store.tables import audit, cases, events
from messages.types import LinePosition, LiningPlace, Size
from tests.depot import samples
from tests.depot.cases.world import Defect, Depot, Errors, NoPlacing, at, drive, position, street, when

USUAL = Errors()


def pothole(
    east_m: float = 0.0, north_m: float = 0.0, *, day: float = 0.0, second: float = 10.0, boot: str = "b0", **more
):
    error_m = more.pop("error_m", 1.0)
    values = {"position": position(east_m, north_m, error_m), "time": when(day, second, boot), "heading_deg": 90.0}
    return samples.observation(**(values | more))


def partition(depot: Depot) -> set[frozenset[str]]:
    """Which events became one case."""
    with depot.database.reading() as connection:
        names = {row.received: f"{row.source}/{row.id}" for row in connection.execute(select(events))}
    found = defaultdict(set)
    for one in depot.sightings():
        found[one.case].add(names[one.received])
    return {frozenset(group) for group in found.values()}


def on_many_passes(defects, seed: int, errors: Errors = USUAL, passes: int = 10):
    """What three vehicles say on ten passes, with the defect of each event."""
    said, truth = [], {}
    for number in range(passes):
        vehicle = f"vehicle-{number % 3}"
        for index, (message, defect) in enumerate(drive(defects, 100 * seed + number, 2.0 * number, errors)):
            name = f"p{number}-{index:03d}"
            said.append((vehicle, name, message))
            truth[f"wegewart/{vehicle}/{name}"] = defect
    return said, truth


def true_groups(truth) -> set[frozenset[str]]:
    found = defaultdict(set)
    for name, defect in truth.items():
        found[defect].add(name)
    return {frozenset(group) for group in found.values()}


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_passes_of_three_vehicles_give_one_case_for_each_defect(depot, seed):
    said, truth = on_many_passes(street(seed, length_m=300.0), seed)
    depot.store(said)
    depot.project()
    assert partition(depot) == true_groups(truth)


def test_two_potholes_three_metres_apart_stay_two_on_ten_passes_that_come_word_by_word(lite):
    defects = [Defect(20.0 + 3.0 * n, 0.0) for n in range(2)]
    said, truth = on_many_passes(defects, 3, Errors(missed=0.0))
    for one in said:
        lite.store([one])
        lite.project()
    assert partition(lite) == true_groups(truth)
    assert sorted(case.sightings for case in lite.cases()) == [10, 10]
    assert sorted(case.vehicles for case in lite.cases()) == [3, 3]


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_neither_the_order_within_a_pass_nor_the_size_of_batches_changes_which_are_one(lite, batch):
    said, truth = on_many_passes(street(4, length_m=150.0), 4, passes=5)
    random.Random(batch).shuffle(said)
    lite.projector._batch = batch
    lite.store(said)
    lite.project()
    assert partition(lite) == true_groups(truth)


def test_a_case_has_its_ten_sightings_with_the_surest_picture_in_front(depot):
    picture = samples.picture_ref(samples.jpeg())
    for number in range(10):
        score = 0.95 if number == 4 else 0.6
        seen = pothole(0.1 * number, boot=f"b{number}", day=number, score=score, picture=picture)
        depot.hear(seen, vehicle=f"vehicle-{number % 3}")
    (case,) = depot.cases()
    assert (case.sightings, case.passes, case.vehicles) == (10, 10, 3)
    best = next(one for one in depot.sightings() if one.received == case.best)
    assert (best.score, case.score) == (0.95, 0.95)
    assert (case.first_seen_utc, case.last_seen_utc) == ("2026-05-04T09:30:10.000Z", "2026-05-13T09:30:10.000Z")
    assert case.error_m < 0.5


def test_what_a_vehicle_kept_apart_on_one_pass_is_two_defects_however_near(depot):
    depot.hear(pothole(0.0, second=10.0), pothole(0.4, second=10.2))
    assert [case.sightings for case in depot.cases()] == [1, 1]
    depot.hear(pothole(0.2, second=500.0, boot="b1", day=1))
    assert sorted(case.sightings for case in depot.cases()) == [1, 2]


def test_a_later_pass_of_the_same_boot_is_another_pass(depot):
    depot.hear(pothole(0.0, second=10.0), pothole(0.3, second=900.0))
    (case,) = depot.cases()
    assert (case.sightings, case.passes, case.vehicles) == (2, 2, 1)


def test_the_first_sighting_of_a_pass_goes_to_its_true_case_once_the_second_tells_the_shift(lite):
    lite.hear(pothole(0.0, second=10.0), pothole(3.0, second=10.3))
    first, second = lite.cases()
    # 1.6 m further east than true: the first alone is nearer to the second case.
    lite.hear(pothole(1.7, second=10.0, boot="b1", day=1), vehicle="vehicle-2")
    assert [case.sightings for case in lite.cases()] == [1, 2]
    lite.hear(pothole(4.7, second=10.3, boot="b1", day=1), vehicle="vehicle-2")
    assert [case.sightings for case in lite.cases()] == [2, 2]
    homes = Counter(one.case for one in lite.sightings())
    assert homes == {first.number: 2, second.number: 2}


def test_a_new_defect_beside_a_known_one_opens_a_case_when_the_pass_tells_them_apart(lite):
    known = [pothole(20.0 * n, second=2.0 * n) for n in range(4)]
    lite.hear(*known)
    again = [pothole(20.0 * n + 1.0, second=2.0 * n, boot="b1", day=1) for n in range(4)]
    again.append(pothole(23.2, second=2.2, boot="b1", day=1))  # 2.2 m from where the second one is on this pass
    lite.hear(*again, vehicle="vehicle-2")
    assert sorted(case.sightings for case in lite.cases()) == [1, 2, 2, 2, 2]


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 1),
        ({"defect_class": "longitudinal_crack"}, 2),
        ({"position": position(30.0)}, 2),
        ({"surface": "lining"}, 2),
        ({"position": position(3.0, error_m=25.0)}, 2),
        ({"position": None}, 2),
    ],
    ids=["the same", "another class", "far", "on the wall", "it may be anywhere", "nowhere"],
)
def test_only_a_like_defect_at_a_like_place_is_joined(depot, changes, count):
    depot.hear(pothole(), pothole(**({"boot": "b1", "day": 1.0} | {"position": position(0.5)} | changes)))
    assert len(depot.cases()) == count


def test_kinds_of_cracks_that_a_detector_confuses_are_one_case_of_the_surer_kind(depot):
    size = Size(length_m=2.0, width_m=0.4, error_m=0.1)
    for number, (label, score) in enumerate([("transverse_crack", 0.5), ("alligator_crack", 0.9)]):
        depot.hear(pothole(0.3 * number, boot=f"b{number}", day=number, defect_class=label, score=score, size=size))
    (case,) = depot.cases()
    assert (case.sightings, case.defect_class) == (2, "alligator_crack")


def test_nobody_joins_the_other_carriageway_at_the_edge_of_the_errors(lite):
    lite.hear(pothole(), pothole(0.0, 4.2, boot="b1", day=1))
    assert len(lite.cases()) == 1
    lite.hear(pothole(100.0), pothole(100.0, 4.2, boot="b2", day=1, heading_deg=270.0))
    assert len(lite.cases()) == 3


def wall(chainage_m: float, clock: float = 2.0, *, number: int = 0, line: str = "U79", track: str | None = "1", **more):
    place = LinePosition(line=line, chainage_m=chainage_m, error_m=3.0, track=track, side=more.pop("side", None))
    lining = LiningPlace(clock=clock, height_m=2.0, side="right" if clock < 6 else "left")
    return samples.observation(
        defect_class="spalling", surface="lining", position=None, line=place, lining=lining,
        time=when(number, 10.0 + number, f"b{number}"), heading_deg=None, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("other", "count"),
    [
        (wall(103.0, number=1), 1),
        (wall(103.0, 2.3, number=1), 1),
        (wall(103.0, number=1, track=None), 1),
        (wall(103.0, 5.0, number=1), 2),
        (wall(103.0, 10.0, number=1), 2),
        (wall(140.0, number=1), 2),
        (wall(103.0, number=1, line="U80"), 2),
        (wall(103.0, number=1, track="2"), 2),
    ],
    ids=[
        "same place",
        "a little higher",
        "track unknown",
        "lower",
        "other wall",
        "far",
        "another line",
        "another track",
    ],
)
def test_in_a_tunnel_line_track_chainage_and_clock_say_what_is_one(depot, other, count):
    depot.hear(wall(100.0), other)
    assert len(depot.cases()) == count


def test_a_wall_seen_from_both_directions_is_one(depot):
    depot.hear(wall(100.0, 2.0, side="right"), wall(101.0, 10.0, number=1, side="right"))
    (case,) = depot.cases()
    assert (case.sightings, case.side) == (2, "right")
    assert case.chainage_m == pytest.approx(100.5)


def test_a_tunnel_pass_that_is_shifted_as_a_whole_still_finds_its_neighbours(lite):
    places = [100.0, 104.0, 111.0, 113.0]
    lite.hear(*(wall(place).__class__(**fields(wall(place), 1.0 * n, "b0")) for n, place in enumerate(places)))
    shifted = [wall(place + 4.0, number=1) for place in places]
    lite.hear(*(one.__class__(**fields(one, 1.0 * n, "b1")) for n, one in enumerate(shifted)))
    assert sorted(round(case.chainage_m, 1) for case in lite.cases()) == [102.0, 106.0, 113.0, 115.0]


def fields(one, second: float, boot: str):
    values = {name: getattr(one, name) for name in one.__struct_fields__}
    return values | {"time": when(int(boot[1:]), second, boot)}


def report(east_m: float = 0.0, name: str = "r1", error_m: float = 8.0, **more) -> Seen:
    lon, lat = at(east_m)
    values = {"defect_class": "pothole", "report": name, "lon": lon, "lat": lat, "error_m": error_m, "score": 0.7}
    return Seen(**(values | more))


def test_a_citizens_report_joins_the_case_that_it_shows_and_only_once(depot):
    depot.hear(pothole())
    for _ in range(2):
        with depot.database.changing() as change:
            number = join_report(change, report(5.0, utc="2026-06-01T10:00:00.000Z"), NoPlacing())
    (case,) = depot.cases()
    assert (number, case.sightings, case.reports, case.vehicles) == (case.number, 2, 1, 1)
    assert case.last_seen_utc == "2026-06-01T10:00:00.000Z"
    assert case.best is not None


def test_a_report_of_something_new_opens_a_case_and_vehicles_find_it(depot):
    with depot.database.changing() as change:
        number = join_report(change, report(), NoPlacing())
    (case,) = depot.cases()
    assert (case.number, case.reports, case.best, case.sightings) == (number, 1, None, 1)
    depot.hear(pothole(4.0, day=40))
    (case,) = depot.cases()
    assert (case.sightings, case.passes) == (2, 2)
    assert case.best is not None


def test_an_emptied_case_is_told_as_merged_and_recorded(lite):
    lite.hear(pothole(0.0, second=10.0), pothole(3.0, second=10.3))
    # Nothing tells which of the two it is, and its errors are such that it is rather none of them.
    lite.hear(pothole(1.5, 5.5, second=10.0, boot="b1", day=1), vehicle="vehicle-2")
    assert len(lite.cases()) == 3
    more = [pothole(4.5, 5.5, second=10.3, boot="b1", day=1)]
    lite.hear(*more, vehicle="vehicle-2")
    gone = [case for case in lite.cases(merged=True) if case.state == "merged"]
    assert [case.sightings for case in lite.cases()] == [2, 2]
    assert [case.merged_into for case in gone] == [lite.cases()[0].number]
    with lite.database.reading() as connection:
        (row,) = connection.execute(select(audit)).all()
    assert (row.who, row.action, row.subject) == ("rule:joining", "merge", str(gone[0].number))


def test_a_name_with_a_nul_is_taken_by_either_database(depot):
    names = depot.hear(pothole(defect_class="pot\0hole"))
    depot.store([("sweeper-1", "better", samples.revision().__class__(**revised(names[0])))])
    depot.project()
    (case,) = depot.cases()
    assert (case.defect_class, round(case.error_m, 1)) == ("pot\ufffdhole", 0.9)


def revised(of: str):
    made = samples.revision()
    return {name: getattr(made, name) for name in made.__struct_fields__} | {"observation": of}


def test_every_change_of_a_case_takes_a_number_of_its_own(depot):
    depot.hear(pothole(0.0), pothole(50.0))
    before = {case.number: case.changed for case in depot.cases()}
    depot.hear(pothole(0.3, boot="b1", day=1))
    first, second = depot.cases()
    assert second.changed == before[second.number]
    assert first.changed > max(before.values())
    numbers = [case.changed for case in depot.cases()]
    assert len(set(numbers)) == 2
    assert depot.database.sequence() >= max(numbers)


def test_hearing_it_all_in_any_order_gives_the_same_cases(lite, tmp_path):
    said = [pothole(0.0, day=d, boot=f"b{d}", second=10.0, score=0.5 + d / 10) for d in range(3)]
    shapes = []
    for order in itertools.permutations(range(3)):
        east = 1000.0 * (1 + len(shapes))
        for index in order:
            moved = said[index].__class__(
                **(fields(said[index], 10.0, f"b{index}") | {"position": position(east + 0.2 * index)})
            )
            lite.hear(moved)
        case = lite.cases()[-1]
        shapes.append((case.sightings, round(case.error_m, 6), case.score, case.first_seen_utc, case.last_seen_utc))
    assert len(set(shapes)) == 1


def test_what_a_person_calls_otherwise_is_still_found_by_the_vehicles_that_call_it_as_before(depot):
    depot.hear(pothole())
    with depot.database.changing() as change:
        said = {"class": "alligator_crack", "class_by": "erika", "class_seen": "pothole", "changed": change.next()}
        change.connection.execute(update(cases).values(said))
    crack = pothole(0.1, day=2.0, boot="b2", defect_class="alligator_crack")
    depot.hear(pothole(0.2, day=1.0, boot="b1"), crack)
    (case,) = depot.cases()
    assert (case.defect_class, case.class_by, case.class_seen) == ("alligator_crack", "erika", "pothole")
    assert case.sightings == 3
