# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The classes of the street model and how they relate."""

from __future__ import annotations

CLASSES = (
    "pothole",
    "longitudinal_crack",
    "transverse_crack",
    "alligator_crack",
    "crack",
    "person",
    "vehicle",
)
COUNT = len(CLASSES)
POTHOLE = CLASSES.index("pothole")
CRACK = CLASSES.index("crack")
PERSON = CLASSES.index("person")
VEHICLE = CLASSES.index("vehicle")
TYPED = tuple(CLASSES.index(f"{kind}_crack") for kind in ("longitudinal", "transverse", "alligator"))
CRACKS = (*TYPED, CRACK)


def implied(label: int) -> tuple[int, ...]:
    """Every class that a box of this class belongs to: a typed crack is also a crack."""
    return (label, CRACK) if label in TYPED else (label,)


def group(label: int) -> tuple[int, ...]:
    """The classes that cannot be judged where a region of this class is to be ignored."""
    return CRACKS if label in CRACKS else (label,)
