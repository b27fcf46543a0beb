# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a defect can be said to be: the classes of the two models, in the order of their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

KINDS: Mapping[Literal["road", "lining"], tuple[str, ...]] = {
    "road": ("longitudinal_crack", "transverse_crack", "alligator_crack", "pothole", "crack"),
    "lining": ("crack", "spalling", "water_leakage", "efflorescence", "exposed_rebar", "corrosion"),
}
#: Of a road: `crack` is the class of all of them.
ROAD_CRACKS = ("longitudinal_crack", "transverse_crack", "alligator_crack", "crack")
