# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where the vehicle was at any time, with an honest error, from fixes and odometry.

* Measurements come in order of time. One that cannot be true is left out and counted by name in `counts`.
* A fix that lies too far off (Mahalanobis distance, 99.9 %) is refused; several in a row that agree with each other
  win, and the filter starts anew from them.
* `error_m` is one standard deviation along any direction. It is never below what the receiver claims, because
  that error hardly averages out (reflections and atmosphere change over minutes), and grows while there is no fix.
* The heading is unknown until the vehicle has moved.
* The `odom_*` frame adds up ways and turns only; a fix never moves it.

Without an odometer the way comes from the speed that fixes show; standing still is then told from noise by a dead band.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from edge.geometry import east_north, offset_lonlat
from edge.positioning.ekf import E, Ekf, H, N, V, W, wrap
from edge.positioning.history import FIX_VALID_S, History, Limits, Node, Place
from edge.positioning.odom import Odom
from edge.types import Fix, Odometry

if TYPE_CHECKING:
    from edge.types import Measurement, Pose

#: No receiver is better; a fix that is known no better than the other says nothing about a street.
_BEST_ERROR_M, _WORST_ERROR_M = 0.001, 1_000.0
_GATE_PLACE = 13.8  # 99.9 % of chi-squared with two degrees of freedom
_GATE_HEADING = 4.0  # standard deviations
#: What a vehicle turns by at most between two fixes a second apart.
_BEND = math.radians(45)
_AGREEING = 5
_AGREEING_EARLY = 2
_MAX_SPEED_MPS = 60.0
_MAX_TELEPORT_MPS = 400 / 3.6
_MAX_TURN_DPS = 120.0
#: An odometer silent for longer is not there, seconds.
_ODOMETER_FRESH_S = 1.0
#: Odometer messages nearer to each other than this give no speed, seconds.
_SAME_TIME_S = 0.001
#: After a silence of everything the filter knows nothing any more, seconds.
_SILENCE_S = 30.0
#: No clock and no odometer shows more (seconds, metres).
_LARGEST = 1e12
#: A receiver's course is worth something from this speed on.
_MOVING_MPS = 2.0
_STANDING_MPS = 0.5
_SPEED_SIGMA = 0.5
_REANCHOR_M = 5_000.0
#: The odometer frame's yaw follows the heading with this time constant where there is no gyro, seconds.
_YAW_FOLLOWS_S = 1.0


class Estimator:
    """Takes measurements, gives poses. Not for several threads at once."""

    def __init__(self, *, limits: Limits | None = None, keep_s: float = 30.0) -> None:
        self.counts: Counter[str] = Counter()
        self._history = History(keep_s=keep_s, limits=limits or Limits())
        self._time_s = -math.inf
        self._ekf: Ekf | None = None
        self._origin = (0.0, 0.0)
        self._anchor: Fix | None = None  # what headings are taken from until one is known
        self._fix: Fix | None = None  # the last one believed
        self._refused: list[Fix] = []
        self._believed = 0  # fixes believed since the filter started
        self._headings_refused = 0
        self._wheels: Odometry | None = None
        self._wheels_foreseen_m = 0.0  # odometer metres moved since `_wheels` in advance of its next message
        self._wheel_mps = 0.0
        self._gyro: float | None = None
        self._odom = Odom()
        self._odom_heading = 0.0  # heading at yaw 0
        self._yaw_pull = 0.0  # turn rate that brings the odometer frame's yaw back to the heading

    def add(self, measurement: Measurement) -> None:
        """Take a measurement; never raises for what it says."""
        if not abs(measurement.time_s) <= _LARGEST:
            self.counts["not_finite"] += 1
        elif measurement.time_s < self._time_s:
            self.counts["time_backwards"] += 1
        elif isinstance(measurement, Fix):
            self._add_fix(measurement)
        elif isinstance(measurement, Odometry):
            self._add_odometry(measurement)

    def pose_at(self, time_s: float) -> Pose:
        """The pose at a time: between measurements, or on from the last one."""
        return self._history.pose_at(time_s)

    # ---- odometer

    def _add_odometry(self, wheels: Odometry) -> None:
        if not abs(wheels.distance_m) <= _LARGEST:
            self.counts["not_finite"] += 1
            return
        rate = wheels.yaw_rate_dps
        if rate is not None and not (math.isfinite(rate) and abs(rate) <= _MAX_TURN_DPS):
            self.counts["gyro_refused"] += 1
            rate = None
        self._after_silence(wheels.time_s)
        self._gyro = None if rate is None else math.radians(rate)
        if self._wheels is None:
            self._wheels, self._wheel_mps = wheels, 0.0
            self._move(wheels.time_s, None)
        elif wheels.time_s - self._wheels.time_s >= _SAME_TIME_S:
            before, self._wheels = self._wheels, wheels
            self._roll(wheels, before)
        self._note(wheels.time_s)

    def _roll(self, wheels: Odometry, before: Odometry) -> None:
        dt, metres = wheels.time_s - before.time_s, wheels.distance_m - before.distance_m
        if metres < 0 or metres > _MAX_SPEED_MPS * dt + 1.0:
            self.counts["odometer_backwards" if metres < 0 else "odometer_jump"] += 1
            self._move(wheels.time_s, None)
            self._wheels_foreseen_m = 0.0
            return
        ahead = self._wheels_foreseen_m - metres
        self._wheels_foreseen_m = max(0.0, ahead)
        self._wheel_mps = metres / dt
        self._move(wheels.time_s, max(0.0, -ahead))
        if self._ekf is not None:
            # A counter of whole pulses is a few centimetres off at any moment.
            self._ekf.update_wheel_speed(self._wheel_mps, 0.1 + 0.05 / dt)

    # ---- fixes

    def _add_fix(self, fix: Fix) -> None:
        if not _is_sane(fix):
            self.counts["bad_fix"] += 1
            return
        self._after_silence(fix.time_s)
        before = self._history.last
        if self._wheels is not None and fix.time_s - self._wheels.time_s > _ODOMETER_FRESH_S:
            self._wheels, self._wheels_foreseen_m = None, 0.0
        self._move(fix.time_s, None)
        restarted = False
        if not self._is_believable(fix):
            self.counts["fix_refused"] += 1
            restarted = not self._is_news(fix)
            if restarted and not self._agrees_with_refused(fix):
                self._note(fix.time_s)
                return
            self.counts["restarted"] += 1
            self._ekf = None
            self._anchor = self._refused[0] if self._refused else self._fix
        self._refused, self._believed = [], self._believed + 1
        self._fix = fix
        if self._ekf is None:
            self._align(fix)
        else:
            self._correct(self._ekf, fix)
        self._smooth_odom(before, fix.time_s, restarted=restarted)
        self._note(fix.time_s, restarted=restarted)

    def _is_believable(self, fix: Fix) -> bool:
        if self._ekf is not None:
            return self._ekf.position_distance(*self._local(fix), fix.error_m) <= _GATE_PLACE
        return self._fix is None or _is_reachable(self._fix, fix, _MAX_TELEPORT_MPS)

    def _is_news(self, fix: Fix) -> bool:
        """Whether a fix comes after so long a time on speed alone that it is worth more than the filter's guess."""
        before = self._fix
        if before is None or self._wheels is not None or fix.time_s - before.time_s <= FIX_VALID_S:
            return False
        return _is_reachable(before, fix, _MAX_SPEED_MPS)

    def _agrees_with_refused(self, fix: Fix) -> bool:
        """Whether enough refused fixes in a row tell the same story."""
        if self._refused and not _is_reachable(self._refused[-1], fix, _MAX_SPEED_MPS):
            self._refused = []
        self._refused.append(fix)
        # The filter's word weighs more with an odometer, and once its first guess of the heading has proved true.
        firm = self._wheels is not None and self._believed >= _AGREEING
        return len(self._refused) >= (_AGREEING if firm else _AGREEING_EARLY)

    def _align(self, fix: Fix) -> None:
        """Start the filter as soon as something tells the heading."""
        moving = fix.speed_mps is None or fix.speed_mps >= 1.0
        if self._anchor is None:
            self._anchor = fix
        heading, sigma = None, math.radians(15)
        if fix.heading_deg is not None and moving:
            heading = math.radians(fix.heading_deg)
        else:
            east, north = _way(self._anchor, fix)
            error, way = math.hypot(self._anchor.error_m, fix.error_m), math.hypot(east, north)
            if way >= max(3.0, 4 * error):
                heading, sigma = math.atan2(east, north), max(math.radians(20), 2 * math.atan2(error, way))
        if heading is None:
            return
        speed, speed_sigma = fix.speed_mps, _SPEED_SIGMA
        if speed is None:
            dt = fix.time_s - self._anchor.time_s
            speed = math.hypot(*_way(self._anchor, fix)) / dt if dt > _SAME_TIME_S else self._wheel_mps
            speed, speed_sigma = min(speed, _MAX_SPEED_MPS), 5.0
        self._origin, self._believed = (fix.lon, fix.lat), 0
        self._ekf = Ekf(
            error_m=fix.error_m, heading=heading, heading_sigma=sigma, speed_mps=speed, speed_sigma=speed_sigma
        )
        self._odom_heading = heading + self._odom.yaw

    def _correct(self, ekf: Ekf, fix: Fix) -> None:
        ekf.update_position(*self._local(fix), fix.error_m)
        if fix.speed_mps is not None:
            ekf.update_speed(fix.speed_mps, _SPEED_SIGMA)
        if fix.heading_deg is not None and (fix.speed_mps is None or fix.speed_mps >= _MOVING_MPS):
            self._correct_heading(ekf, math.radians(fix.heading_deg), fix.error_m)
        if math.hypot(ekf.x[E], ekf.x[N]) > _REANCHOR_M:
            self._origin = self._lonlat(ekf)
            ekf.x[E] = ekf.x[N] = 0.0

    def _correct_heading(self, ekf: Ekf, heading: float, error_m: float) -> None:
        if abs(ekf.x[V]) < _MOVING_MPS:
            return
        sigma = max(math.radians(2), math.atan2(0.3 * error_m, abs(ekf.x[V])))
        # Without a gyro a bend begins unforeseen.
        likely = self._gyro is None and abs(wrap(heading - float(ekf.x[H]))) < _BEND
        if ekf.update_heading(heading, sigma, gate=math.inf if likely else _GATE_HEADING):
            self._headings_refused = 0
            return
        self.counts["heading_refused"] += 1
        self._headings_refused += 1
        if self._headings_refused >= _AGREEING:
            self._headings_refused = 0
            ekf.p[H, :] = ekf.p[:, H] = 0.0
            ekf.x[H], ekf.p[H, H] = heading, math.radians(15) ** 2

    # ---- motion

    def _move(self, time_s: float, wheel_m: float | None) -> None:
        """Bring the state to a time: by the odometer's metres, else on at the present speed."""
        if not math.isfinite(self._time_s):
            self._time_s = time_s
        dt, self._time_s = time_s - self._time_s, time_s
        if wheel_m is None and self._wheels is not None and dt > 0:
            wheel_m = self._wheel_mps * dt
            self._wheels_foreseen_m += wheel_m
        if self._ekf is None:
            self._odom = self._odom.moved(wheel_m or 0.0, (self._gyro or 0.0) * dt)
            return
        way, turn = self._ekf.predict(dt, wheel_m=wheel_m, gyro=self._gyro)
        if wheel_m is None and abs(self._ekf.x[V]) < _STANDING_MPS:
            way = 0.0
        self._odom = self._odom.moved(way, turn + self._yaw_pull * min(dt, _YAW_FOLLOWS_S))

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
        way = speed * (time_s - before.time_s) if abs(speed) >= _STANDING_MPS else 0.0
        self._odom = before.odom.moved(way, turn)
        self._odom_heading = float(ekf.x[H]) + self._odom.yaw

    def _after_silence(self, time_s: float) -> None:
        if time_s - self._time_s > _SILENCE_S and math.isfinite(self._time_s):
            self.counts["silence"] += 1
            self._ekf = self._anchor = self._fix = self._wheels = self._gyro = None
            self._wheels_foreseen_m = 0.0
            self._time_s = time_s

    def _note(self, time_s: float, *, restarted: bool = False) -> None:
        """Write the state into the history."""
        fix, ekf, wheels = self._fix, self._ekf, self._wheels
        speed, speed_variance, turn_rate = (self._wheel_mps if wheels else None), 1.0, self._gyro or 0.0
        place = None
        lasting = fix.error_m**2 if fix else 0.0
        self._yaw_pull = 0.0
        if ekf is not None:
            speed, speed_variance, turn_rate = float(ekf.x[V]), float(ekf.p[V, V]), float(ekf.x[W])
            if self._gyro is None:
                lag = wrap(float(ekf.x[H]) - (self._odom_heading - self._odom.yaw))
                self._yaw_pull = lag / _YAW_FOLLOWS_S
            place = Place(*self._lonlat(ekf), ekf.position_variance + lasting, float(ekf.x[H]), float(ekf.p[H, H]))
            if wheels is None and abs(speed) < _STANDING_MPS:
                speed = 0.0
        elif fix is not None:
            if speed is None:
                speed = fix.speed_mps or 0.0
            place = Place(fix.lon, fix.lat, fix.error_m**2 + (speed * (time_s - fix.time_s)) ** 2)
        node = Node(
            time_s,
            self._odom,
            speed,
            speed_variance,
            turn_rate,
            self._yaw_pull,
            place,
            fix.time_s if fix else -math.inf,
            wheels.time_s if wheels else -math.inf,
            restarted,
        )
        self._history.append(node)

    def _local(self, fix: Fix) -> tuple[float, float]:
        turn = math.remainder(fix.lon - self._origin[0], 360)
        return east_north(self._origin[0] + turn, fix.lat, *self._origin)

    def _lonlat(self, ekf: Ekf) -> tuple[float, float]:
        return offset_lonlat(*self._origin, float(ekf.x[E]), float(ekf.x[N]))


def _is_sane(fix: Fix) -> bool:
    return (
        abs(fix.lat) < 89.9
        and abs(fix.lon) <= 180
        and _BEST_ERROR_M <= fix.error_m <= _WORST_ERROR_M
        and (fix.heading_deg is None or abs(fix.heading_deg) <= 360)
        and (fix.speed_mps is None or 0 <= fix.speed_mps <= 150)
    )


def _way(before: Fix, after: Fix) -> tuple[float, float]:
    turn = math.remainder(after.lon - before.lon, 360)
    return east_north(before.lon + turn, after.lat, before.lon, before.lat)


def _is_reachable(before: Fix, after: Fix, speed_mps: float) -> bool:
    allowed = speed_mps * (after.time_s - before.time_s) + 3 * math.hypot(before.error_m, after.error_m)
    return math.hypot(*_way(before, after)) <= allowed
