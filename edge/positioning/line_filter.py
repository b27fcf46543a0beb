# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Kalman filter along a line: chainage and odometer scale. Pure mathematics, exact because everything is linear.

State x = (c, k): chainage c (metres) and scale k (true metres per metre of odometer). The odometer runs by w metres in
the direction of growing chainage (negative against it) within dt:

    c' = c + k w        F = | 1  w |        Q = | q |w|   0    |
    k' = k                  | 0  1 |            |  0     r dt  |

q: slip and creep of the wheels grow with the way, r: tyres warm up and wear. A chainage z with noise s^2 corrects by
K = P H^T / (H P H^T + s^2), H = (1 0) (Thrun, Burgard, Fox: Probabilistic Robotics, ch. 3.2).

Backwards (Rauch, Tung, Striebel 1965; Saerkkae: Bayesian Filtering and Smoothing, ch. 8.2), with m-, P- predicted from
step i and ms, Ps smoothed at step i + 1:

    G = P F^T (P-)^-1      m_s = m + G (ms - m-)      P_s = P + G (Ps - P-) G^T
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

#: m^2 per m of way: 0.5 m after 100 m, 1.6 m after 1 km.
SLIP_Q = 0.0025
#: Per second.
SCALE_Q = 1e-8
#: Before the odometer is known: one standard deviation of its scale.
SCALE_SIGMA = 0.03


@dataclass(frozen=True)
class Along:
    """Chainage in metres, odometer scale, and their covariance: `cc` (m^2), `ck` (m), `kk`."""

    chainage_m: float
    cc: float
    scale: float = 1.0
    ck: float = 0.0
    kk: float = SCALE_SIGMA**2

    @property
    def error_m(self) -> float:
        """One standard deviation of the chainage."""
        return math.sqrt(self.cc)

    def misfit(self, chainage_m: float, error_m: float) -> float:
        """How many standard deviations a measured chainage lies off."""
        return abs(chainage_m - self.chainage_m) / math.sqrt(self.cc + error_m**2)


class Step(Protocol):
    """What smoothing needs: the odometer's metres and the time since the step before, the filtered state after it."""

    @property
    def way_m(self) -> float:
        """In the direction of growing chainage."""

    @property
    def dt_s(self) -> float:
        """Not negative."""

    @property
    def state(self) -> Along:
        """With everything measured at this step."""


def moved(state: Along, way_m: float, dt_s: float) -> Along:
    """The state after `way_m` metres of odometer in the direction of growing chainage, within `dt_s`."""
    w = way_m
    return Along(
        state.chainage_m + state.scale * w,
        state.cc + 2 * w * state.ck + w * w * state.kk + SLIP_Q * abs(w),
        state.scale,
        state.ck + w * state.kk,
        state.kk + SCALE_Q * dt_s,
    )


def measured(state: Along, chainage_m: float, error_m: float) -> Along:
    """The state corrected by a measured chainage; `error_m`: one standard deviation, above 0."""
    s = state.cc + error_m**2
    gap = chainage_m - state.chainage_m
    keep = error_m**2 / s
    return Along(
        state.chainage_m + state.cc / s * gap,
        state.cc * keep,
        state.scale + state.ck / s * gap,
        state.ck * keep,
        state.kk - state.ck**2 / s,
    )


def smoothed(steps: Sequence[Step]) -> list[Along]:
    """Every step's state by all that was measured, before and after. The last one is as it was."""
    result = [steps[-1].state]
    for step, after in zip(steps[-2::-1], steps[:0:-1], strict=True):
        result.append(_backwards(step.state, after, result[-1]))
    result.reverse()
    return result


def _backwards(here: Along, after: Step, later: Along) -> Along:
    ahead = moved(here, after.way_m, after.dt_s)
    w = after.way_m
    # P F^T, then G = P F^T (P-)^-1 for 2 x 2.
    a, b = here.cc + w * here.ck, here.ck
    c, d = here.ck + w * here.kk, here.kk
    det = ahead.cc * ahead.kk - ahead.ck**2
    if det <= 0:  # only by rounding
        return here
    g11, g12 = (a * ahead.kk - b * ahead.ck) / det, (b * ahead.cc - a * ahead.ck) / det
    g21, g22 = (c * ahead.kk - d * ahead.ck) / det, (d * ahead.cc - c * ahead.ck) / det
    gap_c, gap_k = later.chainage_m - ahead.chainage_m, later.scale - ahead.scale
    cc, ck, kk = later.cc - ahead.cc, later.ck - ahead.ck, later.kk - ahead.kk
    return Along(
        here.chainage_m + g11 * gap_c + g12 * gap_k,
        max(0.0, here.cc + g11 * (g11 * cc + g12 * ck) + g12 * (g11 * ck + g12 * kk)),
        here.scale + g21 * gap_c + g22 * gap_k,
        here.ck + g11 * (g21 * cc + g22 * ck) + g12 * (g21 * ck + g22 * kk),
        max(0.0, here.kk + g21 * (g21 * cc + g22 * ck) + g22 * (g21 * ck + g22 * kk)),
    )
