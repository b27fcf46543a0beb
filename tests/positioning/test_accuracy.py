# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How near the pose is to the truth in a town with tight bends, in reverse, and with the antenna off the axle."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from edge.geometry import offset_lonlat
from edge.positioning.estimator import Estimator, Mounting
from edge.types import Fix, Odometry, Pose
from tests.positioning.roads import LAT0, LON0, Fitted, Road, backing_out, poses_along, town

WITHIN_95 = 2.448
RTK = 0.02


def settled(road: Road, fitted: Fitted, mounting: Mounting, *, from_s: float = 20.0) -> tuple[list[Pose], Estimator]:
    estimator = Estimator(mounting=mounting)
    poses = poses_along(estimator, fitted.readings(road))
    return [pose for pose in poses if pose.time_s > from_s], estimator


@pytest.mark.parametrize("arm", [(0.0, 0.0), (1.5, 0.3), (4.0, -0.5)])
def test_with_an_rtk_receiver_the_pose_is_good_to_a_tenth_of_a_metre_in_bends_of_30_m(arm: tuple[float, float]) -> None:
    road = town(90, arm=arm)
    poses, estimator = settled(road, Fitted(error_m=RTK), Mounting(*arm))
    errors = [road.error_m(pose) for pose in poses]
    assert np.percentile(errors, 95) < 0.1
    assert np.percentile([road.heading_error_deg(pose) for pose in poses], 95) < 0.4
    assert np.mean([e <= WITHIN_95 * (p.error_m or 0) for e, p in zip(errors, poses, strict=True)]) >= 0.9
    assert estimator.counts["fix_refused"] == estimator.counts["restarted"] == 0


def test_a_fix_whose_time_is_off_by_a_hundredth_of_a_second_is_still_believed() -> None:
    """At 45 km/h that is an eighth of a metre, six times what an RTK receiver claims."""
    road = town(90)
    poses, estimator = settled(road, Fitted(error_m=RTK, jitter_s=0.01), Mounting())
    assert estimator.counts["fix_refused"] <= 2
    errors = [road.error_m(pose) for pose in poses]
    assert np.percentile(errors, 95) < 0.15
    assert np.mean([e <= WITHIN_95 * (p.error_m or 0) for e, p in zip(errors, poses, strict=True)]) >= 0.9


def test_a_receiver_whose_error_lasts_is_believed_no_further_than_its_word() -> None:
    road = town(90)
    poses, _ = settled(road, Fitted(error_m=1.5, seed=2), Mounting())
    errors = [road.error_m(pose) for pose in poses]
    assert np.percentile(errors, 95) < 3.0
    assert np.mean([e <= WITHIN_95 * (p.error_m or 0) for e, p in zip(errors, poses, strict=True)]) >= 0.9
    assert np.percentile([road.heading_error_deg(pose) for pose in poses], 95) < 1.0


def test_on_a_circle_the_heading_is_not_the_course_of_an_antenna_ahead_of_the_axle() -> None:
    """30 m radius at 20 km/h: the antenna 4 m ahead moves 7.6 degrees to the right of where the vehicle points."""
    t = np.arange(0, 60, 0.01)
    speed = np.full_like(t, 20 / 3.6)
    road = Road(speed, np.where(t > 10, speed / 30, 0.0), arm=(4.0, 0.0))
    poses, _ = settled(road, Fitted(error_m=0.5), Mounting(4.0, 0.0))
    assert np.percentile([road.heading_error_deg(pose) for pose in poses], 95) < 1.0
    ignorant, _ = settled(road, Fitted(error_m=0.5), Mounting())
    assert np.median([road.heading_error_deg(pose) for pose in ignorant]) > 5.0


def test_the_odometer_frame_is_the_antennas_and_starts_at_zero_there() -> None:
    estimator = Estimator(mounting=Mounting(antenna_forward_m=4.0, antenna_left_m=1.0))
    for s in range(11):
        estimator.add(Odometry(s / 10, 0.0 if s == 0 else math.pi * s, 90.0))
    start, end = estimator.pose_at(0.0), estimator.pose_at(1.0)
    assert (start.odom_x_m, start.odom_y_m) == (0, 0)
    # A quarter circle to the right of radius 20 about (0, -20): the arm (4, 1) has become (1, -4).
    assert (end.odom_x_m, end.odom_y_m) == pytest.approx((20 - 4 + 1, -20 - 1 - 4), abs=0.1)


@pytest.mark.parametrize("arm", [(0.0, 0.0), (4.0, 0.0)])
@pytest.mark.parametrize("error_m", [RTK, 1.5])
def test_an_odometer_that_knows_its_direction_reverses(error_m: float, arm: tuple[float, float]) -> None:
    road = backing_out(arm=arm)
    poses, estimator = settled(road, Fitted(error_m=error_m, seed=3), Mounting(*arm), from_s=40)
    assert max(road.error_m(pose) for pose in poses) < (0.15 if error_m == RTK else 3.5)
    assert max(road.heading_error_deg(pose) for pose in poses) < 2.0
    assert estimator.counts["restarted"] == 0
    stopped, back = (estimator_pose(poses, s) for s in (62.0, 84.0))
    turned = math.radians(stopped.odom_yaw_deg)
    dx, dy = back.odom_x_m - stopped.odom_x_m, back.odom_y_m - stopped.odom_y_m
    assert dx * math.cos(turned) + dy * math.sin(turned) < -25
    assert back.distance_m - stopped.distance_m == pytest.approx(37.5, abs=1.5)
    assert all(b.distance_m >= a.distance_m for a, b in pairwise(poses))


@pytest.mark.parametrize("odometer", ["unsigned", "none"])
@pytest.mark.parametrize("error_m", [RTK, 1.5])
def test_without_a_direction_from_the_odometer_the_receivers_course_tells_reversing(
    error_m: float, odometer: str
) -> None:
    road = backing_out()
    poses, estimator = settled(road, Fitted(error_m=error_m, odometer=odometer, seed=3), Mounting(), from_s=40)
    assert estimator.counts["reversing"] == estimator.counts["forwards_again"] == 1
    known = [pose for pose in poses if pose.heading_deg is not None]
    assert len(known) > 0.98 * len(poses)
    assert max(road.heading_error_deg(pose) for pose in known) < 30
    assert max(road.error_m(pose) for pose in poses) < 4.0


def test_a_turn_round_is_a_turn_and_no_reversing() -> None:
    """180 degrees in six seconds at walking pace."""
    t = np.arange(0, 60, 0.01)
    road = Road(np.where((t > 28) & (t < 40), 2.5, 8.0), np.radians(np.where((t > 31) & (t < 37), 30.0, 0.0)))
    for odometer in ("unsigned", "none"):
        poses, estimator = settled(road, Fitted(error_m=0.5, odometer=odometer), Mounting())
        assert estimator.counts["reversing"] == 0
        assert road.heading_error_deg(poses[-1]) < 5


def test_the_pose_says_what_its_fix_rests_on_and_how_far_back_it_lies() -> None:
    estimator = Estimator()
    assert estimator.pose_at(0.0).since_fix_m is None
    for tenth in range(400):
        if tenth % 10 == 0 and tenth < 200:
            lon, lat = offset_lonlat(LON0, LAT0, float(tenth), 0.0)
            quality = "rtk_float" if tenth < 100 else "rtk_fixed"
            estimator.add(Fix(tenth / 10, lon, lat, 0.05, 90.0, 10.0, quality=quality))
        estimator.add(Odometry(tenth / 10, float(tenth)))
    early, late, gone = (estimator.pose_at(s) for s in (12.5, 20.5, 39.0))
    assert (early.quality, early.since_fix_m, early.method) == ("rtk_fixed", 0.0, "gnss")
    assert (late.quality, late.since_fix_m, late.method) == ("rtk_fixed", 0.0, "gnss")
    assert (gone.quality, gone.method) == ("rtk_fixed", "dead_reckoned")
    assert gone.since_fix_m == pytest.approx(200, abs=3)


def estimator_pose(poses: list[Pose], time_s: float) -> Pose:
    return min(poses, key=lambda pose: abs(pose.time_s - time_s))
