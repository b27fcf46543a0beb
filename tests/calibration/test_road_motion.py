# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pitch, roll, yaw and height come out of how the road moves, whatever else moves."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration.flow import Step
from edge.calibration.from_drive import mount_from_motion
from edge.calibration.mounting import mounted
from edge.calibration.road_motion import RoadFlow, RoadMotion, solve_motion
from edge.errors import InputError
from edge.geometry import Calibration
from edge.lens import Intrinsics, Lens

LENS = Intrinsics("lens", 1280, 720, 900.0, 905.0, 652.0, 351.0, Lens(-0.28, 0.08, 5e-4, -4e-4, -0.01), 0.001, 0.5, 0.2)


def camera(pitch: float, roll: float, yaw: float, height: float) -> Calibration:
    return mounted(
        LENS, "true", angles_deg=(pitch, roll, yaw), errors_deg=(0, 0, 0), height_m=(height, 0), place_m=(1.5, 0.0)
    )


def driven(
    true: Calibration, *, pairs: int = 24, points: int = 30, noise_px=0.4, wrong=0.0, nod_deg=0.15, seed=0, turn_deg=0.0
) -> RoadFlow:
    """What a drive with a nodding body shows; some points stand above the road or are matched wrongly."""
    rng = np.random.default_rng(seed)
    before, after, pair, way, turns = [], [], [], [], []
    for number in range(pairs):
        way_m, turn = rng.uniform(1.5, 3), turn_deg + rng.normal(0, 0.1)
        nods = rng.normal(0, nod_deg, 2)
        here, there = (replace(true, pitch_deg=true.pitch_deg + nod) for nod in nods)
        count = 0
        while count < points:
            x, y = rng.uniform(5, 22), rng.uniform(-5, 5)
            angle = math.radians(turn)
            dx, dy = x - way_m * math.cos(angle / 2), y - way_m * math.sin(angle / 2)
            later = dx * math.cos(angle) + dy * math.sin(angle), dy * math.cos(angle) - dx * math.sin(angle)
            a, b = here.road_to_pixel(x, y), there.road_to_pixel(*later)
            if not (a and b and all(0 < p[0] < 1280 and 0 < p[1] < 720 for p in (a, b))):
                continue
            b = np.array(b) + (rng.uniform(-40, 40, 2) if rng.random() < wrong else 0)
            before.append(np.array(a) + rng.normal(0, noise_px, 2))
            after.append(b + rng.normal(0, noise_px, 2))
            pair.append(number)
            way.append(way_m)
            turns.append(turn + rng.normal(0, 0.05))
            count += 1
    straight = LENS.straight(np.array(before)), LENS.straight(np.array(after))
    return RoadFlow(*straight, np.array(pair), np.array(way), np.array(turns))


def solved(flow: RoadFlow, true: Calibration) -> RoadMotion:
    start = np.array([math.radians(true.pitch_deg + 0.8), 0.0, math.radians(true.yaw_deg - 0.8), true.height_m * 1.06])
    return solve_motion(flow, start, focal_px=LENS.fx, ahead_m=true.forward_m)


@settings(max_examples=5, deadline=None)
@given(pitch=st.floats(4, 22), roll=st.floats(-4, 4), yaw=st.floats(-5, 5), height=st.floats(1.2, 3.0))
def test_the_mounting_is_found_through_a_bent_lens_with_a_nodding_body(pitch, roll, yaw, height):
    true = camera(pitch, roll, yaw, height)
    found = solved(driven(true, wrong=0.2), true)
    assert np.degrees(found.mount[:3]) == pytest.approx([pitch, roll, yaw], abs=0.35)
    assert found.mount[3] == pytest.approx(height, rel=0.02)
    assert found.on_road == pytest.approx(0.8, abs=0.08)


def test_the_stated_errors_hold_down_to_the_least_that_is_claimed():
    off = []
    for seed in range(6):
        true = camera(11.0, 1.0, -2.0, 2.0)
        found = solved(driven(true, seed=seed, pairs=16, points=25), true)
        truth = np.array([*np.radians([11.0, 1.0, -2.0]), 2.0])
        off.append((found.mount - truth) / np.maximum(found.errors, [*np.radians([0.05] * 3), 0.01]))
    assert np.sqrt(np.mean(np.square(off), axis=0)).max() < 1.5
    assert np.abs(off).max() < 3


def test_a_bend_that_the_sensors_saw_is_not_taken_for_yaw():
    true = camera(11.0, 0.0, 0.0, 2.0)
    found = solved(driven(true, turn_deg=0.4), true)
    assert math.degrees(found.mount[2]) == pytest.approx(0, abs=0.25)


def test_the_nod_of_the_body_is_seen():
    true = camera(11.0, 0.0, 0.0, 2.0)
    still, nodding = (float(np.std(solved(driven(true, nod_deg=n), true).nods)) for n in (0.0, 0.4))
    assert math.degrees(still) < 0.1
    # between two frames the body has nodded by the difference of two nods; what is expected beforehand pulls a little
    assert math.degrees(nodding) == pytest.approx(0.4 * math.sqrt(2), rel=0.4)


def test_a_drive_that_is_too_short_or_shows_nothing_is_refused():
    grey = np.full((360, 640, 3), 90, np.uint8)
    with pytest.raises(InputError, match="only 3 pairs of frames of a straight drive, 8 are needed; record 100 m"):
        mount_from_motion([Step(grey, grey, 2.0)] * 3, LENS, name="x")
    with pytest.raises(InputError, match=r"0 moving points are too few.*visible texture"):
        mount_from_motion([Step(grey, grey, 2.0)] * 10, LENS, name="x")


def test_a_picture_that_grows_where_no_road_is_is_refused_too():
    rng = np.random.default_rng(3)
    scene = rng.integers(0, 255, (360, 640, 3)).astype(np.uint8)
    scene = cv2.GaussianBlur(scene, (0, 0), 2.0)
    steps, level = [], Intrinsics("lens", 640, 360, 500.0, 500.0, 320.0, -900.0)  # all of the picture lies far below
    for _ in range(10):
        grown = cv2.warpAffine(scene, np.array([[1.05, 0, -16.0], [0, 1.05, 8.0]]), (640, 360))
        steps.append(Step(scene, grown, 2.0))
    with pytest.raises(InputError, match=r"^[^\n]*(could be followed|does not tell|too few)[^\n]*$"):
        mount_from_motion(steps, level, name="x")
