# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures of a board are worth calibrating with: board found, sharp, and not the same view again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.calibration.board import Board, Corners, Gray
from edge.types import Picture

#: An edge between black and white may be this many pixels wide, or this share of the picture's width.
_EDGE_PX, _EDGE_SHARE = 4.0, 0.004
#: Two views are one where their common corners lie nearer than this share of the picture's width.
_ALIKE_SHARE = 0.02
#: The picture's cells that the corners of all views are counted in.
_GRID = (6, 4)


@dataclass(frozen=True)
class View:
    """One picture's corners."""

    name: str
    corners: Corners


def look(board: Board, picture: Picture, name: str) -> View | str:
    """A picture's view of the board, or why there is none: "no board", "blurred"."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    corners = board.find(gray)
    if corners is None:
        return "no board"
    width = edge_width_px(board, gray, corners)
    return View(name, corners) if width <= max(_EDGE_PX, _EDGE_SHARE * gray.shape[1]) else "blurred"


def edge_width_px(board: Board, gray: Gray, corners: Corners) -> float:
    """How many pixels the change from black to white takes on the sides of squares: contrast by steepest slope.

    The lower quartile over all sides of either direction, the larger of both: motion blurs across one direction only.
    """
    at = {int(number): pixel for number, pixel in zip(corners.ids, corners.pixels, strict=True)}
    in_row = board.columns - 1
    worst = 0.0
    for step, across in ((1, in_row), (in_row, 1)):
        pairs = [(i, i + step) for i in at if i + step in at and (step != 1 or (i + 1) % in_row)]
        widths = [_width(gray, at[a], at[b], at.get(a + across, at.get(a - across))) for a, b in pairs]
        known = [width for width in widths if width is not None]
        worst = max(worst, float(np.percentile(known, 25)) if known else 0.0)
    return worst


def _width(
    gray: Gray, a: NDArray[np.float64], b: NDArray[np.float64], aside: NDArray[np.float64] | None
) -> float | None:
    """Of the side between corners a and b; `aside` is a corner on one side of it."""
    if aside is None:
        return None
    # A marker starts a good eighth of a square beside the side; only up to there is black against white.
    half = 0.13 * (aside - a)
    normal = np.array([b[1] - a[1], a[0] - b[0]]) / max(float(np.hypot(*(b - a))), 1e-9)
    reach = abs(float(half @ normal))
    count = max(9, 2 * int(4 * reach) + 1)
    places = ((a + b) / 2 + np.linspace(-1, 1, count)[:, None] * half).astype(np.float32)
    profile = cv2.remap(gray, places[:, 0], places[:, 1], cv2.INTER_LINEAR).ravel().astype(np.float64)
    contrast = abs(profile[-2:].mean() - profile[:2].mean())
    slope = float(np.abs(np.gradient(profile, 2 * reach / (count - 1))).max()) if reach > 0.5 else 0.0
    return contrast / slope if contrast > 20 and slope > 0 else None


def choose(views: Sequence[View], width: int) -> tuple[list[View], list[View]]:
    """Views that differ, and those left out because an earlier one is nearly the same."""
    kept: list[View] = []
    alike: list[View] = []
    for view in views:
        (alike if any(_alike(view, other, width) for other in kept) else kept).append(view)
    return kept, alike


def _alike(a: View, b: View, width: int) -> bool:
    _, in_a, in_b = np.intersect1d(a.corners.ids, b.corners.ids, return_indices=True)
    if len(in_a) < 4:
        return False
    moved = np.hypot(*(a.corners.pixels[in_a] - b.corners.pixels[in_b]).T)
    return float(moved.mean()) < _ALIKE_SHARE * width


def coverage(views: Sequence[View], width: int, height: int) -> float:
    """Share of the picture's cells in which some view has a corner."""
    if not views:
        return 0.0
    pixels = np.concatenate([view.corners.pixels for view in views])
    cells = np.floor(pixels / (width, height) * _GRID).astype(int)
    inside = ((cells >= 0) & (cells < _GRID)).all(axis=1)
    return len(np.unique(cells[inside], axis=0)) / (_GRID[0] * _GRID[1])
