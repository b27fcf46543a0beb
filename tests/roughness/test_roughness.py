# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sections: the rule against four quarter cars on ISO 8608 roads, and what is not judged."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.roughness.meter import RoughnessMeter, RoughStretch
from edge.roughness.settings import RoughnessSettings
from edge.types import Acceleration, LinePlace, Pose
from tests.roughness.quarter_car import FRONT_M, REAR_M, STEP_S, TRACK_M, Drive, drive

VEHICLE = RoughnessSettings(front_axle_forward_m=FRONT_M, rear_axle_forward_m=REAR_M, track_width_m=TRACK_M)


def felt(recorded: Drive, *, vehicle: RoughnessSettings = VEHICLE) -> tuple[list[RoughStretch], RoughnessMeter]:
    meter = RoughnessMeter(vehicle)
    recorded.fed_to(meter)
    meter.flush()
    return meter.take(), meter


def levels(stretches: list[RoughStretch]) -> list[float]:
    return [section.rms_mps2 for stretch in stretches for section in stretch.sections]


@cache
def level(grade: str, kmh: float, rate_hz: float = 200.0) -> float:
    """The RMS of all sections of 600 m."""
    speed = kmh / 3.6
    stretches, _ = felt(drive(seconds=600 / speed, speed_mps=speed, grade=grade, seed=3, rate_hz=rate_hz))
    return math.sqrt(float(np.mean(np.square(levels(stretches)))))


@pytest.mark.parametrize("rate_hz", [100, 200])
@pytest.mark.parametrize("grade", "ABCD")
def test_the_same_road_is_as_rough_at_any_speed(grade: str, rate_hz: float) -> None:
    found = [level(grade, kmh, rate_hz) for kmh in (30, 40, 50, 60)]
    assert max(found) / min(found) < 1.2


def test_a_worse_road_is_rougher_whatever_the_speeds() -> None:
    for better, worse in ("AB", "BC", "CD"):
        best_of_worse = min(level(worse, kmh) for kmh in (30, 40, 50, 60))
        assert max(level(better, kmh) for kmh in (30, 40, 50, 60)) < 0.7 * best_of_worse


def test_a_drive_with_changing_speed_gives_the_same_as_a_steady_one() -> None:
    times = np.arange(0, 60, STEP_S)
    stretches, meter = felt(drive(seconds=60, speed_mps=13.9 + 4 * np.sin(times / 4), grade="C", seed=3))
    assert math.sqrt(float(np.mean(np.square(levels(stretches))))) == pytest.approx(level("C", 50), rel=0.15)
    assert meter.counts == {}


def test_sections_are_ten_metres_long_follow_each_other_and_lie_between_the_axles() -> None:
    stretches, _ = felt(drive(seconds=30, speed_mps=12.0, seed=4))
    sections = [section for stretch in stretches for section in stretch.sections]
    assert len(sections) == pytest.approx(34, abs=1)  # 360 m less the first second
    assert all(10 <= section.length_m < 10.2 for section in sections)
    assert all(section.speed_mps == pytest.approx(12, abs=0.1) for section in sections)
    ends = [section.path[-1] for section in sections[:-1]]
    assert ends == [section.path[0] for section in sections[1:]]
    first_m = (sections[0].path[0][0] - 13) * 111_319.49
    assert first_m == pytest.approx(12 + (FRONT_M + REAR_M) / 2, abs=0.3)


def test_a_stretch_is_about_a_hundred_metres_and_comes_once() -> None:
    recorded = drive(seconds=40, speed_mps=14.0, seed=4)
    meter = RoughnessMeter(VEHICLE)
    came: list[RoughStretch] = []
    recorded.fed_to(meter, lambda pose: came.extend(meter.take()))
    meter.flush()
    last = meter.take()
    assert [len(stretch.sections) for stretch in came] == [10] * 5
    assert len(last) == 1
    assert all(a.end_s <= b.end_s and a.start_s < b.start_s for a, b in pairwise(came))
    assert meter.take() == []
    meter.flush()
    assert meter.take() == []


def test_slow_driving_gives_no_section_and_no_shock() -> None:
    stretches, meter = felt(drive(seconds=60, speed_mps=3.5, grade="D"))
    assert stretches == []
    assert meter.counts == {}


def test_a_stop_at_a_light_ends_the_stretch_after_a_minute_and_costs_the_open_section_only() -> None:
    speeds = np.concatenate([np.full(9000, 12.0), np.linspace(12, 0, 3000), np.zeros(80_000), np.full(8000, 12.0)])
    recorded = drive(seconds=100, speed_mps=speeds, seed=2)
    meter = RoughnessMeter(VEHICLE)
    came: list[tuple[float, RoughStretch]] = []
    recorded.fed_to(meter, lambda pose: came.extend((pose.time_s, stretch) for stretch in meter.take()))
    ((time_s, stretch),) = came
    assert 60 < time_s < 70
    assert len(stretch.sections) == pytest.approx(10, abs=1)


def test_without_a_place_on_earth_sections_have_no_path() -> None:
    meter = RoughnessMeter(VEHICLE)
    recorded = drive(seconds=10, speed_mps=12.0)
    for sample in recorded.samples:
        meter.add(sample)
    for pose in recorded.poses():
        meter.move(replace(pose, lon=None, lat=None, error_m=None, method=None))
    meter.flush()
    (stretch,) = meter.take()
    assert {section.path for section in stretch.sections} == {()}


def broken(recorded: Drive, start_s: float, end_s: float, value) -> Drive:
    """The same drive with other samples for a while; None: none at all."""
    samples = [
        (replace(s, vertical_mps2=value(s)) if start_s <= s.time_s < end_s else s)
        for s in recorded.samples
        if value is not None or not start_s <= s.time_s < end_s
    ]
    return replace(recorded, samples=tuple(samples))


WHOLE = drive(seconds=20, speed_mps=12.0, grade="B", seed=6)


@pytest.mark.parametrize(
    ("value", "name", "count", "lost"),
    [
        (None, "imu_gap", 1, 5),
        (lambda s: math.nan, "not_finite", 600, 5),
        (lambda s: math.inf, "not_finite", 600, 5),
        (lambda s: 1e9, "out_of_range", 600, 5),
        (lambda s: 9.7, "stuck", 1, 3),
    ],
)
def test_what_a_sensor_cannot_mean_is_named_and_costs_only_its_sections(value, name, count, lost) -> None:
    whole, _ = felt(WHOLE)
    stretches, meter = felt(broken(WHOLE, 8.0, 11.0, value))
    assert meter.counts[name] == pytest.approx(count, abs=2)
    assert len(levels(whole)) - len(levels(stretches)) == pytest.approx(lost, abs=1)
    assert max(levels(stretches)) <= 1.2 * max(levels(whole))


@pytest.mark.parametrize("value", [lambda s: s.vertical_mps2 - 9.81, lambda s: -s.vertical_mps2, lambda s: 20.0])
def test_a_wrong_axis_is_named_once_and_gives_nothing(value) -> None:
    stretches, meter = felt(broken(WHOLE, 0.0, 99.0, value))
    assert meter.counts["wrong_axis"] == 1
    assert len(levels(stretches)) <= 1  # before its mean is known


@pytest.mark.parametrize(("rate_hz", "slow"), [(50, 1), (80, 0)])
def test_a_sensor_too_slow_for_the_wheels_motion_is_named_and_gives_nothing(rate_hz: float, slow: int) -> None:
    stretches, meter = felt(drive(seconds=20, speed_mps=12.0, grade="B", seed=6, rate_hz=rate_hz))
    assert meter.counts["slow_sensor"] == slow
    assert (levels(stretches) == []) == bool(slow)


def test_samples_that_come_twice_or_out_of_order_are_left_out() -> None:
    doubled = tuple(s for sample in WHOLE.samples for s in (sample, sample, replace(sample, time_s=sample.time_s - 1)))
    stretches, meter = felt(replace(WHOLE, samples=doubled))
    whole, _ = felt(WHOLE)
    assert levels(stretches) == levels(whole)
    assert meter.counts == {"time_backwards": pytest.approx(2 * len(WHOLE.samples), rel=0.01)}


def test_a_cut_off_peak_is_counted() -> None:
    _, meter = felt(broken(WHOLE, 8.0, 8.02, lambda s: 39.2))
    assert meter.counts["saturated"] == pytest.approx(4, abs=1)


class Stuttering:
    """Gives every pose twice and none for three seconds."""

    def __init__(self, meter: RoughnessMeter) -> None:
        self._meter = meter
        self.add = meter.add

    def move(self, pose: Pose) -> None:
        if not 8 < pose.time_s < 11:
            self._meter.move(pose)
            self._meter.move(pose)


def test_a_silence_of_poses_costs_its_sections_only() -> None:
    meter = RoughnessMeter(VEHICLE)
    WHOLE.fed_to(Stuttering(meter))
    meter.flush()
    assert meter.counts == {"pose_gap": 1, "pose_backwards": pytest.approx(170, abs=3)}
    whole, _ = felt(WHOLE)
    assert len(levels(whole)) - len(levels(meter.take())) == pytest.approx(4, abs=1)


def test_samples_that_come_a_second_after_their_poses_are_judged_all_the_same() -> None:
    meter = RoughnessMeter(VEHICLE)
    samples = list(WHOLE.samples)
    for pose in WHOLE.poses():
        while samples and samples[0].time_s <= pose.time_s - 1.0:
            meter.add(samples.pop(0))
        meter.move(pose)
    meter.flush()
    whole, _ = felt(WHOLE)
    found = levels(meter.take())
    assert found == levels(whole)[: len(found)]
    assert len(levels(whole)) - len(found) <= 2


def test_without_poses_memory_stays_bounded() -> None:
    meter = RoughnessMeter(VEHICLE)
    for i in range(10_000):
        meter.add(Acceleration(i / 200, 9.81 + 0.01 * (i % 3)))
    assert len(meter._waiting) == 2000
    assert meter.counts == {"no_pose": 8000}


values = st.floats() | st.sampled_from([9.81, 9.0, 12.0, 45.0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 30) | st.floats(), values), max_size=200), st.lists(st.floats(0, 30), max_size=40)
)
def test_nothing_that_arrives_breaks_the_meter(samples: list, times: list[float]) -> None:
    meter = RoughnessMeter(VEHICLE)
    for time_s, value in samples:
        meter.add(Acceleration(time_s, value))
    meter.note("x", "pothole", (math.nan, 0, 1, 1))
    for time_s in times:
        meter.move(Pose(time_s, 12 * time_s, 0, 0, 12 * time_s, 12.0, line=LinePlace("U1", time_s, 1.0)))
    meter.flush()
    for stretch in meter.take():
        assert all(math.isfinite(section.rms_mps2) and section.rms_mps2 <= 1000 for section in stretch.sections)
        assert len(stretch.sections) <= 100


def test_axles_the_wrong_way_round_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="front axle"):
        RoughnessSettings(front_axle_forward_m=-1.0, rear_axle_forward_m=2.0)
