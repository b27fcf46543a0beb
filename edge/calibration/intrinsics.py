# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Focal lengths, principal point and distortion from views of a board (Zhang 2000, as OpenCV does it).

What the fit says of itself is too good, for its errors are not independent. So a fifth of the views is held out: the
error stated is that of views that the fit has not seen, and the focal length's is at least what leaving them out moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.calibration.board import Board
from edge.calibration.views import View, coverage
from edge.errors import InputError
from edge.lens import Intrinsics, Lens

LEAST_VIEWS = 10
#: More views cost time and tell nothing new.
_MOST_VIEWS = 60
_LEAST_COVERAGE = 0.6
_MOST_ERROR_PX = 1.0
#: So many views have to show the board tilted by more than this, else nothing tells the focal length.
_TILTED, _TILT_DEG = 4, 10.0
#: One standard deviation of the focal length above which the board was held too flat.
_MOST_FOCAL_SHARE = 0.01
#: A view this many times worse than the middle one is a wrong one.
_WRONG = 3.0
#: The third radial number is believed where it is this many standard deviations from zero.
_SURE = 3.0


@dataclass(frozen=True)
class Found:
    """The lens, how it was found, and what stands behind it.

    `error_px`, `held_out_px`: root mean square distance between model and corners, of the views that were fitted and
    of a fifth that were not; `deviations`: one standard deviation of fx, fy, cx, cy, k1, k2, p1, p2, k3.
    """

    intrinsics: Intrinsics
    views: int
    dropped: tuple[str, ...]
    coverage: float
    error_px: float
    held_out_px: float
    deviations: tuple[float, ...]


@dataclass(frozen=True)
class _Fit:
    error_px: float
    matrix: NDArray[np.float64]
    lens: NDArray[np.float64]
    deviations: NDArray[np.float64]
    per_view: NDArray[np.float64]
    tilts_deg: NDArray[np.float64]


def find_intrinsics(views: Sequence[View], board: Board, *, width: int, height: int, name: str) -> Found:
    """Calibrate.

    Args:
        views: different ones, see `edge.calibration.views`.
        board: what they show.
        width: of the pictures.
        height: of the pictures.
        name: the result's id.

    Raises:
        InputError: they do not tell it; one line says why and what to do.
    """
    covered = _enough(views, width, height)
    views, size = _spread(views, _MOST_VIEWS), (width, height)
    first = _fit(views, board, size, cv2.CALIB_FIX_K3)
    wrong = (first.per_view > _WRONG * np.median(first.per_view)) & (first.per_view > 0.5)
    dropped = tuple(view.name for view, bad in zip(views, wrong, strict=True) if bad)
    views = [view for view, bad in zip(views, wrong, strict=True) if not bad]
    _enough(views, width, height)
    kept, held = [v for i, v in enumerate(views) if i % 5 != 2], [v for i, v in enumerate(views) if i % 5 == 2]
    fit = _fit(views, board, size, 0)
    flags = 0 if abs(fit.lens[4]) > _SURE * fit.deviations[8] else cv2.CALIB_FIX_K3
    fit, part = (_fit(chosen, board, size, flags) for chosen in (views, kept))
    held_out_px = _held_out_px(part, held, board)
    # Leaving out a fifth moves a parameter by half its standard deviation: 1 / 0.8 - 1 = 1 / 4 of the variance.
    apart = 2 * np.abs(fit.matrix - part.matrix)
    fx, fy, cx, cy = (float(fit.matrix[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))
    deviations = fit.deviations[:9]
    share = max(float(deviations[0]), float(apart[0, 0])) / fx
    _good(max(fit.error_px, held_out_px), share, int((fit.tilts_deg > _TILT_DEG).sum()), board)
    lens = Lens(*(float(value) for value in fit.lens[:5]))
    centre = max(float(deviations[2:4].max()), float(apart[:2, 2].max()))
    per_axis = max(fit.error_px, held_out_px) / np.sqrt(2)
    found = Intrinsics(name, width, height, fx, fy, cx, cy, lens, round(share, 6), round(centre, 3), round(per_axis, 4))
    return Found(found, len(views), dropped, covered, fit.error_px, held_out_px, tuple(map(float, deviations)))


def _enough(views: Sequence[View], width: int, height: int) -> float:
    if len(views) < LEAST_VIEWS:
        raise InputError(
            f"only {len(views)} different, sharp views of the board, {LEAST_VIEWS} are needed; take 20 to 30 pictures"
            " with the board near and far, tilted to each side and in each corner of the picture"
        )
    covered = coverage(views, width, height)
    if covered < _LEAST_COVERAGE:
        raise InputError(
            f"the board was seen in only {100 * covered:.0f} % of the picture, {100 * _LEAST_COVERAGE:.0f} % are"
            " needed; take more pictures with the board at the picture's edges and corners"
        )
    return covered


def _good(error_px: float, focal_share: float, tilted: int, board: Board) -> None:
    if not error_px <= _MOST_ERROR_PX:
        raise InputError(
            f"the corners lie {error_px:.1f} pixels beside where they should, at most {_MOST_ERROR_PX:g} is good; is"
            f" the board flat and really a {board.text}, the focus fixed, every picture sharp?"
        )
    if tilted < _TILTED:
        raise InputError(
            f"only {tilted} views have the board tilted by more than {_TILT_DEG:g} degrees, {_TILTED} are needed"
            " (straight on, a near board looks like a long focal length); take more with it tilted by 30 to 45 degrees"
        )
    if not focal_share <= _MOST_FOCAL_SHARE:
        raise InputError(
            f"the focal length is known to {100 * focal_share:.1f} % only, {100 * _MOST_FOCAL_SHARE:g} % is needed;"
            " take more pictures with the board tilted by 30 to 45 degrees, and some from near"
        )


def _spread(views: Sequence[View], most: int) -> list[View]:
    if len(views) <= most:
        return list(views)
    return [views[round(i)] for i in np.linspace(0, len(views) - 1, most)]


def _fit(views: Sequence[View], board: Board, size: tuple[int, int], flags: int) -> _Fit:
    points = [board.points(view.corners.ids).astype(np.float32) for view in views]
    pixels = [view.corners.pixels.astype(np.float32) for view in views]
    try:
        error, matrix, lens, turns, _, deviations, _, per_view = cv2.calibrateCameraExtended(
            points, pixels, size, np.eye(3), np.zeros(5), flags=flags
        )
    except cv2.error:
        error, matrix = float("nan"), np.full((3, 3), np.nan)
    if not np.isfinite(error) or not np.isfinite(matrix).all() or not matrix[0, 0] > 0:
        raise InputError(
            "no lens explains these views; take more pictures with the board tilted to each side, few straight on"
        )
    # The board's normal is the third column of its rotation; the camera looks along the third axis.
    tilts = [math.degrees(math.acos(min(1.0, abs(cv2.Rodrigues(turn)[0][2, 2])))) for turn in turns]
    flat = [np.asarray(values, np.float64).ravel() for values in (lens, deviations, per_view, tilts)]
    return _Fit(float(error), np.asarray(matrix, np.float64), *flat)


def _held_out_px(fit: _Fit, views: Sequence[View], board: Board) -> float:
    """Root mean square distance of corners that the fit has not seen; only each view's pose is fitted to them."""
    squares: list[NDArray[np.float64]] = []
    for view in views:
        points = board.points(view.corners.ids)
        found, turn, move = cv2.solvePnP(points, view.corners.pixels, fit.matrix, fit.lens)
        if found:
            seen = cv2.projectPoints(points, turn, move, fit.matrix, fit.lens)[0].reshape(-1, 2)
            squares.append(((seen - view.corners.pixels) ** 2).sum(axis=1))
    return float(np.sqrt(np.concatenate(squares).mean())) if squares else float("inf")
