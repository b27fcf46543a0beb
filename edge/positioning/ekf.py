# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Extended Kalman filter of a car on a plane. Pure mathematics: no clock, no decisions about what to believe.

State: east e and north n (metres from an origin), heading h (radians clockwise from north), speed v (m/s), turn rate w
(rad/s), odometer scale k (true metres per metre of odometer), gyro bias b (rad/s).

Motion over dt with the way ds and the turn dh, taken at mid-turn (Thrun, Burgard, Fox: Probabilistic
Robotics, ch. 5.4):

    e' = e + ds sin(h + dh/2)    n' = n + ds cos(h + dh/2)    h' = h + dh

ds is the odometer's metres times k, or v dt without one; dh is (gyro - b) dt, or w dt without one.
P' = F P F^T + Q; a measurement z = H x + noise R corrects by K = P H^T (H P H^T + R)^-1 (same book, ch. 3.3).
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.floating[Any]]

E, N, H, V, W, K, B = range(7)

#: Spectral densities of the process noise: variance gained per second (or per metre).
ACCELERATION_Q = 1.5**2  # (m/s)^2 per s: city driving
TURN_Q = math.radians(8.0) ** 2  # (rad/s)^2 per s, without a gyro
TURN_FADES_S = 2.0  # without news, a turn ends
GYRO_Q = math.radians(0.2) ** 2  # rad^2 per s: noise of a cheap gyro on a shaking vehicle
GYRO_BIAS_Q = math.radians(0.005) ** 2  # (rad/s)^2 per s
SCALE_Q = 1e-8  # per s: tyres warm up and wear
WHEEL_Q = 0.01  # m^2 per m along the way: slip, uneven road
SIDE_SLIP_Q = 0.001  # m^2 per m across
_STANDING_MPS = 0.3
#: Standard deviations before anything is known.
GYRO_BIAS_SIGMA = math.radians(1.0)
SCALE_SIGMA = 0.03


def wrap(angle: float) -> float:
    """An angle in radians, brought into -pi..pi."""
    return math.remainder(angle, math.tau)


class Ekf:
    """Mean and covariance of the seven states."""

    def __init__(
        self,
        *,
        error_m: float,
        heading: float,
        heading_sigma: float,
        speed_mps: float,
        speed_sigma: float,
    ) -> None:
        self.x: Matrix = np.array([0.0, 0.0, heading, speed_mps, 0.0, 1.0, 0.0])
        sigmas = (error_m, error_m, heading_sigma, speed_sigma, math.radians(3), SCALE_SIGMA, GYRO_BIAS_SIGMA)
        self.p: Matrix = np.diag(np.square(sigmas))

    @property
    def position_variance(self) -> float:
        """Variance along any direction in the plane, m^2 (mean of both axes)."""
        return float(self.p[E, E] + self.p[N, N]) / 2

    def predict(self, dt: float, *, wheel_m: float | None = None, gyro: float | None = None) -> tuple[float, float]:
        """Move on by dt seconds.

        Args:
            dt: seconds, not negative.
            wheel_m: the odometer's metres in that time; None: the speed says how far.
            gyro: turn rate in rad/s, clockwise; None: the turn rate in the state goes on.

        Returns:
            The way in metres and the turn in radians that the state has moved by.
        """
        x, f = self.x, np.eye(7)
        way = x[V] * dt if wheel_m is None else x[K] * wheel_m
        # Wheels that do not roll do not turn the vehicle.
        rolls = abs(x[V]) > _STANDING_MPS
        turn_s = dt if rolls else 0.0
        turn = x[W] * turn_s if gyro is None else (gyro - x[B]) * dt
        middle = x[H] + turn / 2
        along = np.array([math.sin(middle), math.cos(middle)])
        across = np.array([along[1], -along[0]])
        f[:2, H] = way * across
        f[:2, V if wheel_m is None else K] = along * (dt if wheel_m is None else wheel_m)
        turner, arm = (W, turn_s) if gyro is None else (B, -dt)
        f[:2, turner] = way * across * arm / 2
        f[H, turner] = arm
        x[:2] += way * along
        x[H] += turn
        if gyro is None:
            fade = math.exp(-dt / TURN_FADES_S) if rolls else 0.0
            x[W] *= fade
            f[W, W] = fade
        else:
            x[W] = gyro - x[B]
            f[W, W], f[W, B] = 0.0, -1.0
        self.p = f @ self.p @ f.T + self._noise(dt, abs(way), along, across, wheels=wheel_m is not None, gyro=gyro)
        return float(way), float(turn)

    def _noise(
        self, dt: float, way: float, along: Matrix, across: Matrix, *, wheels: bool, gyro: float | None
    ) -> Matrix:
        q = np.zeros((7, 7))
        q[:2, :2] = SIDE_SLIP_Q * way * np.outer(across, across)
        q[V, V] = ACCELERATION_Q * dt
        if wheels:
            q[:2, :2] += WHEEL_Q * way * np.outer(along, along)
        else:
            q[:2, :2] += ACCELERATION_Q * dt**3 / 3 * np.outer(along, along)
            q[:2, V] = q[V, :2] = ACCELERATION_Q * dt**2 / 2 * along
        if gyro is None:
            # The slower it rolls, the less it turns.
            turn_q = TURN_Q * (min(1.0, way / (2 * dt)) if dt > 1e-6 else 0.0)
            q[W, W], q[H, H] = turn_q * dt, turn_q * dt**3 / 3
            q[H, W] = q[W, H] = turn_q * dt**2 / 2
        else:
            q[H, H] = GYRO_Q * dt
        q[K, K], q[B, B] = SCALE_Q * dt, GYRO_BIAS_Q * dt
        return q

    def position_distance(self, east: float, north: float, error_m: float) -> float:
        """Squared Mahalanobis distance of a measured place: how unlikely it is (2 degrees of freedom)."""
        gap = np.array([east - self.x[E], north - self.x[N]])
        s = self.p[:2, :2] + np.eye(2) * error_m**2
        return float(gap @ np.linalg.solve(s, gap))

    def update_position(self, east: float, north: float, error_m: float) -> None:
        """Correct by a measured place; `error_m` is one standard deviation along each axis."""
        s = self.p[:2, :2] + np.eye(2) * error_m**2
        gain = np.linalg.solve(s, self.p[:2, :]).T
        self._correct(gain, gain @ np.array([east - self.x[E], north - self.x[N]]), self.p[:2, :])

    def update_heading(self, heading: float, sigma: float, *, gate: float) -> bool:
        """Correct by a measured heading, unless it is off by more than `gate` standard deviations; whether it was."""
        return self._update_scalar(wrap(heading - self.x[H]), {H: 1.0}, sigma, gate)

    def update_speed(self, speed_mps: float, sigma: float, *, gate: float = math.inf) -> bool:
        """Correct by a measured speed over ground."""
        return self._update_scalar(speed_mps - self.x[V], {V: 1.0}, sigma, gate)

    def update_wheel_speed(self, wheel_mps: float, sigma: float) -> None:
        """Correct by the odometer's speed, which is v / k."""
        v, k = self.x[V], self.x[K]
        self._update_scalar(wheel_mps - v / k, {V: 1 / k, K: -v / k**2}, sigma, math.inf)

    def _update_scalar(self, gap: float, row: dict[int, float], sigma: float, gate: float) -> bool:
        h = np.zeros((1, 7))
        for index, value in row.items():
            h[0, index] = value
        hp = h @ self.p
        s = float((hp @ h.T)[0, 0]) + sigma**2
        if gap * gap > gate * gate * s:
            return False
        gain = hp.T / s
        self._correct(gain, gain[:, 0] * gap, hp)
        return True

    def _correct(self, gain: Matrix, step: Matrix, hp: Matrix) -> None:
        self.x = self.x + step
        p = self.p - gain @ hp
        self.p = (p + p.T) / 2
