# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Several sensors as one source, and distance from speed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.estimator import Estimator
from edge.positioning.late import LatePositions
from edge.positioning.merged import MergedPositions, Sensed, TurnRate
from edge.positioning.speed_odometer import SpeedOdometer, Total
from edge.types import Acceleration, Fix, Odometry


class Given:
    """Hands out what was put in, as its time comes."""

    def __init__(self, *items: Sensed) -> None:
        self.items = list(items)
        self.closed = 0

    def until(self, time_s: float) -> Sequence[Sensed]:
        ready = [item for item in self.items if not item.time_s > time_s]
        self.items = [item for item in self.items if item.time_s > time_s]
        return ready

    def close(self) -> None:
        self.closed += 1


def fix(time_s: float) -> Fix:
    return Fix(time_s, 13.4, 52.5, 3.0)


def test_measurements_of_all_sources_come_in_order_of_time_and_once() -> None:
    merged = MergedPositions(
        [Given(fix(1.0), fix(2.0)), Given(Odometry(0.5, 1), Odometry(2.0, 2)), Given(Acceleration(1.5, 9.8))]
    )
    assert merged.until(0.9) == [Odometry(0.5, 1)]
    assert merged.until(2.0) == [fix(1.0), Acceleration(1.5, 9.8), Odometry(2.0, 2), fix(2.0)]
    assert merged.until(9.0) == []
    assert merged.counts == {}


def test_the_odometer_carries_the_mean_turn_rate_since_its_last_word() -> None:
    gyro = Given(*(TurnRate(0.01 * i, float(i)) for i in range(1, 11)))
    merged = MergedPositions([Given(Odometry(0.04, 1.0), Odometry(0.10, 2.0)), gyro])
    assert merged.until(1.0) == [Odometry(0.04, 1.0, 2.5), Odometry(0.10, 2.0, 7.5)]


def test_a_slow_gyros_word_holds_for_a_moment_and_not_longer() -> None:
    wheels = Given(*(Odometry(0.1 * i, float(i)) for i in range(1, 6)))
    merged = MergedPositions([wheels, Given(TurnRate(0.1, 7.0))])
    assert [m.yaw_rate_dps for m in merged.until(1.0)] == [7.0, 7.0, 7.0, None, None]


def test_an_odometer_with_a_gyro_of_its_own_keeps_it() -> None:
    merged = MergedPositions([Given(Odometry(1.0, 1.0, 3.0)), Given(TurnRate(1.0, 7.0))])
    assert merged.until(1.0) == [Odometry(1.0, 1.0, 3.0)]


def test_a_turn_that_is_no_number_is_left_out() -> None:
    merged = MergedPositions([Given(Odometry(1.0, 1.0)), Given(TurnRate(0.9, math.nan), TurnRate(1.0, 2.0))])
    assert merged.until(1.0) == [Odometry(1.0, 1.0, 2.0)]
    assert merged.counts == {"not_finite": 1}


def test_a_time_that_is_no_number_is_left_out() -> None:
    merged = MergedPositions([Given(fix(math.nan), fix(1.0))])
    assert merged.until(1.0) == [fix(1.0)]
    assert merged.counts == {"not_finite": 1}


def test_what_comes_late_is_left_out_but_for_accelerations() -> None:
    slow = Given()
    merged = MergedPositions([Given(fix(2.0)), slow])
    merged.until(2.0)
    slow.items = [Odometry(1.9, 1.0), Acceleration(1.9, 9.8), Odometry(2.0, 1.1)]
    assert merged.until(2.1) == [Acceleration(1.9, 9.8), Odometry(2.0, 1.1)]
    assert merged.counts == {"late": 1}


class Live:
    """A receiver whose fix is there only `after_s` later, by the clock of the test."""

    def __init__(self, clock: list[float], after_s: float) -> None:
        self.clock, self.after_s, self.next = clock, after_s, 1

    def until(self, time_s: float) -> Sequence[Sensed]:
        ready = []
        while (t := float(self.next)) + self.after_s <= min(self.clock[0], time_s):
            ready.append(fix(t + self.after_s))
            self.next += 1
        return ready

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("hold_s", "fixes", "late"), [(0.0, 0, 9), (0.25, 9, 0)])
def test_holding_back_keeps_a_receivers_fixes_from_being_late(hold_s: float, fixes: int, late: int) -> None:
    clock = [0.0]
    receiver = LatePositions(Live(clock, 0.15), 0.15)
    wheels = Given(*(Odometry(0.05 * i, 0.5 * i) for i in range(201)))
    merged = MergedPositions([receiver, wheels], hold_s=hold_s)
    handed = []
    for step in range(1, 101):
        clock[0] = 0.1 * step
        handed += merged.until(clock[0])
    assert sum(isinstance(m, Fix) for m in handed) == fixes
    assert merged.counts["late"] == late


def test_two_odometers_do_not_add_up() -> None:
    merged = MergedPositions([Given(Odometry(1.0, 5.0), Odometry(3.0, 6.0)), Given(Odometry(2.0, 900.0))])
    assert merged.until(4.0) == [Odometry(1.0, 5.0), Odometry(3.0, 6.0)]
    assert merged.counts == {"second_odometer": 1}


def test_all_sources_are_closed() -> None:
    sources = [Given(), Given()]
    MergedPositions(sources).close()
    assert [source.closed for source in sources] == [1, 1]


def test_a_gyro_without_an_odometer_takes_no_memory() -> None:
    merged = MergedPositions([Given(*(TurnRate(i / 100, 1.0) for i in range(5000)))])
    assert merged.until(100.0) == []
    assert len(merged._rates) == 1000


def test_the_estimator_turns_right_with_a_gyro_that_says_so() -> None:
    wheels = Given(*(Odometry(0.05 * i, 0.5 * i) for i in range(181)))
    gyro = Given(*(TurnRate(0.01 * i, 10.0) for i in range(1, 901)))
    estimator = Estimator()
    for measurement in MergedPositions([wheels, gyro]).until(9.0):
        estimator.add(measurement)
    pose = estimator.pose_at(9.0)
    assert pose.odom_yaw_deg == pytest.approx(-90, abs=2)
    assert pose.distance_m == pytest.approx(90, abs=0.5)


items = st.builds(TurnRate, st.floats(0, 10) | st.floats(), st.floats()) | st.builds(
    Odometry, st.floats(0, 10) | st.floats(), st.floats(), st.none() | st.floats()
)


@given(st.lists(st.tuples(items, st.booleans())), st.lists(st.floats(0, 10), max_size=5))
def test_whatever_comes_is_handed_out_in_order(given_items: list, times: list[float]) -> None:
    merged = MergedPositions([Given(*(i for i, first in given_items if first is which)) for which in (True, False)])
    handed = [m for time_s in sorted(times) for m in merged.until(time_s)]
    assert [m.time_s for m in handed] == sorted(m.time_s for m in handed)


def test_speed_is_added_up_by_trapezoids() -> None:
    odometer = SpeedOdometer(Counter())
    assert [odometer.add(t, v) for t, v in ((0.0, 0.0), (1.0, 10.0), (3.0, 10.0))] == [
        Odometry(0.0, 0.0), Odometry(1.0, 5.0), Odometry(3.0, 25.0),
    ]  # fmt: skip


def test_a_sine_of_speed_gives_its_integral() -> None:
    odometer = SpeedOdometer(Counter())
    for i in range(1001):
        last = odometer.add(i / 10, 10 + 5 * math.sin(i / 10))
    assert last is not None
    assert last.distance_m == pytest.approx(1000 + 5 * (1 - math.cos(100)), abs=0.1)


def test_a_silence_adds_what_is_likely_and_a_long_one_nothing() -> None:
    counts: Counter[str] = Counter()
    odometer = SpeedOdometer(counts)
    distances = [odometer.add(t, 10.0).distance_m for t in (0.0, 3.0, 60.0, 60.5)]
    assert distances == [0, 30, 30, 35]
    assert counts == {"speed_gap": 2}


@pytest.mark.parametrize("speed", [math.nan, math.inf, -1e9, 71.0])
def test_what_is_no_speed_is_counted(speed: float) -> None:
    counts: Counter[str] = Counter()
    odometer = SpeedOdometer(counts)
    odometer.add(0.0, 10.0)
    assert odometer.add(0.5, speed) is None
    assert odometer.add(1.0, 10.0) == Odometry(1.0, 10.0)
    assert counts == {"speed_refused": 1}


def test_rolling_backwards_takes_way_off_and_a_new_connection_goes_on() -> None:
    total = Total()
    odometer = SpeedOdometer(Counter(), total)
    odometer.add(0.0, -2.0)
    assert odometer.add(1.0, -2.0) == Odometry(1.0, -2.0)
    assert SpeedOdometer(Counter(), total).add(50.0, 3.0) == Odometry(50.0, -2.0)


def test_a_time_that_goes_back_is_counted() -> None:
    counts: Counter[str] = Counter()
    odometer = SpeedOdometer(counts)
    odometer.add(5.0, 1.0)
    assert odometer.add(5.0, 1.0) is None
    assert counts == {"time_backwards": 1}
