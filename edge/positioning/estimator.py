# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was at any time, with an honest error, from fixes and odometry.

* Measurements come in order of time. One that cannot be true is left out and counted by name in `counts`.
* A fix that lies too far off (Mahalanobis distance, 99.9 %) is refused; several in a row that agree with each other
  win. If dead reckoning may have drifted as far, it is taken as worse than thought; else the filter starts anew.
* `error_m` is one standard deviation along the direction that is known worst. It is never below what the receiver
  claims, because that error hardly averages out (reflections and atmosphere change over minutes).
* The heading is unknown until the vehicle has moved.
* The `odom_*` frame adds up ways and turns only; a fix never moves it. `distance_m` grows backwards, too.
* The filter moves the middle of the rear axle; poses are the antenna's (`Mounting`).

Without an odometer the way comes from the speed that fixes show; standing still is then told from noise by a dead band.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from edge.positioning.alignment import guess
from edge.positioning.ekf import Ekf, wrap
from edge.positioning.gate import Gate
from edge.positioning.history import FIX_VALID_S, History, Limits, Node
from edge.positioning.mounting import Mounting
from edge.positioning.odom import OdomFrame
from edge.positioning.odometer import SAME_TIME_S, Wheels
from edge.positioning.plane import Plane
from edge.positioning.plausible import FrozenWatch, FutureWatch, fault, way
from edge.positioning.receiver import Receiver
from edge.positioning.smoothing import Smoothing
from edge.positioning.snapshot import STANDING_MPS, snapshot
from edge.positioning.states import H, K, V
from edge.types import Fix, Odometry

if TYPE_CHECKING:
    from edge.types import Correction, Measurement, Pose

__all__ = ["Estimator", "Limits", "Mounting"]

_MAX_TURN_DPS = 120.0
#: An odometer silent for longer is not there, seconds.
_ODOMETER_FRESH_S = 1.0
#: After a silence of everything the filter knows nothing any more, seconds.
_SILENCE_S = 30.0
#: An odometer may have been wrong for so long before three fixes have shown it, seconds.
_UNNOTICED_S = 1.0
_GYRO_SIGMA, _GYRO_GATE = math.radians(0.5), 4.0
#: A filter that starts anew within that time still knows which way the vehicle faced, seconds.
_HEADING_LASTS_S = 10.0
#: Dead reckoning may be off by this share of its way: wheels slip, tyres are changed, a gyro is badly mounted.
_DRIFT_SHARE = 0.3
#: A stretch without fixes that is longer is smoothed backwards when they return, metres.
_GAP_M = 30.0


class Estimator:
    """Takes measurements, gives poses. Not for several threads at once."""

    def __init__(self, *, limits: Limits | None = None, keep_s: float = 30.0, mounting: Mounting | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._mounting = mounting or Mounting()
        self._history = History(keep_s=keep_s, limits=limits or Limits(), mounting=self._mounting)
        self._smoothing = Smoothing(mounting=self._mounting, limits=limits or Limits(), gap_s=FIX_VALID_S, gap_m=_GAP_M)
        self._future, self._frozen, self._gate = FutureWatch(), FrozenWatch(), Gate()
        self._receiver = Receiver(self.counts)
        self._time_s = -math.inf
        self._ekf: Ekf | None = None
        self._learnt: Ekf | None = None  # the last filter: odometer and gyro stay what they are when the place is lost
        self._lost_s = -math.inf  # when that was
        self._plane = Plane()
        self._anchor: Fix | None = None  # what headings are taken from until one is known
        self._fix_way_m: float | None = None  # the way rolled until the last fix believed
        self._heard: Fix | None = None  # the last one that was not frozen
        self._wheels: Wheels | None = None
        self._doubted: Wheels | None = None  # an odometer that the receiver contradicts
        self._gyro: float | None = None
        self._odom = OdomFrame()

    def add(self, measurement: Measurement) -> None:
        """Take a measurement; never raises for what it says."""
        if not isinstance(measurement, Fix | Odometry):
            return
        if (name := fault(measurement)) is not None:
            self.counts[name] += 1
            return
        for ready in self._future.admit(measurement):
            if ready.time_s < self._time_s:
                self.counts["time_backwards"] += 1
            elif isinstance(ready, Fix):
                self._add_fix(ready)
            else:
                self._add_odometry(ready)
        if self._future.discarded:
            self.counts["time_ahead"] = self._future.discarded

    def pose_at(self, time_s: float) -> Pose:
        """The pose at a time: between measurements, or on from the last one."""
        return self._history.pose_at(time_s)

    def corrections(self) -> list[Correction]:
        """Dead-reckoned stretches that fixes have ended since the last call, as they are seen now."""
        return self._smoothing.take()

    # ---- odometer

    def _add_odometry(self, wheels: Odometry) -> None:
        rate = wheels.yaw_rate_dps
        if rate is not None and not (math.isfinite(rate) and abs(rate) <= _MAX_TURN_DPS):
            self.counts["gyro_refused"] += 1
            rate = None
        self._after_silence(wheels.time_s)
        self._gyro = None if rate is None else math.radians(rate)
        if self._doubted is not None:
            self._move(wheels.time_s, None)
            if wheels.time_s - self._doubted.last.time_s >= SAME_TIME_S:
                self._doubted.roll(wheels, Counter())
        elif self._wheels is None:
            self._move(wheels.time_s, None)
            self._wheels = Wheels(wheels)
            self._wheels.turn_back(self._receiver.direction.sign)
        elif wheels.time_s - self._wheels.last.time_s >= SAME_TIME_S:
            self._roll(self._wheels, wheels)
        node = self._note(wheels.time_s)
        if self._ekf is not None:
            self._smoothing.moved(node, self._ekf.p)

    def _roll(self, wheels: Wheels, message: Odometry) -> None:
        metres = wheels.roll(message, self.counts)
        if metres is None and self._ekf is not None:
            wheels.mps = float(self._ekf.x[V] / self._ekf.x[K])  # until it says something again
        self._move(message.time_s, metres)
        if self._ekf is None or metres is None:
            return
        if (speed := wheels.new_speed()) is not None:
            self._ekf.update_wheel_speed(*speed)
        if wheels.standing and self._gyro is not None:
            self._ekf.update_gyro_standing(self._gyro, _GYRO_SIGMA, gate=_GYRO_GATE)

    # ---- fixes

    def _add_fix(self, fix: Fix) -> None:
        self._after_silence(fix.time_s)
        before = self._history.last
        if self._wheels is not None and fix.time_s - self._wheels.last.time_s > _ODOMETER_FRESH_S:
            self._wheels = self._gyro = None
        self._move(fix.time_s, None)
        if self._frozen.is_frozen(fix, self._odom.now.distance_m if self._wheels else None):
            self.counts["frozen_fix"] += 1
            self._note(fix.time_s)
            return
        self._compare_speeds(fix)
        if self._ekf is not None:
            self._receiver.watch_direction(self._ekf, fix, self._wheels)
        distance = self._ekf.position_distance(*self._plane.local(fix), fix.error_m) if self._ekf else None
        verdict = self._gate.judge(fix, distance, odometer=self._wheels is not None)
        if verdict != "believed":
            self.counts["fix_refused"] += 1
            if verdict == "refused":
                self._note(fix.time_s)
                return
            self.counts["restarted"] += 1
            self._give_in(fix)
        self._use(fix, before, restarted=verdict == "insists")

    def _compare_speeds(self, fix: Fix) -> None:
        """Take an odometer out of use that fixes contradict by their speed and by their way, and back in."""
        wheels, before, self._heard = self._wheels or self._doubted, self._heard, fix
        if wheels is None or before is None or fix.speed_mps is None or fix.time_s - before.time_s < SAME_TIME_S:
            return
        by_place = math.hypot(*way(before, fix)) / (fix.time_s - before.time_s)
        if abs(by_place - fix.speed_mps) > 0.5 * fix.speed_mps + 0.5:
            return
        contradicted = wheels.contradicted(fix.speed_mps)
        if not contradicted:
            self._wheels, self._doubted = wheels, None
        elif self._wheels is not None:
            self.counts["odometer_contradicted"] += 1
            self._wheels, self._doubted = None, wheels
            if self._ekf is not None:
                missed_m = abs(fix.speed_mps - abs(wheels.mps)) * _UNNOTICED_S
                self._ekf.jolt(fix.speed_mps * self._receiver.direction.sign, 1.0, missed_m)
                self._smoothing.forget()

    def _use(self, fix: Fix, before: Node | None, *, restarted: bool) -> None:
        self._gate.believe(fix)
        self._fix_way_m = self._odom.now.distance_m
        if self._ekf is None:
            self._align(fix)
        else:
            self._correct(self._ekf, fix)
        self._smooth_odom(before, fix.time_s, restarted=restarted)
        node = self._note(fix.time_s, restarted=restarted)
        if self._ekf is not None:
            self._smoothing.fix_believed(node, self._ekf.p, fix.error_m)
            if self._smoothing.given_up:
                self.counts["not_smoothed"] = self._smoothing.given_up

    def _give_in(self, fix: Fix) -> None:
        """The fixes are right: dead reckoning has drifted further than thought, or all was wrong."""
        ekf, last = self._ekf, self._gate.last
        if ekf is not None and self._wheels is not None and last is not None and self._fix_way_m is not None:
            place, at = self._plane.local(fix), ekf.antenna()
            off = math.hypot(place[0] - at[0], place[1] - at[1])
            rolled = self._odom.now.distance_m - self._fix_way_m
            if off <= _DRIFT_SHARE * rolled + 3 * math.hypot(last.error_m, fix.error_m):
                factor = ekf.position_distance(*place, fix.error_m) / 2
                self._smoothing.swelled(self._node(fix.time_s), ekf.p.copy(), factor)
                ekf.swell(factor)
                return
        self._forget_filter()
        self._anchor = self._gate.refused[0] if self._gate.refused else last

    def _align(self, fix: Fix) -> None:
        """Start the filter as soon as something tells the heading."""
        if self._anchor is None:
            self._anchor = fix
        start = guess(self._anchor, fix, self._wheels.mps if self._wheels else 0.0)
        if start is None:
            return
        if self._learnt is not None and fix.time_s - self._lost_s <= _HEADING_LASTS_S:
            start = self._receiver.same_way_round(start, float(self._learnt.x[H]), self._wheels)
        self._plane.origin = (fix.lon, fix.lat)
        self._gate.start_anew()
        self._ekf = Ekf(
            error_m=fix.error_m,
            heading=start.heading,
            heading_sigma=start.heading_sigma,
            speed_mps=start.speed_mps,
            speed_sigma=start.speed_sigma,
            mounting=self._mounting,
            journal=self._smoothing,
        )
        if self._learnt is not None:
            self._ekf.inherit(self._learnt)
        self._odom.align(start.heading)

    def _correct(self, ekf: Ekf, fix: Fix) -> None:
        if not self._receiver.correct(ekf, fix, self._plane.local(fix), self._wheels, gyro=self._gyro is not None):
            self._smoothing.forget()
        if not ekf.sound():
            self.counts["filter_lost"] += 1
            self._forget_filter()
            self._learnt, self._anchor = None, fix
            return
        self._plane.keep_near(ekf)

    # ---- motion

    def _move(self, time_s: float, wheel_m: float | None) -> None:
        """Bring the state to a time: by the odometer's metres, else on at the present speed."""
        if not math.isfinite(self._time_s):
            self._time_s = time_s
        dt, self._time_s = time_s - self._time_s, time_s
        gyro = self._gyro
        if self._wheels is not None:
            if wheel_m is None and dt > 0:
                wheel_m = self._wheels.foresee(dt)
            if self._wheels.standing:
                gyro = None
        if self._ekf is None:
            self._odom.move(wheel_m or 0.0, (gyro or 0.0) * dt, dt)
            return
        way, turn = self._ekf.predict(dt, wheel_m=wheel_m, gyro=gyro)
        if wheel_m is None and abs(self._ekf.x[V]) < STANDING_MPS:
            way = 0.0
        self._odom.move(way, turn, dt)

    def _smooth_odom(self, before: Node | None, time_s: float, *, restarted: bool) -> None:
        """Without an odometer: the way since the last fix by the mean of both speeds, where no pose was given yet."""
        ekf = self._ekf
        if ekf is None or before is None or restarted or self._wheels is not None or before.speed_mps is None:
            return
        if self._history.looked_ahead_to_s > before.time_s or time_s - before.time_s > _SILENCE_S:
            return
        if before.place is None or before.place.heading is None:
            return
        speed = (before.speed_mps + float(ekf.x[V])) / 2
        turn = wrap(float(ekf.x[H]) - before.place.heading)
        way = speed * (time_s - before.time_s) if abs(speed) >= STANDING_MPS else 0.0
        self._odom.replay(before.odom, way, turn)
        self._odom.align(float(ekf.x[H]))
        self._fix_way_m = self._odom.now.distance_m

    def _after_silence(self, time_s: float) -> None:
        if time_s - self._time_s > _SILENCE_S and math.isfinite(self._time_s):
            self.counts["silence"] += 1
            self._forget_filter()
            self._gate.forget()
            self._anchor = self._wheels = self._doubted = self._heard = self._gyro = self._fix_way_m = None
            self._time_s = time_s

    def _forget_filter(self) -> None:
        if self._ekf is not None:
            self._learnt, self._lost_s = self._ekf, self._time_s
        self._ekf = None
        self._smoothing.forget()

    def _note(self, time_s: float, *, restarted: bool = False) -> Node:
        """Write the state into the history."""
        ekf = self._ekf
        self._odom.follow(float(ekf.x[H]) if ekf is not None and self._gyro is None else None)
        node = self._node(time_s, restarted=restarted)
        self._history.append(node)
        return node

    def _node(self, time_s: float, *, restarted: bool = False) -> Node:
        return snapshot(
            time_s,
            odom=self._odom,
            plane=self._plane,
            ekf=self._ekf,
            wheels=self._wheels,
            gyro=self._gyro,
            fix=self._gate.last,
            fix_way_m=self._fix_way_m,
            restarted=restarted,
        )
