# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The mounting comes out of the motion of the road."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration.flow import Flow, Step
from edge.calibration.mount import _unturned, calibrate_mount, solve
from edge.errors import InputError
from edge.geometry import Calibration


def flow_of(camera: Calibration, *, noise_px: float, wrong: int, way_m: float = 3.0, count: int = 600) -> Flow:
    """Points of a level road seen before and after a straight way, some of them matched wrongly."""
    rng = np.random.default_rng(5)
    before, after = [], []
    while len(before) < count:
        x, y = rng.uniform(6, 25), rng.uniform(-4, 4)
        a, b = camera.road_to_pixel(x, y), camera.road_to_pixel(x - way_m, y)
        if a and b and all(0 <= p[0] < camera.width and 0 <= p[1] < camera.height for p in (a, b)):
            before.append(a)
            after.append(b)
    p, q = (np.array(v) + rng.normal(0, noise_px, (count, 2)) for v in (before, after))
    q[:wrong] = p[:wrong] + rng.uniform(5, 80, (wrong, 2))
    return Flow(p, q, np.full(count, way_m))


@settings(max_examples=25, deadline=None)
@given(
    pitch=st.floats(3, 20),
    yaw=st.floats(-5, 5),
    focal=st.floats(700, 1600),
    height=st.floats(1.2, 3.0),
)
def test_pitch_yaw_and_focal_length_are_found_in_spite_of_wrong_matches(pitch, yaw, focal, height):
    true = Calibration("t", 1280, 720, focal, focal, 640, 360, height, pitch_deg=pitch, yaw_deg=yaw)
    found = solve(flow_of(true, noise_px=0.5, wrong=200), width=1280, height=720, height_m=height, calibration_id="f")
    assert found.pitch_deg == pytest.approx(pitch, abs=0.7)
    assert found.yaw_deg == pytest.approx(yaw, abs=0.7)
    assert found.fx == pytest.approx(focal, rel=0.08)


def test_nothing_is_claimed_from_too_few_points():
    true = Calibration("t", 1280, 720, 1000, 1000, 640, 360, 2.0, pitch_deg=10)
    few = flow_of(true, noise_px=0.5, wrong=0, count=40)
    with pytest.raises(InputError, match="40 moving points are too few"):
        solve(few, width=1280, height=720, height_m=2.0, calibration_id="f")


def test_nothing_is_claimed_from_points_that_flow_nowhere():
    rng = np.random.default_rng(1)
    before = rng.uniform(0, 700, (400, 2))
    chaos = Flow(before, before + rng.uniform(5, 90, (400, 2)), np.full(400, 3.0))
    with pytest.raises(InputError, match="do not flow from one place"):
        solve(chaos, width=1280, height=720, height_m=2.0, calibration_id="f")


def test_a_height_that_cannot_be_is_refused():
    true = Calibration("t", 1280, 720, 1000, 1000, 640, 360, 2.0, pitch_deg=20)
    with pytest.raises(InputError, match=r"9\.0 m above the road cannot see the road like this; check the height"):
        solve(flow_of(true, noise_px=0.3, wrong=0), width=1280, height=720, height_m=9, calibration_id="f")


def test_pictures_without_texture_give_nothing():
    grey = np.full((360, 640, 3), 90, np.uint8)
    assert calibrate_mount([Step(grey, grey, 2.0)] * 3, height_m=2.0, calibration_id="f") is None


def test_a_bend_that_the_sensors_saw_does_not_turn_the_camera():
    true, turn_deg, rng = (
        Calibration("t", 1280, 720, 1000, 1000, 640, 360, 2.0, pitch_deg=10),
        0.4,
        np.random.default_rng(2),
    )
    before, after, angle = [], [], np.radians(0.4)
    for x, y in zip(rng.uniform(6, 25, 600), rng.uniform(-4, 4, 600), strict=True):
        dx, dy = x - 3.0 * np.cos(angle / 2), y - 3.0 * np.sin(angle / 2)
        later = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        before.append(true.road_to_pixel(x, y))
        after.append(true.road_to_pixel(*later))
    flow = Flow(np.array(before), np.array(after), np.full(600, 3.0))
    nothing = np.zeros((0, 0, 3), np.uint8)
    size = {"width": 1280, "height": 720, "height_m": 2.0, "calibration_id": "f"}
    straight = solve(_unturned(flow, Step(nothing, nothing, 3.0, turn_deg), 1000.0), **size)
    assert abs(solve(flow, **size).yaw_deg) > 0.8
    assert straight.yaw_deg == pytest.approx(0, abs=0.1)
    assert straight.fx == pytest.approx(1000, rel=0.02)
