# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.geometry import Calibration
from edge.sampling.view import View, view
from edge.simulator.drive import default_camera

CAMERA = Calibration("c", 1280, 720, fx=1000, fy=1000, cx=640, cy=360, height_m=2.0, pitch_deg=12.0)


def test_the_view_of_a_bus_camera_is_that_of_its_geometry() -> None:
    seen = view(default_camera())
    assert seen is not None
    # 2.1 m high, the lowest row looks 31.7 degrees down, the antenna is 1.5 m behind the camera.
    assert seen.near_m == pytest.approx(1.5 + 3.40, abs=0.06)
    # f h / x**2 rows a metre on a camera that looks ahead; pitched down it has a few more.
    assert seen.far_m == pytest.approx(1.5 + (753.5 * 2.1 / 10) ** 0.5, abs=0.4)


def test_finer_rows_are_asked_for_at_the_cost_of_range_and_nothing_beyond_the_bound_counts() -> None:
    ranges = [seen.far_m for px in (2.0, 5.0, 10.0, 20.0) if (seen := view(CAMERA, 25.0, px))]
    assert ranges == sorted(ranges, reverse=True)
    assert ranges[0] == pytest.approx(25.0, abs=0.05)
    assert len(set(ranges)) == 4
    bounded = view(CAMERA, 9.0)
    assert bounded is not None
    assert bounded.far_m == pytest.approx(9.0, abs=0.05)


def test_a_picture_half_the_size_shows_less_far() -> None:
    full, half = view(CAMERA), view(CAMERA.scaled(640, 360))
    assert full is not None
    assert half is not None
    assert half.near_m == full.near_m
    assert half.far_m < 0.8 * full.far_m


@pytest.mark.parametrize("change", [{"pitch_deg": -40.0}, {"yaw_deg": 80.0}, {"left_m": 30.0}])
def test_a_camera_that_sees_nothing_of_the_lane_has_no_view(change: dict[str, float]) -> None:
    assert view(replace(CAMERA, **change)) is None


@settings(deadline=None, max_examples=30)
@given(
    st.floats(3, 25),
    st.floats(-4, 4),
    st.floats(-10, 10),
    st.tuples(st.floats(-0.25, 0.1), st.floats(600, 4000)),
    st.data(),
)
def test_every_point_of_a_view_is_in_the_picture(
    pitch: float, roll: float, yaw: float, lens: tuple[float, float], data: st.DataObject
) -> None:
    k1, focal = lens
    camera = replace(CAMERA, pitch_deg=pitch, roll_deg=roll, yaw_deg=yaw, k1=k1, fx=focal, fy=focal)
    seen = view(camera)
    if seen is None:
        return
    x_m = data.draw(st.floats(seen.near_m, seen.far_m))
    y_m = data.draw(st.floats(-15, 15))
    if seen.sees(x_m, y_m):
        pixel = camera.road_to_pixel(x_m, y_m)
        assert pixel is not None
        # The sides of a bent picture are not quite straight on the road.
        slack = 40 if k1 else 2
        assert -slack <= pixel[0] <= 1280 + slack
        assert -slack <= pixel[1] <= 720 + slack


def test_a_view_that_ends_before_it_begins_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="must be below"):
        View(8.0, 5.0)
