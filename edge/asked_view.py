# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a place that was asked for is in a picture: on the road by the vehicle's pose, on a lining by its chainage.

The place is known with an error, and so is the pose; the patch that is shown reaches as far as both say. Where
that would be too long a patch, the place counts as not in view: a look from a better known pose will come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from edge.geometry import Calibration, east_north
from edge.lining import Lining, lining_to_pixel
from edge.types import Box, LinePlace, Pose
from messages.types import AskedPlace

Pixel: TypeAlias = tuple[float, float]

#: The patch reaches so many standard deviations beyond the place: 87 of 100 lie inside on each axis.
_REACH = 1.5
#: Half of the longest patch, and half of its width on the road: beside a lane stand cars and people, metres.
_LONGEST_M, _WIDEST_M = 5.0, 2.5
#: How well a vehicle knows where it is between the walls, and an odometer's lane on a line without coordinates, metres.
_AROUND_ERROR_M, _LANE_M = 0.4, 1.5
#: Finely enough for a defect to be seen: see `edge.sampling.view`.
_LEAST_PX_PER_M = 10.0
#: From across or against it, another picture shows.
_TURN_DEG = 60.0
#: Nothing nearer than this in front of the camera is asked for, metres.
_NEAREST_M = 1.0


@dataclass(frozen=True)
class Eye:
    """The camera. `lining`: the tunnel's shape where it is known; `max_range_m`: farther nothing is looked for."""

    calibration: Calibration
    lining: Lining | None = None
    max_range_m: float = 25.0


@dataclass(frozen=True)
class Sight:
    """A place in view. `outline`: the patch in pixels, corners in order; `whole`: all of it is in the picture.

    `core`: the place itself, where it is told to be. `px_per_m`: how finely it is shown, in the coarser direction.
    `error_m`: of place and pose together.
    """

    outline: tuple[Pixel, ...]
    core: tuple[Pixel, ...]
    whole: bool
    px_per_m: float
    error_m: float

    @property
    def box(self) -> Box:
        """Around the outline; may reach outside the picture."""
        return _bounds(self.outline)


@dataclass(frozen=True)
class _Patch:
    """Metres ahead, and to the left on the road or around on a lining: middle and half extents."""

    ahead_m: float
    aside_m: float
    half_m: float
    half_aside_m: float
    error_m: float


def ahead_m(place: AskedPlace, pose: Pose) -> float | None:
    """How far ahead the place is, metres, below 0 behind; None where pose or place do not say."""
    found = _on_earth(place, pose) if place.surface == "road" else None
    if found is not None:
        return found[0]
    return None if place.line is None else _along(place, pose.line)


def sight(place: AskedPlace, pose: Pose, eye: Eye) -> Sight | None:
    """The place as a picture taken at `pose` shows it; None where it does not, or not well enough."""
    patch = _on_road(place, pose) if place.surface == "road" else _on_lining(place, pose, eye.lining)
    if patch is None or not 0 < patch.ahead_m < eye.max_range_m:
        return None
    nearest = eye.calibration.forward_m + _NEAREST_M
    low, high = max(patch.ahead_m - patch.half_m, nearest), min(patch.ahead_m + patch.half_m, eye.max_range_m)
    radius = place.radius_m
    core = _outline(place, eye, (patch.ahead_m - radius, patch.ahead_m + radius), patch.aside_m, radius)
    whole = _outline(place, eye, (low, high), patch.aside_m, patch.half_aside_m)
    if core is None or whole is None or not _is_inside(core, eye.calibration):
        return None
    left, top, right, bottom = _bounds(core)
    px_per_m = min(right - left, bottom - top) / (2 * radius)
    if px_per_m < _LEAST_PX_PER_M:
        return None
    return Sight(whole, core, _is_inside(whole, eye.calibration), round(px_per_m, 1), patch.error_m)


def _on_road(place: AskedPlace, pose: Pose) -> _Patch | None:
    found = _on_earth(place, pose)
    if found is not None:
        error = math.hypot(place.error_m, pose.error_m or 0.0)
        half = place.radius_m + _REACH * error
        aside = min(half, max(place.radius_m, _WIDEST_M))
        return None if half > _LONGEST_M else _Patch(*found, half, aside, error)
    along = _along(place, pose.line)
    if along is None or pose.line is None or place.line is None or not _is_same_way(place, pose):
        return None
    error = math.hypot(place.line.error_m, pose.line.error_m)
    half = place.radius_m + _REACH * error
    return None if half > _LONGEST_M else _Patch(along, 0.0, half, max(place.radius_m, _LANE_M), error)


def _on_earth(place: AskedPlace, pose: Pose) -> tuple[float, float] | None:
    """Metres ahead and to the left."""
    if place.lon is None or place.lat is None or pose.lon is None or pose.lat is None or pose.heading_deg is None:
        return None
    if pose.error_m is None or not _is_same_way(place, pose):
        return None
    east, north = east_north(place.lon, place.lat, pose.lon, pose.lat)
    heading = math.radians(pose.heading_deg)
    sine, cosine = math.sin(heading), math.cos(heading)
    return north * cosine + east * sine, north * sine - east * cosine


def _on_lining(place: AskedPlace, pose: Pose, lining: Lining | None) -> _Patch | None:
    along = _along(place, pose.line)
    if lining is None or along is None or pose.line is None or place.line is None or place.clock is None:
        return None
    # Hours are told in the direction of growing chainage.
    around = lining.around(place.clock if pose.line.forward else (12 - place.clock) % 12)
    error = math.hypot(place.line.error_m, pose.line.error_m)
    half = place.radius_m + _REACH * error
    if around is None or half > _LONGEST_M:
        return None
    return _Patch(along, around, half, place.radius_m + _REACH * _AROUND_ERROR_M, error)


def _along(place: AskedPlace, at: LinePlace | None) -> float | None:
    if at is None or place.line is None or at.line != place.line.line:
        return None
    if None not in (at.track, place.line.track) and at.track != place.line.track:
        return None
    metres = place.line.chainage_m - at.chainage_m
    return metres if at.forward else -metres


def _is_same_way(place: AskedPlace, pose: Pose) -> bool:
    if place.heading_deg is None or pose.heading_deg is None:
        return True
    return abs((pose.heading_deg - place.heading_deg + 180) % 360 - 180) <= _TURN_DEG


def _outline(
    place: AskedPlace, eye: Eye, ahead: tuple[float, float], aside_m: float, half_m: float
) -> tuple[Pixel, ...] | None:
    """Corners and, because a lens and an arch bend them, middles of the sides in pixels; None where one has none."""
    (low, high), left, right = ahead, aside_m + half_m, aside_m - half_m
    if low >= high:
        return None
    middle = (low + high) / 2
    points = [(low, left), (middle, left), (high, left), (high, aside_m)]
    points += [(high, right), (middle, right), (low, right), (low, aside_m)]
    pixels = [_pixel(place, eye, *point) for point in points]
    return None if None in pixels else tuple(pixel for pixel in pixels if pixel is not None)


def _pixel(place: AskedPlace, eye: Eye, x_m: float, aside_m: float) -> Pixel | None:
    if place.surface == "road":
        return eye.calibration.road_to_pixel(x_m, aside_m)
    return None if eye.lining is None else lining_to_pixel(eye.calibration, eye.lining, x_m, aside_m)


def _bounds(outline: tuple[Pixel, ...]) -> Box:
    us, vs = [u for u, _ in outline], [v for _, v in outline]
    return min(us), min(vs), max(us), max(vs)


def _is_inside(outline: tuple[Pixel, ...], calibration: Calibration) -> bool:
    return all(0 <= u < calibration.width and 0 <= v < calibration.height for u, v in outline)


def overlap(box: Box, outline: tuple[Pixel, ...]) -> float:
    """The area that a box and a convex outline share, as a share of the smaller of the two."""
    x1, y1, x2, y2 = box
    shared = _area(_clipped(outline, box))
    smaller = min((x2 - x1) * (y2 - y1), _area(outline))
    return shared / smaller if smaller > 0 else 0.0


def _clipped(outline: tuple[Pixel, ...], box: Box) -> tuple[Pixel, ...]:
    """The part of an outline inside a box (Sutherland and Hodgman 1974)."""
    for axis, bound, sign in ((0, box[0], 1), (0, box[2], -1), (1, box[1], 1), (1, box[3], -1)):
        kept: list[Pixel] = []
        for start, end in pairwise((*outline, *outline[:1])):
            a, b = sign * (start[axis] - bound), sign * (end[axis] - bound)
            if a >= 0:
                kept.append(start)
            if a * b < 0:
                share = a / (a - b)
                kept.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
        outline = tuple(kept)
    return outline


def _area(outline: tuple[Pixel, ...]) -> float:
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise((*outline, *outline[:1])))) / 2
