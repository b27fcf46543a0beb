# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a place that was asked for is in a picture, and when it counts as well in view."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.asked_view import Eye, ahead_m, overlap, sight
from edge.geometry import to_earth
from edge.lining import Lining, pixel_to_lining
from edge.simulator import default_camera
from edge.types import LinePlace, Pose, RoadPoint
from messages.types import AskedPlace, LinePosition

CAMERA = default_camera()
EYE = Eye(CAMERA)
POSE = Pose(
    time_s=1.0, odom_x_m=0.0, odom_y_m=0.0, odom_yaw_deg=0.0, distance_m=0.0, speed_mps=9.0,
    lon=6.76, lat=51.43, error_m=0.6, heading_deg=40.0, method="gnss",
)  # fmt: skip


def place_at(x_m: float, y_m: float = 0.0, pose: Pose = POSE, **changes) -> AskedPlace:
    """A place that lies there, seen from the pose."""
    lon, lat = to_earth(pose.lon, pose.lat, pose.heading_deg, RoadPoint(x_m, y_m))
    return AskedPlace(**({"radius_m": 0.4, "lon": lon, "lat": lat, "error_m": 0.5} | changes))


def holds(outline, pixel) -> bool:
    u, v = pixel
    return overlap((u - 0.5, v - 0.5, u + 0.5, v + 0.5), outline) > 0.99


@settings(max_examples=300, deadline=None)
@given(
    x_m=st.floats(-5, 40), y_m=st.floats(-6, 6), heading=st.floats(0, 359.9),
    error=st.floats(0, 3), radius=st.floats(0.1, 3),
)  # fmt: skip
def test_what_is_in_view_is_where_the_calibration_puts_it_and_never_farther_or_coarser(
    x_m, y_m, heading, error, radius
):
    pose = replace(POSE, heading_deg=heading)
    place = place_at(x_m, y_m, pose, error_m=error, radius_m=radius)
    assert ahead_m(place, pose) == pytest.approx(x_m, abs=0.01)
    seen = sight(place, pose, EYE)
    if seen is None:
        return
    middle = CAMERA.road_to_pixel(x_m, y_m)
    assert middle is not None
    assert holds(seen.outline, middle)
    assert 0 < x_m < 25
    assert seen.px_per_m >= 10
    assert radius + 1.5 * seen.error_m <= 5 + 1e-9, "no patch is longer than it may be"
    near, far = CAMERA.pixel_to_road(middle[0], seen.box[3]), CAMERA.pixel_to_road(middle[0], seen.box[1] + 0.5)
    assert near is None or near.x_m <= x_m
    assert far is None or far.x_m >= x_m - 0.3


def test_a_place_right_ahead_is_in_view_and_finer_the_nearer_it_is():
    fineness = [sight(place_at(x), POSE, EYE).px_per_m for x in (10.0, 8.0, 6.5)]  # type: ignore[union-attr]
    assert fineness == sorted(fineness)
    assert sight(place_at(8.0), POSE, EYE).whole  # type: ignore[union-attr]


@pytest.mark.parametrize("x_m", [-8.0, 0.5, 24.0, 60.0])
def test_behind_beneath_and_far_ahead_there_is_no_view(x_m: float):
    assert sight(place_at(x_m), POSE, EYE) is None


def test_a_place_that_neither_of_both_knows_well_is_not_looked_for():
    """Red without the bound: half of the street would be sharp."""
    assert sight(place_at(8.0, error_m=0.5), POSE, EYE) is not None
    assert sight(place_at(8.0, error_m=2.5), POSE, EYE) is not None
    assert sight(place_at(8.0, error_m=3.2), POSE, EYE) is None
    assert sight(place_at(8.0), replace(POSE, error_m=4.0), EYE) is None
    assert sight(place_at(8.0), replace(POSE, error_m=None), EYE) is None
    assert sight(place_at(8.0), replace(POSE, lon=None), EYE) is None
    assert sight(place_at(8.0), replace(POSE, heading_deg=None), EYE) is None


def test_from_the_other_direction_it_is_not_looked_for():
    assert sight(place_at(8.0, heading_deg=75.0), POSE, EYE) is not None
    assert sight(place_at(8.0, heading_deg=220.0), POSE, EYE) is None


LINING = Lining("cylinder", radius_m=3.2, axis_height_m=1.8)
UNDER = replace(POSE, lon=None, lat=None, line=LinePlace("U79", 3200.0, 0.8, track="1"))


def wall(chainage_m: float, clock: float | None, surface: str = "lining") -> AskedPlace:
    line = LinePosition(line="U79", chainage_m=chainage_m, error_m=0.5, track="1")
    return AskedPlace(radius_m=0.5, surface=surface, line=line, clock=clock)  # type: ignore[arg-type]


@pytest.mark.parametrize(("forward", "clock"), [(True, 2.8), (True, 9.2), (False, 2.8), (False, 9.2)])
def test_a_place_on_the_lining_is_found_by_chainage_and_hour_from_both_directions(forward: bool, clock: float):
    """Red when the hour is not turned round for a vehicle that runs against the chainage."""
    pose = replace(UNDER, line=replace(UNDER.line, forward=forward))
    seen = sight(wall(3209.0 if forward else 3191.0, clock), pose, Eye(CAMERA, LINING))
    assert seen is not None
    u, v = (seen.box[0] + seen.box[2]) / 2, (seen.box[1] + seen.box[3]) / 2
    point = pixel_to_lining(CAMERA, LINING, u, v)
    assert point is not None
    assert point.clock == pytest.approx(clock if forward else 12 - clock, abs=0.5)
    assert (u > 480) == ((clock < 6) == forward), "the right wall is on the right"


@pytest.mark.parametrize(
    "line", [None, replace(UNDER.line, line="U18"), replace(UNDER.line, track="2"), replace(UNDER.line, error_m=9.0)]
)
def test_on_another_line_or_track_or_somewhere_on_it_there_is_no_view(line: LinePlace | None):
    assert sight(wall(3209.0, 2.8), UNDER, Eye(CAMERA, LINING)) is not None
    assert sight(wall(3209.0, 2.8), replace(UNDER, line=line), Eye(CAMERA, LINING)) is None


def test_without_the_tunnels_shape_nothing_on_its_lining_is_looked_for():
    assert sight(wall(3209.0, 2.8), UNDER, EYE) is None
    assert sight(wall(3208.0, 6.0), UNDER, Eye(CAMERA, LINING)) is None, "there is the road"


def test_a_place_on_the_road_of_a_tunnel_is_found_by_its_chainage():
    seen = sight(wall(3208.0, None, "road"), UNDER, EYE)
    assert seen is not None
    assert holds(seen.outline, CAMERA.road_to_pixel(8.0, 0.0))


@given(st.tuples(*[st.floats(0, 100)] * 4))
def test_overlap_is_a_share(corners):
    box = (
        min(corners[0], corners[2]),
        min(corners[1], corners[3]),
        max(corners[0], corners[2]),
        max(corners[1], corners[3]),
    )
    share = overlap(box, ((20.0, 20.0), (60.0, 20.0), (80.0, 70.0), (10.0, 70.0)))
    assert 0 <= share <= 1 + 1e-9


def test_overlap_of_a_half():
    square = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
    assert overlap((5, 0, 25, 10), square) == pytest.approx(0.5)
    assert overlap((20, 0, 25, 10), square) == 0
    assert overlap((2, 2, 4, 4), square) == pytest.approx(1)
