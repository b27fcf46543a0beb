# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A tunnel's wall: pixel to lining and back, what a box covers there, and one defect on it as one observation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.defects.footprint import locate
from edge.defects.report import report
from edge.defects.tracker import Tracker, TrackerSettings
from edge.defects.wall import locate_on_lining
from edge.geometry import east_north
from edge.lining import Lining, lining_to_pixel, pixel_to_lining, pixel_to_lining_error
from edge.types import Detection, Frame, LinePlace, Pose
from tests.defects.road import CAMERA, EMPTY, LAT0, LON0, path

EYE = replace(CAMERA, pitch_deg=-5.0, forward_m=0.4, left_m=0.1)
ARCH = Lining("cylinder", radius_m=3.2, axis_height_m=2.0, axis_left_m=0.3)
BOX = Lining("box", left_m=4.0, right_m=3.0, crown_m=5.0)


@settings(max_examples=200, deadline=None)
@given(
    lining=st.sampled_from([ARCH, BOX]),
    x_m=st.floats(2.0, 40.0),
    share=st.floats(-0.99, 0.99),
    k1=st.sampled_from([0.0, -0.05]),
)
def test_a_place_on_the_lining_is_found_again_from_its_pixel(lining: Lining, x_m: float, share: float, k1: float):
    eye = replace(EYE, k1=k1)
    around = share * lining.lowest_m
    pixel = lining_to_pixel(eye, lining, x_m, around)
    if pixel is None or not (0 <= pixel[0] <= 1280 and 0 <= pixel[1] <= 720):
        return
    found = pixel_to_lining(eye, lining, *pixel)
    assert found is not None
    assert (found.x_m, found.around_m) == pytest.approx((x_m, around), rel=1e-5, abs=1e-5)


def test_clock_height_and_side_are_as_seen_in_driving_direction():
    quarter = ARCH.radius_m * math.pi / 2
    for around, clock, y, z, side in (
        (0.0, 0.0, 0.3, 5.2, "crown"),
        (quarter, 3.0, -2.9, 2.0, "right"),
        (-quarter, 9.0, 3.5, 2.0, "left"),
    ):
        point = ARCH.at(10.0, around)
        assert (point.clock, point.y_m, point.z_m) == pytest.approx((clock, y, z))
        assert ARCH.side(around) == side
    wall = BOX.at(10.0, 3.5 + 2.5)
    assert (wall.y_m, wall.z_m, wall.clock, BOX.side(wall.around_m)) == (-3.0, 2.5, pytest.approx(3.0), "right")
    ceiling = BOX.at(10.0, -1.0)
    assert (ceiling.y_m, ceiling.z_m, BOX.side(-1.0)) == (1.5, 5.0, "crown")
    assert 11 < ceiling.clock < 12


def test_what_meets_the_road_first_or_runs_along_the_tunnel_is_not_on_the_lining():
    low = EYE.road_to_pixel(8.0, 0.0)
    assert low is not None
    for lining in (ARCH, BOX):
        assert pixel_to_lining(EYE, lining, *low) is None
        vanishing = EYE.road_to_pixel(1e7, 0.0, EYE.height_m)
        assert vanishing is not None
        assert pixel_to_lining(EYE, lining, *vanishing) is None
        outside = replace(EYE, height_m=9.0)
        assert pixel_to_lining(outside, lining, 1000.0, 300.0) is None


@pytest.mark.parametrize(
    ("measures", "word"),
    [
        ({"kind": "cylinder"}, "radius_m"),
        ({"kind": "cylinder", "radius_m": 3.0, "axis_height_m": 4.0}, "axis_height_m"),
        ({"kind": "cylinder", "radius_m": math.nan, "axis_height_m": 1.0}, "radius_m"),
        ({"kind": "box", "left_m": 3.0, "right_m": 3.0}, "crown_m"),
        ({"kind": "box", "left_m": 3.0, "right_m": -3.0, "crown_m": 5.0}, "right_m"),
    ],
)
def test_measures_that_cannot_be_are_refused_by_name(measures: dict, word: str):
    with pytest.raises(ValueError, match=word):
        Lining(**measures)


def test_the_stated_error_is_that_of_many_tries():
    rng = np.random.default_rng(5)
    pixel = lining_to_pixel(EYE, ARCH, 10.0, 4.0)
    error = pixel_to_lining_error(EYE, ARCH, *pixel, pixel_px=1.5)
    tries = []
    for _ in range(2000):
        nodding = replace(EYE, pitch_deg=EYE.pitch_deg + rng.normal(0, 0.3), yaw_deg=rng.normal(0, ARCH.yaw_error_deg))
        found = pixel_to_lining(nodding, ARCH, *(np.array(pixel) + rng.normal(0, 1.5, 2)))
        tries.append((found.x_m, found.around_m))
    assert np.cov(np.array(tries).T) == pytest.approx(error.random, rel=0.15, abs=0.01)
    wider = replace(ARCH, radius_m=ARCH.radius_m + ARCH.error_m)
    moved = pixel_to_lining(EYE, wider, *pixel)
    assert moved.x_m - 10.0 == pytest.approx(math.sqrt(error.systematic[0, 0]), rel=0.05)


def box_on(lining: Lining, x_m: float, around_m: float, length_m: float, width_m: float):
    """The box of a blob on the lining."""
    turn = np.linspace(0, 2 * math.pi, 80, endpoint=False)
    round_off = np.maximum(np.abs(np.cos(turn)), np.abs(np.sin(turn))) ** 0.5
    outline = np.stack([np.cos(turn), np.sin(turn)]) / round_off
    outline /= np.abs(outline).max(axis=1, keepdims=True)
    pixels = [
        lining_to_pixel(EYE, lining, x_m + length_m / 2 * a, around_m + width_m / 2 * b) if x_m > 1 else None
        for a, b in outline.T
    ]
    if any(p is None for p in pixels):
        return None
    u, v = np.array(pixels).T
    if u.min() < 3 or v.min() < 3 or u.max() > 1277 or v.max() > 717:
        return None
    return float(u.min()), float(v.min()), float(u.max()), float(v.max())


@pytest.mark.parametrize("lining", [ARCH, BOX], ids=["arch", "box"])
def test_a_box_gives_place_and_extents_although_the_wall_is_seen_at_a_grazing_angle(lining: Lining):
    off, sizes = [], []
    for x_m in (6.0, 9.0, 13.0):
        for around in np.linspace(-0.85, 0.85, 12) * lining.lowest_m:
            box = box_on(lining, x_m, float(around), 1.2, 0.8)
            near_corner = lining.kind == "box" and abs(abs(around) - 3.5) < 0.5
            if box is None or near_corner:
                continue
            footprint = locate_on_lining(box, EYE, lining, max_range_m=25.0)
            assert footprint is not None
            off.append(math.hypot(footprint.x_m - x_m, -footprint.y_m - around))
            sizes.append((2 * footprint.half_length_m / 1.2, 2 * footprint.half_width_m / 0.8))
    assert len(off) > 15
    assert max(off) < 0.1
    assert np.median(np.abs(np.array(sizes) - 1), axis=0) == pytest.approx(0, abs=0.12)


def tunnel_drive(lining: Lining, things, poses, *, noise: float = 1.0, seed: int = 1):
    """Boxes of things (label, along, around, length, width) on the lining; the way starts at 0."""
    rng = np.random.default_rng(seed)
    way = 0.0
    last = poses[0]
    for index, pose in enumerate(poses):
        yaw = math.radians((pose.odom_yaw_deg + last.odom_yaw_deg) / 2)
        way += (pose.odom_x_m - last.odom_x_m) * math.cos(yaw) + (pose.odom_y_m - last.odom_y_m) * math.sin(yaw)
        last = pose
        found = []
        for label, along, around, length, width in things:
            box = box_on(lining, along - way, around, length, width) if 3 < along - way < 30 else None
            if box is not None:
                found.append(Detection(label, 0.7, tuple(float(e) for e in np.array(box) + rng.normal(0, noise, 4))))
        yield Frame(EMPTY, pose.time_s, index, str(index)), pose, found


def on_line(pose: Pose, forward: bool) -> Pose:
    chainage = 500 + pose.odom_x_m * (1 if forward else -1)
    return replace(pose, line=LinePlace("U79", chainage, 0.4, track="2", forward=forward, in_tunnel=True))


def run(frames, tracker: Tracker):
    found = [d for frame, pose, seen in frames for d in tracker.step(frame, pose, seen, "lining").finished]
    return found + list(tracker.finish().finished)


@pytest.mark.parametrize("forward", [True, False])
def test_defects_on_walls_and_crown_are_one_each_with_clock_line_and_size(forward: bool):
    quarter = ARCH.radius_m * math.pi / 2
    things = [
        ("spalling", 40.0, quarter, 0.8, 0.6),
        ("spalling", 40.0, -quarter, 0.8, 0.6),
        ("water_leakage", 43.0, 0.0, 1.0, 1.0),
    ]
    poses = [on_line(pose, forward) for pose in path([(1.0, 0.0)] * 60)]
    found = run(tunnel_drive(ARCH, things, poses), Tracker(TrackerSettings(), EYE, ARCH))
    told = sorted((report(d) for d in found), key=lambda r: r.lining.clock)
    assert [r.lining.side for r in told] == ["crown", "right", "left"]
    assert [r.lining.clock for r in told] == pytest.approx([0.0, 3.0, 9.0], abs=0.15)
    assert [r.surface for r in told] == ["lining"] * 3
    assert [r.line.side for r in told] == ["middle", *(["right", "left"] if forward else ["left", "right"])]
    way = 1 if forward else -1
    assert [r.line.chainage_m for r in told] == pytest.approx([500 + way * x for x in (43, 40, 40)], abs=0.4)
    assert (told[1].line.line, told[1].line.track) == ("U79", "2")
    for one, y_m in zip(told, (0.3, -2.9, 3.5), strict=True):
        east, _ = east_north(one.position.lon, one.position.lat, LON0, LAT0)
        assert -east == pytest.approx(y_m, abs=0.25)
        assert one.size.length_m == pytest.approx(1.0 if one is told[0] else 0.8, rel=0.2)
        assert one.severity.rule == "wegewart-tunnel-1"


@pytest.mark.parametrize("wider_m", [-0.3, 0.3])
def test_a_wall_that_is_not_where_it_was_said_to_be_does_not_double_its_defects(wider_m: float):
    things = [("spalling", 60.0, 4.0, 0.8, 0.6), ("crack", 66.0, -4.2, 0.8, 0.6)]
    believed = replace(ARCH, radius_m=ARCH.radius_m + wider_m)
    tracker = Tracker(TrackerSettings(), EYE, believed)
    found = run(tunnel_drive(ARCH, things, path([(2.0, 0.0)] * 40)), tracker)
    assert sorted(defect.label for defect in found) == ["crack", "spalling"]
    assert tracker.counters["dropped_duplicate"] == 0


def test_in_a_bend_and_in_reverse_the_wall_is_followed():
    things = [("crack", 40.0, 4.0, 0.8, 0.6), ("crack", 44.0, 4.0, 0.8, 0.6)]
    steps = [(1.0, 1.0)] * 30 + [(-1.0, -1.0)] * 10 + [(1.0, 1.0)] * 40
    found = run(tunnel_drive(ARCH, things, path(steps)), Tracker(TrackerSettings(), EYE, ARCH))
    assert len(found) == 2


def test_with_the_tunnels_model_what_lies_on_the_road_is_placed_there():
    pixel = EYE.road_to_pixel(9.0, 0.5)
    box = (pixel[0] - 20, pixel[1] - 8, pixel[0] + 20, pixel[1] + 8)
    tracker = Tracker(TrackerSettings(min_frames=1), EYE, ARCH)
    tracker.step(Frame(EMPTY, 0.0, 0, "0"), path([])[0], [Detection("crack", 0.9, box)], "lining")
    (defect,) = tracker.finish().finished
    told = report(defect)
    assert (told.surface, told.lining) == ("road", None)


def test_what_is_on_the_lining_too_far_away_is_not_taken_for_something_on_the_road():
    low = replace(ARCH, axis_height_m=1.0)
    around = 0.97 * low.lowest_m
    u, v = lining_to_pixel(EYE, low, 26.0, around)
    box = (u - 9, v - 24, u + 9, v + 24)
    assert locate(box, EYE, max_range_m=24.0) is not None
    tracker = Tracker(TrackerSettings(max_range_m=24.0, min_frames=1), EYE, low)
    tracker.step(Frame(EMPTY, 0.0, 0, "0"), path([])[0], [Detection("crack", 0.9, box)], "lining")
    assert tracker.counters["too_far"] == 1


def test_with_the_streets_model_nothing_is_placed_on_the_lining():
    box = box_on(ARCH, 8.0, 4.0, 0.8, 0.6)
    tracker = Tracker(TrackerSettings(min_frames=1), EYE, ARCH)
    tracker.step(Frame(EMPTY, 0.0, 0, "0"), path([])[0], [Detection("crack", 0.9, box)], "road")
    assert all(report(defect).surface == "road" for defect in tracker.finish().finished)
