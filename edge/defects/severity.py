# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Severity by a written rule, so that anyone can say why a defect got its grade.

Rule `wegewart-1` (docs/severity.md has it as a table): potholes by their larger extent, cracks by kind and length.
Grade 1 slight to 5 severe. It is an indication for the order of work, never a ZEB value, and knows no depth.
"""

from __future__ import annotations

from bisect import bisect_right

from messages.types import Severity, Size

RULE = "wegewart-1"

#: Class -> upper bounds in metres of grades 1, 2, 3, 4 for the larger extent; beyond the last: grade 5.
_BOUNDS_M: dict[str, tuple[float, float, float, float]] = {
    "pothole": (0.10, 0.25, 0.50, 1.00),
    "alligator_crack": (0.30, 1.00, 3.00, 10.0),
    "transverse_crack": (1.00, 3.00, 8.00, 20.0),
    "longitudinal_crack": (1.00, 4.00, 12.0, 30.0),
    "crack": (1.00, 4.00, 12.0, 30.0),
}


def grade(defect_class: str, size: Size | None) -> Severity | None:
    """The grade of a defect; None where its size is unknown or the rule does not cover its class."""
    bounds = _BOUNDS_M.get(defect_class)
    if bounds is None or size is None:
        return None
    return Severity(grade=1 + bisect_right(bounds, max(size.length_m, size.width_m)), rule=RULE)
