# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Draws patches, polygons and flat figures into a picture and notes which pixel shows what."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.simulator.noise import Floats, Image

#: What a pixel shows: the ground or sky, a wall, or an upright (from here on, by its place in the scenario).
GROUND, WALL, UPRIGHTS = 0, 1, 10


@dataclass(frozen=True)
class Brush:
    """`picture`: height x width x 3; `layer`: height x width, one code per pixel."""

    picture: Image
    layer: Image

    def _frame(self, corners: Floats) -> tuple[int, int, int, int] | None:
        """The whole pixels around these points that lie in the picture: x0, y0, x1, y1."""
        if not np.isfinite(corners).all():
            return None
        height, width = self.layer.shape
        low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
        x0, y0 = max(0, int(max(low[0], -1e6))), max(0, int(max(low[1], -1e6)))
        x1, y1 = min(width, int(min(high[0], 1e6)) + 1), min(height, int(min(high[1], 1e6)) + 1)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def quad(self, patch: Image, corners: Floats, code: int) -> None:
        """Stretch a picture (3 or 4 channels) over four points: top left, top right, bottom right, bottom left."""
        frame = self._frame(corners)
        if frame is None:
            return
        x0, y0, x1, y1 = frame
        spans = np.hypot(*(corners - np.roll(corners, -1, axis=0)).T)
        wide, high = max(spans[0], spans[2]), max(spans[1], spans[3])
        if patch.shape[1] > 1.3 * wide or patch.shape[0] > 1.3 * high:
            size = (max(2, min(patch.shape[1], int(wide) + 1)), max(2, min(patch.shape[0], int(high) + 1)))
            patch = cv2.resize(patch, size, interpolation=cv2.INTER_AREA)
        rows, cols = patch.shape[:2]
        source = np.array([[-0.5, -0.5], [cols - 0.5, -0.5], [cols - 0.5, rows - 0.5], [-0.5, rows - 0.5]], np.float32)
        to = cv2.getPerspectiveTransform(source, (corners - (x0, y0)).astype(np.float32))
        size = (x1 - x0, y1 - y0)
        warped = cv2.warpPerspective(patch, to, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        # A quarter pixel wider than the quad, so that neighbouring slices leave no gap.
        middle = corners.mean(axis=0)
        grown = corners + 0.35 * np.sign(corners - middle)
        cv2.fillConvexPoly(mask, np.round((grown - (x0, y0)) * 16).astype(np.int32), 255, cv2.LINE_8, 4)
        if patch.shape[2] == 4:
            mask[warped[..., 3] < 128] = 0
        where = mask > 0
        np.copyto(self.picture[y0:y1, x0:x1], warped[..., :3], where=where[..., None])
        self.layer[y0:y1, x0:x1][where] = code

    def polygon(self, corners: Floats, colour: tuple[float, float, float], code: int) -> None:
        """Fill a flat polygon."""
        if self._frame(corners) is None:
            return
        points = [np.round(np.clip(corners, -20_000, 20_000) * 16).astype(np.int32)]
        cv2.fillPoly(self.picture, points, colour, cv2.LINE_AA, 4)
        cv2.fillPoly(self.layer, points, code, cv2.LINE_8, 4)

    def figure(self, image: Image, foot: tuple[float, float], height: float, light: float, code: int) -> None:
        """A picture with transparency (BGRA) standing on a point, `height` pixels tall."""
        wide = height * image.shape[1] / image.shape[0]
        corners = np.array([[foot[0] - wide / 2, foot[1] - height], [foot[0] + wide / 2, foot[1]]])
        frame = self._frame(corners)
        if frame is None or height < 2:
            return
        x0, y0, x1, y1 = frame
        if image.shape[0] > 1.5 * height:
            small = (max(1, round(wide)), max(1, round(height)))
            image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        step = image.shape[0] / height
        move = np.array([[1 / step, 0, corners[0, 0] - x0], [0, 1 / step, corners[0, 1] - y0]])
        warped = cv2.warpAffine(image, move, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        alpha = warped[..., 3:].astype(np.float32) / 255
        part = self.picture[y0:y1, x0:x1]
        part[...] = np.clip(part * (1 - alpha) + warped[..., :3] * (alpha * light), 0, 255).astype(np.uint8)
        self.layer[y0:y1, x0:x1][alpha[..., 0] > 0.5] = code
