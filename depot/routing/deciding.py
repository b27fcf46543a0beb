# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which rule holds: the pure core of routing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from depot.routing.records import Rule


@dataclass(frozen=True)
class Facts:
    """What rules ask of a case. `areas`: ids of all that it lies in."""

    defect_class: str
    surface: str
    grade: int | None = None
    areas: Collection[str] = ()
    road_class: str | None = None
    line: str | None = None


def first_rule(rules: Sequence[Rule], facts: Facts) -> int | None:
    """Index of the first rule that holds; None where none does."""
    return next((number for number, rule in enumerate(rules) if holds(rule, facts)), None)


def holds(rule: Rule, facts: Facts) -> bool:
    """Whether all conditions hold."""
    return (
        (not rule.classes or facts.defect_class in rule.classes)
        and rule.surface in (None, facts.surface)
        and (rule.grade_min is None or (facts.grade is not None and facts.grade >= rule.grade_min))
        and (not rule.areas or any(area in facts.areas for area in rule.areas))
        and (not rule.road_classes or facts.road_class in rule.road_classes)
        and (not rule.lines or facts.line in rule.lines)
    )
