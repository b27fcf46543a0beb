# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The true vehicle on its route: where it is, how its body nods, and what its camera shows of the defects.

A defect is **in clear view** in a frame when its box is at least `CLEAR_LONG_PX` long and `CLEAR_SHORT_PX` short, all
of it lies in the picture (no edge cuts it) and its middle is at most `RANGE_M` ahead. It is in clear view **of the
drive** when that holds over at least `CLEAR_WAY_M` of the way driven in one pass: twice, for a vehicle that looks
every two metres. The definition does not ask which frames were judged, so a lazy sampler cannot better its figure.
The perfect detector gives more: every box from `SEEN_LONG_PX` on of which a half lies in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from benchmarks.geometry.motion import Motion
from benchmarks.geometry.route import Floats, Route
from benchmarks.geometry.things import Thing
from edge.geometry import Calibration
from edge.types import Box

CLEAR_LONG_PX, CLEAR_SHORT_PX, CLEAR_WAY_M = 24.0, 5.0, 4.0
SEEN_LONG_PX, SEEN_SHORT_PX, SEEN_SHARE = 16.0, 3.0, 0.5
RANGE_M = 25.0
#: The picture's edge cuts a box that comes as near, pixels.
EDGE_PX = 2.0
#: Nodding of the body: standard deviation, frequency, damping; what braking adds.
NOD_DEG, NOD_HZ, NOD_DAMPING, NOD_DEG_PER_MPS2 = 0.3, 1.0, 0.25, 0.25
_NOD_STEP_S = 0.02
CAMERA = Calibration("benchmark-960x540", 960, 540, 753.4, 753.4, 480.0, 270.0, 2.1, pitch_deg=12.0, forward_m=-0.4)


@dataclass(frozen=True)
class Vehicle:
    """What is built where. The antenna is that far before the rear axle; the camera's place is its calibration's."""

    camera: Calibration = CAMERA
    antenna_forward_m: float = 2.6
    #: How much farther down than its calibration says the camera looks.
    mounting_deg: float = 0.0
    nodding: float = 1.0


@dataclass(frozen=True)
class Body:
    """The vehicle at a time; `east_m` and `north_m` are the antenna's."""

    time_s: float
    s_m: float
    speed_mps: float
    heading_rad: float
    east_m: float
    north_m: float
    pitch_deg: float


@dataclass(frozen=True)
class Sight:
    """One defect in one frame. `box` is cut to the picture, `ahead_m` from the camera to its middle."""

    thing: Thing
    box: Box
    share: float
    ahead_m: float

    @property
    def seen(self) -> bool:
        """Whether the perfect detector gives it."""
        long, short = _sides(self.box)
        return long >= SEEN_LONG_PX and short >= SEEN_SHORT_PX and self.share >= SEEN_SHARE and self.ahead_m <= RANGE_M

    def clear(self, camera: Calibration) -> bool:
        """See the module."""
        long, short = _sides(self.box)
        inside = (
            min(self.box[:2]) > EDGE_PX
            and self.box[2] < camera.width - EDGE_PX
            and self.box[3] < camera.height - EDGE_PX
        )
        return inside and long >= CLEAR_LONG_PX and short >= CLEAR_SHORT_PX and self.ahead_m <= RANGE_M


class World:
    """A route, a motion and a vehicle; everything random comes from `seed`."""

    def __init__(self, route: Route, motion: Motion, vehicle: Vehicle, *, seed: int) -> None:
        self.route, self.motion, self.vehicle = route, motion, vehicle
        self._rng = np.random.default_rng([seed, 1])
        self._nod = self._nodding()

    def body(self, time_s: float) -> Body:
        """Where the vehicle is at a time."""
        s, v = (float(x) for x in self.motion.at(time_s))
        heading = float(self.route.heading(s))
        rear_east, rear_north = self.route.plane(s)
        arm = self.vehicle.antenna_forward_m
        return Body(
            time_s,
            s,
            v,
            heading,
            float(rear_east) + arm * math.sin(heading),
            float(rear_north) + arm * math.cos(heading),
            float(np.interp(time_s, self._nod[0], self._nod[1])),
        )

    def _nodding(self) -> tuple[Floats, Floats]:
        """Pitch of the body over time: a damped oscillator driven by noise, fading while standing, plus braking."""
        times = np.arange(0.0, self.motion.duration_s + 1.0, _NOD_STEP_S)
        turn, keep = 2 * math.pi * NOD_HZ * _NOD_STEP_S, math.exp(-2 * math.pi * NOD_HZ * NOD_DAMPING * _NOD_STEP_S)
        first, second = 2 * keep * math.cos(turn * math.sqrt(1 - NOD_DAMPING**2)), -keep * keep
        kicks, pitch = self._rng.standard_normal(len(times) + 500), [0.0, 0.0]
        for kick in kicks:
            pitch.append(first * pitch[-1] + second * pitch[-2] + kick)
        steady = np.array(pitch[-len(times) :])
        # The process's own deviation in the long run (AR(2)), not the sample's: drives differ.
        variance = (1 - second) / ((1 + second) * ((1 - second) ** 2 - first**2))
        _, v = self.motion.at(times)
        rough = np.clip(np.abs(v) / 5.0, 0.0, 1.0) * NOD_DEG / math.sqrt(variance)
        braking = np.convolve(-np.gradient(np.abs(v), _NOD_STEP_S), np.ones(20) / 20, mode="same")
        return times, self.vehicle.nodding * (rough * steady + NOD_DEG_PER_MPS2 * np.clip(braking, -4, 4))

    def camera(self, body: Body) -> Calibration:
        """The camera as it really looks in this moment."""
        nominal = self.vehicle.camera
        return replace(nominal, pitch_deg=nominal.pitch_deg + self.vehicle.mounting_deg + body.pitch_deg)

    def sights(self, body: Body, things: Sequence[Thing]) -> list[Sight]:
        """What the camera shows of defects, as far as any of it is in the picture."""
        camera = self.camera(body)
        near = [t for t in things if math.hypot(t.east_m - body.east_m, t.north_m - body.north_m) < RANGE_M + 12]
        return [sight for thing in near if (sight := see(thing, body, camera)) is not None]

    def clear_things(self, things: Sequence[Thing]) -> list[Thing]:
        """Those in clear view of the drive."""
        times, rolled = self._by_way
        way: dict[str, float] = {}
        bodies = [self.body(float(t)) for t in times]
        for body, step in zip(bodies, np.diff(rolled, prepend=rolled[0]), strict=True):
            for sight in self.sights(body, things):
                if sight.clear(self.vehicle.camera):
                    way[sight.thing.id] = way.get(sight.thing.id, 0.0) + float(step)
        return [thing for thing in things if way.get(thing.id, 0.0) >= CLEAR_WAY_M]

    @cached_property
    def _by_way(self) -> tuple[Floats, Floats]:
        """Times at every half metre rolled, and the metres."""
        rolled = self.motion.rolled(np.asarray(self.motion.t, np.float64))
        at = np.arange(0.0, rolled[-1], 0.5)
        return np.interp(at, rolled + np.arange(len(rolled)) * 1e-9, self.motion.t), at


def see(thing: Thing, body: Body, camera: Calibration) -> Sight | None:
    """One defect in one frame of a camera."""
    sin, cos = math.sin(body.heading_rad), math.cos(body.heading_rad)
    east, north = thing.outline[:, 0] - body.east_m, thing.outline[:, 1] - body.north_m
    points = np.column_stack([east * sin + north * cos, north * sin - east * cos, thing.outline[:, 2]])
    if points[:, 0].max() - camera.forward_m < 0.3:
        return None
    seen = (points - (camera.forward_m, camera.left_m, camera.height_m)) @ camera.rotation
    if seen[:, 2].min() < 0.3:
        return None
    u, v = camera.cx + camera.fx * seen[:, 0] / seen[:, 2], camera.cy + camera.fy * seen[:, 1] / seen[:, 2]
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    if not inside.any():
        return None
    box = (
        max(float(u.min()), 0.0),
        max(float(v.min()), 0.0),
        min(float(u.max()), float(camera.width)),
        min(float(v.max()), float(camera.height)),
    )
    ahead = float((points[:, 0].max() + points[:, 0].min()) / 2) - camera.forward_m
    return Sight(thing, box, float(inside.mean()), ahead)


def _sides(box: Box) -> tuple[float, float]:
    wide, high = box[2] - box[0], box[3] - box[1]
    return max(wide, high), min(wide, high)
