# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where everything appears in a frame and how much of it can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge.simulator import truth
from edge.simulator.brush import GROUND, UPRIGHTS, WALL
from edge.simulator.layout import lining_point
from edge.simulator.truth import Box, Sighting
from edge.simulator.uprights import count

if TYPE_CHECKING:
    from edge.simulator.noise import Floats, Image
    from edge.simulator.optics import Optics
    from edge.simulator.picture import View
    from edge.simulator.route import Place, Route
    from edge.simulator.scenario import Mark
    from edge.simulator.uprights import Shown

#: Smaller boxes, less of a thing, or farther things are not written down.
MIN_PX, MIN_SHARE, MAX_DISTANCE_M = 5.0, 0.05, 60.0


def road_point(mark: Mark) -> tuple[float, float, float]:
    """s, t and z of the middle of a mark on either surface."""
    s, t = mark.centre
    if mark.surface == "lining":
        across, up = lining_point(np.array([t]))
        return s, float(across[0]), float(up[0])
    return s, t, 0.0


def mark_points(mark: Mark) -> tuple[Floats, Floats, Floats]:
    """s, t and z of points all over a mark."""
    s, t = mark.points[:, 0], mark.points[:, 1]
    if mark.surface == "lining":
        across, up = lining_point(t)
        return s, across, up
    return s, t, np.zeros_like(s)


def opening_m(mark: Mark) -> float | None:
    """The width that a quarter of a crack's length exceeds, None for what is no crack."""
    if mark.outline is not None:
        return None
    return float(np.quantile(np.concatenate([stroke.widths for stroke in mark.strokes]), 0.75))


@dataclass(frozen=True)
class Glance:
    """One frame: where it was taken, what it shows, and its grey picture as the camera gave it."""

    frame: str
    place: Place
    view: View
    grey: Image


def see_mark(mark: Mark, optics: Optics, route: Route, glance: Glance) -> Sighting | None:
    """One defect or decoy in one frame; None where it does not show."""
    if mark.extent[1] < glance.place.s_m - 1.0 or mark.extent[0] - glance.place.s_m > MAX_DISTANCE_M:
        return None
    s, t, z = mark_points(mark)
    x, y = route.in_vehicle(glance.place, s, t)
    pixels, depth = optics.project(x, y, z)
    height, width = glance.grey.shape
    ok = (depth > 0.3) & (pixels[:, 0] >= 0) & (pixels[:, 0] < width) & (pixels[:, 1] >= 0) & (pixels[:, 1] < height)
    if not ok.any():
        return None
    cols, rows = pixels[ok, 0].astype(int), pixels[ok, 1].astype(int)
    free = glance.view.layer[rows, cols] == (WALL if mark.surface == "lining" else GROUND)
    opening = (opening_m(mark) or 0.0) * optics.calibration.fx / float(np.median(depth[ok]))
    # The box goes around a crack's lines, not through their middles.
    low, high = pixels[ok].min(axis=0) - opening / 2, pixels[ok].max(axis=0) + opening / 2
    box = _clipped((float(low[0]), float(low[1]), float(high[0]), float(high[1])), width, height)
    seen = Sighting(
        glance.frame,
        box,
        round(float(free.sum()) / len(pixels), 3),
        round(float(np.hypot(x.mean(), y.mean())), 2),
        round(float(glance.grey[int(box[1]) : int(box[3]) + 1, int(box[0]) : int(box[2]) + 1].mean()), 1),
        round(_contrast(glance.grey, box, cols[free], rows[free]), 3),
    )
    if seen.visible_share < MIN_SHARE or _sides(box)[0] < MIN_PX or _sides(box)[1] < 1.0:
        return None
    wide_enough = not mark.is_line or opening >= truth.CLEAR_OPENING_PX
    return msgspec.structs.replace(seen, clear=wide_enough and truth.is_clear(seen))


def _sides(box: Box) -> tuple[float, float]:
    """The longer and the shorter side of a box."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return max(wide, high), min(wide, high)


def _contrast(grey: Image, box: Box, cols: Image, rows: Image) -> float:
    """How far its own pixels differ from those around it beyond what these differ by, as a share of them."""
    if not len(cols):
        return 0.0
    margin = 4 + 0.15 * max(box[2] - box[0], box[3] - box[1])
    x0, y0 = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
    around = grey[y0 : int(box[3] + margin) + 1, x0 : int(box[2] + margin) + 1].astype(np.float32)
    own = np.zeros(around.shape, bool)
    own[rows - y0, cols - x0] = True
    rest = around[~own]
    if not rest.size:
        return 0.0
    reference = float(np.median(rest))
    grain = float(np.median(np.abs(rest - reference)))
    return max(0.0, float(np.abs(around[own] - reference).mean()) - grain) / max(reference, 1.0)


def _clipped(box: Box, width: int, height: int) -> Box:
    x1, x2 = (round(min(max(x, 0.0), float(width)), 1) for x in (box[0], box[2]))
    y1, y2 = (round(min(max(y, 0.0), float(height)), 1) for y in (box[1], box[3]))
    return x1, y1, x2, y2


def see_upright(shown: Shown, glance: Glance, distance_m: float) -> tuple[Sighting | None, Sighting | None]:
    """One car or person, and its plate or face, in one frame."""
    painted = glance.view.areas.get(shown.index, 0)
    if not painted:
        return None, None
    layer, code = glance.view.layer, UPRIGHTS + shown.index
    whole = _seen(shown.box, count(layer, shown, code) / painted, glance, distance_m)
    if shown.detail is None:
        return whole, None
    x1, y1, x2, y2 = _clipped(shown.detail, layer.shape[1], layer.shape[0])
    part = layer[int(y1) : int(y2) + 1, int(x1) : int(x2) + 1]
    free = float((part == code).mean()) if part.size else 0.0
    return whole, _seen(shown.detail, free, glance, distance_m)


def _seen(box: Box, free: float, glance: Glance, distance_m: float) -> Sighting | None:
    """A box of which the share `free` has nothing in front, cut to the picture."""
    height, width = glance.grey.shape
    inside = _clipped(box, width, height)
    area = (box[2] - box[0]) * (box[3] - box[1])
    share = free * (inside[2] - inside[0]) * (inside[3] - inside[1]) / max(area, 1e-6)
    if share < MIN_SHARE or _sides(inside)[0] < MIN_PX:
        return None
    return Sighting(glance.frame, inside, round(min(1.0, share), 3), round(distance_m, 2))
