# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.geometry import offset_lonlat
from edge.positioning.estimator import Estimator
from edge.positioning.history import Limits
from edge.types import Fix, Odometry
from tests.positioning.drives import LAT0, LON0, Drive, Sensors, driven

if TYPE_CHECKING:
    from edge.types import Pose

#: Of a place known to one standard deviation s along each axis, 95 % lie within this many s.
WITHIN_95 = 2.448


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive()


def straight_fix(time_s: float, metres: float, **changes: float | None) -> Fix:
    """Eastwards, exactly."""
    lon, lat = offset_lonlat(LON0, LAT0, metres, 0.0)
    values: dict = {"error_m": 3.0, "heading_deg": 90.0, "speed_mps": 10.0} | changes
    return Fix(time_s, lon, lat, **values)


def eastwards(seconds: int, *, start_s: int = 0) -> list[Fix]:
    return [straight_fix(float(s), 10.0 * s) for s in range(start_s, start_s + seconds)]


def after(*measurements: Fix | Odometry, estimator: Estimator | None = None) -> Estimator:
    estimator = estimator or Estimator()
    for measurement in measurements:
        estimator.add(measurement)
    return estimator


@pytest.mark.parametrize(
    ("sensors", "ahead_s", "limit_m"),
    [
        (Sensors(), 1.5, 3.5),
        (Sensors(), -0.1, 3.5),
        (Sensors(gyro=False), 1.5, 3.5),
        (Sensors(odometer=False), 1.5, 3.5),
        (Sensors(odometer=False), -0.1, 4.0),
        (Sensors(lasting=0.95), 1.5, 8.0),
        (Sensors(lasting=0.95, odometer=False), -0.1, 8.0),
        (Sensors(every_s=5), 1.5, 7.0),
    ],
    ids=[
        "all",
        "all, live",
        "no gyro",
        "fixes only",
        "fixes only, live",
        "lasting errors",
        "lasting, live",
        "every 5 s",
    ],
)
def test_on_a_curved_drive_the_error_stays_small_and_within_what_is_stated(
    drive: Drive, sensors: Sensors, ahead_s: float, limit_m: float
) -> None:
    errors, inside = [], []
    for seed in range(3):
        sensors.seed = seed
        poses, _ = driven(drive, sensors, ahead_s=ahead_s)
        known = [pose for pose in poses if pose.error_m is not None]
        assert len(known) >= 0.99 * len(poses)
        errors += [drive.error_m(pose) for pose in known]
        inside += [drive.error_m(pose) <= WITHIN_95 * (pose.error_m or 0) for pose in known]
    assert np.percentile(errors, 95) < limit_m
    assert np.mean(inside) >= 0.95


def test_the_stated_error_is_no_excuse_it_stays_near_the_true_one(drive: Drive) -> None:
    poses, _ = driven(drive, Sensors())
    stated = np.median([pose.error_m or math.inf for pose in poses[100:]])
    assert stated < 2 * 3.0


@pytest.mark.parametrize("seed", range(4))
def test_a_tunnel_of_300_m_is_dead_reckoned_within_two_percent_of_the_way(drive: Drive, seed: int) -> None:
    enter, leave = 59.0, 87.0
    poses, estimator = driven(drive, Sensors(seed=seed, tunnel=(enter, leave)))
    inside = [pose for pose in poses if enter + 2.5 < pose.time_s < leave - 2]
    way = drive.at("distance", leave) - drive.at("distance", enter)
    assert way > 300
    assert {pose.method for pose in inside} == {"dead_reckoned"}
    at_entry = drive.error_m(next(pose for pose in poses if pose.time_s > enter))
    assert drive.error_m(inside[-1]) - at_entry < 0.02 * way
    assert all(drive.error_m(pose) <= WITHIN_95 * (pose.error_m or 0) for pose in inside)
    assert (inside[-1].error_m or 0) > (inside[0].error_m or 0)
    assert {pose.method for pose in poses if pose.time_s > leave + 1} == {"gnss"}
    assert estimator.counts["restarted"] == 0


def test_a_tunnel_without_a_gyro_is_told_as_badly_known_as_it_is(drive: Drive) -> None:
    poses, _ = driven(drive, Sensors(gyro=False, tunnel=(59.0, 87.0)))
    inside = [pose for pose in poses if 64.5 < pose.time_s < 83 and pose.error_m is not None]
    assert np.mean([drive.error_m(pose) <= WITHIN_95 * (pose.error_m or 0) for pose in inside]) >= 0.95


def steps_of(poses: list[Pose]) -> list[float]:
    return [math.hypot(b.odom_x_m - a.odom_x_m, b.odom_y_m - a.odom_y_m) for a, b in pairwise(poses)]


@pytest.mark.parametrize("ahead_s", [1.5, -0.1], ids=["replay", "live"])
@pytest.mark.parametrize(
    ("sensors", "limit_m"),
    [
        (Sensors(), 0.15),
        (Sensors(outliers={30: (200, 0), 31: (0, -90), 70: (5000, 5000)}), 0.15),
        (Sensors(tunnel=(59.0, 87.0)), 0.15),
    ],
    ids=["plain", "teleports", "tunnel"],
)
def test_the_odometer_frame_moves_only_as_the_wheels_do(
    drive: Drive, sensors: Sensors, limit_m: float, ahead_s: float
) -> None:
    poses, _ = driven(drive, sensors, ahead_s=ahead_s)
    true = [drive.at("distance", b.time_s) - drive.at("distance", a.time_s) for a, b in pairwise(poses)]
    assert max(abs(step - way) for step, way in zip(steps_of(poses), true, strict=True)) < limit_m
    turns = [abs(b.odom_yaw_deg - a.odom_yaw_deg) for a, b in pairwise(poses)]
    assert max(turns) < 4.0


@pytest.mark.parametrize("ahead_s", [1.5, -0.1], ids=["replay", "live"])
def test_without_an_odometer_a_fix_does_not_make_the_odometer_frame_jump(drive: Drive, ahead_s: float) -> None:
    poses, _ = driven(drive, Sensors(odometer=False, outliers={60: (12, 0)}), ahead_s=ahead_s)
    changes = np.abs(np.diff(steps_of(poses)))
    assert changes.max() < 0.5  # 0.1 s apart; a jump to the outlier would be 12 m


@pytest.mark.parametrize("odometer", [True, False])
def test_the_way_in_the_odometer_frame_is_the_way_driven(drive: Drive, odometer: bool) -> None:
    poses, _ = driven(drive, Sensors(odometer=odometer))
    way = drive.at("distance", poses[-1].time_s) - drive.at("distance", poses[0].time_s)
    assert poses[-1].distance_m - poses[0].distance_m == pytest.approx(way, rel=0.01)


def test_the_shape_of_the_last_metres_is_right_to_decimetres(drive: Drive) -> None:
    """What tracking needs: a point 15 m ahead is still the same point when the vehicle has reached it."""
    poses, _ = driven(drive, Sensors())
    worst = []
    for a, b in zip(poses[::5], poses[12::5], strict=False):
        yaw, heading = math.radians(a.odom_yaw_deg), drive.at("heading", a.time_s)
        dx, dy = b.odom_x_m - a.odom_x_m, b.odom_y_m - a.odom_y_m
        east, north = (drive.at(n, b.time_s) - drive.at(n, a.time_s) for n in ("east", "north"))
        ahead = east * math.sin(heading) + north * math.cos(heading)
        left = -east * math.cos(heading) + north * math.sin(heading)
        worst.append(
            math.hypot(dx * math.cos(yaw) + dy * math.sin(yaw) - ahead, dy * math.cos(yaw) - dx * math.sin(yaw) - left)
        )
    assert np.percentile(worst, 95) < 0.3


def test_odom_starts_at_zero_with_x_ahead_and_yaw_counter_clockwise() -> None:
    estimator = after(Odometry(0.0, 100.0, 0.0), Odometry(0.5, 105.0, 0.0), Odometry(1.0, 110.0, 20.0))
    start, end = estimator.pose_at(0.0), estimator.pose_at(1.0)
    assert (start.odom_x_m, start.odom_y_m, start.odom_yaw_deg, start.distance_m) == (0, 0, 0, 0)
    assert end.odom_x_m == pytest.approx(10, abs=0.1)
    assert end.odom_yaw_deg < 0
    assert end.distance_m == 10
    assert end.speed_mps == pytest.approx(10)
    assert (end.lon, end.method, end.error_m) == (None, None, None)


def test_nothing_known_is_said_as_nothing() -> None:
    pose = Estimator().pose_at(5.0)
    assert (pose.time_s, pose.distance_m, pose.speed_mps, pose.lon, pose.lat, pose.method) == (
        5,
        0,
        None,
        None,
        None,
        None,
    )


def test_the_heading_is_unknown_until_the_vehicle_has_moved() -> None:
    standing = [straight_fix(float(s), 0.0, heading_deg=None, speed_mps=0.1) for s in range(10)]
    estimator = after(*standing)
    pose = estimator.pose_at(9.0)
    assert (pose.heading_deg, pose.method) == (None, "gnss")
    assert pose.speed_mps == pytest.approx(0.1)
    for s in range(10, 30):
        estimator.add(straight_fix(float(s), 10.0 * (s - 9), heading_deg=None, speed_mps=10.0))
    assert estimator.pose_at(29.0).heading_deg == pytest.approx(90, abs=3)


def test_a_course_that_a_standing_receiver_makes_up_is_not_believed() -> None:
    estimator = after(*eastwards(20))
    for s in range(20, 40):
        estimator.add(straight_fix(float(s), 190.0, heading_deg=(37.0 * s) % 360, speed_mps=0.1))
    assert estimator.pose_at(39.0).heading_deg == pytest.approx(90, abs=10)


@pytest.mark.parametrize("live", [False, True])
def test_standing_without_an_odometer_costs_no_distance(live: bool) -> None:
    estimator = after(*eastwards(20))
    rng = np.random.default_rng(3)
    for s in range(20, 140):
        place = 190.0 + rng.normal(0, 2)
        estimator.add(straight_fix(float(s), place, heading_deg=None, speed_mps=abs(rng.normal(0, 0.1))))
        if live:
            estimator.pose_at(s + 0.9)
    assert estimator.pose_at(139.0).distance_m - estimator.pose_at(125.0).distance_m < 0.1


def test_between_two_fixes_in_a_bend_the_heading_turns_evenly_through_north() -> None:
    """A circle to the left, 15 degrees a second: 10 m/s at a radius of 38.2 m."""
    fixes = []
    for s in range(12):
        heading = math.radians(90 - 15 * s)
        lon, lat = offset_lonlat(LON0, LAT0, 38.2 * math.cos(heading), -38.2 * math.sin(heading))
        fixes.append(Fix(float(s), lon, lat, 1.0, math.degrees(heading) % 360, 10.0))
    estimator = after(*fixes)
    for time_s in np.arange(5.0, 9.0, 0.25):
        heading = estimator.pose_at(float(time_s)).heading_deg
        assert heading is not None
        assert abs(math.remainder(heading - (90 - 15 * time_s), 360)) < 4


def test_between_two_fixes_the_pose_lies_on_the_curve_not_on_the_newest_fix() -> None:
    estimator = after(*eastwards(10))
    pose = estimator.pose_at(7.5)
    expected = offset_lonlat(LON0, LAT0, 75.0, 0.0)
    assert pose.lon == pytest.approx(expected[0], abs=1e-6)
    assert pose.lat == pytest.approx(expected[1], abs=1e-7)
    assert pose.speed_mps == pytest.approx(10, abs=0.2)
    assert estimator.pose_at(9.4).lon == pytest.approx(offset_lonlat(LON0, LAT0, 94.0, 0.0)[0], abs=1e-5)


def test_a_frame_shortly_before_the_first_fix_still_gets_a_place() -> None:
    estimator = after(*eastwards(5, start_s=1))
    pose = estimator.pose_at(0.5)
    assert pose.method == "gnss"
    assert pose.lon == pytest.approx(offset_lonlat(LON0, LAT0, 5.0, 0.0)[0], abs=2e-5)
    assert estimator.pose_at(-60.0).lon is None


def test_old_fixes_without_an_odometer_become_dead_reckoned_and_then_nothing() -> None:
    estimator = after(*eastwards(10))
    assert estimator.pose_at(10.5).method == "gnss"
    assert estimator.pose_at(12.0).method == "dead_reckoned"
    lost = estimator.pose_at(15.0)
    assert (lost.lon, lost.method, lost.speed_mps) == (None, None, None)
    errors = [estimator.pose_at(9.0 + dt).error_m or 0.0 for dt in (0, 1, 2, 3, 4)]
    assert errors == sorted(errors)
    assert errors[-1] > 2 * errors[0]


def test_dead_reckoning_ends_where_its_error_passes_the_limit() -> None:
    estimator = Estimator(limits=Limits(max_error_m=6.0))
    after(*eastwards(10), estimator=estimator)
    methods = []
    for tenth in range(1000):
        estimator.add(Odometry(9.0 + tenth / 10, tenth * 1.0))
        methods.append(estimator.pose_at(9.0 + tenth / 10).method)
    assert list(dict.fromkeys(methods)) == ["gnss", "dead_reckoned", None]


def test_a_teleport_is_refused_counted_and_moves_nothing() -> None:
    estimator = after(*eastwards(20), straight_fix(20.0, 900.0), *eastwards(5, start_s=21))
    assert estimator.counts == {"fix_refused": 1}
    assert estimator.pose_at(20.0).lon == pytest.approx(offset_lonlat(LON0, LAT0, 200.0, 0.0)[0], abs=3e-5)


def test_refused_fixes_that_agree_with_each_other_win() -> None:
    elsewhere = [straight_fix(20.0 + s, 5000.0 + 10.0 * s) for s in range(8)]
    odometry = [Odometry(s / 10, float(s)) for s in range(281)]
    measurements = sorted([*eastwards(20), *elsewhere, *odometry], key=lambda m: m.time_s)
    estimator = after(*measurements)
    assert estimator.counts["restarted"] == 1
    assert estimator.counts["fix_refused"] == 5
    pose = estimator.pose_at(27.0)
    assert pose.lon == pytest.approx(offset_lonlat(LON0, LAT0, 5070.0, 0.0)[0], abs=3e-5)
    assert pose.distance_m == pytest.approx(270, abs=3)
    # Just before the fix that won nobody was half-way to it.
    assert estimator.pose_at(23.95).lon == pytest.approx(offset_lonlat(LON0, LAT0, 239.5, 0.0)[0], abs=1e-4)


def test_refused_fixes_that_do_not_agree_never_win() -> None:
    rng = np.random.default_rng(5)
    odometry = [Odometry(s / 10, float(s)) for s in range(500)]
    wild = [straight_fix(20.0 + s, float(rng.uniform(2000, 90000))) for s in range(25)]
    estimator = after(*sorted([*eastwards(20), *wild, *odometry], key=lambda m: m.time_s))
    assert estimator.counts["restarted"] == 0
    assert estimator.pose_at(44.0).lon == pytest.approx(offset_lonlat(LON0, LAT0, 440.0, 0.0)[0], abs=3e-4)


def test_a_heading_that_is_wrong_at_first_is_given_up() -> None:
    estimator = after(straight_fix(0.0, 0.0, heading_deg=270.0))
    after(*eastwards(30, start_s=1), estimator=estimator)
    assert estimator.pose_at(30.0).heading_deg == pytest.approx(90, abs=3)


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        (Fix(math.nan, LON0, LAT0, 3.0), "not_finite"),
        (straight_fix(50.0, 500.0, error_m=math.nan), "bad_fix"),
        (straight_fix(50.0, 500.0, error_m=0.0), "bad_fix"),
        (straight_fix(50.0, 500.0, speed_mps=math.inf), "bad_fix"),
        (Fix(50.0, 200.0, LAT0, 3.0), "bad_fix"),
        (Fix(50.0, math.nan, LAT0, 3.0), "bad_fix"),
        (straight_fix(3.0, 30.0), "time_backwards"),
        (Odometry(50.0, math.nan), "not_finite"),
        (Odometry(3.0, 1.0), "time_backwards"),
    ],
)
def test_what_cannot_be_is_counted_and_changes_nothing(bad: Fix | Odometry, name: str) -> None:
    estimator = after(*eastwards(10))
    before = estimator.pose_at(9.5)
    estimator.add(bad)
    assert estimator.counts == {name: 1}
    assert estimator.pose_at(9.5) == before


@pytest.mark.parametrize(
    ("jump", "name", "metres"),
    [
        (-1049.5, "odometer_reset", 99.0),
        (70_000.0, "odometer_jump", 99.0),
        (-65_536.0, "odometer_overflow", 99.0),
        (-42_949_672.96, "odometer_overflow", 99.0),
    ],
)
def test_an_odometer_that_starts_anew_jumps_or_overflows_adds_no_way(jump: float, name: str, metres: float) -> None:
    rows = [Odometry(s / 10, 1000.0 + s + (jump if s >= 50 else 0.0)) for s in range(100)]
    estimator = after(*rows)
    assert estimator.counts == {name: 1}
    assert estimator.pose_at(9.9).distance_m == pytest.approx(metres, abs=1.1)
    assert max(steps_of([estimator.pose_at(s / 10) for s in range(100)])) < 1.2


def test_a_gyro_that_says_nonsense_is_counted_and_left_out() -> None:
    estimator = after(*(Odometry(s / 10, float(s), 500.0 if s % 2 else math.nan) for s in range(10)))
    assert estimator.counts == {"gyro_refused": 10}
    assert estimator.pose_at(0.9).odom_yaw_deg == 0


def test_after_a_long_silence_the_filter_starts_anew_and_the_odometer_frame_goes_on() -> None:
    estimator = after(*eastwards(20))
    before = estimator.pose_at(19.0)
    after(*(straight_fix(500.0 + s, 80_000.0 + 10.0 * s) for s in range(5)), estimator=estimator)
    assert estimator.counts == {"silence": 1}
    pose = estimator.pose_at(504.0)
    assert pose.method == "gnss"
    assert pose.lon == pytest.approx(offset_lonlat(LON0, LAT0, 80_040.0, 0.0)[0], abs=3e-5)
    assert 30 < pose.distance_m - before.distance_m < 60


def test_a_long_way_keeps_its_accuracy_far_from_the_first_fix() -> None:
    fixes = []
    for s in range(1800):
        lat = LAT0 + s * 25 / 111_195
        fixes.append(Fix(float(s), LON0, lat, 3.0, 0.0, 25.0))
    estimator = after(*fixes)
    pose = estimator.pose_at(1799.0)
    assert pose.lat == pytest.approx(fixes[-1].lat, abs=1e-5)
    assert pose.lon == pytest.approx(LON0, abs=1e-5)
    assert estimator.counts == {}


def test_the_date_line_is_crossed_without_a_jump() -> None:
    fixes = []
    for s in range(-10, 10):
        lon, lat = offset_lonlat(180.0, -17.0, 10.0 * s, 0.0)
        fixes.append(Fix(10.0 + s, math.remainder(lon, 360), lat, 3.0, 90.0, 10.0))
    estimator = after(*fixes)
    assert estimator.counts == {}
    for tenth in range(190):
        pose = estimator.pose_at(tenth / 10)
        assert pose.lon is not None
        assert abs(pose.lon) > 179.99
        assert pose.lon <= 180


def test_memory_does_not_grow_with_the_drive() -> None:
    estimator = Estimator(keep_s=10.0)
    for s in range(20_000):
        estimator.add(Odometry(s / 10, float(s)))
    assert len(estimator._history._nodes) < 300


values = st.floats(allow_nan=True, allow_infinity=True) | st.floats(-200, 200)
anything = st.builds(
    Fix, st.floats(-10, 100) | values, values, values, values, st.none() | values, st.none() | values
) | st.builds(Odometry, st.floats(-10, 100) | values, values, st.none() | values)


@settings(max_examples=200)
@given(st.lists(anything, max_size=40), st.lists(values, max_size=10))
def test_no_measurements_break_the_estimator_or_give_an_impossible_pose(
    measurements: list[Fix | Odometry], times: list[float]
) -> None:
    estimator = after(*measurements)
    for time_s in [*np.linspace(-5, 110, 24), *(t for t in times if math.isfinite(t) and abs(t) < 1e6)]:
        pose = estimator.pose_at(float(time_s))
        numbers = (pose.odom_x_m, pose.odom_y_m, pose.odom_yaw_deg, pose.distance_m, pose.speed_mps or 0.0)
        assert all(map(math.isfinite, numbers))
        assert pose.heading_deg is None or 0 <= pose.heading_deg < 360
        assert (pose.lon is None) == (pose.lat is None) == (pose.error_m is None) == (pose.method is None)
        if pose.lon is not None and pose.lat is not None and pose.error_m is not None:
            assert -180 <= pose.lon <= 180
            assert -90 <= pose.lat <= 90
            assert 0 < pose.error_m <= 200


def test_a_gyro_does_not_turn_a_vehicle_that_stands_and_shows_its_bias() -> None:
    estimator = after(*eastwards(5))
    rolling = [Odometry(5.0 + s / 20, 0.5 * s, 2.0) for s in range(100)]
    after(*rolling, estimator=estimator)
    standing = [Odometry(10.0 + s / 20, rolling[-1].distance_m, 2.0) for s in range(1200)]
    after(*standing[:40], estimator=estimator)
    stopped = estimator.pose_at(12.0)
    after(*standing[40:], estimator=estimator)
    still = estimator.pose_at(69.9)
    assert still.odom_yaw_deg == pytest.approx(stopped.odom_yaw_deg, abs=0.1)
    # It goes on straight: the gyro's two degrees a second are known to be nothing.
    after(*(Odometry(70.0 + s / 20, rolling[-1].distance_m + 0.5 * s, 2.0) for s in range(100)), estimator=estimator)
    assert estimator.pose_at(74.9).odom_yaw_deg == pytest.approx(still.odom_yaw_deg, abs=0.5)


def test_after_a_silence_the_odometer_scale_is_still_known() -> None:
    """Wheels that count 10 % too little: learnt in a minute, not forgotten with the place."""
    wheels = [Odometry(s / 10, s / 1.1) for s in range(3000) if not 600 < s < 2000]
    fixes = [straight_fix(s + 0.05, 10.0 * s + 0.5) for s in (*range(61), *range(200, 204))]
    estimator = after(*sorted([*wheels, *fixes], key=lambda m: m.time_s), estimator=Estimator(keep_s=200))
    assert estimator.counts["silence"] == 1
    start, end = estimator.pose_at(204.0), estimator.pose_at(299.0)
    assert end.distance_m - start.distance_m == pytest.approx(950, rel=0.01)
