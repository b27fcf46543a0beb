# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a calibration board as a known camera would take them."""

from __future__ import annotations

import cv2
import numpy as np

from edge.calibration.board import Board
from edge.lens import Intrinsics, Lens

CHARUCO = Board("charuco", 11, 8, 0.03, 0.022)
CHECKERBOARD = Board("checkerboard", 10, 7, 0.03)
#: A wide camera, not quite centred: what a vehicle carries.
CAMERA = Intrinsics("true", 960, 540, 700.0, 702.0, 491.0, 263.0, Lens(-0.30, 0.10, 0.0008, -0.0005, -0.015))
PLAIN = Intrinsics("plain", 640, 480, 560.0, 560.0, 320.0, 240.0)
#: Dots per metre of the board's picture: about what the camera resolves.
_DOTS_PER_M = 2000


class Photographer:
    """Renders views of one board with one camera; lens rays do not come from the code under test."""

    def __init__(self, board: Board, camera: Intrinsics, *, fine: int = 1) -> None:
        self.board, self.camera, self._fine = board, camera, fine
        drawn, self._dots_per_m = board.draw(_DOTS_PER_M)
        self._margin = (drawn.shape[1] - board.columns * board.square_m * self._dots_per_m) / 2
        self._picture = cv2.GaussianBlur(np.pad(drawn, 400, constant_values=120), (0, 0), 0.7)
        lens = camera.lens
        steps = (np.arange(side * fine) / fine - 0.5 + 0.5 / fine for side in (camera.width, camera.height))
        u, v = np.meshgrid(*steps)
        x, y = straightened((u.ravel() - camera.cx) / camera.fx, (v.ravel() - camera.cy) / camera.fy, lens)
        self._rays = np.column_stack([x, y, np.ones(len(x))])

    def take(
        self,
        turn_deg: tuple[float, float, float],
        middle_m: tuple[float, float, float],
        *,
        blur_px=0.6,
        noise=3.0,
        seed=0,
    ) -> np.ndarray:
        """A picture (BGR) of the board turned about its axes, its middle at this place in the camera's axes."""
        rotation = cv2.Rodrigues(np.radians(turn_deg))[0]
        half = np.array([self.board.columns, self.board.rows, 0]) * self.board.square_m / 2
        origin = np.array(middle_m) - rotation @ half
        # A ray d hits the board where rotation.T (t d - origin) has no third part.
        along = self._rays @ rotation
        start = rotation.T @ origin
        scale = start[2] / np.where(np.abs(along[:, 2]) > 1e-6, along[:, 2], np.nan)
        place = (along[:, :2] * scale[:, None] - start[:2]) * self._dots_per_m + self._margin + 400 - 0.5
        place[~(scale > 0)] = -1e4
        shape = (self.camera.height * self._fine, self.camera.width * self._fine)
        u, v = (np.nan_to_num(part, nan=-1e4).reshape(shape).astype(np.float32) for part in place.T)
        seen = cv2.remap(self._picture, u, v, cv2.INTER_LINEAR, borderValue=120)
        seen = cv2.resize(seen, (self.camera.width, self.camera.height), interpolation=cv2.INTER_AREA)
        seen = cv2.GaussianBlur(seen, (0, 0), blur_px).astype(np.float64) * 0.75 + 25
        seen += np.random.default_rng(seed).normal(0, noise, seen.shape)
        return cv2.cvtColor(np.clip(seen, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)


def straightened(x: np.ndarray, y: np.ndarray, lens: Lens) -> tuple[np.ndarray, np.ndarray]:
    """Undistorted places by fixed-point iteration, as OpenCV's guide describes it."""
    at_x, at_y = x, y
    for _ in range(25):
        r2 = at_x**2 + at_y**2
        radial = 1 + lens.k1 * r2 + lens.k2 * r2**2 + lens.k3 * r2**3
        at_x, at_y = (
            (x - 2 * lens.p1 * at_x * at_y - lens.p2 * (r2 + 2 * at_x**2)) / radial,
            (y - lens.p1 * (r2 + 2 * at_y**2) - 2 * lens.p2 * at_x * at_y) / radial,
        )
    return at_x, at_y


def poses(count: int, *, near_m: float = 0.32, far_m: float = 0.6, aside: float = 0.9) -> list[tuple]:
    """Turns (degrees) and places (metres) like those of a technician who follows the guide."""
    rng = np.random.default_rng(8)
    found = []
    for i in range(count):
        z = rng.uniform(near_m, far_m)
        # round the picture: middle, edges, corners
        x, y = ((i % 3) - 1) * 0.42 * z * aside, ((i // 3 % 3) - 1) * 0.24 * z * aside
        tilt = rng.uniform(15, 40) * rng.choice([-1, 1], 2)
        found.append(((*tilt, rng.uniform(-20, 20)), (x, y, z)))
    return found
