# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How far the vehicle rolled between measurements: by the odometer, and where that fails by the estimator.

And evidence that gathers over way: what says the same at one place many times has said it once.
"""

from __future__ import annotations

import math

from edge.types import Measurement, Odometry, Pose

#: An odometer silent for longer is not there, seconds.
_FRESH_S = 1.0
#: Nothing on these lines is faster; a counter may be a metre off.
_MAX_SPEED_MPS, _MAX_JUMP_M = 60.0, 1.0
#: Evidence nearer to the last than this says nothing new, metres; so much of it is enough.
_APART_M, _ENOUGH = 1.0, 5


class Motion:
    """Signed metres, backwards negative. Not for several threads at once."""

    def __init__(self) -> None:
        self.time_s = math.inf
        #: Since the start.
        self.rolled_m = 0.0
        self._pose: Pose | None = None
        self._wheels: Odometry | None = None

    def rolled(self, measurement: Measurement, pose: Pose) -> float | None:
        """Metres of odometer since the last call that gave some; None where the next odometer message will tell.

        Args:
            measurement: in order of time.
            pose: the estimator's at its time.
        """
        before, wheels = self._pose, self._wheels
        fresh = wheels is not None and measurement.time_s - wheels.time_s <= _FRESH_S
        if isinstance(measurement, Odometry):
            self._wheels = measurement
        elif fresh:
            return None
        metres = 0.0 if before is None else _way(before, pose)
        if isinstance(measurement, Odometry) and wheels is not None and before is not None:
            dt, turned = measurement.time_s - wheels.time_s, measurement.distance_m - wheels.distance_m
            if wheels.time_s == before.time_s and fresh and abs(turned) <= _MAX_SPEED_MPS * dt + _MAX_JUMP_M:
                metres = turned
        self._pose, self.time_s = pose, measurement.time_s
        self.rolled_m += metres
        return metres


def _way(before: Pose, pose: Pose) -> float:
    """The way between two poses in the odometer frame, by its sign forwards or backwards."""
    yaw = math.radians(before.odom_yaw_deg + pose.odom_yaw_deg) / 2
    ahead = (pose.odom_x_m - before.odom_x_m) * math.cos(yaw) + (pose.odom_y_m - before.odom_y_m) * math.sin(yaw)
    return math.copysign(abs(pose.distance_m - before.distance_m), ahead)


class Doubt:
    """Evidence against being where the filter says: enough of it in a row, over enough way, wins."""

    def __init__(self, way_m: float) -> None:
        self._way_m = way_m
        self._times = 0
        self._since_m = self._last_m = 0.0

    def clear(self) -> None:
        """The filter was right."""
        self._times = 0

    def grows(self, rolled_m: float) -> bool:
        """Once more, at metres rolled; whether it is enough. A standing vehicle says nothing new."""
        if self._times and abs(rolled_m - self._last_m) < _APART_M:
            return False
        if not self._times:
            self._since_m = rolled_m
        self._times += 1
        self._last_m = rolled_m
        return self._times >= _ENOUGH and abs(rolled_m - self._since_m) >= self._way_m
