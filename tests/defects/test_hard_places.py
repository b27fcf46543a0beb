# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Close neighbours, bends, stops, reversing, coming back, a nodding body: as many defects as there are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edge.defects.report import report
from edge.defects.track import Defect
from edge.defects.tracker import Tracker, TrackerSettings
from edge.geometry import east_north
from edge.types import Detection
from tests.defects.road import CAMERA, LAT0, LON0, Thing, drive, look, nodding, path


def track(frames, tracker: Tracker | None = None) -> list[Defect]:
    tracker = tracker or Tracker(TrackerSettings(), CAMERA)
    found: list[Defect] = []
    for frame, pose, detections in frames:
        found.extend(tracker.step(frame, pose, detections).finished)
    return found + list(tracker.finish().finished)


def places(found: list[Defect]) -> list[tuple[float, float]]:
    """Where they lie in the odometry frame, by what is told of them."""
    told = []
    for defect in found:
        position = report(defect).position
        assert position is not None
        east, north = east_north(position.lon, position.lat, LON0, LAT0)
        told.append((north, -east))
    return told


def off_m(found: list[Defect], things: list[Thing]) -> list[float]:
    """Of each thing, how far off the nearest defect is."""
    at = places(found)
    return [min(math.hypot(x - t.x_m, y - t.y_m) for x, y in at) for t in things]


def potholes(*at: tuple[float, float], size_m: float = 0.5) -> list[Thing]:
    return [Thing("pothole", x, y, size_m, size_m, is_round=True) for x, y in at]


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("seed", range(100, 112))
def test_two_potholes_a_metre_and_a_half_apart_stay_two_although_the_body_nods(seed: int, beside: bool):
    things = potholes((40, -0.5), (40, 1.0) if beside else (41.5, -0.5))
    found = track(look(things, path([(2.0, 0.0)] * 30), pixel_noise=1.5, seed=seed, nod_deg=nodding(seed)))
    assert len(found) == 2
    assert max(off_m(found, things)) < 0.6


@pytest.mark.parametrize("seed", range(100, 112))
def test_ten_potholes_in_five_metres_are_ten(seed: int):
    rng = np.random.default_rng(seed)
    things = potholes(
        *((50 + 1.1 * row + rng.uniform(-0.15, 0.15), side + rng.uniform(-0.15, 0.15)) for row in range(5)
          for side in (-0.6, 0.7)),
        size_m=0.35,
    )  # fmt: skip
    found = track(look(things, path([(2.0, 0.0)] * 35), pixel_noise=1.5, seed=seed, nod_deg=nodding(seed)))
    assert len(found) == 10


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("seed", [101, 102, 103])
def test_a_bend_of_thirty_metres_keeps_number_place_and_size(left: bool, seed: int):
    rate = math.degrees(2.0 / 30) * (1 if left else -1)
    poses = path([(2.0, 0.0)] * 15 + [(2.0, rate)] * 24 + [(2.0, 0.0)] * 15)
    things = []
    for index in range(20, 42, 3):
        pose = poses[index]
        yaw = math.radians(pose.odom_yaw_deg)
        things.append(
            Thing("pothole", pose.odom_x_m - 0.8 * math.sin(yaw), pose.odom_y_m + 0.8 * math.cos(yaw), 1.2, 0.4,
                  yaw_deg=pose.odom_yaw_deg, is_round=True)
        )  # fmt: skip
    found = track(look(things, poses, pixel_noise=1.0, seed=seed, nod_deg=nodding(seed)))
    assert len(found) == len(things)
    assert max(off_m(found, things)) < 0.6
    sizes = [report(defect).size for defect in found]
    assert np.median([abs(size.length_m - 1.2) for size in sizes if size]) < 0.12
    assert np.median([abs(size.width_m - 0.4) for size in sizes if size]) < 0.12


def test_a_stop_before_a_pothole_gives_no_certainty_and_no_memory():
    (stop,) = [s for s in drive(potholes((30, 0)), length_m=60) if s[1].odom_x_m == 22]
    tracker = Tracker(TrackerSettings(min_frames=1, min_certainty=0.0), CAMERA)
    for second in range(2000):
        frame, pose, detections = stop
        tracker.step(replace(frame, time_s=float(second)), replace(pose, time_s=float(second)), detections)
    (defect,) = tracker.finish().finished
    assert defect.score == pytest.approx(0.7)
    assert len(defect.sightings) == 1


def test_the_surest_of_the_looks_from_one_place_counts():
    (frame, pose, (seen,)) = next(s for s in drive(potholes((30, 0)), length_m=60) if s[1].odom_x_m == 22)
    tracker = Tracker(TrackerSettings(min_frames=1, min_certainty=0.0), CAMERA)
    for score in (0.3, 0.9, 0.5):
        tracker.step(frame, pose, [replace(seen, score=score)])
    assert tracker.finish().finished[0].score == pytest.approx(0.9)


def test_a_stop_on_top_of_a_pothole_is_one_defect():
    things = potholes((60, 0.3), (64, -0.4))
    poses = path([(2.0, 0.0)] * 29 + [(0.0, 0.0)] * 400 + [(2.0, 0.0)] * 15)
    assert len(track(look(things, poses, pixel_noise=1.0))) == 2


def test_a_car_that_hides_it_while_we_stand_does_not_end_it():
    things = potholes((40, 0.3))
    poses = path([(2.0, 0.0)] * 14 + [(0.0, 0.0)] * 60 + [(2.0, 0.0)] * 15)
    tracker = Tracker(TrackerSettings(), CAMERA)
    found = track(look(things, poses, hidden=lambda _, pose: 3 < pose.time_s < 14), tracker)
    assert len(found) == 1
    assert tracker.counters["dropped_duplicate"] == 0


@pytest.mark.parametrize("past_m", [4, 10])
def test_reversing_over_a_pothole_is_still_one_pass(past_m: int):
    steps = [(2.0, 0.0)] * (30 + past_m // 2) + [(0.0, 0.0)] * 600 + [(-1.0, 0.0)] * (past_m + 12) + [(2.0, 0.0)] * 30
    tracker = Tracker(TrackerSettings(), CAMERA)
    assert len(track(look(potholes((60, 0.3)), path(steps), pixel_noise=1.0), tracker)) == 1
    assert tracker.counters["dropped_duplicate"] == 1


def test_what_was_passed_while_another_model_judged_is_told_at_once():
    frames = list(drive(potholes((30, 0.3)), length_m=80))
    tracker = Tracker(TrackerSettings(), CAMERA)
    for frame, pose, detections in frames[:13]:
        assert tracker.step(frame, pose, detections).finished == ()
    ended = [tracker.roll_on(pose).finished for _, pose, _ in frames[13:]]
    assert [len(finished) for finished in ended].index(1) == 3
    assert tracker.finish().finished == ()


def test_turning_around_and_seeing_it_from_the_other_side_is_still_one_pass():
    steps = [(2.0, 0.0)] * 35 + [(1.0, 15.0)] * 12 + [(2.0, 0.0)] * 30
    assert len(track(look(potholes((60, 0.5)), path(steps), pixel_noise=1.0))) == 1


@pytest.mark.parametrize("drift_m", [0.0, 1.0])
def test_around_the_block_is_a_new_pass_wherever_odometry_has_drifted_to(drift_m: float):
    block = [(2.0, 0.0)] * 40 + [(2.0, 9.0)] * 20
    poses = path(block * 4)
    drifted = [replace(p, odom_y_m=p.odom_y_m + drift_m) if p.distance_m > 180 else p for p in poses]
    seen = look(potholes((60, 0.5)), poses)
    frames = [(f, d, found) for (f, _, found), d in zip(seen, drifted, strict=True)]
    # 240 m a round, so 480 m have two.
    assert len(track(frames)) == 2


def test_a_track_in_view_and_hidden_lives_as_long_as_it_may_be_missed():
    def hidden_for(metres: float):
        return lambda _, pose: 40 <= pose.odom_x_m < 40 + metres

    poses = path([(2.0, 0.0)] * 40)
    for metres, duplicates in ((8, 0), (13, 0)):
        tracker = Tracker(TrackerSettings(), CAMERA)
        assert len(track(look(potholes((60, 0.5)), poses, hidden=hidden_for(metres)), tracker)) == 1
        assert tracker.counters["dropped_duplicate"] == duplicates


def test_place_beyond_the_receiver_is_within_decimetres_and_the_stated_error_covers_it():
    errors, covered, sizes = [], [], []
    for seed in range(100, 106):
        rng = np.random.default_rng(seed)
        things = [
            Thing(
                "pothole", 30 + 9 * n, rng.uniform(-1, 2.5), rng.uniform(0.3, 1.2), rng.uniform(0.3, 1), is_round=True
            )
            for n in range(12)
        ]
        frames = [
            (f, replace(p, error_m=0.02), d)
            for f, p, d in look(things, path([(2.0, 0.0)] * 75), pixel_noise=1.5, seed=seed, nod_deg=nodding(seed))
        ]
        found = track(frames)
        assert len(found) == len(things)
        for defect, (x, y) in zip(found, places(found), strict=True):
            thing = min(things, key=lambda t: math.hypot(x - t.x_m, y - t.y_m))
            told = report(defect)
            assert told.position is not None
            assert told.size is not None
            errors.append(math.hypot(x - thing.x_m, y - thing.y_m))
            covered.append(errors[-1] <= 2.45 * told.position.error_m)
            sizes.append(abs(told.size.length_m - thing.length_m) / thing.length_m)
    assert np.median(errors) < 0.15
    assert np.quantile(errors, 0.95) < 0.4
    assert np.mean(covered) >= 0.95
    assert np.median(sizes) < 0.07


def test_a_camera_that_is_hardly_calibrated_says_so_of_place_and_size():
    frames = list(look(potholes((40, 0.3), size_m=1.0), path([(2.0, 0.0)] * 30)))
    told = []
    for camera in (CAMERA, replace(CAMERA, height_error_m=0.3, mount_pitch_error_deg=0.5)):
        (defect,) = track(frames, Tracker(TrackerSettings(), camera))
        told.append(report(defect))
    sure, unsure = told
    assert unsure.size.error_m > sure.size.error_m + 0.1
    assert unsure.position.error_m > sure.position.error_m + 0.1


def test_neighbours_that_one_frame_showed_side_by_side_are_two_however_coarse_the_looks():
    things = potholes((40, -0.3), (40, 0.5), size_m=0.7)
    found = track(look(things, path([(2.0, 0.0)] * 30), hidden=lambda _, pose: pose.odom_x_m > 25))
    assert len(found) == 2


def test_what_lies_aside_after_a_corner_ends_after_some_way():
    frames = list(look(potholes((30, 0.3)), path([(2.0, 0.0)] * 10 + [(1.0, 15.0)] * 6 + [(2.0, 0.0)] * 40)))
    tracker = Tracker(TrackerSettings(), CAMERA)
    told_at = [pose.distance_m for f, pose, seen in frames if tracker.step(f, pose, seen).finished]
    assert len(told_at) == 1
    assert told_at[0] < 90


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_cracks_that_cross_keep_their_looks_apart(seed: int):
    things = [Thing("longitudinal_crack", 40, 0.3, 6.0, 0.1), Thing("transverse_crack", 41, 0.3, 0.3, 2.4)]
    found = track(
        look(things, path([(2.0, 0.0)] * 30), pixel_noise=1.0, seed=seed, nod_deg=nodding(seed), miss_every=3)
    )
    assert sorted(defect.label for defect in found) == ["longitudinal_crack", "transverse_crack"]
    sizes = {defect.label: report(defect).size for defect in found}
    assert sizes["longitudinal_crack"].length_m == pytest.approx(6, rel=0.2)
    assert sizes["transverse_crack"].width_m == pytest.approx(2.4, rel=0.2)
    assert sizes["transverse_crack"].length_m < 1.0


def test_a_box_that_the_pictures_edge_cuts_does_not_widen_a_crack():
    thing = Thing("longitudinal_crack", 40, 0.8, 8.0, 0.1)
    frames = list(look([thing], path([(2.0, 0.0)] * 30)))
    # A detector that draws the box of what runs out at the bottom on to the corner.
    wide = [
        (f, p, [replace(d, box=(0.0, d.box[1], d.box[2], 720.0)) if d.box[3] > 640 else d for d in seen])
        for f, p, seen in frames
    ]
    assert any(before[2] != after[2] for before, after in zip(frames, wide, strict=True))
    (defect,) = track(wide)
    assert report(defect).size.width_m < 0.3
    assert off_m([defect], [thing])[0] < 0.4


def test_what_a_detector_sees_everywhere_does_not_fill_the_memory_of_a_vehicle_that_stands():
    rng = np.random.default_rng(3)
    frame, pose, _ = next(s for s in drive([], length_m=60) if s[1].odom_x_m == 22)
    tracker, dropped = Tracker(TrackerSettings(), CAMERA), 0
    for _ in range(40):
        corners = rng.uniform((0, 300), (1200, 680), (20, 2))
        seen = [Detection(f"thing {n}", 0.3, (x, y, x + 9, y + 9)) for n, (x, y) in enumerate(corners.tolist())]
        dropped += len(tracker.step(frame, pose, seen).dropped)
    assert dropped >= 300
    assert len(tracker.finish().dropped) <= 100
