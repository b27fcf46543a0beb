# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pitch, roll, yaw and height of a camera whose lens is known, from the motion of the road under a known way.

Between two frames the road's picture moves by the homography of a plane (Hartley & Zisserman, ch. 13.1), here written
out as what it is: pixel -> road -> the vehicle has rolled on -> pixel. Common to all pairs of frames are the mounting's
four numbers; each pair has its own turn of the vehicle and its own nod and sway of the body, half before, half after.
All are found together by reweighted least squares (Geman-McClure; Triggs et al., Bundle adjustment, 2000): what
does not lie on the road loses its weight. The pairs' own numbers are eliminated (Schur complement).

The way sets the scale, so the height is as wrong as the odometer; the angles do not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.lens import Points

Array = NDArray[np.float64]

#: One standard deviation of what each pair has for itself (turn, nod, sway; radians) from what is expected: the turn
#: that the sensors had, no nod, no sway. A turn and the yaw are hard to tell apart, so the sensors' word counts.
_OFF = np.radians([0.15, 0.5, 0.5])
#: What the sensors' turns between two frames may be off, all of them alike.
_TURN_ERROR_DEG = 0.04
_STEPS = 30
_SMALL = 1e-7
#: A deviation of a followed point that is usual, pixels; scale of the weights.
_LEAST_PX = 0.3
_GROUPS = 8
#: A point this many usual deviations off counts a quarter.
_WIDE = 2.5


@dataclass(frozen=True)
class RoadFlow:
    """Points on the road, n each.

    `before`, `after` (n x 2): undistorted, in focal lengths from the optical axis; `pair`: number of the pair of
    frames, from 0; `way_m`: between its frames; `turn_deg`: to the left meanwhile, as the vehicle's sensors have it.
    """

    before: Points
    after: Points
    pair: NDArray[np.int64]
    way_m: Array
    turn_deg: Array

    def only(self, chosen: NDArray[np.bool_]) -> RoadFlow:
        """Some of the points; pairs are numbered anew."""
        _, pair = np.unique(self.pair[chosen], return_inverse=True)
        return RoadFlow(
            self.before[chosen], self.after[chosen], pair.astype(np.int64), self.way_m[chosen], self.turn_deg[chosen]
        )


@dataclass(frozen=True)
class RoadMotion:
    """`mount`: pitch, roll, yaw in radians and height in metres; `errors`: one standard deviation of each.

    `nods` (pairs): how much the body nodded between the frames, radians; `spread_px`: of a point on the road, along
    either direction; `on_road`: share of the points that were taken for road.
    """

    mount: Array
    errors: Array
    nods: Array
    spread_px: float
    on_road: float


def solve_motion(flow: RoadFlow, start: Array, *, focal_px: float, ahead_m: float) -> RoadMotion:
    """Find the mounting.

    Args:
        flow: 6 pairs or more.
        start: pitch, roll, yaw, height near the truth.
        focal_px: what a focal length is in pixels.
        ahead_m: how far the camera sits before the axle that does not steer.
    """
    problem = _Problem(flow, focal_px, ahead_m)
    mount, own = problem.solve(start, problem.expected)
    residuals = problem.residuals(mount, own)
    scale = _scale(residuals)
    near = np.hypot(*residuals) < 4 * scale
    # A gyro that is a little off is off in all pairs alike, so the spread between them does not show it.
    leant = replace(flow, turn_deg=flow.turn_deg + _TURN_ERROR_DEG)
    by_turn = replace(problem, flow=leant).solve(mount, own)[0] - mount
    return RoadMotion(mount, np.hypot(_jackknife(problem, mount, own), by_turn), own[:, 1], scale, float(near.mean()))


def off_px(flow: RoadFlow, mount: Array, *, focal_px: float, ahead_m: float) -> Array:
    """How far each point (n) lies from where this mounting and the sensors' turn have it, pixels."""
    problem = _Problem(flow, focal_px, ahead_m)
    off: Array = np.hypot(*problem.residuals(mount, problem.expected))
    return off


def _jackknife(problem: _Problem, mount: Array, own: Array) -> Array:
    """One standard deviation of each number by leaving out an eighth of the pairs in turn (delete-group jackknife).

    Shao & Tu, The jackknife and bootstrap, ch. 2: what neighbouring pairs have in common, a slope or a bend of the
    road, is in the spread too.
    """
    group = np.arange(problem.pairs) * min(_GROUPS, problem.pairs) // problem.pairs
    found = []
    for number in np.unique(group):
        left = problem.flow.only(group[problem.flow.pair] != number)
        found.append(_Problem(left, problem.focal_px, problem.ahead_m).solve(mount, own[group != number])[0])
    count = len(found)
    deviations: Array = np.std(found, axis=0) * np.sqrt(count - 1)
    return deviations


def _scale(residuals: Array) -> float:
    """One standard deviation along either direction, from the middle of the distances: blind to the far half."""
    return max(_LEAST_PX, float(np.median(np.hypot(*residuals))) / 1.177)


@dataclass(frozen=True)
class _Problem:
    flow: RoadFlow
    focal_px: float
    ahead_m: float

    @property
    def pairs(self) -> int:
        return int(self.flow.pair.max()) + 1

    @property
    def expected(self) -> Array:
        """Each pair's own numbers as they are thought beforehand (pairs x 3, radians)."""
        own = np.zeros((self.pairs, 3))
        own[self.flow.pair, 0] = np.radians(self.flow.turn_deg)
        return own

    def residuals(self, mount: Array, own: Array) -> Array:
        """2 x n, pixels: where each point is seen after the way, less where it should be."""
        turn, nod, sway = own[self.flow.pair].T
        rays = _level(_to_vehicle(self.flow.before, *mount[:3]), -nod / 2, -sway / 2)
        down = np.minimum(rays[2], -1e-3)
        x = mount[3] * rays[0] / -down + self.ahead_m - self.flow.way_m * np.cos(turn / 2)
        y = mount[3] * rays[1] / -down - self.flow.way_m * np.sin(turn / 2)
        x, y = x * np.cos(turn) + y * np.sin(turn) - self.ahead_m, y * np.cos(turn) - x * np.sin(turn)
        seen = _to_camera(_unlevel(np.stack([x, y, np.full_like(x, -mount[3])]), nod / 2, sway / 2), *mount[:3])
        depth = np.maximum(seen[2], 0.1)
        off: Array = (self.flow.after.T - seen[:2] / depth) * self.focal_px
        return off

    def solve(self, mount: Array, own: Array) -> tuple[Array, Array]:
        """Levenberg-Marquardt with weights that are found anew at each step: `mount` and `own` (pairs x 3)."""
        damping = 1e-3
        residuals = self.residuals(mount, own)
        scale = _scale(residuals)
        for _ in range(_STEPS):
            scale = min(scale, _scale(residuals))  # never wider again: what is not road must not win back weight
            weights = 1 / (1 + (np.hypot(*residuals) / (_WIDE * scale)) ** 2) ** 2
            cost = self._cost(residuals, weights, own)
            step, own_step = self._step(mount, own, residuals, weights, damping)
            tried = self.residuals(mount + step, own + own_step)
            if self._cost(tried, weights, own + own_step) < cost:
                mount, own, residuals, damping = mount + step, own + own_step, tried, damping / 5
                if float(np.abs(step).max()) < _SMALL:
                    break
            elif (damping := damping * 10) > 1e6:
                break
        return mount, own

    def _cost(self, residuals: Array, weights: Array, own: Array) -> float:
        return float((weights * (residuals**2).sum(axis=0)).sum() + (((own - self.expected) / _OFF) ** 2).sum())

    def _step(self, mount: Array, own: Array, residuals: Array, weights: Array, damping: float) -> tuple[Array, Array]:
        """Of the common numbers (4) and of each pair's own (pairs x 3)."""
        a, b = self._slopes(mount, own)
        per_point = [
            np.einsum("iun,jun,n->nij", a, a, weights),
            np.einsum("iun,jun,n->nij", a, b, weights),
            np.einsum("iun,jun,n->nij", b, b, weights),
            np.einsum("iun,un,n->ni", a, residuals, weights),
            np.einsum("iun,un,n->ni", b, residuals, weights),
        ]
        sums = [np.zeros((self.pairs, *values.shape[1:])) for values in per_point]
        for total, values in zip(sums, per_point, strict=True):
            np.add.at(total, self.flow.pair, values)
        aa, ab, bb, ga, gb = sums
        bb = bb + np.diag(_OFF**-2)
        gb = gb + (own - self.expected) * _OFF**-2
        bb = bb + damping * bb * np.eye(3)
        inner = np.linalg.solve(bb, np.concatenate([ab.transpose(0, 2, 1), gb[..., None]], axis=2))
        reduced = aa.sum(axis=0) - (ab @ inner[..., :4]).sum(axis=0)
        right = ga.sum(axis=0) - (ab @ inner[..., 4:]).sum(axis=0)[:, 0]
        step = -np.linalg.solve(reduced + damping * np.diag(np.diag(aa.sum(axis=0))), right)
        return step, -(inner[..., 4] + inner[..., :4] @ step)

    def _slopes(self, mount: Array, own: Array) -> tuple[Array, Array]:
        """How the residuals move with the common numbers (4 x 2 x n) and with the pairs' own (3 x 2 x n)."""
        small = 1e-6
        common = [self.residuals(mount + d, own) - self.residuals(mount - d, own) for d in small * np.eye(4)]
        single = [self.residuals(mount, own + d) - self.residuals(mount, own - d) for d in small * np.eye(3)]
        return np.stack(common) / (2 * small), np.stack(single) / (2 * small)


def _to_vehicle(points: Points, pitch: float, roll: float, yaw: float) -> Array:
    """Undistorted points to rays in vehicle axes, 3 x n (`edge.geometry.Calibration.rotation`)."""
    x, y, z = np.ones(len(points)), -points[:, 0], -points[:, 1]
    y, z = y * np.cos(roll) - z * np.sin(roll), y * np.sin(roll) + z * np.cos(roll)
    x, z = x * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - x * np.sin(pitch)
    return np.stack([x * np.cos(yaw) - y * np.sin(yaw), x * np.sin(yaw) + y * np.cos(yaw), z])


def _to_camera(rays: Array, pitch: float, roll: float, yaw: float) -> Array:
    """The inverse: right, down, ahead; 3 x n."""
    x, y, z = rays
    x, y = x * np.cos(yaw) + y * np.sin(yaw), y * np.cos(yaw) - x * np.sin(yaw)
    x, z = x * np.cos(pitch) - z * np.sin(pitch), z * np.cos(pitch) + x * np.sin(pitch)
    y, z = y * np.cos(roll) + z * np.sin(roll), z * np.cos(roll) - y * np.sin(roll)
    return np.stack([-y, -z, x])


def _level(rays: Array, nod: Array, sway: Array) -> Array:
    """Rays of a body that nods (down) and sways (clockwise), in axes that lie level on the road."""
    x, y, z = rays
    y, z = y * np.cos(sway) - z * np.sin(sway), y * np.sin(sway) + z * np.cos(sway)
    return np.stack([x * np.cos(nod) + z * np.sin(nod), y, z * np.cos(nod) - x * np.sin(nod)])


def _unlevel(rays: Array, nod: Array, sway: Array) -> Array:
    """The inverse."""
    x, y, z = rays
    x, z = x * np.cos(nod) - z * np.sin(nod), z * np.cos(nod) + x * np.sin(nod)
    return np.stack([x, y * np.cos(sway) + z * np.sin(sway), z * np.cos(sway) - y * np.sin(sway)])
