# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How much less is known after each motion: the covariance that a real vehicle's steps add (Q of the filter).

White acceleration and turn acceleration give the usual integrals over dt (Bar-Shalom, Li, Kirubarajan: Estimation with
Applications to Tracking and Navigation, ch. 6.2); the rest grows with the way rolled or the angle turned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.positioning.states import B, E, H, K, Matrix, N, V, W

#: Spectral densities of the process noise: variance gained per second (or per metre, per radian).
ACCELERATION_Q = 1.5**2  # (m/s)^2 per s: city driving
TURN_Q = math.radians(8.0) ** 2  # (rad/s)^2 per s, without a gyro
GYRO_Q = math.radians(0.05) ** 2  # rad^2 per s: several times the data sheet of a cheap gyro; the vehicle shakes
GYRO_SCALE_Q = 0.005**2  # rad^2 per rad turned: its sensitivity is good to about a percent
GYRO_BIAS_Q = math.radians(0.001) ** 2  # (rad/s)^2 per s: it warms up
SCALE_Q = 1e-8  # per s: tyres warm up and wear
WHEEL_Q = 0.0005  # m^2 per m along the way: slip, uneven road
SIDE_SLIP_Q = 0.0005  # m^2 per m across


@dataclass(frozen=True)
class Move:
    """One motion: seconds, metres (not negative), sine and cosine of the direction.

    `wheels`: by an odometer. `turned`: radians by the gyro (not negative), None without one.
    """

    dt: float
    way: float
    sin: float
    cos: float
    wheels: bool
    turned: float | None


def spread(p: Matrix, move: Move) -> None:
    """Add a motion's noise to the covariance of the states."""
    dt, way, sin, cos = move.dt, move.way, move.sin, move.cos
    along = WHEEL_Q * way if move.wheels else ACCELERATION_Q * dt**3 / 3
    across = SIDE_SLIP_Q * way
    p[E, E] += along * sin * sin + across * cos * cos
    p[N, N] += along * cos * cos + across * sin * sin
    p[E, N] += (along - across) * sin * cos
    p[N, E] = p[E, N]
    p[V, V] += ACCELERATION_Q * dt
    if not move.wheels:
        cross = ACCELERATION_Q * dt**2 / 2
        p[E, V] += cross * sin
        p[N, V] += cross * cos
        p[V, E], p[V, N] = p[E, V], p[N, V]
    if move.turned is None:
        # The slower it rolls, the less it turns.
        turn_q = TURN_Q * (min(1.0, way / (2 * dt)) if dt > 1e-6 else 0.0)
        p[W, W] += turn_q * dt
        p[H, H] += turn_q * dt**3 / 3
        p[H, W] += turn_q * dt**2 / 2
        p[W, H] = p[H, W]
    else:
        p[H, H] += GYRO_Q * dt + GYRO_SCALE_Q * move.turned
    p[K, K] += SCALE_Q * dt
    p[B, B] += GYRO_BIAS_Q * dt
