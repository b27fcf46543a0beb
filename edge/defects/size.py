# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How large a defect is, from the looks that show its size best.

A pixel covers the more road the farther away it is, along the line of sight with the square of the distance. So each
look's length and width are weighted by the inverse of what an edge's error makes there; looks from 12 m on hardly count
beside one at 6 m. A box that the picture's edge cuts tells nothing of an extent's end and is left out where others
are. The mean is one of robust statistics (each look's weight falls once it disagrees with the median of the good ones).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from edge.defects.footprint import BOX_EDGE_SHARE, Footprint
from edge.defects.surface_place import SurfacePlace
from edge.defects.track import Defect
from messages.types import Size

#: A box cannot place an edge better than this on the road, whatever the arithmetic says.
_MIN_ERROR_M = 0.03
#: Of the looks, those within this factor of the best one's error are asked for the median.
_GOOD = 2.5


def measure(defect: Defect) -> Size | None:
    """Length, width and their error; None without metres. A crack is at least as long as all its looks together."""
    place = defect.place
    if not isinstance(place, SurfacePlace):
        return None
    looks = [sighting.footprint for sighting in defect.sightings if sighting.footprint is not None]
    whole = [look for look in looks if not look.cut] or looks
    if not whole:
        return None
    lengths = [(2 * look.half_length_m, _edge_error_m(look, 0)) for look in whole]
    widths = [(2 * look.half_width_m, _edge_error_m(look, 1)) for look in whole]
    (length_m, length_error_m), (width_m, width_error_m) = _mean(lengths), _mean(widths)
    if place.grows:
        length_m = max(length_m, 2 * place.half_length_m)
    scale_m = max(length_m, width_m) * min(_scale_error(look) for look in whole)
    error_m = max(math.hypot(length_error_m, width_error_m, scale_m) / math.sqrt(2), _MIN_ERROR_M)
    # What was seen is there: an extent too small to be told is told as the least that can be.
    length_m, width_m = max(length_m, _MIN_ERROR_M), max(width_m, _MIN_ERROR_M)
    return Size(length_m=round(length_m, 2), width_m=round(width_m, 2), error_m=round(error_m, 2))


def _edge_error_m(look: Footprint, axis: int) -> float:
    """One standard deviation of an extent: both edges by their own noise, twice the variance of their mean's double."""
    return 2 * math.sqrt(max(float(look.spread[axis, axis]), 1e-4))


def _scale_error(look: Footprint) -> float:
    """By what share sizes are off where the camera's height or angle is: places go with the square of the distance."""
    return 2 * math.sqrt(max(float(look.systematic[0, 0]), 0.0)) / max(look.x_m, 1.0)


def _mean(looks: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Weighted mean of extents and its error."""
    best = min(error for _, error in looks)
    middle = median(extent for extent, error in looks if error <= _GOOD * best)
    weights = [1 / (error**2 + (extent - middle) ** 2) for extent, error in looks]
    total = sum(weights)
    mean = sum(w * extent for w, (extent, _) in zip(weights, looks, strict=True)) / total
    # How a detector draws its boxes around one defect is alike in all looks.
    return mean, math.hypot(1 / math.sqrt(total), BOX_EDGE_SHARE / 2 * mean)
