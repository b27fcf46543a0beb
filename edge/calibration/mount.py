# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Mounting of a camera from a drive straight ahead: where the road flows out of, and how fast.

Between two frames of a straight drive every point of the road moves away from one pixel, the focus of expansion
(Hartley & Zisserman, ch. 9.5): it gives pitch and yaw. For a level road the distance ahead of a pixel row v is

    x = K / (v - v0) - const,   K = h f / cos^2(pitch),   tan(pitch) = (cy - v0) / f

(v0: row of the focus of expansion, h: height above the road, f: focal length in pixels), so the known way between
the frames gives K from each point. Height and focal length cannot be told apart by moving straight ahead: the height
has to be given, and lengths across the road are as wrong as it is; lengths along the road are not.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from edge.calibration.flow import LINE_SHARE, Flow, Step, focus_of_expansion, follow
from edge.errors import InputError
from edge.geometry import Calibration

_log = logging.getLogger(__name__)

#: Spread (quartile distance by median) of K above which the result is not used.
_MAX_SPREAD = 0.6
#: The pairs are left out in so many groups to see what they do to the result.
_GROUPS = 5
#: What is claimed at best; the odometer's own error is not in the drive's spread.
_LEAST_ERROR_DEG, _WAY_ERROR_SHARE = 0.1, 0.01
#: Most points that can be followed lie so far ahead; a turn between two frames is known so well.
_SEEN_M, _TURN_ERROR_DEG = 10.0, 0.04
#: A step's pictures are let go once they are followed.
_NOTHING = np.zeros((0, 0, 3), np.uint8)
#: A height measured by hand.
_HEIGHT_ERROR_M = 0.02
#: Stated where a part of the drive does not tell it.
_UNSURE_DEG, _UNSURE_SHARE = 1.0, 0.1
#: Only points less than this times the camera's height to the side count: there is road, not cars and house fronts.
_LANE = 1.0
#: Points on the road that K is taken from.
_MIN_ON_ROAD = 40


def calibrate_mount(steps: Iterable[Step], *, height_m: float, calibration_id: str) -> Calibration | None:
    """Find focal length, pitch and yaw.

    Args:
        steps: 20 or more pairs of frames of one size on a straight, level road, 0.5 to 6 m apart.
        height_m: of the camera above the road.
        calibration_id: name of the result.

    Returns:
        The calibration, or None where the drive does not show enough (a log line says what is missing).
    """
    seen: list[tuple[Step, Flow]] = []
    shape = (0, 0)
    for step, flow in follow(steps):
        shape = (step.after.shape[0], step.after.shape[1])
        seen.append((replace(step, before=_NOTHING, after=_NOTHING), flow))
    if not seen:
        return None

    def solved(flows: list[Flow]) -> Calibration:
        return solve(_joined(flows), width=shape[1], height=shape[0], height_m=height_m, calibration_id=calibration_id)

    # How far a turn moves the picture depends on the focal length, which is guessed at first.
    guess = _or_none(solved, [_unturned(flow, step, shape[1]) for step, flow in seen])
    flows = [_unturned(flow, step, guess.fx if guess else shape[1]) for step, flow in seen]
    try:
        found = solved(flows)
    except InputError as error:
        _log.warning("mount: %s", error)
        return None
    group = np.arange(len(flows)) * _GROUPS // len(flows)
    parts = [
        _or_none(solved, [flow for flow, g in zip(flows, group, strict=True) if g != left]) for left in range(_GROUPS)
    ]
    way_m = float(np.mean([step.way_m for step, _ in seen]))
    return _with_errors(found, [part for part in parts if part is not None], way_m)


def _or_none(solved: Callable[[list[Flow]], Calibration], flows: list[Flow]) -> Calibration | None:
    with suppress(InputError):
        return solved(flows)
    return None


def _unturned(flow: Flow, step: Step, focal_px: float) -> Flow:
    """The flow as if the vehicle had not turned: half of the turn is taken from either picture."""
    aside = np.array([math.radians(step.turn_deg) / 2 * focal_px, 0.0])
    return replace(flow, before=flow.before + aside, after=flow.after - aside)


def _joined(flows: list[Flow]) -> Flow:
    return Flow(*(np.concatenate([getattr(f, name) for f in flows]) for name in ("before", "after", "way_m")))


def _with_errors(found: Calibration, parts: list[Calibration], way_m: float) -> Calibration:
    """The result with one standard deviation by leaving out a group of pairs in turn (delete-group jackknife).

    Shao & Tu, The jackknife and bootstrap, ch. 2. What cannot be told without one of the groups is not told well. A
    gyro that is off is off in all groups: it pulls the focus of expansion aside by its error times distance by way.
    """
    by_turn = _TURN_ERROR_DEG * _SEEN_M / way_m
    if len(parts) < _GROUPS:
        return replace(found, mount_yaw_error_deg=round(min(20.0, math.hypot(_UNSURE_DEG, by_turn)), 4))
    deviations = np.std([(p.pitch_deg, p.yaw_deg, p.fx / found.fx) for p in parts], axis=0) * math.sqrt(len(parts) - 1)
    pitch, yaw, focal = (float(value) for value in deviations)
    return replace(
        found,
        mount_pitch_error_deg=round(min(20.0, max(pitch, _LEAST_ERROR_DEG)), 4),
        mount_yaw_error_deg=round(min(20.0, math.hypot(yaw, by_turn, _LEAST_ERROR_DEG)), 4),
        focal_error_share=round(min(1.0, math.hypot(focal, _WAY_ERROR_SHARE)), 4),
    )


def solve(flow: Flow, *, width: int, height: int, height_m: float, calibration_id: str) -> Calibration:
    """The geometry of `calibrate_mount`, without pictures.

    Raises:
        InputError: the flow does not show it; one line says what is missing.
    """
    found = focus_of_expansion(flow, LINE_SHARE * width)
    if found is None:
        raise InputError(f"{len(flow.before)} moving points are too few or do not flow from one place")
    (u0, v0), inliers = found
    above_before, above_after = flow.before[inliers, 1] - v0, flow.after[inliers, 1] - v0
    aside = np.abs(flow.after[inliers, 0] - u0)
    road = (above_before > 0.05 * height) & (above_after > above_before) & (aside < _LANE * above_after)
    if road.sum() < _MIN_ON_ROAD:
        raise InputError(f"only {int(road.sum())} points on the road could be followed")
    k = flow.way_m[inliers][road] / (1 / above_before[road] - 1 / above_after[road])
    low, middle, high = (float(v) for v in np.percentile(k, [25, 50, 75]))
    if (high - low) / middle > _MAX_SPREAD:
        raise InputError(f"the points disagree about distances by {100 * (high - low) / middle:.0f} %")
    return _mount((u0, v0), middle, width=width, height=height, height_m=height_m, calibration_id=calibration_id)


def _mount(
    focus: tuple[float, float], k: float, *, width: int, height: int, height_m: float, calibration_id: str
) -> Calibration:
    (u0, v0), cx, cy = focus, width / 2, height / 2
    drop = cy - v0
    # f + drop^2 / f = k / h; of the two solutions the longer focal length has the smaller pitch.
    half = k / height_m / 2
    if half < abs(drop):
        raise InputError(f"a camera {height_m:.1f} m above the road cannot see the road like this; check the height")
    focal = half + math.sqrt(half * half - drop * drop)
    pitch = math.atan(drop / focal)
    yaw = math.atan((u0 - cx) / focal * math.cos(pitch))
    if not 0.4 * width <= focal <= 4 * width:
        raise InputError(f"a focal length of {focal:.0f} pixels is not believable for {width} pixels' width")
    return Calibration(
        id=calibration_id,
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=cx,
        cy=cy,
        height_m=height_m,
        pitch_deg=math.degrees(pitch),
        yaw_deg=math.degrees(yaw),
        pitch_error_deg=0.5,
        mount_pitch_error_deg=_UNSURE_DEG,
        mount_yaw_error_deg=_UNSURE_DEG,
        mount_roll_error_deg=_UNSURE_DEG,
        height_error_m=_HEIGHT_ERROR_M,
        focal_error_share=_UNSURE_SHARE,
    )
