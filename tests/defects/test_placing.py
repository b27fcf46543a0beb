# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From the frame of tracking to earth and to a known line, and again once poses are known better."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from edge.defects.placing import Glimpse, place
from edge.defects.report import report
from edge.defects.revisions import Revisions
from edge.defects.track import Defect
from edge.defects.tracker import Tracker, TrackerSettings
from edge.geometry import east_north, offset_lonlat
from edge.types import Correction, LinePlace, Pose
from tests.defects.road import CAMERA, LAT0, LON0, Thing, look, path, pose_at


def glimpse(ahead_m: float, **changes: object) -> Glimpse:
    """A place 30 m to the north and 1 m to the left, seen from so far away."""
    return Glimpse(replace(pose_at(0, 30 - ahead_m, 0.0, 0.0, 30 - ahead_m), **changes), ahead_m, 1.0)


def local(position) -> tuple[float, float]:
    east, north = east_north(position.lon, position.lat, LON0, LAT0)
    return north, -east


def test_a_near_look_weighs_more_than_far_ones_with_a_wrong_heading():
    turned = [glimpse(d, heading_deg=3.0) for d in (24.0, 20.0, 16.0)]
    near = glimpse(4.0)
    told = place([*turned, near], near.pose, error_m=0.1).position
    assert math.dist(local(told), (30, 1)) < 0.4


def test_a_look_whose_pose_is_much_worse_hardly_counts():
    wrong = replace(glimpse(6.0).pose, error_m=20.0, method="dead_reckoned")
    lon, lat = offset_lonlat(wrong.lon, wrong.lat, 15.0, 0.0)
    right = glimpse(6.0)
    told = place([Glimpse(replace(wrong, lon=lon, lat=lat), 6.0, 1.0), right], right.pose, error_m=0.1).position
    assert math.dist(local(told), (30, 1)) < 0.1


def test_the_error_is_the_poses_and_the_places_and_is_not_divided_by_the_looks():
    many = [glimpse(5.0, error_m=0.4) for _ in range(50)]
    told = place(many, many[0].pose, error_m=0.3).position
    assert told.error_m == pytest.approx(math.hypot(0.4, 0.3, many[0].heading_error_m), abs=0.01)


def test_the_best_look_says_what_the_position_rests_on():
    best = glimpse(5.0, method="dead_reckoned", quality="rtk_fixed", since_fix_m=123.44)
    told = place([glimpse(9.0), best], best.pose, error_m=0.1).position
    assert (told.method, told.quality, told.since_fix_m, told.revised) == ("dead_reckoned", "rtk_fixed", 123.4, False)


def test_without_any_known_pose_there_is_no_position_and_never_half_of_one():
    nowhere = [glimpse(d, lon=None, lat=None, error_m=None, method=None) for d in (9.0, 5.0)]
    placed = place(nowhere, nowhere[0].pose, error_m=0.1)
    assert (placed.position, placed.line) == (None, None)
    one = place([*nowhere, glimpse(7.0)], nowhere[0].pose, error_m=0.1).position
    assert math.dist(local(one), (30, 1)) < 0.05
    no_heading = [glimpse(d, heading_deg=None) for d in (9.0, 5.0)]
    assert place(no_heading, no_heading[0].pose, error_m=0.1).position is None


@pytest.mark.parametrize(("forward", "chainage", "side"), [(True, 1005.0, "left"), (False, 995.0, "right")])
def test_chainage_and_side_follow_the_direction_of_the_line(forward: bool, chainage: float, side: str):
    looks = [
        glimpse(ahead, line=LinePlace("Line", 1000 + (5 - ahead) * (1 if forward else -1), 0.5, "1", forward))
        for ahead in (9.0, 7.0, 5.0)
    ]
    other = glimpse(8.0, line=LinePlace("Another", 77.0, 0.5))
    told = place([other, *looks], looks[-1].pose, error_m=0.1).line
    assert told.chainage_m == pytest.approx(chainage, abs=0.01)
    assert (told.line, told.track, told.side) == ("Line", "1", side)
    assert told.error_m >= 0.5
    assert place(looks, looks[-1].pose, error_m=0.1, overhead=True).line.side == "middle"


def defect(shift_s: float = 0.0, **changes: object) -> Defect:
    """One pothole 30 m to the north and 1 m to the left."""
    poses = [replace(p, time_s=p.time_s + shift_s, **changes) for p in path([(2.0, 0.0)] * 20)]
    tracker = Tracker(TrackerSettings(), CAMERA)
    found = [
        d for f, p, seen in look([Thing("pothole", 30, 1, 0.5, 0.5, is_round=True)], poses)
        for d in tracker.step(f, p, seen).finished
    ]  # fmt: skip
    (one,) = [*found, *tracker.finish().finished]
    return one


def moved(by_defect: Defect, metres: float, *, start_s: float = 0.0, end_s: float = 1e6) -> Correction:
    """The smoothed poses lie so far to the east of those given before."""
    known = {s.time_s: s.pose for s in by_defect.sightings}

    def smoothed(time_s: float) -> Pose:
        pose = known[time_s]
        lon, lat = offset_lonlat(pose.lon, pose.lat, metres, 0.0)
        return replace(pose, lon=lon, lat=lat, error_m=0.5)

    return Correction(start_s, end_s, smoothed)


def test_a_correction_moves_the_defect_with_its_poses_under_the_same_id():
    one = defect(method="dead_reckoned", error_m=9.0)
    revisions = Revisions()
    revisions.note("a-1", one)
    (first,) = revisions.correct(moved(one, 5.0))
    before, after = local(report(one).position), local(first.position)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((0, -5), abs=0.05)
    assert (first.event_id, first.number, first.position.revised) == ("a-1", 1, True)
    assert first.position.error_m < 1.0
    (second,) = revisions.correct(moved(one, 6.0))
    assert second.number == 2


def test_only_what_was_seen_in_the_stretch_and_is_moved_is_revised():
    early, late = defect(), defect(shift_s=1000.0)
    revisions = Revisions()
    revisions.note("early", early)
    revisions.note("late", late)
    assert [r.event_id for r in revisions.correct(moved(late, 5.0, start_s=1000.0))] == ["late"]
    assert revisions.correct(moved(early, 0.0, start_s=2000.0)) == []
    same = Correction(0.0, 100.0, lambda t: next(s.pose for s in early.sightings if s.time_s == t))
    assert revisions.correct(same) == []


def test_a_defect_without_position_gets_one():
    one = defect()
    unplaced = replace(
        one,
        best=replace(one.best, pose=replace(one.best.pose, lon=None, method=None)),
        sightings=tuple(replace(s, pose=replace(s.pose, lon=None, method=None)) for s in one.sightings),
    )
    assert report(unplaced).position is None
    revisions = Revisions()
    revisions.note("a", unplaced)
    (revised,) = revisions.correct(moved(one, 0.0))
    assert math.dist(local(revised.position), (30, 1)) < 0.2


def test_what_was_seen_is_never_told_with_no_extent_at_all():
    one = defect()
    thin = tuple(replace(s, footprint=replace(s.footprint, half_width_m=0.0)) for s in one.sightings)
    size = report(replace(one, sightings=thin)).size
    assert size.width_m == 0.03 <= size.error_m


def test_memory_is_bounded_and_the_newest_stay():
    one, revisions = defect(), Revisions(keep=3)
    for number in range(10):
        revisions.note(str(number), one)
    assert [r.event_id for r in revisions.correct(moved(one, 5.0))] == ["7", "8", "9"]
    with pytest.raises(ValueError, match="keep"):
        Revisions(keep=0)


def test_of_defects_seen_with_fixes_only_the_last_hundred_are_kept():
    one, revisions = defect(), Revisions()
    for number in range(150):
        revisions.note(str(number), one)
    assert [r.event_id for r in revisions.correct(moved(one, 5.0))] == [str(number) for number in range(50, 150)]


def test_a_defect_that_is_still_followed_when_the_correction_comes_is_told_with_it():
    poses = path([(2.0, 0.0)] * 12)
    tracker = Tracker(TrackerSettings(), CAMERA)
    for frame, pose, seen in look([Thing("pothole", 30, 1, 0.5, 0.5, is_round=True)], poses):
        tracker.step(frame, pose, seen)
    by_time = {pose.time_s: pose for pose in poses}

    def smoothed(time_s: float) -> Pose:
        pose = by_time[time_s]
        lon, lat = offset_lonlat(pose.lon, pose.lat, 5.0, 0.0)
        return replace(pose, lon=lon, lat=lat)

    tracker.correct(Correction(0.0, 100.0, smoothed))
    (one,) = tracker.finish().finished
    assert local(report(one).position)[1] == pytest.approx(-4, abs=0.1)
