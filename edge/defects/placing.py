# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From a place in the frame of tracking to a place on earth and on a known line, through the poses of the looks.

The place itself is common to all looks, so they average only what differs between their poses: the noise of the fixes
and, by far the most, the heading, which moves a place 20 m ahead by 35 cm a degree. So a look counts by its distance
and by how much worse its pose is than the best one; what the poses share is not divided by their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edge.geometry import east_north, offset_lonlat, to_earth
from edge.types import Pose, RoadPoint
from messages.types import LinePosition, Position

#: One standard deviation of a pose's heading, radians, and of what else differs between poses, metres.
_HEADING = math.radians(1.0)
_POSE_NOISE_M = 0.1
#: Nothing is placed better than this, whatever the arithmetic says.
_MIN_ERROR_M = 0.05
#: Nearer to the line of the antenna than this is neither left nor right.
_MIDDLE_M = 0.75


@dataclass(frozen=True)
class Glimpse:
    """One look: from which pose, and where the defect's foot then lay in the vehicle's frame, metres."""

    pose: Pose
    ahead_m: float
    left_m: float

    @property
    def heading_error_m(self) -> float:
        """What the heading's error does over this distance."""
        return _HEADING * math.hypot(self.ahead_m, self.left_m)


@dataclass(frozen=True)
class Placed:
    """What is known of a place; None where it is not."""

    position: Position | None
    line: LinePosition | None
    heading_deg: float | None


def place(glimpses: Sequence[Glimpse], best: Pose, *, error_m: float, overhead: bool = False) -> Placed:
    """Place a defect.

    Args:
        glimpses: its looks, at least one.
        best: the pose of the look whose picture shows it best; says what the position rests on.
        error_m: one standard deviation of its place in the frame of tracking.
        overhead: it is at the crown, neither left nor right.
    """
    return Placed(
        position=_position(glimpses, best, error_m),
        line=_line(glimpses, best, error_m, overhead=overhead),
        heading_deg=None if best.heading_deg is None else round(best.heading_deg, 1) % 360,
    )


def _position(glimpses: Sequence[Glimpse], best: Pose, error_m: float) -> Position | None:
    known = [g for g in glimpses if _is_placed(g.pose)]
    if not known:
        return None
    points = [_on_earth(g) for g in known]
    weights, common_m, own_m = _weights(known, [g.pose.error_m or 0.0 for g in known])
    lon0, lat0 = points[0]
    offsets = [east_north(lon, lat, lon0, lat0) for lon, lat in points]
    east, north = (sum(w * o[axis] for w, o in zip(weights, offsets, strict=True)) for axis in (0, 1))
    lon, lat = offset_lonlat(lon0, lat0, east, north)
    says = best if _is_placed(best) else min(known, key=lambda g: g.heading_error_m).pose
    assert says.method is not None
    return Position(
        lon=round(math.remainder(lon, 360), 8),
        lat=round(lat, 8),
        error_m=round(max(math.hypot(common_m, own_m, error_m), _MIN_ERROR_M), 2),
        method=says.method,
        quality=says.quality,
        since_fix_m=None if says.since_fix_m is None else round(says.since_fix_m, 1),
    )


def _is_placed(pose: Pose) -> bool:
    return None not in (pose.lon, pose.lat, pose.heading_deg, pose.error_m, pose.method)


def _on_earth(glimpse: Glimpse) -> tuple[float, float]:
    pose = glimpse.pose
    assert pose.lon is not None
    assert pose.lat is not None
    assert pose.heading_deg is not None
    return to_earth(pose.lon, pose.lat, pose.heading_deg, RoadPoint(glimpse.ahead_m, glimpse.left_m))


def _weights(glimpses: Sequence[Glimpse], errors: Sequence[float]) -> tuple[list[float], float, float]:
    """Weights of sum 1, the error that all share, and the one that the heading gives (shared by near looks, too)."""
    common = min(errors)
    own = [g.heading_error_m**2 + _POSE_NOISE_M**2 + e**2 - common**2 for g, e in zip(glimpses, errors, strict=True)]
    total = sum(1 / variance for variance in own)
    weights = [1 / variance / total for variance in own]
    return weights, common, sum(w * g.heading_error_m for w, g in zip(weights, glimpses, strict=True))


def _line(glimpses: Sequence[Glimpse], best: Pose, error_m: float, *, overhead: bool) -> LinePosition | None:
    says = best.line or next((g.pose.line for g in glimpses if g.pose.line is not None), None)
    if says is None:
        return None
    known = [
        (g, g.pose.line)
        for g in glimpses
        if g.pose.line is not None and (g.pose.line.line, g.pose.line.track) == (says.line, says.track)
    ]
    weights, common_m, _ = _weights([g for g, _ in known], [line.error_m for _, line in known])
    ways = [(1 if line.forward else -1) for _, line in known]
    chainage = sum(
        w * (line.chainage_m + way * g.ahead_m) for w, way, (g, line) in zip(weights, ways, known, strict=True)
    )
    left_m = sum(w * way * g.left_m for w, way, (g, _) in zip(weights, ways, known, strict=True))
    side: Literal["left", "middle", "right"] = "middle"
    if not overhead and abs(left_m) > _MIDDLE_M:
        side = "left" if left_m > 0 else "right"
    return LinePosition(
        line=says.line,
        chainage_m=round(chainage, 2),
        error_m=round(max(math.hypot(common_m, error_m), _MIN_ERROR_M), 2),
        track=says.track,
        side=side,
    )
