# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The board that is held before a camera: a checkerboard, or one with markers in its white squares (ChArUco).

ChArUco is the better one: it may be partly out of the picture, and the corners at the picture's edge are those that
tell a lens's distortion. The checkerboard has to be seen whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ConfigError
from edge.lens import Points

Gray: TypeAlias = NDArray[np.uint8]
"""Height x width, 8 bit."""

#: White around the drawn board, as share of a square: finders need it.
MARGIN = 0.5
#: Corners that tell a pose; fewer are no view of the board.
LEAST_CORNERS = 8
_DICTIONARIES = ("4X4_50", "4X4_100", "4X4_250", "5X5_100", "5X5_250", "6X6_250", "APRILTAG_36H11")


@dataclass(frozen=True)
class Corners:
    """Inner corners of a board that were found: their numbers (n, row by row) and where (n x 2, pixels)."""

    ids: NDArray[np.int64]
    pixels: Points


@dataclass(frozen=True)
class Board:
    """`columns` x `rows` squares (not inner corners); lengths in metres; marker and dictionary of ChArUco only."""

    kind: Literal["charuco", "checkerboard"]
    columns: int
    rows: int
    square_m: float
    marker_m: float = 0.0
    dictionary: str = "4X4_50"

    def check(self) -> None:
        """Raise `ConfigError` with one line where such a board cannot be."""
        if not (4 <= self.columns <= 40 and 4 <= self.rows <= 40):
            raise ConfigError(f"board of {self.columns}x{self.rows} squares: use 4 to 40 squares along each side")
        if not 0.002 <= self.square_m <= 1:
            raise ConfigError(f"board: a square of {self.square_m * 1000:g} mm: use 2 to 1000 mm")
        if self.kind == "checkerboard":
            return
        if self.dictionary not in _DICTIONARIES:
            raise ConfigError(
                f"board: dictionary {self.dictionary!r} is unknown; use one of {', '.join(_DICTIONARIES)}"
            )
        if not 0.4 * self.square_m <= self.marker_m <= 0.9 * self.square_m:
            raise ConfigError(
                f"board: a marker of {self.marker_m * 1000:g} mm does not fit a square of {self.square_m * 1000:g} mm;"
                " use 40 to 90 % of the square"
            )
        there, needed = len(self._markers.bytesList), self.columns * self.rows // 2
        if needed > there:
            raise ConfigError(
                f"board: needs {needed} markers, dictionary {self.dictionary} has {there}; use a larger one"
            )

    @property
    def text(self) -> str:
        """The board in words."""
        words = f"{self.kind} {self.columns}x{self.rows} squares of {self.square_m * 1000:g} mm"
        return words + (f", markers {self.marker_m * 1000:g} mm of {self.dictionary}" if self.kind == "charuco" else "")

    def points(self, ids: NDArray[np.int64]) -> Points:
        """Where inner corners lie on the board: n x 3, metres, z = 0."""
        row, column = np.divmod(ids, self.columns - 1)
        points: Points = np.stack([column + 1, row + 1, np.zeros(len(ids))], axis=1) * self.square_m
        return points

    def find(self, gray: Gray) -> Corners | None:
        """The corners in a picture; None where it does not show (enough of) the board."""
        corners = self._find_charuco(gray) if self.kind == "charuco" else self._find_checkerboard(gray)
        if corners is None or len(corners.ids) < LEAST_CORNERS:
            return None
        spread = np.linalg.svd(self.points(corners.ids)[:, :2] - self.points(corners.ids)[:, :2].mean(axis=0))[1]
        return corners if spread[1] > self.square_m else None  # not all in one line

    def draw(self, dots_per_m: float) -> tuple[Gray, float]:
        """The board with its margin, and the dots per metre it really has (a square is a whole number of dots)."""
        side = max(8, round(dots_per_m * self.square_m))
        size = (self.columns * side, self.rows * side)
        if self.kind == "charuco":
            board = np.asarray(self._charuco.generateImage(size, None, 0, 1), np.uint8)
        else:
            light = np.add.outer(np.arange(self.rows), np.arange(self.columns)) % 2 * 255
            board = np.kron(light, np.ones((side, side))).astype(np.uint8)
        return np.pad(board, round(MARGIN * side), constant_values=255), side / self.square_m

    @cached_property
    def _markers(self) -> Any:
        return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, f"DICT_{self.dictionary}"))

    @cached_property
    def _charuco(self) -> Any:
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square_m, self.marker_m, self._markers)

    @cached_property
    def _detector(self) -> Any:
        return cv2.aruco.CharucoDetector(self._charuco)

    def _find_charuco(self, gray: Gray) -> Corners | None:
        pixels, ids, _, _ = self._detector.detectBoard(gray)
        if ids is None or len(ids) == 0:
            return None
        return Corners(np.asarray(ids, np.int64).ravel(), np.asarray(pixels, np.float64).reshape(-1, 2))

    def _find_checkerboard(self, gray: Gray) -> Corners | None:
        shape = (self.columns - 1, self.rows - 1)
        found, pixels = cv2.findChessboardCornersSB(gray, shape, flags=cv2.CALIB_CB_NORMALIZE_IMAGE)
        if not found:
            return None
        # The finder's own places lean by some tenths of a pixel where the board is tilted; saddle points do not.
        grid = np.asarray(pixels, np.float64).reshape(shape[1], shape[0], 2)
        apart = min(float(np.hypot(*np.moveaxis(np.diff(grid, axis=axis), 2, 0)).min()) for axis in (0, 1))
        window = round(min(max(0.25 * apart, 3.0), 11.0))
        done = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 40, 1e-3)
        pixels = cv2.cornerSubPix(gray, grid.reshape(-1, 1, 2).astype(np.float32), (window, window), (-1, -1), done)
        return Corners(np.arange(shape[0] * shape[1]), np.asarray(pixels, np.float64).reshape(-1, 2))
