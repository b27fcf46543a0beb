# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Severity by a written rule, so that anyone can say why a defect got its grade.

Two rules (docs/severity.md has them as tables), both by the larger extent: `wegewart-1` for what lies on the road,
`wegewart-tunnel-1` for a tunnel's lining and for the classes that only a structure has.
Grade 1 slight to 5 severe. It is an indication for the order of work, never a ZEB value nor a mark of an inspection of
structures, and knows no depth.
"""

from __future__ import annotations

import math
from bisect import bisect_right

from edge.defects.place import Surface
from messages.types import Severity, Size

RULE = "wegewart-1"
TUNNEL_RULE = "wegewart-tunnel-1"

#: Class -> upper bounds in metres of grades 1, 2, 3, 4 for the larger extent; beyond the last: grade 5.
Bounds = dict[str, tuple[float, float, float, float]]
_BOUNDS_M: Bounds = {
    "pothole": (0.10, 0.25, 0.50, 1.00),
    "alligator_crack": (0.30, 1.00, 3.00, 10.0),
    "transverse_crack": (1.00, 3.00, 8.00, 20.0),
    "longitudinal_crack": (1.00, 4.00, 12.0, 30.0),
    "crack": (1.00, 4.00, 12.0, 30.0),
}
#: What can fall on traffic, or lets the steel rust, starts higher: a bound of 0 leaves a grade out. What is a trace of
#: something else ends lower: a bound of infinity leaves the grades above out.
_TUNNEL_BOUNDS_M: Bounds = {
    "crack": (0.50, 2.00, 5.00, 10.0),
    "spalling": (0.0, 0.15, 0.40, 1.00),
    "exposed_rebar": (0.0, 0.0, 0.30, 1.00),
    "water_leakage": (0.30, 1.00, 3.00, 6.00),
    "efflorescence": (0.50, 2.00, 6.00, math.inf),
    "corrosion": (0.20, 0.60, 2.00, math.inf),
}
_CRACKS = frozenset(("longitudinal_crack", "transverse_crack", "alligator_crack"))


def grade(defect_class: str, size: Size | None, surface: Surface = "road") -> Severity | None:
    """The grade of a defect; None where its size is unknown or no rule covers its class."""
    if size is None:
        return None
    rule, bounds = RULE, _BOUNDS_M.get(defect_class)
    if surface == "lining" or bounds is None:
        name = "crack" if defect_class in _CRACKS else defect_class
        rule, bounds = TUNNEL_RULE, _TUNNEL_BOUNDS_M.get(name)
    if bounds is None:
        return None
    return Severity(grade=1 + bisect_right(bounds, max(size.length_m, size.width_m)), rule=rule)
