# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the camera saw on the road, and whether a wheel's blow lies on it."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from edge.roughness.settings import RoughnessSettings
from edge.roughness.shocks import Shock

OdomRectangle: TypeAlias = tuple[float, float, float, float]
"""Middle x, y in the odometer frame, half length along the way, half width across it, metres."""

_KEPT = 200
#: The gate: what the camera's place of a defect may be off (one standard deviation), and how many of them count.
_SEEN_ALONG_M, _SEEN_ACROSS_M = 0.5, 0.25
_GATE = 2.45
#: Half of what a tyre covers, metres.
_TYRE_M = 0.12


@dataclass(frozen=True)
class _Mark:
    event_id: str
    place: OdomRectangle


class Marks:
    """Keeps the newest observations."""

    def __init__(self, settings: RoughnessSettings) -> None:
        self._settings = settings
        self._marks: deque[_Mark] = deque(maxlen=_KEPT)

    def note(self, event_id: str, place: OdomRectangle) -> None:
        """Remember an observation."""
        self._marks.append(_Mark(event_id, place))

    def seen_at(self, shock: Shock) -> str | None:
        """The observation that the shock confirms: the nearest along the way of those that a wheel went over."""
        x, y = shock.spot.ahead(shock.axle_forward_m, self._settings.axles_left_m)
        yaw = math.radians(shock.spot.pose.odom_yaw_deg)
        near = math.hypot(shock.along_error_m, _SEEN_ALONG_M) * _GATE
        best: tuple[float, str] | None = None
        for mark in self._marks:
            mark_x, mark_y, half_length, half_width = mark.place
            along = abs((mark_x - x) * math.cos(yaw) + (mark_y - y) * math.sin(yaw))
            left = (mark_y - y) * math.cos(yaw) - (mark_x - x) * math.sin(yaw)
            from_wheel = abs(abs(left) - self._settings.track_width_m / 2)
            if along > half_length + near or from_wheel > half_width + _TYRE_M + _SEEN_ACROSS_M * _GATE:
                continue
            if best is None or along < best[0]:
                best = (along, mark.event_id)
        return best and best[1]
