# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Mounting from a straight drive with a camera whose lens is known: pitch, roll, yaw, height, and how it nods."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.calibration.flow import LINE_SHARE, Flow, Step, focus_of_expansion, follow
from edge.calibration.mounting import mounted
from edge.calibration.road_motion import RoadFlow, off_px, solve_motion
from edge.errors import InputError
from edge.geometry import Calibration
from edge.lens import Intrinsics

_LEAST_PAIRS = 8
#: Points on the road that a pair of frames has to show.
_LEAST_POINTS = 12
#: Points less than this many camera heights to the side give the first guess, twice as far may be road.
_ASIDE = 1.0
#: A point may be this far from where the first guess has it: pixels, and share of its way through the picture.
_FIRST_PX, _FIRST_SHARE = 4.0, 0.12
#: Points that move less, in pixels, tell no distance.
_LEAST_MOVE_PX = 4.0
#: The odometer's error is not in the drive's own spread.
WAY_ERROR_SHARE = 0.01
#: Angles and height are never claimed better than this: the road is no plane.
_FLOOR_DEG, _FLOOR_SHARE = 0.05, 0.005
#: A body nods at least this much, degrees: over a drive's length, what two neighbouring frames do not show.
_LEAST_NOD_DEG = 0.1


@dataclass(frozen=True)
class Mounted:
    """The calibration, the height by the drive alone, and what stands behind it."""

    calibration: Calibration
    drive_height_m: float
    drive_height_error_m: float
    pairs: int
    points: int
    spread_px: float


def mount_from_motion(
    steps: Iterable[Step],
    intrinsics: Intrinsics,
    *,
    name: str,
    height_m: tuple[float, float] | None = None,
    place_m: tuple[float, float] = (0.0, 0.0),
) -> Mounted:
    """Find how the camera sits.

    Args:
        steps: pairs of frames of a straight drive on a level road, 0.5 to 6 m apart, of the intrinsics' size.
        intrinsics: of the camera.
        name: the calibration's id.
        height_m: as measured by hand, with its error; None: the drive's own, as good as its odometer.
        place_m: where the camera sits before and to the left of the antenna.

    Raises:
        InputError: the drive does not show it; one line says what is missing.
    """
    flows, turns_deg = [], []
    for step, flow in follow(steps):  # one after the other: the pictures of all would fill a small computer
        flows.append(flow)
        turns_deg.append(step.turn_deg)
    if len(flows) < _LEAST_PAIRS:
        raise InputError(
            f"only {len(flows)} pairs of frames of a straight drive, {_LEAST_PAIRS} are needed; record 100 m straight"
            " ahead at 20 to 50 km/h, with odometer or receiver"
        )
    ahead_m = max(0.0, place_m[0])
    road, start = _road(flows, turns_deg, intrinsics, ahead_m)
    try:
        found = solve_motion(road, start, focal_px=intrinsics.fx, ahead_m=ahead_m)
    except np.linalg.LinAlgError:
        raise _unseen(0) from None
    pitch, roll, yaw, height = (float(value) for value in found.mount)
    errors = [max(math.degrees(float(error)), _FLOOR_DEG) for error in found.errors[:3]]
    height_error = height * math.hypot(
        float(found.errors[3]) / height, _FLOOR_SHARE, WAY_ERROR_SHARE, intrinsics.focal_error_share
    )
    if not (max(errors) < 3.0 and height_error < 0.3 * height and 0.3 < height < 10 and abs(roll) < math.radians(30)):
        raise InputError(
            f"the drive does not tell the mounting (height {height:.1f} +- {height_error:.1f} m, roll"
            f" {math.degrees(roll):.0f} deg); choose a stretch that is straight and level, without much traffic"
        )
    used = height_m or (height, height_error)
    nod = 1.4826 * float(np.median(np.abs(found.nods - np.median(found.nods)))) / math.sqrt(2)
    calibration = mounted(
        intrinsics,
        name,
        angles_deg=(math.degrees(pitch), math.degrees(roll), math.degrees(yaw)),
        errors_deg=(errors[0], errors[1], errors[2]),
        height_m=used,
        place_m=place_m,
        pitch_error_deg=max(_LEAST_NOD_DEG, math.degrees(nod)),
    )
    pairs = int(road.pair.max()) + 1
    return Mounted(calibration, height, height_error, pairs, len(road.pair), found.spread_px)


def _road(
    flows: list[Flow], turns_deg: list[float], intrinsics: Intrinsics, ahead_m: float
) -> tuple[RoadFlow, NDArray[np.float64]]:
    """The points that may lie on the road, and a first guess: pitch, roll, yaw (radians), height."""
    pair = np.concatenate([np.full(len(flow.before), i) for i, flow in enumerate(flows)])
    before, after = (
        intrinsics.straight(np.concatenate([getattr(f, name) for f in flows])) for name in ("before", "after")
    )
    flow = RoadFlow(before, after, pair, np.concatenate([f.way_m for f in flows]), np.array(turns_deg)[pair])
    inside = np.isfinite(before).all(axis=1) & np.isfinite(after).all(axis=1)
    flow = flow.only(np.asarray(inside))
    found = focus_of_expansion(Flow(flow.before, flow.after, flow.way_m), LINE_SHARE * intrinsics.width / intrinsics.fx)
    if found is None:
        raise InputError(
            f"{len(flow.pair)} moving points are too few or do not flow from one place; choose a straight"
            " stretch, by day, on a road with visible texture"
        )
    (x0, y0), _ = found
    flow = flow.only((flow.before[:, 1] > y0 + 0.02) & (flow.after[:, 1] > flow.before[:, 1]))
    aside = np.abs(flow.after[:, 0] - x0) / (flow.after[:, 1] - y0)
    if (aside < _ASIDE).sum() < _LEAST_PAIRS * _LEAST_POINTS / 2:
        raise _unseen(len(np.unique(flow.pair[aside < _ASIDE])))
    k = flow.way_m / (1 / (flow.before[:, 1] - y0) - 1 / (flow.after[:, 1] - y0))
    pitch = math.atan(-y0)
    height = float(np.median(k[aside < _ASIDE])) * math.cos(pitch) ** 2
    start = np.array([pitch, 0.0, math.atan(x0 * math.cos(pitch)), height])
    off = off_px(flow, start, focal_px=intrinsics.fx, ahead_m=ahead_m)
    moved = np.hypot(*(flow.after - flow.before).T) * intrinsics.fx
    flow = flow.only((aside < 2 * _ASIDE) & (moved > _LEAST_MOVE_PX) & (off < _FIRST_PX + _FIRST_SHARE * moved))
    flow = flow.only((np.bincount(flow.pair) >= _LEAST_POINTS)[flow.pair])
    pairs = len(np.unique(flow.pair))
    if pairs < _LEAST_PAIRS:
        raise _unseen(pairs)
    return flow, start


def _unseen(pairs: int) -> InputError:
    return InputError(
        f"the road could be followed in only {pairs} pairs of frames, {_LEAST_PAIRS} are needed; choose a stretch"
        " by day, dry, on a road with visible texture and without much traffic"
    )
