# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The geometry of a known line."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.geometry import east_north
from edge.positioning.line import Line
from edge.positioning.line_shape import crossing, fitted, rounded, running_m
from tests.positioning.lines import LAT0, LON0, course, line, lonlat

LINE = line(start_m=1_000.0)
legs = st.lists(
    st.tuples(st.floats(20, 300), st.sampled_from([math.inf, 50.0, 80.0, 400.0, -50.0, -120.0, -700.0])),
    min_size=1,
    max_size=4,
)


def metres(lon: float, lat: float) -> tuple[float, float]:
    return east_north(lon, lat, LON0, LAT0)


def turn(a: float, b: float) -> float:
    return math.remainder(a - b, 360)


@given(legs, st.floats(0, 1))
@settings(deadline=None, max_examples=60)
def test_nearest_is_the_inverse_of_place_at(legs: list[tuple[float, float]], share: float) -> None:
    axis = line(legs, start_m=-300.0)
    if crossing(axis.points):
        return
    chainage = axis.start_m + share * (axis.end_m - axis.start_m)
    point = axis.place_at(chainage)
    beside = axis.nearest(point.lon, point.lat, point.heading_deg)
    assert beside is not None
    assert beside.chainage_m == pytest.approx(chainage, abs=0.01)
    assert beside.gap_m < 0.001
    assert abs(turn(beside.heading_deg, point.heading_deg)) < 0.1


@given(st.floats(1_001, 2_990), st.floats(-8, 8))
@settings(deadline=None, max_examples=60)
def test_a_place_beside_the_line_has_its_offset_to_the_left(chainage: float, left_m: float) -> None:
    point = LINE.place_at(chainage)
    heading = math.radians(point.heading_deg)
    east, north = metres(point.lon, point.lat)
    place = lonlat(east - left_m * math.cos(heading), north + left_m * math.sin(heading))
    beside = LINE.nearest(*place)
    assert beside is not None
    assert beside.offset_m == pytest.approx(left_m, abs=0.02)
    assert beside.gap_m == pytest.approx(abs(left_m), abs=0.02)
    assert beside.chainage_m == pytest.approx(chainage, abs=0.2)


def test_chainage_grows_along_the_line() -> None:
    found = [beside.chainage_m for point in LINE.points if (beside := LINE.nearest(*point)) is not None]
    assert len(found) == len(LINE.points)
    assert all(b > a for a, b in pairwise(found))


def test_the_heading_does_not_jump_in_a_bend() -> None:
    headings = np.unwrap([LINE.place_at(c).heading_deg for c in np.arange(1_000, 2_999, 0.5)], period=360)
    # The tighter bend has a radius of 100 m: 0.29 degrees each half metre.
    assert np.abs(np.diff(headings)).max() < 0.6


def test_a_bend_between_sparse_points_is_followed_to_centimetres() -> None:
    sparse = [lonlat(*point) for point in course([(90, 30)], step_m=10)]
    fine = course([(90, 30)], step_m=0.5)
    chords = Line("tram", tuple(sparse), tuple(running_m(sparse)))
    shape, given = rounded(sparse)
    bend = Line("tram", tuple(shape), tuple(running_m(shape)))

    def worst(axis: Line) -> float:
        # The first and last chord have a neighbour on one side only.
        return max(beside.gap_m for point in fine[20:-20] if (beside := axis.nearest(*lonlat(*point))))

    assert worst(chords) > 0.35
    assert worst(bend) < 0.03
    assert [shape[at] for at in given] == sparse


def test_a_long_straight_stays_straight_where_a_bend_begins() -> None:
    sparse = [lonlat(0, 0), lonlat(0, 300), *(lonlat(e, 300 + n) for e, n in course([(40, 50)], heading=0)[1:])]
    shape, _ = rounded(sparse)
    straight = [metres(*point)[0] for point in shape if metres(*point)[1] < 299]
    assert max(map(abs, straight)) < 0.2


def test_a_sharp_corner_is_not_made_round() -> None:
    corner = [lonlat(0, 0), lonlat(0, 100), lonlat(100, 100)]
    assert rounded(corner) == (corner, [0, 1, 2])


def test_beyond_its_ends_the_line_gives_its_ends() -> None:
    before, after = LINE.place_at(0.0), LINE.place_at(99_999.0)
    assert (before.lon, before.lat) == pytest.approx(LINE.points[0])
    assert (after.lon, after.lat) == pytest.approx(LINE.points[-1])
    heading = math.radians(after.heading_deg)
    east, north = metres(after.lon, after.lat)
    beside = LINE.nearest(*lonlat(east + 40 * math.sin(heading), north + 40 * math.cos(heading)))
    assert beside is not None
    assert beside.chainage_m == LINE.end_m
    assert beside.gap_m == pytest.approx(40, abs=0.01)
    assert abs(beside.offset_m) < 0.1


def test_only_stretches_count_that_run_the_vehicle_s_way_or_against_it() -> None:
    # Out, a half circle of 20 m radius, and back beside itself.
    hairpin = line([(200, math.inf), (math.pi * 20, 20), (200, math.inf)], heading=0)
    on_out = lonlat(0.0, 100.0)
    for heading in (0.0, 180.0):
        beside = hairpin.nearest(*on_out, heading)
        assert beside is not None
        assert beside.chainage_m == pytest.approx(100, abs=0.1)
    across = hairpin.nearest(*on_out, 90.0)
    assert across is not None
    assert across.chainage_m == pytest.approx(200 + 20 * math.radians(30), abs=1)
    assert line([(200, math.inf)], heading=0).nearest(*on_out, 90.0) is None


def test_a_window_of_chainage_keeps_to_its_stretch() -> None:
    hairpin = line([(200, math.inf), (math.pi * 5, 5), (200, math.inf)], heading=0)
    nearer_to_way_back = lonlat(7.0, 100.0)
    anywhere, within = hairpin.nearest(*nearer_to_way_back), hairpin.nearest(*nearer_to_way_back, within=(50, 150))
    assert anywhere is not None
    assert within is not None
    assert anywhere.chainage_m > 300
    assert within.chainage_m == pytest.approx(100, abs=0.1)


@given(st.floats(-5_000, 5_000), st.floats(-5_000, 5_000))
@settings(deadline=None, max_examples=30)
def test_a_window_outside_the_line_gives_a_point_of_the_line(start: float, width: float) -> None:
    beside = LINE.nearest(LON0, LAT0, within=(start, start + abs(width)))
    assert beside is not None
    assert LINE.start_m <= beside.chainage_m <= LINE.end_m


def test_chainage_is_stretched_between_known_points_and_one_to_one_beyond() -> None:
    assert fitted([0, 100, 150, 200, 300, 310], [(100, 1_100), (300, 1_310)]) == pytest.approx(
        [1_000, 1_100, 1_152.5, 1_205, 1_310, 1_320]
    )


def test_a_line_says_where_it_is_in_a_tunnel_and_where_the_portals_are() -> None:
    axis = line(tunnels=((300, 900), (1_500, 2_500)), landmarks=[("mouth", 320, "portal"), ("stop", 700, "station")])
    assert [axis.in_tunnel(c) for c in (299, 301, 899, 901, 1_999)] == [False, True, True, False, True]
    assert axis.portals == (300, 320, 900, 1_500)  # the second tunnel goes on beyond the end


def test_a_crossing_is_found_and_a_spiral_is_not_one() -> None:
    spiral = [lonlat(r * math.cos(r / 5), r * math.sin(r / 5)) for r in np.arange(10, 200, 0.2)]
    assert crossing(spiral) is None
    eight = [lonlat(100 * math.sin(a), 50 * math.sin(2 * a)) for a in np.arange(-0.5, 5, 0.02)]
    found = crossing(eight)
    assert found is not None
    for index in (found[0], found[1]):
        assert math.hypot(*metres(*eight[index])) < 4


def test_points_in_a_row_on_a_straight_are_no_crossing() -> None:
    assert crossing([lonlat(0.37 * i, 0.91 * i) for i in range(500)]) is None


def test_a_line_of_one_point_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="two points"):
        Line("U79", ((6.7, 51.4),), (0.0,))
