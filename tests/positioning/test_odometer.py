# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.odometer import Wheels
from edge.types import Odometry


def rolled(*metres: float, every_s: float = 0.1) -> tuple[Wheels, list[float | None], Counter[str]]:
    wheels, counts = Wheels(Odometry(0.0, metres[0])), Counter[str]()
    ways = [wheels.roll(Odometry(every_s * (i + 1), m), counts) for i, m in enumerate(metres[1:])]
    return wheels, ways, counts


def test_a_counter_that_falls_a_little_rolls_backwards() -> None:
    wheels, ways, counts = rolled(10.0, 10.1, 10.0, 9.7, 9.4, 9.1)
    assert ways == pytest.approx([0.1, -0.1, -0.3, -0.3, -0.3])
    assert wheels.mps == pytest.approx(-3)
    assert wheels.knows_direction
    assert not counts


def test_a_pulse_that_trembles_does_not_prove_that_the_odometer_knows_its_direction() -> None:
    wheels, _, _ = rolled(*(10.0, 10.02) * 50)
    assert not wheels.knows_direction


@pytest.mark.parametrize(
    ("before", "after", "way", "name"),
    [
        (65_535.5, 0.5, 1.0, "odometer_overflow"),
        (0.5, 65_535.5, -1.0, "odometer_overflow"),
        (655.0, 0.64, 1.0, "odometer_overflow"),
        (32_767.5, -32_767.5, 1.0, "odometer_overflow"),
        (42_949_672.0, 0.04, 1.0, "odometer_overflow"),
        (4_294_967.2, 0.9, 1.0, "odometer_overflow"),
        (1234.5, 0.0, None, "odometer_reset"),
        (1234.5, 9999.0, None, "odometer_jump"),
    ],
)
def test_a_jump_is_named_and_an_overflow_keeps_its_way(
    before: float, after: float, way: float | None, name: str
) -> None:
    _, ways, counts = rolled(before, after)
    assert counts == {name: 1}
    assert ways == [pytest.approx(way, abs=0.01) if way is not None else None]


def test_what_was_foreseen_is_not_rolled_twice() -> None:
    wheels, _, counts = rolled(0.0, 1.0, 2.0)
    assert wheels.foresee(0.05) == pytest.approx(0.5)
    assert wheels.roll(Odometry(0.3, 3.0), counts) == pytest.approx(0.5)


def test_who_brakes_after_more_was_foreseen_stands_until_it_is_used_up() -> None:
    wheels, _, counts = rolled(0.0, 1.0, 2.0)
    wheels.foresee(0.08)
    assert wheels.roll(Odometry(0.3, 2.3), counts) == 0
    assert wheels.roll(Odometry(0.4, 2.6), counts) == 0
    assert wheels.roll(Odometry(0.5, 2.9), counts) == pytest.approx(0.1)


def test_standing_is_a_second_without_a_pulse() -> None:
    assert not rolled(*[5.0 + 0.02 * i for i in range(20)])[0].standing
    assert not rolled(5.0, 5.1, *[5.1] * 8)[0].standing
    assert rolled(5.0, 5.1, *[5.1] * 12)[0].standing


def test_an_odometer_without_direction_is_told_it_until_it_proves_to_know() -> None:
    wheels, _, counts = rolled(0.0, 0.2, 0.4)
    wheels.turn_back(-1)
    assert wheels.roll(Odometry(0.3, 0.6), counts) == pytest.approx(-0.2)
    for i in range(1, 8):
        wheels.roll(Odometry(0.3 + i / 10, 0.6 - 0.2 * i), counts)
    assert (wheels.knows_direction, wheels.sign) == (True, 1)
    wheels.turn_back(-1)
    assert wheels.sign == 1


def test_a_counter_that_falls_while_the_vehicle_is_fast_counts_backwards() -> None:
    _, ways, counts = rolled(0.0, 1.0, 2.0, 3.0, 2.0, 1.0)
    assert ways[3:] == [None, None]
    assert counts == {"odometer_backwards": 2}


def test_an_odometer_is_contradicted_only_after_several_times_and_no_more_once_it_agrees() -> None:
    wheels, _, _ = rolled(0.0, 1.0, 2.0, 3.0)
    assert [wheels.contradicted(speed) for speed in (10.0, 30.0, 30.0, 12.0)] == [False] * 4
    assert [wheels.contradicted(30.0) for _ in range(4)] == [False, False, True, True]
    assert not wheels.contradicted(10.0)


@given(st.lists(st.tuples(st.floats(0.001, 5), st.floats(-1e12, 1e12)), max_size=30), st.floats(0, 1))
def test_no_counter_makes_a_vehicle_faster_than_vehicles_are(steps: list[tuple[float, float]], ahead_s: float) -> None:
    wheels, counts, time_s = Wheels(Odometry(0.0, 0.0)), Counter[str](), 0.0
    for dt, metres in steps:
        time_s += dt
        foreseen = wheels.foresee(min(dt, ahead_s))
        way = wheels.roll(Odometry(time_s, metres), counts)
        assert math.isfinite(wheels.mps)
        assert abs((way or 0.0) + foreseen) <= 130 * dt + 130 * ahead_s + 3
