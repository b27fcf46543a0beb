# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.plausible import FrozenWatch, FutureWatch, fault
from edge.types import Fix, Odometry

FIX = Fix(10.0, 13.4, 52.5, 2.0, 90.0, 10.0)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, None),
        ({"lon": 0.0, "lat": 0.0}, "null_fix"),
        ({"lon": 0.0}, None),
        ({"lat": math.nan}, "bad_fix"),
        ({"lat": 90.0}, "bad_fix"),
        ({"lon": 181.0}, "bad_fix"),
        ({"error_m": 0.0}, "bad_fix"),
        ({"error_m": 1e5}, "bad_fix"),
        ({"speed_mps": -1.0}, "bad_fix"),
        ({"heading_deg": math.inf}, "bad_fix"),
        ({"time_s": math.inf}, "not_finite"),
    ],
)
def test_what_no_fix_can_say_has_a_name(changes: dict[str, float], name: str | None) -> None:
    assert fault(replace(FIX, **changes)) == name


def test_an_odometer_that_says_no_number_has_a_name() -> None:
    assert fault(Odometry(1.0, math.nan)) == "not_finite"
    assert fault(Odometry(1.0, -5.0)) is None


def test_a_receiver_that_repeats_its_place_while_the_wheels_roll_is_frozen() -> None:
    watch = FrozenWatch()
    frozen = [watch.is_frozen(replace(FIX, time_s=s / 5), 2.0 * s) for s in range(10)]
    assert frozen == [False] * 3 + [True] * 7
    assert not watch.is_frozen(replace(FIX, time_s=3.0, lon=13.40001), 30.0)


def test_a_receiver_that_stands_is_not_frozen_and_neither_is_one_that_says_its_fix_twice() -> None:
    standing = FrozenWatch()
    assert not any(standing.is_frozen(replace(FIX, time_s=s / 5), 7.0) for s in range(100))
    twice = FrozenWatch()
    assert not any(
        twice.is_frozen(replace(FIX, time_s=s / 10, lon=13.4 + (s // 2) / 1000), 6.0 * s) for s in range(100)
    )


@pytest.mark.parametrize(("speed_mps", "frozen"), [(10.0, True), (0.1, False), (None, False)])
def test_without_an_odometer_the_receivers_own_speed_belies_its_place(speed_mps: float | None, frozen: bool) -> None:
    watch = FrozenWatch()
    assert any(watch.is_frozen(replace(FIX, time_s=float(s), speed_mps=speed_mps), None) for s in range(20)) == frozen


def times(watch: FutureWatch, *times_s: float) -> list[float]:
    return [m.time_s for t in times_s for m in watch.admit(Odometry(t, 0.0))]


def test_one_time_stamp_of_the_future_is_left_out_and_nothing_after_it() -> None:
    watch = FutureWatch()
    assert times(watch, 1.0, 1.1, 1.2, 1e9, 1.3, 1.4) == [1.0, 1.1, 1.2, 1.3, 1.4]
    assert watch.discarded == 1


def test_each_time_stamp_of_a_clock_that_is_ahead_is_left_out() -> None:
    watch = FutureWatch()
    assert times(watch, 1.0, 1.1, 61.1, 1.2, 61.2, 1.3, 1.4) == [1.0, 1.1, 1.2, 1.3, 1.4]
    assert watch.discarded == 2


def test_a_fast_source_whose_clock_is_ahead_does_not_outvote_a_slow_one() -> None:
    watch = FutureWatch()
    ahead = [t for s in range(10) for t in (1.0 + s, *(1000 + s + i / 20 for i in range(20)))]
    assert times(watch, 0.0, 0.5, *ahead, 11.0) == [0.0, 0.5, *(1.0 + s for s in range(10)), 11.0]
    assert watch.discarded == 200


def test_time_that_has_really_passed_is_believed_after_two_seconds_and_nothing_is_lost() -> None:
    watch = FutureWatch()
    late = [500 + s / 10 for s in range(30)]
    assert times(watch, 1.0, 1.1, *late[:20]) == [1.0, 1.1]
    assert times(watch, *late[20:]) == late
    assert watch.discarded == 0


def test_measurements_that_always_come_seldom_are_not_held_back() -> None:
    watch = FutureWatch()
    assert times(watch, 0.0, 5.0, 10.0, 20.0, 25.0) == [0.0, 5.0, 10.0, 20.0, 25.0]


@given(st.lists(st.floats(-1e12, 1e12)))
def test_what_is_handed_on_was_given_once_and_nothing_is_lost_unnoticed(given_s: list[float]) -> None:
    watch = FutureWatch()
    handed = times(watch, *given_s)
    assert len(given_s) == len(handed) + watch.discarded + len(watch._waiting)
    assert all(handed.count(t) <= given_s.count(t) for t in handed)
