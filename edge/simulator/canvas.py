# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A piece of a surface seen from straight above (or in front), to paint on.

Rows run along the road (s), columns across it from left to right (t falls). On a tunnel's lining t is the
length along its profile. Colours are BGR, 8 bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from edge.simulator.noise import Floats, Image
    from edge.simulator.shapes import Stroke

#: Metres per pixel of every surface.
RES_M = 0.0125
#: Lines are drawn this many times finer and averaged down.
FINE = 4


def times(image: Image, factor: Image) -> Image:
    """A picture (8 bit, three channels) times a brightness per pixel (float32), channel by channel to save memory."""
    parts = [cv2.multiply(image[..., channel], factor, dtype=cv2.CV_8U) for channel in range(3)]
    product: Image = cv2.merge(parts)
    return product


@dataclass(frozen=True)
class Canvas:
    """`image`: rows x columns x 3; its first row is at `s0_m`, its first column at `left_m`."""

    image: Image
    s0_m: float
    left_m: float

    def window(self, s_from: float, s_to: float, t_from: float, t_to: float) -> Canvas | None:
        """The part between these bounds (a view), None where nothing of it lies on this canvas."""
        rows, cols = self.image.shape[:2]
        top, bottom = (max(0, min(rows, round((s - self.s0_m) / RES_M))) for s in (s_from, s_to))
        left, right = (max(0, min(cols, round((self.left_m - t) / RES_M))) for t in (t_to, t_from))
        if bottom - top < 2 or right - left < 2:
            return None
        part = self.image[top:bottom, left:right]
        return Canvas(part, self.s0_m + top * RES_M, self.left_m - left * RES_M)

    def pixels(self, points: Floats, scale: float = 1.0) -> Floats:
        """Column and row (N x 2) of points (s, t), in pixels of a picture `scale` times finer."""
        return np.column_stack(
            [
                (self.left_m - points[:, 1]) / RES_M * scale,
                (points[:, 0] - self.s0_m) / RES_M * scale,
            ]
        )

    def grid(self) -> tuple[Image, Image]:
        """Where the pixel centres are: s (rows x 1) and t (1 x columns), metres."""
        rows, cols = self.image.shape[:2]
        s = self.s0_m + (np.arange(rows, dtype=np.float32)[:, None] + 0.5) * RES_M
        t = self.left_m - (np.arange(cols, dtype=np.float32)[None, :] + 0.5) * RES_M
        return s, t

    def filled(self, outline: Floats) -> Image:
        """Share of each pixel (float32, 0..1) inside the polygon of points (s, t)."""
        rows, cols = self.image.shape[:2]
        mask = np.zeros((rows * FINE, cols * FINE), np.uint8)
        cv2.fillPoly(mask, [np.round(self.pixels(outline, FINE)).astype(np.int32)], 255)
        return cv2.resize(mask, (cols, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    def drawn(self, strokes: tuple[Stroke, ...]) -> Image:
        """Share of each pixel (float32, 0..1) covered by lines of varying width."""
        rows, cols = self.image.shape[:2]
        mask = np.zeros((rows * FINE, cols * FINE), np.uint8)
        for stroke in strokes:
            at = np.round(self.pixels(stroke.points, FINE) * 16).astype(np.int32)
            wide = stroke.widths / RES_M * FINE
            for i in range(len(at) - 1):
                thickness = max(1, round(float(wide[i])))
                colour = 255 if wide[i] >= 1 else round(255 * float(wide[i]))
                cv2.line(mask, at[i].tolist(), at[i + 1].tolist(), colour, thickness, cv2.LINE_AA, 4)
        return cv2.resize(mask, (cols, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255

    def blend(self, colour: Image | tuple[float, float, float], share: Image) -> None:
        """Mix a colour (or a picture) into this canvas by `share` per pixel."""
        top = np.asarray(colour, np.float32)
        alpha = share[..., None]
        mixed = self.image * (1 - alpha) + top * alpha
        self.image[...] = np.clip(mixed, 0, 255).astype(np.uint8)

    def scale(self, factor: Image) -> None:
        """Multiply the brightness per pixel."""
        self.image[...] = np.clip(self.image * factor[..., None], 0, 255).astype(np.uint8)
