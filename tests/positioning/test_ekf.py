# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.ekf import E, Ekf, H, K, N, V, wrap


def filter_at(heading: float = 0.0, speed: float = 10.0) -> Ekf:
    return Ekf(error_m=3, heading=heading, heading_sigma=0.2, speed_mps=speed, speed_sigma=1)


@pytest.mark.parametrize("wheel_m", [None, 1.3])
@pytest.mark.parametrize("gyro", [None, 0.4])
def test_the_covariance_moves_by_the_derivative_of_the_motion(wheel_m: float | None, gyro: float | None) -> None:
    """F P F' with F by finite differences equals what predict makes of a covariance, but for the noise added."""
    start = np.array([5.0, -3.0, 0.7, 12.0, 0.3, 1.02, 0.01])

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
    f = np.column_stack([(moved(start + nudge * e) - moved(start - nudge * e)) / (2 * nudge) for e in np.eye(7)])
    spread = np.random.default_rng(1).normal(size=(7, 7))
    p = spread @ spread.T
    assert np.allclose(covariance(p) - covariance(np.zeros((7, 7))), f @ p @ f.T, atol=1e-5)


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
    assert not ekf.update_heading(math.pi, 0.1, gate=4)
    assert ekf.x[H] == 0
    assert ekf.update_heading(0.1, 0.1, gate=4)
    assert 0 < ekf.x[H] < 0.1


def test_headings_are_compared_the_short_way_round() -> None:
    ekf = filter_at(heading=math.radians(359))
    assert ekf.update_heading(math.radians(1), 0.2, gate=4)
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
