# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a fix is worth by what it rests on, where the receiver itself does not say or says too much.

All figures are one standard deviation along any one direction, for a moving vehicle in a street.
"""

from __future__ import annotations

from edge.positioning.track import DEFAULT_ERROR_M, RANGE_ERROR_M
from edge.types import FixQuality

#: No fix of this kind is better than that, whatever its receiver claims: reflections do not show in its own residuals.
BEST_ERROR_M: dict[FixQuality, float] = {
    "autonomous": 1.0,
    "differential": 0.6,
    "rtk_float": 0.2,
    "rtk_fixed": 0.02,
    "dead_reckoning": 1.0,
}
#: Error = HDOP x this. Corrections take away satellites' and the atmosphere's part of the range error, not reflections.
RANGE_ERRORS_M: dict[FixQuality, float] = {
    "autonomous": RANGE_ERROR_M,
    "differential": 1.5,
    "rtk_float": 0.5,
    "rtk_fixed": 0.05,
    "dead_reckoning": RANGE_ERROR_M,
}
#: A receiver that rolls on its own sensors and does not say how far it may be off.
RECKONED_ERROR_M = 20.0


def default_error_m(quality: FixQuality | None) -> float:
    """The error of a fix whose receiver says nothing of it but its kind."""
    if quality is None:
        return DEFAULT_ERROR_M
    if quality == "dead_reckoning":
        return RECKONED_ERROR_M
    return DEFAULT_ERROR_M * RANGE_ERRORS_M[quality] / RANGE_ERROR_M


def is_null_island(lat: float, lon: float) -> bool:
    """0, 0 is what receivers say that know nothing."""
    return abs(lat) < 1e-4 and abs(lon) < 1e-4
