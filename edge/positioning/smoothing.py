# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Looking back at a dead-reckoned stretch once fixes are believed again: what they say about the way there.

The filter's steps since the last fix are noted, and run through backwards by the modified Bryson-Frazier form of the
Rauch-Tung-Striebel smoother (Bierman: Factorization Methods for Discrete Sequential Estimation, ch. X.5). Backwards
over a motion F and a correction with gain K, S = H P H^T + R and gap y:

    l <- F^T l        L <- F^T L F
    l <- (I - K H)^T l - H^T S^-1 y        L <- (I - K H)^T L (I - K H) + H^T S^-1 H

and at any point x_smoothed = x - P l, P_smoothed = P - P L P. It inverts no covariance (the turn rate is a function
of the bias, so that P is singular), and any number of steps merge into one map l <- A^T l + a, L <- A^T L A + W without
loss. So memory is bounded: a step kept per metre, and when there are too many, every two become one.

Where the exit's fixes lie further off than the filter thought possible, its covariance (and with it that of the whole
stretch) is taken as too small by one factor: l and L of everything before are multiplied by it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from edge.geometry import offset_lonlat
from edge.positioning.ekf import antenna_covariance, largest_variance
from edge.positioning.history import History
from edge.positioning.states import STATES, E, H, N, V
from edge.types import Correction

if TYPE_CHECKING:
    from edge.positioning.history import Limits, Node
    from edge.positioning.mounting import Mounting
    from edge.positioning.states import Matrix
    from edge.types import Pose

#: A step is kept every so many metres or seconds, and that many in all: 4 km at a metre, 8 km at two metres ...
_EVERY_M, _EVERY_S = 1.0, 2.0
_STEPS = 4096
_SAME_PLACE_M = 0.01
#: A heading known or corrected worse than this (radians) is beyond what straight lines can correct.
_LINEAR = 0.5
#: Fixes believed after the stretch, until it is looked back at: heading and lasting error must settle, too.
_FIXES, _FEWEST_FIXES, _SETTLE_S = 10, 3, 2.0


@dataclass(frozen=True)
class _Step:
    """A state and its covariance, and the backward map from the next step to this one."""

    node: Node
    p: Matrix
    through: Matrix
    pull: Matrix
    weight: Matrix
    swell: float = 1.0


class Smoothing:
    """Notes what the filter does (as its journal) and makes corrections. Memory is bounded."""

    def __init__(self, *, mounting: Mounting, limits: Limits, gap_s: float, gap_m: float) -> None:
        """`gap_s`, `gap_m`: a stretch without fixes longer than either is worth looking back at."""
        self._mounting, self._limits, self._gap_s, self._gap_m = mounting, limits, gap_s, gap_m
        self._ready: list[Correction] = []
        #: Stretches on which the heading was lost, so that nothing can be said afterwards.
        self.given_up = 0
        self.forget()

    def forget(self) -> None:
        """The filter starts anew: nothing connects what was with what comes."""
        self._steps: list[_Step] = []
        self._every_m, self._every_s = _EVERY_M, _EVERY_S
        self._last: tuple[Node, Matrix, float] | None = None
        self._fix: tuple[float, float, float] | None = None  # time, way and error of the last one believed
        self._end: tuple[float, float] | None = None  # time and error of the fix that ended the stretch
        self._settling_s, self._fixes = 0.0, 0
        self._through, self._pull, self._weight = _nothing()

    def take(self) -> list[Correction]:
        """Corrections made since the last call."""
        ready, self._ready = self._ready, []
        return ready

    # ---- the filter's journal

    def predicted(self, f: Matrix) -> None:
        """Note a motion."""
        self._through = f @ self._through

    def corrected(self, h: Matrix, weight: Matrix, gap: Matrix, gain: Matrix) -> None:
        """Note a correction."""
        seen = h @ self._through
        self._pull = self._pull - seen.T @ (weight @ gap)
        self._weight = self._weight + seen.T @ weight @ seen
        self._through = self._through - gain @ seen

    # ---- the states between

    def moved(self, node: Node, p: Matrix) -> None:
        """A state between fixes, after a measurement of the odometer."""
        if self._last is None:
            return
        last = self._last[0]
        rolled = node.odom.distance_m - last.odom.distance_m
        if rolled >= self._every_m or node.time_s - last.time_s >= self._every_s:
            self._keep(node, p)

    def swelled(self, node: Node, p: Matrix, factor: float) -> None:
        """The filter multiplies its covariance (`p`: before that), because all of the stretch was known worse."""
        if self._last is not None:
            self._keep(node, p, swell=factor)

    def fix_believed(self, node: Node, p: Matrix, error_m: float) -> None:
        """A state just after a fix that counted."""
        now = (node.time_s, node.odom.distance_m, error_m)
        before, self._fix = self._fix, now
        if before is None:
            self._begin(node, p)
            return
        if now[0] - before[0] > self._gap_s or now[1] - before[1] > self._gap_m:
            if self._end is None:
                self._entry_error_m, self._settling_s, self._fixes = before[2], node.time_s, 0
            self._end = (node.time_s, error_m)
        if self._end is None:
            self._begin(node, p)
            return
        self._keep(node, p)
        self._fixes += 1
        settled_s = node.time_s - self._settling_s
        if self._fixes >= _FIXES or (self._fixes >= _FEWEST_FIXES and settled_s >= _SETTLE_S):
            correction = self._look_back()
            if correction is None:
                self.given_up += 1
            else:
                self._ready.append(correction)
            self._begin(node, p)

    def _begin(self, node: Node, p: Matrix) -> None:
        self._steps, self._end = [], None
        self._every_m, self._every_s = _EVERY_M, _EVERY_S
        self._last = (node, p, 1.0)
        self._through, self._pull, self._weight = _nothing()

    def _keep(self, node: Node, p: Matrix, *, swell: float = 1.0) -> None:
        assert self._last is not None
        last, last_p, last_swell = self._last
        self._steps.append(_Step(last, last_p, self._through, self._pull, self._weight, last_swell))
        self._last = (node, p, swell)
        self._through, self._pull, self._weight = _nothing()
        if len(self._steps) >= 2 and _stood(self._steps[-2].node, last, node) and last_swell == 1.0:
            # Standing is one step, however long.
            self._steps[-2:] = [_merged(self._steps[-2], self._steps[-1])]
        if len(self._steps) >= _STEPS:
            self._thin()

    def _thin(self) -> None:
        """Every two steps become one, and from now on steps are twice as long."""
        thinned: list[_Step] = []
        single = False  # whether the last one of `thinned` may take another in
        for step in self._steps:
            if single and step.swell == 1.0:
                thinned[-1], single = _merged(thinned[-1], step), False
            else:
                thinned.append(step)
                single = True
        self._steps = thinned
        self._every_m, self._every_s = 2 * self._every_m, 2 * self._every_s

    # ---- backwards

    def _look_back(self) -> Correction | None:
        assert self._last is not None
        assert self._end is not None
        end_s, end_error_m = self._end
        floor = min(self._entry_error_m, end_error_m) ** 2
        node, p, _ = self._last
        pull, weight, factor = np.zeros(STATES), np.zeros((STATES, STATES)), 1.0
        nodes = [self._smoothed(node, p, pull, floor)]
        bends = [float(p[H, H])]
        for step in reversed(self._steps):
            pull = step.swell * (step.through.T @ pull + step.pull)
            weight = step.swell * (step.through.T @ weight @ step.through + step.weight)
            factor *= step.swell
            known, moved = factor * (step.p - step.p @ weight @ step.p), -step.p @ pull
            if max(abs(float(moved[H])), math.sqrt(step.p[H, H])) > _LINEAR:
                return None
            nodes.append(self._smoothed(step.node, known, moved, floor))
            bends.append(float(moved[H]) ** 2 + float(known[H, H]))
        smoothed = History(keep_s=math.inf, limits=self._limits, mounting=self._mounting)
        nodes, bent = nodes[::-1], _bent(nodes[::-1], bends[::-1])
        for this, following, extra in zip(nodes, [*nodes[1:], nodes[-1]], bent, strict=True):
            place = None if this.place is None else replace(this.place, variance=this.place.variance + extra**2)
            # Steps between were merged: an odometer heard at both ends was heard all the time.
            heard = min(this.odometer_s, following.odometer_s) > -math.inf
            smoothed.append(replace(this, place=place, odometer_s=following.time_s if heard else this.odometer_s))

        def pose_at(time_s: float) -> Pose:
            pose = smoothed.pose_at(time_s)
            return pose if pose.method is None else replace(pose, method="dead_reckoned")

        return Correction(nodes[0].time_s, end_s, pose_at)

    def _smoothed(self, node: Node, p: Matrix, step: Matrix, floor: float) -> Node:
        """The node moved by a step of the state, known as well as `p` says, but not better than `floor` (m^2)."""
        place = node.place
        if place is None or place.heading is None:
            return node
        lon, lat = offset_lonlat(place.lon, place.lat, float(step[E]), float(step[N]))
        heading = place.heading + float(step[H])
        variance = max(largest_variance(antenna_covariance(p, heading, self._mounting)), floor)
        place = replace(
            place, lon=lon, lat=lat, variance=variance, heading=heading, heading_variance=max(0.0, float(p[H, H]))
        )
        speed = node.speed_mps if node.speed_mps is None else node.speed_mps + float(step[V])
        return replace(node, place=place, speed_mps=speed, restarted=False)


def _bent(nodes: list[Node], squares: list[float]) -> list[float]:
    """What the straight lines of the filter leave out, metres.

    A way turned by d is shorter by d^2 / 2 of it than its linear image; both ends of the stretch are right, whatever
    was left out between. `squares`: of the correction and the error of each heading.
    """
    lost, total = [0.0], 0.0
    for (a, b), square in zip(pairwise(nodes), squares, strict=False):
        total += min(square, 4.0) / 2 * (b.odom.distance_m - a.odom.distance_m)
        lost.append(total)
    return [min(x, total - x) for x in lost]


def _nothing() -> tuple[Matrix, Matrix, Matrix]:
    return np.eye(STATES), np.zeros(STATES), np.zeros((STATES, STATES))


def _stood(a: Node, b: Node, c: Node) -> bool:
    return c.odom.distance_m - a.odom.distance_m < _SAME_PLACE_M and b.place is not None


def _merged(a: _Step, b: _Step) -> _Step:
    """Two steps in a row as one."""
    return replace(
        a,
        through=b.through @ a.through,
        pull=a.pull + a.through.T @ b.pull,
        weight=a.weight + a.through.T @ b.weight @ a.through,
    )
