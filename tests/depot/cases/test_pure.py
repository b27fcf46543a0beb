# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cells, passes, looks and sums: each without a database."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from depot.cases.cells import along, around, beside, cells_of
from depot.cases.looking import looked_at
from depot.cases.passes import count_passes, is_same_pass
from depot.cases.plane import east_north_m
from depot.cases.records import Case, Seen, Sighting
from depot.cases.sighting import seen_of
from depot.cases.summing import Looked, summed
from messages.envelope import Event
from messages.types import LinePosition, LineStretch, LiningPlace, Observation
from tests.depot import samples
from tests.depot.cases.world import LAT, LON, at
from tests.messages.strategies import messages

CASE = Case(
    number=1, changed=0, state="new", defect_class="pothole", surface="road", sightings=1, passes=1, vehicles=1,
    looks_without=0, opened_utc="2026-05-04T09:00:00.000Z", pinned=False, reports=0, lon=LON, lat=LAT, error_m=1.0,
    heading_deg=90.0,
)  # fmt: skip


def sighting(number: int = 1, **more) -> Sighting:
    values = {
        "defect_class": "pothole", "received": number, "vehicle": "v1", "boot": f"b{number}", "score": 0.8,
        "utc": f"2026-05-{number:02d}T09:00:00.000Z", "lon": LON, "lat": LAT, "error_m": 1.0, "monotonic_s": 10.0,
    }  # fmt: skip
    return Sighting(number=number, case=1, **(values | more))


@given(
    st.floats(-179.9, 179.9),
    st.floats(-80, 80),
    st.floats(0.1, 40),
    st.floats(-1, 1).flatmap(lambda x: st.tuples(st.just(x), st.floats(-1, 1))),
)
def test_what_is_within_the_radius_lies_in_a_cell_around(lon, lat, radius, share):
    east, north = share[0] * radius * 0.7, share[1] * radius * 0.7
    near_lat = lat + north / 111_195
    near_lon = lon + east / (111_195 * max(0.17, abs(math.cos(math.radians(lat)))))
    assert set(cells_of(near_lon, near_lat, None, None)) <= set(around(lon, lat, radius))


@given(st.floats(-1e5, 1e5), st.floats(0, 40), st.floats(-1, 1))
def test_what_is_near_on_a_line_lies_in_a_piece_along_it(chainage, reach, share):
    (piece,) = cells_of(None, None, "U79", chainage + share * reach)
    assert piece in set(along("U79", chainage - reach, chainage + reach))
    assert piece not in set(along("U80", chainage - reach, chainage + reach))


def test_a_long_leg_of_a_path_leaves_no_cell_out():
    path = (at(0), at(400))
    for east in range(0, 400, 5):
        assert set(cells_of(*at(east, 2.0), None, None)) <= beside(path, 3.0)


def test_one_pass_ends_after_a_minute_and_with_the_boot():
    one = Seen(defect_class="pothole", vehicle="v1", boot="a", monotonic_s=10.0)
    assert is_same_pass(one, replace(one, monotonic_s=69.0))
    assert not is_same_pass(one, replace(one, monotonic_s=71.0))
    assert not is_same_pass(one, replace(one, boot="b"))
    assert not is_same_pass(one, replace(one, vehicle="v2"))
    assert not is_same_pass(Seen(defect_class="pothole", report="r1"), Seen(defect_class="pothole", report="r2"))


def test_passes_are_counted_by_vehicle_boot_and_pause():
    moments = [("v1", "a", 10.0), ("v1", "a", 40.0), ("v1", "a", 900.0), ("v1", "b", 10.0), ("v2", "a", 10.0)]
    assert count_passes(moments) == 4


@given(st.permutations(range(1, 8)))
def test_the_order_of_sightings_does_not_change_a_case(order):
    dice = random.Random(4)
    made = {
        n: sighting(
            n, score=dice.random(), picture=dice.choice([None, "ab" * 32]), lat=LAT + dice.gauss(0, 1e-5),
            length_m=0.5 + 0.05 * n, width_m=0.4, size_error_m=0.05, grade=1 + n % 5,
        )
        for n in range(1, 8)
    }  # fmt: skip
    assert summed(CASE, [made[n] for n in order], []) == summed(CASE, [made[n] for n in sorted(order)], [])


def test_the_surest_sighting_with_a_picture_is_in_front():
    seen = [
        sighting(1, score=0.99),
        sighting(2, score=0.7, picture="ab" * 32),
        sighting(3, score=0.6, picture="cd" * 32),
    ]
    case = summed(CASE, seen, [])
    assert (case.best, case.score) == (2, 0.99)


def test_the_place_is_the_mean_weighted_by_the_errors_and_better_than_each():
    lon, lat = at(3.0)
    case = summed(CASE, [sighting(1), sighting(2, lon=lon, lat=lat, error_m=2.0)], [])
    east, north = east_north_m(case.lon, case.lat, LON, LAT)
    assert (round(east, 2), round(north, 2)) == (0.6, 0.0)
    assert case.error_m < 1.0
    assert summed(CASE, [sighting(n) for n in range(1, 17)], []).error_m == pytest.approx(0.25, abs=0.01)


def test_places_that_scatter_more_than_they_say_make_the_case_less_certain():
    far = [sighting(n, lat=LAT + (n % 2) * 1e-4) for n in range(1, 9)]  # 11 m apart with 1 m stated
    assert summed(CASE, far, []).error_m > 1.0


def test_a_date_that_no_calendar_has_harms_nothing():
    seen = [
        sighting(n, utc=f"0000-02-30T09:00:0{n}.000Z", length_m=1.0, width_m=1.0, size_error_m=0.1) for n in range(1, 6)
    ]
    assert summed(CASE, seen, []).trend is None


def test_looks_count_from_the_last_sighting_and_each_pass_once():
    looks = [
        Looked("v2", "x", 50.0, "2026-05-01T08:00:00.000Z"),  # before it was seen
        Looked("v2", "x", 50.0, "2026-05-03T09:00:00.000Z"),
        Looked("v2", "x", 60.0, "2026-05-03T09:00:10.000Z"),  # the next stretch of the same pass
        Looked("v2", "y", 50.0, "2026-05-04T09:00:00.000Z"),
        Looked("v3", "z", 50.0, None),  # nobody knows when
        Looked("v1", "b1", 40.0, "2026-05-01T09:00:30.000Z"),  # the pass that saw it
    ]
    case = summed(CASE, [sighting(1)], looks)
    assert (case.looks_without, case.last_look_utc) == (2, "2026-05-04T09:00:00.000Z")
    assert summed(CASE, [sighting(1), sighting(5)], looks).looks_without == 0


EAST = (at(-30.0), at(30.0))


@pytest.mark.parametrize(
    ("changes", "case", "looked"),
    [
        ({}, {}, True),
        ({"valid": False, "reason": "dark"}, {}, False),
        ({"surface": "lining"}, {}, False),
        ({"path": (at(-30, 2.5), at(30, 2.5))}, {}, True),
        ({"path": (at(-30, 6.0), at(30, 6.0))}, {}, False),
        ({"path": (at(5.0), at(30.0))}, {}, False),
        ({"path": EAST[::-1]}, {}, False),
        ({"path": EAST[::-1]}, {"heading_deg": None}, True),
        ({"path": (at(0, -30.0), at(0, 30.0))}, {}, False),
        ({"path": ()}, {}, False),
        ({"path": EAST}, {"lon": None, "lat": None}, False),
    ],
    ids=["past it", "dark", "the walls", "in its lane", "in another lane", "behind it", "the other way",
         "from wherever", "across", "nowhere", "no place"],
)  # fmt: skip
def test_a_stretch_looks_at_a_case_that_it_passes_in_its_direction(changes, case, looked):
    stretch = samples.coverage(**({"path": EAST} | changes))
    assert looked_at(stretch, replace(CASE, **case)) is looked


@pytest.mark.parametrize(
    ("span", "case", "looked"),
    [
        ({}, {}, True),
        ({"from_m": 150.0, "to_m": 50.0}, {}, True),
        ({"line": "U80"}, {}, False),
        ({"track": "2"}, {"track": "1"}, False),
        ({"from_m": 99.0}, {}, False),
        ({"from_m": 101.0}, {}, False),
    ],
    ids=["through", "against the chainage", "another line", "another track", "within the error", "behind it"],
)
def test_a_stretch_of_a_line_looks_at_the_chainages_between_its_ends(span, case, looked):
    stretch = LineStretch(**({"line": "U79", "from_m": 50.0, "to_m": 150.0, "error_m": 2.0} | span))
    coverage = samples.coverage(path=(), surface="lining", line=stretch)
    wall = replace(CASE, surface="lining", lon=None, lat=None, line="U79", chainage_m=100.0, chainage_error_m=1.0)
    assert looked_at(coverage, replace(wall, **case)) is looked


def test_the_clock_of_a_lining_is_told_in_the_direction_of_growing_chainage():
    def clock(side: str, line_side: str | None) -> float | None:
        line = LinePosition(line="U79", chainage_m=5.0, error_m=1.0, side=line_side)
        wall = LiningPlace(clock=2.5, height_m=2.0, side=side)
        made = samples.observation(surface="lining", line=line, lining=wall)
        return seen_of(1, Event(id="a", source="wegewart/v1", data=made)).lining_clock

    assert clock("right", "right") == 2.5
    assert clock("right", "left") == 9.5
    assert clock("right", None) == 2.5


@given(messages(Observation))
def test_any_observation_becomes_a_sighting_and_a_case(data):
    seen = seen_of(7, Event(id="a", source="wegewart/v1", data=data))
    one = Sighting(number=1, case=1, **{name: getattr(seen, name) for name in Seen.__struct_fields__})
    case = summed(CASE, [one, replace(one, number=2)], [])
    assert (case.sightings, case.defect_class) == (2, data.defect_class)
