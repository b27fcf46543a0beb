# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Extended Kalman filter of a car on a plane. Pure mathematics: no clock, no decisions about what to believe.

State: east e and north n of the middle of the rear axle (metres from an origin), heading h (radians clockwise from
north), speed v (m/s, negative backwards), turn rate w (rad/s), odometer scale k (true metres per metre of odometer),
gyro bias b (rad/s), and the receiver's lasting error ue, un in units of what it claims.

Motion over dt with the way ds and the turn dh, taken at mid-turn (Thrun, Burgard, Fox: Probabilistic
Robotics, ch. 5.4):

    e' = e + ds sin(h + dh/2)    n' = n + ds cos(h + dh/2)    h' = h + dh

ds is the odometer's metres times k, or v dt without one; dh is (gyro - b) dt, or w dt without one.
P' = F P F^T + Q; a measurement z = H x + noise R corrects by K = P H^T (H P H^T + R)^-1 (same book, ch. 3.3).

A receiver's error is not new with every fix: reflections and atmosphere change over tens of seconds. A filter that
takes it for white noise believes after a minute at 5 Hz that it knows the place to a tenth of the truth. So part of
the error is a first-order Gauss-Markov process of its own in the state (Brown, Hwang: Introduction to Random Signals
and Applied Kalman Filtering, ch. 5.5 and 9.3): u' = u exp(-dt/T) + noise, of variance 1 when left alone.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from edge.positioning.mounting import Mounting
from edge.positioning.process_noise import Move, spread
from edge.positioning.states import STATES, UE, UN, B, E, H, K, Matrix, N, V, W

_TURN_FADES_S = 2.0  # without news, a turn ends
_STANDING_MPS = 0.3
_UNNOTICED_M = 1.5  # the way rolled in the other direction before that shows
#: Standard deviations before anything is known.
GYRO_BIAS_SIGMA = math.radians(1.0)
SCALE_SIGMA = 0.03
#: Beyond these the filter has lost its way.
_SCALES, _LARGEST_BIAS, _LARGEST_MPS = (0.6, 1.6), math.radians(15), 200.0
#: Of a receiver's error: how long the lasting part lasts (seconds), and the shares of both (squares add up to 1).
LASTS_S = 25.0
LASTING, WHITE = math.sqrt(0.4), math.sqrt(0.6)
#: A fix belongs to a moment that is known so well, seconds: receivers and buses do not take equally long each time.
TIME_SIGMA_S = 0.015
#: Further off than this (99.9 %), given the lasting error known so far, means that the lasting error has changed.
_NEW_ERROR = 13.8


def wrap(angle: float) -> float:
    """An angle in radians, brought into -pi..pi."""
    return math.remainder(angle, math.tau)


class Journal(Protocol):
    """Somebody who notes the steps of the filter, for smoothing."""

    def predicted(self, f: Matrix) -> None:
        """Errors became f times what they were (9 x 9)."""

    def corrected(self, h: Matrix, weight: Matrix, gap: Matrix, gain: Matrix) -> None:
        """A measurement of m values: h (m x 9), S^-1 (m x m), z - h x (m), gain (9 x m)."""


class Ekf:
    """Mean and covariance of the nine states."""

    def __init__(
        self,
        *,
        error_m: float,
        heading: float,
        heading_sigma: float,
        speed_mps: float,
        speed_sigma: float,
        mounting: Mounting | None = None,
        journal: Journal | None = None,
    ) -> None:
        """Start with the antenna at the origin, by a fix with that error."""
        self.mounting = mounting or Mounting()
        self.journal = journal
        arm, swing = self.mounting.arm(heading), self.mounting.arm_turned(heading)
        self.x: Matrix = np.array([-arm[0], -arm[1], heading, speed_mps, 0.0, 1.0, 0.0, 0.0, 0.0])
        sigmas = (error_m, error_m, heading_sigma, speed_sigma, math.radians(3), SCALE_SIGMA, GYRO_BIAS_SIGMA, 1, 1)
        p = np.diag(np.square(sigmas))
        p[E, UE] = p[UE, E] = p[N, UN] = p[UN, N] = -LASTING * error_m
        # The axle is where the antenna is, less an arm whose direction is as uncertain as the heading.
        turned = np.eye(STATES)
        turned[:2, H] = -swing[0], -swing[1]
        self.p: Matrix = turned @ p @ turned.T

    def antenna(self) -> tuple[float, float]:
        """East and north of the antenna."""
        east, north = self.mounting.arm(float(self.x[H]))
        return float(self.x[E]) + east, float(self.x[N]) + north

    def course(self) -> float:
        """The direction in which the antenna moves: in a bend not the heading, as it swings round the axle."""
        ahead, right = self.mounting.velocity(float(self.x[V]), float(self.x[W]))
        return float(self.x[H]) + math.atan2(right, ahead)

    def antenna_speed(self) -> float:
        """Of the antenna over ground, without a sign."""
        return math.hypot(*self.mounting.velocity(float(self.x[V]), float(self.x[W])))

    def inherit(self, other: Ekf) -> None:
        """Take over what another filter has learnt of odometer and gyro."""
        self.x[[K, B]] = other.x[[K, B]]
        self.p[np.ix_((K, B), (K, B))] = other.p[np.ix_((K, B), (K, B))]

    def shift(self, east_m: float, north_m: float) -> None:
        """The origin has moved."""
        self.x[E] += east_m
        self.x[N] += north_m

    def jolt(self, speed_mps: float, sigma: float, metres: float) -> None:
        """The way was wrong by up to so many metres, and the speed is this."""
        self.p[V, :] = self.p[:, V] = 0.0
        self.x[V], self.p[V, V] = speed_mps, sigma**2
        self.p[E, E] += metres**2
        self.p[N, N] += metres**2

    def turn_to(self, heading: float, sigma: float) -> None:
        """Forget what was thought of the heading."""
        self.p[H, :] = self.p[:, H] = 0.0
        self.x[H], self.p[H, H] = heading, sigma**2

    def predict(self, dt: float, *, wheel_m: float | None = None, gyro: float | None = None) -> tuple[float, float]:
        """Move on by dt seconds.

        Args:
            dt: seconds, not negative.
            wheel_m: the odometer's metres in that time, negative backwards; None: the speed says how far.
            gyro: turn rate in rad/s, clockwise; None: the turn rate in the state goes on.

        Returns:
            The way in metres and the turn in radians that the state has moved by.
        """
        x, f = self.x, np.eye(STATES)
        _, _, h, v, w, k, b, _, _ = x.tolist()
        way = v * dt if wheel_m is None else k * wheel_m
        rolls = abs(v) > _STANDING_MPS
        turn_s = dt if rolls else 0.0  # wheels that do not roll do not turn the vehicle
        turn = w * turn_s if gyro is None else (gyro - b) * dt
        sin, cos = math.sin(h + turn / 2), math.cos(h + turn / 2)
        f[E, H], f[N, H] = way * cos, -way * sin
        pace, length = (V, dt) if wheel_m is None else (K, wheel_m)
        f[E, pace], f[N, pace] = sin * length, cos * length
        turner, arm = (W, turn_s) if gyro is None else (B, -dt)
        f[E, turner], f[N, turner], f[H, turner] = way * cos * arm / 2, -way * sin * arm / 2, arm
        x[E] += way * sin
        x[N] += way * cos
        x[H] += turn
        if gyro is None:
            fade = math.exp(-dt / _TURN_FADES_S) if rolls else 0.0
            x[W] *= fade
            f[W, W] = fade
        else:
            x[W] = gyro - b
            f[W, W], f[W, B] = 0.0, -1.0
        keep = f[UE, UE] = f[UN, UN] = math.exp(-dt / LASTS_S)
        x[UE:] *= keep
        self.p = f @ self.p @ f.T
        move = Move(dt, abs(way), sin, cos, wheels=wheel_m is not None, turned=None if gyro is None else abs(turn))
        spread(self.p, move)
        self.p[[UE, UN], [UE, UN]] += 1 - keep * keep
        if self.journal is not None:
            self.journal.predicted(f)
        return way, turn

    def sound(self) -> bool:
        """Whether what it has learnt can be true."""
        return bool(
            np.isfinite(self.x).all()
            and np.isfinite(self.p).all()
            and _SCALES[0] <= self.x[K] <= _SCALES[1]
            and abs(self.x[B]) <= _LARGEST_BIAS
            and abs(self.x[V]) <= _LARGEST_MPS
        )

    def swell(self, factor: float) -> None:
        """Everything was known worse than thought: multiply the covariance, but for the receiver's own error."""
        self.p[:UE, :UE] *= factor
        self.p[:UE, UE:] *= math.sqrt(factor)
        self.p[UE:, :UE] *= math.sqrt(factor)

    def about_face(self) -> None:
        """It rolls the other way, and has done so for the last metre or two: the speed changes its sign."""
        f = np.eye(STATES)
        f[V, V] = -1.0
        self.x, self.p = f @ self.x, f @ self.p @ f.T
        self.p[E, E] += _UNNOTICED_M**2
        self.p[N, N] += _UNNOTICED_M**2
        if self.journal is not None:
            self.journal.predicted(f)

    def position_distance(self, east: float, north: float, error_m: float) -> float:
        """Squared Mahalanobis distance of a measured place: how unlikely it is (2 degrees of freedom)."""
        at_east, at_north = self.antenna()
        gap = np.array([east - at_east, north - at_north])
        s = antenna_covariance(self.p, float(self.x[H]), self.mounting) + self._noise(error_m)
        return float(gap @ np.linalg.solve(s, gap))

    def update_position(self, east: float, north: float, error_m: float) -> None:
        """Correct by a measured place of the antenna; `error_m` is one standard deviation along each axis."""
        at_east, at_north = self.antenna()
        lasting, (swing_e, swing_n) = LASTING * error_m, self.mounting.arm_turned(float(self.x[H]))
        h = np.zeros((2, STATES))
        h[0, E] = h[1, N] = 1.0
        h[0, H], h[1, H] = swing_e, swing_n
        h[0, UE] = h[1, UN] = lasting
        gap = np.array([east - at_east - lasting * self.x[UE], north - at_north - lasting * self.x[UN]])
        noise = self._noise(WHITE * error_m)
        hp = h @ self.p
        weight = np.linalg.inv(hp @ h.T + noise)
        if gap @ weight @ gap > _NEW_ERROR:
            self.p[UE, UE] += 1.0
            self.p[UN, UN] += 1.0
            hp = h @ self.p
            weight = np.linalg.inv(hp @ h.T + noise)
        self._correct(h, hp, weight, gap)

    def _noise(self, error_m: float) -> Matrix:
        """Covariance of a fix (2 x 2): its error in any direction, and along the way that of its time."""
        heading, late_m = float(self.x[H]), TIME_SIGMA_S * float(self.x[V])
        along = np.array([math.sin(heading), math.cos(heading)]) * late_m
        return np.eye(2) * error_m**2 + np.outer(along, along)

    def update_course(self, course: float, sigma: float, *, gate: float) -> bool:
        """Correct by the direction the antenna moves in, unless off by more than `gate` sigmas; whether it was."""
        ahead, right = self.mounting.velocity(float(self.x[V]), float(self.x[W]))
        square = max(ahead * ahead + right * right, _STANDING_MPS**2)
        forward, left = self.mounting.antenna_forward_m, self.mounting.antenna_left_m
        row = {H: 1.0, V: -right / square, W: (forward * ahead - left * right) / square}
        gap = wrap(course - self.course())
        return self._update_scalar(gap, row, sigma, gate)

    def update_speed(self, speed_mps: float, sigma: float, *, backwards: bool = False) -> None:
        """Correct by the antenna's speed over ground, which has no sign."""
        ahead, right = self.mounting.velocity(float(self.x[V]), float(self.x[W]))
        measured = math.sqrt(max(0.0, speed_mps**2 - right**2))
        measured = -measured if backwards else measured
        swing = right * self.mounting.antenna_forward_m / measured if abs(measured) > _STANDING_MPS else 0.0
        row = {V: 1.0, W: self.mounting.antenna_left_m + swing}
        self._update_scalar(measured - ahead, row, sigma, math.inf)

    def update_wheel_speed(self, wheel_mps: float, sigma: float) -> None:
        """Correct by the odometer's speed, which is v / k."""
        v, k = float(self.x[V]), float(self.x[K])
        self._update_scalar(wheel_mps - v / k, {V: 1 / k, K: -v / k**2}, sigma, math.inf)

    def update_gyro_standing(self, gyro: float, sigma: float, *, gate: float) -> bool:
        """What a gyro says while nothing moves is its bias."""
        return self._update_scalar(gyro - float(self.x[B]), {B: 1.0}, sigma, gate)

    def _update_scalar(self, gap: float, row: dict[int, float], sigma: float, gate: float) -> bool:
        h = np.zeros((1, STATES))
        for index, value in row.items():
            h[0, index] = value
        hp = h @ self.p
        s = float((hp @ h.T)[0, 0]) + sigma**2
        if gap * gap > gate * gate * s:
            return False
        self._correct(h, hp, np.array([[1 / s]]), np.array([gap]))
        return True

    def _correct(self, h: Matrix, hp: Matrix, weight: Matrix, gap: Matrix) -> None:
        gain = hp.T @ weight
        self.x = self.x + gain @ gap
        p = self.p - gain @ hp
        self.p = (p + p.T) / 2
        if self.journal is not None:
            self.journal.corrected(h, weight, gap, gain)


def antenna_covariance(p: Matrix, heading: float, mounting: Mounting) -> Matrix:
    """2 x 2, east and north of the antenna, from that of the states."""
    swing = np.array(mounting.arm_turned(heading))
    cross = np.outer(p[:2, H], swing)
    covariance: Matrix = p[:2, :2] + cross + cross.T + np.outer(swing, swing) * p[H, H]
    return covariance


def largest_variance(covariance: Matrix) -> float:
    """The variance along the direction in which a 2 x 2 covariance is widest."""
    a, b, c = float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1])
    return (a + c) / 2 + math.hypot((a - c) / 2, b)
