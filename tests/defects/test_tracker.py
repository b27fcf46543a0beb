# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One defect in many frames is one defect; two defects are two."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.defects.report import report
from edge.defects.tracker import Defect, Tracker, TrackerSettings
from edge.geometry import east_north, offset_lonlat
from edge.types import Detection, Frame, Pose
from tests.defects.road import CAMERA, EMPTY, LAT0, LON0, Thing, drive


def track(frames, tracker: Tracker | None = None) -> list[Defect]:
    tracker = tracker or Tracker(TrackerSettings(), CAMERA)
    found: list[Defect] = []
    for frame, pose, detections in frames:
        found.extend(tracker.step(frame, pose, detections).finished)
    found.extend(tracker.finish().finished)
    return found


def test_a_pothole_seen_in_ten_frames_is_one_defect():
    found = track(drive([Thing("pothole", 30, 0.5, 0.6, 0.5)], length_m=60))
    assert len(found) == 1
    assert len(found[0].sightings) >= 5


def test_two_potholes_three_metres_apart_stay_two():
    for dx, dy in ((3.0, 0.0), (0.0, 3.0), (2.2, 2.0)):
        things = [Thing("pothole", 30, -1, 0.6, 0.5), Thing("pothole", 30 + dx, -1 + dy, 0.6, 0.5)]
        assert len(track(drive(things, length_m=70, pixel_noise=1.0))) == 2, (dx, dy)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), rate=st.floats(-0.8, 0.8))
def test_many_defects_with_noise_misses_and_a_bend_are_each_found_once(seed: int, rate: float):
    rng = random.Random(seed)
    things = [
        Thing(rng.choice(["pothole", "transverse_crack"]), 20 + 6 * i, rng.uniform(-1.0, 1.0), 0.5, 0.8)
        for i in range(6)
    ]
    found = track(drive(things, length_m=70, yaw_rate_deg_per_m=0, pixel_noise=1.5, miss_every=3, seed=seed))
    assert len(found) == len(things)
    bend = track(drive(things[:2], length_m=70, yaw_rate_deg_per_m=rate, pixel_noise=1.0, seed=seed))
    assert len(bend) <= 2


def test_a_long_crack_seen_in_parts_is_one_defect_of_its_whole_length():
    found = track(drive([Thing("longitudinal_crack", 45, 1.0, 30.0, 0.2)], length_m=90))
    assert len(found) == 1
    size = report(found[0]).size
    assert size is not None
    assert size.length_m == pytest.approx(30, rel=0.15)


def test_a_single_look_is_not_confirmed_and_is_counted():
    tracker = Tracker(TrackerSettings(), CAMERA)
    frames = list(drive([Thing("pothole", 30, 0, 0.6, 0.5)], length_m=60))
    looks = [index for index, (_, _, detections) in enumerate(frames) if detections]
    once = [(f, p, d if i == looks[3] else []) for i, (f, p, d) in enumerate(frames)]
    assert track(once, tracker) == []
    assert tracker.counters["dropped_too_few_frames"] == 1


def test_standing_still_over_a_pothole_gives_one_defect():
    frames = list(drive([Thing("pothole", 30, 0, 0.6, 0.5)], length_m=60))
    looks = [index for index, (_, _, detections) in enumerate(frames) if detections]
    stop = frames[looks[-2]]
    assert len(track(frames[: looks[-2]] + [stop] * 50 + frames[looks[-2] :])) == 1


def test_the_class_follows_all_looks_and_a_type_beats_the_superclass():
    frames = list(drive([Thing("crack", 30, 0, 0.6, 2.0)], length_m=60))
    typed = [
        (f, p, [replace(x, label="transverse_crack") for x in d] if i % 2 else d) for i, (f, p, d) in enumerate(frames)
    ]
    found = track(typed)
    assert [d.label for d in found] == ["transverse_crack"]


def test_place_and_size_come_out_in_metres_with_an_error_that_covers_them():
    thing = Thing("pothole", 30, 0.8, 0.7, 0.5)
    (defect,) = track(drive([thing], length_m=60, pixel_noise=1.0))
    told = report(defect)
    assert told.position is not None
    assert told.size is not None
    lon, lat = offset_lonlat(LON0, LAT0, -thing.y_m, thing.x_m)
    east, north = east_north(told.position.lon, told.position.lat, lon, lat)
    assert math.hypot(east, north) < 0.5
    assert told.size.length_m == pytest.approx(thing.length_m, abs=2.5 * told.size.error_m)
    assert told.size.width_m == pytest.approx(thing.width_m, abs=2.5 * told.size.error_m)
    assert told.severity is not None
    assert told.severity.grade == 4


def test_one_place_with_two_names_is_one_defect_of_the_surer_name():
    frames = list(drive([Thing("pothole", 30, 0.5, 0.9, 0.8)], length_m=60))
    both = [(f, p, [*d, *(replace(x, label="alligator_crack", score=0.5) for x in d)]) for f, p, d in frames]
    assert [d.label for d in track(both)] == ["pothole"]
    by_turns = [
        (f, p, [replace(x, label="alligator_crack", score=0.9) for x in d] if i % 2 else d)
        for i, (f, p, d) in enumerate(frames)
    ]
    assert [d.label for d in track(by_turns)] == ["alligator_crack"]


def test_two_names_on_one_box_open_one_track():
    (frame, pose, (pothole,)), *_ = [
        step for step in drive([Thing("pothole", 30, 0.5, 0.9, 0.8)], length_m=60) if len(step[2]) == 1
    ]
    also = replace(pothole, label="crack", score=pothole.score - 0.1)
    assert len(Tracker(TrackerSettings(), CAMERA).step(frame, pose, [also, pothole]).best_now) == 1


def test_a_pothole_inside_a_large_crack_is_a_defect_of_its_own():
    things = [Thing("alligator_crack", 30, 0.5, 4.0, 2.0), Thing("pothole", 30.5, 0.5, 0.6, 0.5)]
    assert sorted(d.label for d in track(drive(things, length_m=60))) == ["alligator_crack", "pothole"]


def test_the_same_spot_on_a_later_pass_is_a_new_defect():
    first = list(drive([Thing("pothole", 30, 0, 0.6, 0.5)], length_m=60))
    # The odometry frame goes on: the second round comes by the same place 1 km later.
    later = [
        (
            replace(f, time_s=f.time_s + 1000),
            replace(p, odom_x_m=p.odom_x_m + 1000, distance_m=p.distance_m + 1000, time_s=p.time_s + 1000),
            d,
        )
        for f, p, d in first
    ]
    assert len(track(first + later)) == 2


def test_without_calibration_boxes_are_joined_in_the_picture_and_have_no_place():
    tracker = Tracker(TrackerSettings(), None)
    pose = Pose(0, 0, 0, 0, 0, None)
    frames = [
        (
            Frame(EMPTY, i / 2, i, str(i)),
            pose,
            [Detection("crack", 0.8, (100 + 8 * i, 300 + 8 * i, 200 + 9 * i, 350 + 9 * i))],
        )
        for i in range(6)
    ]
    (defect,) = track(frames, tracker)
    told = report(defect)
    assert (told.position, told.size, told.severity) == (None, None, None)


@settings(max_examples=50, deadline=None)
@given(
    boxes=st.lists(st.tuples(st.floats(0, 1280), st.floats(0, 720), st.floats(0, 1280), st.floats(0, 720)), max_size=12)
)
def test_any_boxes_are_survived(boxes):
    tracker = Tracker(TrackerSettings(), CAMERA)
    pose = Pose(0, 0, 0, 0, 5, 10.0, 6.7, 51.4, 1.0, 90.0, "gnss")
    detections = [Detection("pothole", 0.9, (min(a, c), min(b, d), max(a, c), max(b, d))) for a, b, c, d in boxes]
    for index in range(3):
        tracker.step(Frame(EMPTY, index, index, ""), pose, detections)
    for defect in tracker.finish().finished:
        report(defect)
