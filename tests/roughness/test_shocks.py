# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Shocks: holes under four quarter cars, what is none, where it lies and which observation it confirms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.roughness.meter import RoughnessMeter
from edge.types import LinePlace
from messages.types import Shock
from tests.roughness.quarter_car import FRONT_M, REAR_M, TRACK_M, Drive, Hole, drive
from tests.roughness.test_roughness import VEHICLE, felt

HOLES = tuple(Hole(120.0 + 40 * i) for i in range(10))


def shocks_of(recorded: Drive) -> list[Shock]:
    stretches, _ = felt(recorded)
    return [shock for stretch in stretches for shock in stretch.shocks]


def along_m(shock: Shock) -> float:
    assert shock.position is not None
    return (shock.position.lon - 13) * 111_319.49


def over(holes: tuple[Hole, ...], *, kmh: float, grade: str | None, seed: int = 5) -> list[Shock]:
    speed = kmh / 3.6
    return shocks_of(drive(seconds=540 / speed, speed_mps=speed, grade=grade, holes=holes, seed=seed))


@pytest.mark.parametrize(
    ("grade", "kmh"), [(g, v) for g in (None, "A", "B") for v in (20, 30, 40, 50)] + [(None, 60), ("A", 60)]
)
def test_a_pothole_under_one_wheel_of_two_axles_is_one_shock_where_it_lies(grade: str | None, kmh: float) -> None:
    found = over(HOLES, kmh=kmh, grade=grade)
    assert len(found) == len(HOLES)
    for shock, hole in zip(found, HOLES, strict=True):
        assert abs(along_m(shock) - hole.at_m) < 2.45 * shock.position.error_m
        assert shock.speed_mps == pytest.approx(kmh / 3.6, rel=0.01)
        assert shock.observation is None
    assert np.median([abs(along_m(s) - h.at_m) for s, h in zip(found, HOLES, strict=True)]) < 0.4


@pytest.mark.parametrize(("grade", "kmh", "least"), [("B", 60, 8), ("C", 30, 8), ("C", 50, 4)])
def test_on_a_rough_road_a_pothole_drowns_and_nothing_is_made_up(grade: str, kmh: float, least: int) -> None:
    found = over(HOLES, kmh=kmh, grade=grade)
    assert least <= len(found) <= len(HOLES)
    for shock in found:
        assert min(abs(along_m(shock) - hole.at_m) for hole in HOLES) < 2.45 * shock.position.error_m


@pytest.mark.parametrize("grade", "AB")
@pytest.mark.parametrize("kmh", [30, 50])
def test_patches_cracks_and_the_road_itself_are_no_shock(grade: str, kmh: float) -> None:
    decoys = [Hole(100 + 30 * i, 0.005, 1.5) for i in range(7)]  # the edge of a patch, a sunk manhole cover
    decoys += [Hole(310 + 30 * i, 0.03, 0.02) for i in range(7)]  # an open crack, which the tyre bridges
    assert over(tuple(decoys), kmh=kmh, grade=grade) == []


def test_two_potholes_farther_apart_than_a_wheels_swing_are_two() -> None:
    found = over((Hole(200.0), Hole(202.2)), kmh=40, grade="A")
    assert [round(along_m(shock)) for shock in found] == [200, 202]


@pytest.mark.parametrize("kmh", [20, 30, 50])
def test_a_wheel_that_swings_on_after_a_deep_hole_makes_no_second_shock(kmh: float) -> None:
    assert len(over((Hole(200.0, 0.12, 0.5, both_wheels=True),), kmh=kmh, grade="A")) == 1


def test_potholes_a_wheelbase_apart_are_as_many_shocks() -> None:
    assert len(over((Hole(200.0), Hole(200.0 + FRONT_M - REAR_M)), kmh=40, grade="A")) == 2


def test_a_blow_of_one_axle_only_may_lie_under_either() -> None:
    recorded = drive(seconds=20, speed_mps=12.0, holes=(Hole(120.0),), seed=2)
    rear_s = (120.0 - REAR_M) / 12.0
    quiet = drive(seconds=20, speed_mps=12.0, seed=2)
    samples = tuple(
        other if abs(sample.time_s - rear_s - 0.05) < 0.15 else sample
        for sample, other in zip(recorded.samples, quiet.samples, strict=True)
    )
    (shock,) = shocks_of(replace(recorded, samples=samples))
    assert shock.position is not None
    assert abs(along_m(shock) - 120.0) == pytest.approx((FRONT_M - REAR_M) / 2, abs=0.3)
    assert shock.position.error_m > 1.75


def test_a_shock_says_all_that_is_known_of_its_place() -> None:
    recorded = drive(seconds=20, speed_mps=12.0, holes=(Hole(120.0),), seed=2)
    meter = RoughnessMeter(VEHICLE)
    for sample in recorded.samples[:2000]:
        meter.add(sample)
    for pose in recorded.poses():
        line = LinePlace("U4", 500.0 - pose.odom_x_m, 0.4, "2", forward=False, in_tunnel=True)
        meter.move(replace(pose, line=line, method="line", quality="rtk_fixed", since_fix_m=33.33))
        if pose.time_s > 9:
            for sample in recorded.samples:
                if pose.time_s < sample.time_s <= pose.time_s + 0.1:
                    meter.add(sample)
    meter.flush()
    (shock,) = [shock for stretch in meter.take() for shock in stretch.shocks]
    assert shock.line is not None
    assert (shock.line.line, shock.line.track) == ("U4", "2")
    assert shock.line.chainage_m == pytest.approx(380.0, abs=0.4)
    assert shock.line.error_m == pytest.approx(0.48, abs=0.05)
    assert shock.position is not None
    assert (shock.position.method, shock.position.quality, shock.position.since_fix_m) == ("line", "rtk_fixed", 33.3)
    assert shock.position.error_m == pytest.approx(np.hypot(0.5, TRACK_M / 2), abs=0.01)
    assert shock.monotonic_s == pytest.approx((120 - FRONT_M) / 12, abs=0.03)
    assert 2 < shock.peak_mps2 < 6


def confirmed_by(*notes: tuple[str, str, tuple[float, float, float, float]], at_s: float = 9.0) -> list[str | None]:
    """Drive over a pothole at x 120, under the right wheels; the notes come at a time."""
    recorded = drive(seconds=25, speed_mps=12.0, holes=(Hole(120.0),), seed=2)
    meter = RoughnessMeter(VEHICLE)
    waiting = list(notes)

    def give(pose) -> None:
        if pose.time_s >= at_s:
            for note in waiting:
                meter.note(*note)
            waiting.clear()

    recorded.fed_to(meter, give)
    meter.flush()
    return [shock.observation for stretch in meter.take() for shock in stretch.shocks]


RIGHT = -TRACK_M / 2


@pytest.mark.parametrize("at_s", [2.0, 9.0, 12.0])
def test_a_shock_on_a_pothole_that_the_camera_saw_confirms_it_before_and_after(at_s: float) -> None:
    assert confirmed_by(("a-1", "pothole", (120.4, RIGHT + 0.2, 0.2, 0.2)), at_s=at_s) == ["a-1"]


@pytest.mark.parametrize(
    "place",
    [
        (124.0, RIGHT, 0.2, 0.2),  # ahead
        (116.0, RIGHT, 0.2, 0.2),  # behind
        (120.0, 3.0, 0.2, 0.2),  # the other lane
        (120.0, -3.0, 0.2, 0.2),  # the kerb
        (120.0, 0.0, 0.2, 0.05),  # between the wheels
    ],
)
def test_a_pothole_that_no_wheel_went_over_is_not_confirmed(place: tuple[float, float, float, float]) -> None:
    assert confirmed_by(("a-1", "pothole", place)) == [None]


def test_a_wide_pothole_between_the_wheels_reaches_under_them() -> None:
    assert confirmed_by(("a-1", "pothole", (120.0, 0.0, 0.2, 0.6))) == ["a-1"]


def test_only_potholes_are_confirmed_and_the_nearest_of_them() -> None:
    assert confirmed_by(("c", "crack", (120.0, RIGHT, 0.2, 0.2))) == [None]
    near, far = ("near", "pothole", (120.1, RIGHT, 0.2, 0.2)), ("far", "pothole", (121.0, RIGHT, 0.2, 0.2))
    assert confirmed_by(near, far) == ["near"]
    assert confirmed_by(far, near) == ["near"]


def test_a_pothole_that_is_seen_but_not_driven_over_makes_no_shock() -> None:
    meter = RoughnessMeter(VEHICLE)
    meter.note("a-1", "pothole", (120.0, RIGHT, 0.2, 0.2))
    drive(seconds=20, speed_mps=12.0, seed=2).fed_to(meter)
    meter.flush()
    assert [shock for stretch in meter.take() for shock in stretch.shocks] == []


def test_a_pothole_just_before_a_red_light_is_told_before_it_turns_green() -> None:
    speeds = np.concatenate([np.full(10_000, 8.0), np.linspace(8, 0, 800), np.zeros(60_000)])
    holes = (Hole(81.5),)  # under the front axle before, under the rear axle never
    (shock,) = shocks_of(drive(seconds=70.8, speed_mps=speeds, holes=holes, seed=2))
    assert shock.position is not None
    assert abs(along_m(shock) - 81.5) < 2.45 * shock.position.error_m


def test_shaking_while_standing_is_no_shock() -> None:
    speeds = np.concatenate([np.full(10_000, 10.0), np.zeros(10_000)])
    recorded = drive(seconds=20, speed_mps=speeds, seed=2)
    shaken = tuple(replace(s, vertical_mps2=s.vertical_mps2 + 8 * (14 < s.time_s < 14.05)) for s in recorded.samples)
    assert shocks_of(replace(recorded, samples=shaken)) == []
