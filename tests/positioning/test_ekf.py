# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.ekf import Ekf, antenna_covariance, largest_variance, wrap
from edge.positioning.mounting import Mounting
from edge.positioning.states import STATES, UE, UN, B, E, H, K, N, V, W


def filter_at(heading: float = 0.0, speed: float = 10.0, *, mounting: Mounting | None = None) -> Ekf:
    return Ekf(error_m=3, heading=heading, heading_sigma=0.2, speed_mps=speed, speed_sigma=1, mounting=mounting)


@pytest.mark.parametrize("wheel_m", [None, 1.3])
@pytest.mark.parametrize("gyro", [None, 0.4])
def test_the_covariance_moves_by_the_derivative_of_the_motion(wheel_m: float | None, gyro: float | None) -> None:
    """F P F' with F by finite differences equals what predict makes of a covariance, but for the noise added."""
    start = np.array([5.0, -3.0, 0.7, 12.0, 0.3, 1.02, 0.01, 0.4, -0.2])

    def moved(x: np.ndarray) -> np.ndarray:
        ekf = filter_at()
        ekf.x = x.copy()
        ekf.predict(0.1, wheel_m=wheel_m, gyro=gyro)
        return ekf.x

    def covariance(p: np.ndarray) -> np.ndarray:
        ekf = filter_at()
        ekf.x, ekf.p = start.copy(), p
        ekf.predict(0.1, wheel_m=wheel_m, gyro=gyro)
        return ekf.p

    nudge = 1e-6
    f = np.column_stack([(moved(start + nudge * e) - moved(start - nudge * e)) / (2 * nudge) for e in np.eye(STATES)])
    spread = np.random.default_rng(1).normal(size=(STATES, STATES))
    p = spread @ spread.T
    assert np.allclose(covariance(p) - covariance(np.zeros((STATES, STATES))), f @ p @ f.T, atol=1e-5)


def test_heading_is_clockwise_from_north() -> None:
    ekf = filter_at(heading=math.radians(90))
    ekf.predict(1.0)
    assert ekf.x[[E, N]] == pytest.approx([10, 0])
    ekf = filter_at()
    ekf.predict(1.0, gyro=math.radians(90))
    assert ekf.x[E] > 5
    assert ekf.x[H] == pytest.approx(math.radians(90))


def test_a_gyro_bias_and_an_odometer_scale_are_learnt_from_fixes() -> None:
    ekf = Ekf(error_m=1, heading=0, heading_sigma=0.1, speed_mps=10, speed_sigma=1)
    for second in range(1, 121):
        for _ in range(10):
            ekf.predict(0.1, wheel_m=1 / 1.03, gyro=math.radians(0.5))
            ekf.update_wheel_speed(10 / 1.03, 0.5)
        ekf.update_position(0, 10 * second, 1)
    assert ekf.x[K] == pytest.approx(1.03, abs=0.003)
    assert math.degrees(ekf.x[6]) == pytest.approx(0.5, abs=0.05)


def test_a_heading_beyond_the_gate_is_not_used() -> None:
    ekf = filter_at()
    assert not ekf.update_course(math.pi, 0.1, gate=4)
    assert ekf.x[H] == 0
    assert ekf.update_course(0.1, 0.1, gate=4)
    assert 0 < ekf.x[H] < 0.1


def test_headings_are_compared_the_short_way_round() -> None:
    ekf = filter_at(heading=math.radians(359))
    assert ekf.update_course(math.radians(1), 0.2, gate=4)
    assert math.degrees(ekf.x[H]) == pytest.approx(360, abs=0.1)


def test_standing_wheels_do_not_turn_the_vehicle() -> None:
    ekf = filter_at(speed=0.0)
    before = ekf.p[H, H]
    ekf.x[V] = 0.0
    ekf.p[V, :] = ekf.p[:, V] = 0
    ekf.p[4, 4] = 0
    for _ in range(600):
        ekf.predict(0.1, wheel_m=0.0)
    assert ekf.p[H, H] == pytest.approx(before)


MEASUREMENTS = {
    "place": lambda ekf: ekf.update_position(4.0, 1.0, 0.5),
    "course": lambda ekf: ekf.update_course(0.5, 0.1, gate=99),
    "speed": lambda ekf: ekf.update_speed(11.0, 0.1),
    "wheels": lambda ekf: ekf.update_wheel_speed(11.0, 0.1),
    "gyro": lambda ekf: ekf.update_gyro_standing(0.1, 0.1, gate=99),
}


class Noted:
    """A journal that keeps the last correction."""

    def predicted(self, f: np.ndarray) -> None:
        pass

    def corrected(self, h: np.ndarray, weight: np.ndarray, gap: np.ndarray, gain: np.ndarray) -> None:
        self.h, self.weight, self.gap, self.gain = h, weight, gap, gain


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_is_compared_with_its_own_derivative(name: str) -> None:
    """H by finite differences of the gap, with the antenna off the axle and in a bend."""
    start = np.array([5.0, -3.0, 0.7, 12.0, 0.3, 1.02, 0.01, 0.4, -0.2])

    def noted(x: np.ndarray) -> Noted:
        ekf, journal = filter_at(mounting=Mounting(4.0, 0.6)), Noted()
        ekf.x, ekf.journal = x.copy(), journal
        MEASUREMENTS[name](ekf)
        return journal

    nudge = 1e-6
    steps = [(noted(start - nudge * e).gap - noted(start + nudge * e).gap) / (2 * nudge) for e in np.eye(STATES)]
    assert noted(start).h == pytest.approx(np.column_stack(steps), abs=1e-5)


def test_in_a_bend_the_antenna_moves_across_the_heading() -> None:
    """4 m ahead of the axle and 30 m radius: atan(4 / 30), and faster than the axle."""
    ekf = filter_at(mounting=Mounting(antenna_forward_m=4.0))
    ekf.x[W] = ekf.x[V] / 30
    assert math.degrees(ekf.course()) == pytest.approx(7.595, abs=0.01)
    assert ekf.antenna_speed() == pytest.approx(10 * math.hypot(1, 4 / 30))
    ekf.x[V] = -ekf.x[V]
    assert math.degrees(ekf.course()) == pytest.approx(180 - 7.595, abs=0.01)


def test_the_antennas_place_is_as_uncertain_as_the_arm_that_leads_to_it() -> None:
    ekf = filter_at(mounting=Mounting(antenna_forward_m=4.0))
    # A fix says where the antenna is, whatever the heading; where the axle is hangs on that.
    assert np.allclose(antenna_covariance(ekf.p, 0.0, ekf.mounting), 9 * np.eye(2))
    assert ekf.p[E, E] == pytest.approx(9 + (4 * 0.2) ** 2)
    assert ekf.antenna() == pytest.approx((0, 0))


def test_the_error_said_is_that_of_the_worst_direction() -> None:
    assert largest_variance(np.array([[2.5, 1.5], [1.5, 2.5]])) == pytest.approx(4.0)


def test_a_lasting_error_of_the_receiver_is_not_averaged_away() -> None:
    """A minute at 5 Hz: the place is known no better than to a good part of what the receiver claims."""
    ekf = Ekf(error_m=2, heading=0, heading_sigma=0.1, speed_mps=0, speed_sigma=0.1)
    for _ in range(300):
        ekf.predict(0.2, wheel_m=0.0)
        ekf.update_position(0.0, 0.0, 2.0)
    assert math.sqrt(largest_variance(ekf.p[:2, :2])) > 0.4


def test_a_receiver_whose_error_has_changed_at_once_does_not_pull_the_filter_for_long() -> None:
    ekf = Ekf(error_m=0.02, heading=0, heading_sigma=0.01, speed_mps=0, speed_sigma=0.1)
    for _ in range(100):
        ekf.predict(0.2, wheel_m=0.0)
        ekf.update_position(0.0, 0.0, 0.02)
    before = ekf.p[UE, UE]
    ekf.update_position(0.1, 0.0, 0.02)
    assert ekf.p[UE, UE] > 0.1 > before / 10
    assert ekf.p[UN, UN] > 0


def test_a_vehicle_that_turns_out_to_reverse_keeps_its_heading() -> None:
    ekf = filter_at(speed=1.5)
    ekf.about_face()
    assert (ekf.x[V], ekf.x[H]) == (-1.5, 0)
    ekf.predict(1.0)
    assert ekf.x[N] == pytest.approx(-1.5)


def test_what_a_filter_has_learnt_of_wheels_and_gyro_is_handed_on() -> None:
    old, new = filter_at(), filter_at()
    old.x[[K, B]] = 1.05, 0.01
    old.p[K, K] = 1e-8
    new.inherit(old)
    assert (new.x[K], new.x[B], new.p[K, K]) == (1.05, 0.01, 1e-8)


def test_a_filter_that_believes_in_wheels_of_twice_the_size_has_lost_its_way() -> None:
    ekf = filter_at()
    assert ekf.sound()
    ekf.x[K] = 2.0
    assert not ekf.sound()
    ekf.x[K] = math.nan
    assert not ekf.sound()


@pytest.mark.parametrize("wheel_m", [None, 0.0])
def test_a_step_of_no_time_changes_nothing(wheel_m: float | None) -> None:
    ekf = filter_at()
    ekf.x[4] = 0.3
    x, p = ekf.x.copy(), ekf.p.copy()
    ekf.predict(0.0, wheel_m=wheel_m)
    assert np.array_equal(ekf.x, x)
    assert np.allclose(ekf.p, p)


steps = st.tuples(
    st.floats(0, 2),
    st.none() | st.floats(0, 40),
    st.none() | st.floats(-2, 2),
    st.tuples(st.floats(-50, 50), st.floats(-50, 50)) | st.none(),
)


@given(st.lists(steps, max_size=30))
def test_the_covariance_stays_symmetric_and_positive(moves: list[tuple]) -> None:
    ekf = filter_at()
    for dt, wheel, gyro, place in moves:
        ekf.predict(dt, wheel_m=wheel, gyro=gyro)
        if place is not None:
            ekf.update_position(*place, 3.0)
        assert np.allclose(ekf.p, ekf.p.T, rtol=1e-6, atol=1e-6)
        assert np.linalg.eigvalsh(ekf.p).min() > -1e-6 * max(1.0, float(np.trace(ekf.p)))


@given(st.floats(-1e4, 1e4))
def test_wrapped_angles_are_the_same_direction(angle: float) -> None:
    assert -math.pi <= wrap(angle) <= math.pi
    assert math.cos(wrap(angle)) == pytest.approx(math.cos(angle), abs=1e-6)
