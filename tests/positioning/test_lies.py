# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Bad input: each kind is named and counted, the pose stays where the vehicle is, and says what it rests on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.geometry import offset_lonlat
from edge.positioning.estimator import Estimator, Mounting
from edge.types import Acceleration, Fix, Landmark, Measurement, Odometry
from tests.positioning.roads import LAT0, LON0, Fitted, poses_along, winding

WITHIN_95 = 2.448
RTK = 0.02
#: When the lies are told, seconds of the drive.
FROM_S, TO_S = 40.0, 50.0
Lie = Callable[[Measurement, int], Measurement]


def of_fixes(change: Callable[[Fix, int], Fix]) -> Lie:
    return lambda m, i: change(m, i) if isinstance(m, Fix) else m


def of_odometer(change: Callable[[Odometry, int], Odometry]) -> Lie:
    return lambda m, i: change(m, i) if isinstance(m, Odometry) else m


def teleport(fix: Fix, index: int) -> Fix:
    return replace(fix, lon=fix.lon + 0.01 * math.sin(index))


LIES: dict[str, tuple[str, Lie]] = {
    "teleports": ("fix_refused", of_fixes(teleport)),
    "null island": ("null_fix", of_fixes(lambda f, _: replace(f, lon=0.0, lat=0.0))),
    "no number": ("bad_fix", of_fixes(lambda f, _: replace(f, lat=math.nan))),
    "no error": ("bad_fix", of_fixes(lambda f, _: replace(f, error_m=0.0))),
    "fixes of the future": ("time_ahead", of_fixes(lambda f, _: replace(f, time_s=f.time_s + 3600))),
    "fixes of the past": ("time_backwards", of_fixes(lambda f, _: replace(f, time_s=f.time_s - 20))),
    "time is no number": ("not_finite", of_fixes(lambda f, _: replace(f, time_s=math.nan))),
    "odometer of the future": ("time_ahead", of_odometer(lambda o, _: replace(o, time_s=o.time_s + 1e6))),
    "odometer is no number": ("not_finite", of_odometer(lambda o, _: replace(o, distance_m=math.inf))),
    "gyro spins": ("gyro_refused", of_odometer(lambda o, _: replace(o, yaw_rate_dps=900.0))),
}


@pytest.mark.parametrize(("name", "lie"), LIES.values(), ids=list(LIES))
def test_ten_seconds_of_lies_are_counted_and_the_pose_stays_true(name: str, lie: Lie) -> None:
    road = winding(4, 700)
    estimator, poses = Estimator(), []
    for index, reading in enumerate(Fitted(error_m=0.5, seed=4).readings(road)):
        estimator.add(lie(reading, index) if FROM_S <= reading.time_s < TO_S else reading)
        poses.append(estimator.pose_at(reading.time_s))
    true_times = [pose for pose in poses if 20 < pose.time_s < road.t[-1]]
    errors = [(road.error_m(pose), pose) for pose in true_times if pose.lon is not None]
    assert len(errors) == len(true_times)
    assert max(error for error, _ in errors) < 4.0
    assert np.mean([error <= WITHIN_95 * (pose.error_m or 0) for error, pose in errors]) >= 0.9
    assert estimator.counts[name] >= 5
    steps = [math.hypot(b.odom_x_m - a.odom_x_m, b.odom_y_m - a.odom_y_m) for a, b in pairwise(poses)]
    assert max(steps) < 17 * 0.2 + 0.5
    if name in ("fix_refused", "null_fix", "bad_fix", "time_backwards", "time_ahead", "not_finite"):
        assert estimator.counts["restarted"] == 0


def test_a_frozen_receiver_no_longer_counts_as_a_fix() -> None:
    road = winding(4, 700)
    frozen: list[Measurement] = []
    place: Fix | None = None
    for m in Fitted(error_m=0.5, seed=4).readings(road):
        if isinstance(m, Fix) and FROM_S <= m.time_s < TO_S:
            place = place or m
            frozen.append(replace(m, lon=place.lon, lat=place.lat))
        else:
            frozen.append(m)
    estimator = Estimator()
    poses = poses_along(estimator, frozen)
    assert estimator.counts["frozen_fix"] > 40
    assert {p.method for p in poses if FROM_S + 3.5 < p.time_s < TO_S} == {"dead_reckoned"}
    assert max(road.error_m(p) for p in poses if p.time_s > 20) < 4.0
    assert {p.method for p in poses if p.time_s > TO_S + 1} == {"gnss"}
    (correction,) = estimator.corrections()
    assert correction.end_s == pytest.approx(TO_S, abs=0.3)


@pytest.mark.parametrize(
    ("jump_m", "name"), [(-65_536.0, "odometer_overflow"), (-200.0, "odometer_reset"), (99_999.0, "odometer_jump")]
)
def test_an_odometer_that_overflows_starts_anew_or_jumps_loses_no_more_than_a_step(jump_m: float, name: str) -> None:
    road = winding(4, 700)
    lied = [
        replace(m, distance_m=m.distance_m + jump_m) if isinstance(m, Odometry) and m.time_s >= FROM_S else m
        for m in Fitted(error_m=0.5, seed=4, tunnel=(road.at("rolled", FROM_S - 2), 1e9)).readings(road)
    ]
    estimator = Estimator()
    poses = poses_along(estimator, lied)
    assert estimator.counts == {name: 1}
    after = next(pose for pose in poses if pose.time_s > TO_S)
    assert after.distance_m == pytest.approx(road.at("rolled", after.time_s), rel=0.03)
    assert road.error_m(after) < 5.0


@pytest.mark.parametrize(
    ("name", "count"), [("odometer_contradicted", lambda m: 0.0), ("odometer_backwards", lambda m: -m)]
)
def test_an_odometer_that_sticks_or_counts_down_is_not_used_while_it_does(
    name: str, count: Callable[[float], float]
) -> None:
    road = winding(4, 700)
    at_start = None
    lied: list[Measurement] = []
    for m in Fitted(error_m=RTK, seed=4, scale_sigma=0).readings(road):
        if isinstance(m, Odometry) and m.time_s >= FROM_S:
            at_start = m.distance_m if at_start is None else at_start
            told = m.distance_m - at_start
            wrong = count(min(told, road.at("rolled", TO_S) - at_start))
            lied.append(replace(m, distance_m=at_start + wrong + max(0.0, m.distance_m - road.at("rolled", TO_S))))
        else:
            lied.append(m)
    estimator = Estimator()
    poses = poses_along(estimator, lied)
    assert estimator.counts[name] >= 1
    errors = [(road.error_m(pose), pose.error_m or 0.0) for pose in poses if pose.time_s > 20]
    assert np.mean([error <= WITHIN_95 * said for error, said in errors]) >= 0.9
    assert np.percentile([error for error, _ in errors], 95) < 2.0
    assert max(road.error_m(pose) for pose in poses if pose.time_s > TO_S + 2) < 1.0


def test_utc_that_jumps_by_1024_weeks_moves_nothing() -> None:
    def driven(*, lie: bool) -> list[object]:
        estimator = Estimator()
        for s in range(60):
            lon, lat = offset_lonlat(LON0, LAT0, 10.0 * s, 0.0)
            utc_s = 1.8e9 + s - (1024 * 604_800 if lie and s > 30 else 0)
            estimator.add(Fix(float(s), lon, lat, 2.0, 90.0, 10.0, utc_s=utc_s))
        return [estimator.pose_at(float(s)) for s in range(60)]

    assert driven(lie=True) == driven(lie=False)


def test_what_is_no_position_is_passed_over() -> None:
    estimator = Estimator()
    estimator.add(Landmark(1.0, "portal"))
    estimator.add(Acceleration(1.0, 9.81))
    assert estimator.counts == {}
    assert estimator.pose_at(1.0).method is None


values = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-200, 200)
near = st.floats(-0.01, 0.01)
fixes = st.builds(
    Fix,
    st.floats(0, 60) | values,
    near.map(lambda x: LON0 + x) | values,
    near.map(lambda x: LAT0 + x) | values,
    st.floats(0.01, 20) | values,
    st.none() | st.floats(0, 360) | values,
    st.none() | st.floats(0, 30) | values,
)
odometry = st.builds(
    Odometry, st.floats(0, 60) | values, st.floats(0, 500) | values, st.none() | st.floats(-40, 40) | values
)
mountings = st.builds(Mounting, st.floats(-3, 8), st.floats(-1, 1))


@settings(max_examples=300, deadline=None)
@given(st.lists(fixes | odometry, max_size=60), st.booleans(), mountings)
def test_whatever_is_said_nothing_raises_and_the_odometer_frame_never_jumps(
    measurements: list[Measurement], in_order: bool, mounting: Mounting
) -> None:
    if in_order:
        measurements.sort(key=lambda m: m.time_s if math.isfinite(m.time_s) else -1.0)
    estimator = Estimator(mounting=mounting)
    for measurement in measurements:
        newest = estimator._history.last
        if newest is not None:
            estimator.pose_at(newest.time_s + 0.001)  # live: somebody has seen where it was
        estimator.add(measurement)
        corrections = estimator.corrections()
        node = estimator._history.last
        if node is not None and newest is not None and newest in estimator._history._nodes:
            step = math.hypot(node.odom.x_m - newest.odom.x_m, node.odom.y_m - newest.odom.y_m)
            dt = node.time_s - newest.time_s
            # No fix moves it at all; wheels and speeds no faster than the fastest of them.
            assert step <= 210 * dt + 2 if isinstance(measurement, Fix) else 110 * dt + 210 * 30 + 2
            if isinstance(measurement, Fix) and dt == 0:
                assert step == 0
        for correction in corrections:
            pose = correction.pose_at((correction.start_s + correction.end_s) / 2)
            assert pose.error_m is None or math.isfinite(pose.error_m)
    assert all(isinstance(count, int) and count > 0 for count in Counter(estimator.counts).values())


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_among_true_readings_no_lie_moves_the_odometer_frame(data: st.DataObject) -> None:
    """A true odometer beside any fixes at all: the frame is what it would be without the fixes, but for its scale."""
    wheels = [Odometry(i / 10, float(i), 5.0) for i in range(200)]
    lies = data.draw(st.lists(st.builds(replace, fixes, time_s=st.floats(0, 20)), max_size=40))
    told = sorted([*wheels, *lies], key=lambda m: m.time_s)
    poses = poses_along(Estimator(), told)
    steps = [math.hypot(b.odom_x_m - a.odom_x_m, b.odom_y_m - a.odom_y_m) for a, b in pairwise(poses)]
    assert max(steps) < 2 * 1.6 + 0.5
