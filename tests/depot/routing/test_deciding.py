# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which rule holds."""

from __future__ import annotations

from typing import Any

import pytest

from depot.routing.deciding import Facts, first_rule, holds
from depot.routing.defaults import OFFICES, RULES
from depot.routing.records import Rule

POTHOLE = Facts(
    defect_class="pothole", surface="road", grade=3, areas=["mitte", "hafen"], road_class="residential", line=None
)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        ({"classes": ("crack", "pothole")}, True),
        ({"classes": ("crack",)}, False),
        ({"surface": "road"}, True),
        ({"surface": "lining"}, False),
        ({"grade_min": 3}, True),
        ({"grade_min": 4}, False),
        ({"areas": ("hafen",)}, True),
        ({"areas": ("sued",)}, False),
        ({"road_classes": ("residential",)}, True),
        ({"road_classes": ("motorway",)}, False),
        ({"lines": ("U79",)}, False),
        ({"classes": ("pothole",), "grade_min": 4}, False),
    ],
)
def test_a_rule_holds_where_all_its_conditions_do(conditions: dict[str, Any], expected: bool) -> None:
    assert holds(Rule(office="a", **conditions), POTHOLE) is expected


def test_a_case_without_a_grade_meets_no_bound_on_it() -> None:
    assert not holds(Rule(office="a", grade_min=1), Facts(defect_class="pothole", surface="road"))


def test_the_first_rule_that_holds_counts() -> None:
    rules = [Rule(office="a", classes=("crack",)), Rule(office="b", grade_min=2), Rule(office="c")]
    assert first_rule(rules, POTHOLE) == 1
    assert first_rule(rules[:1], POTHOLE) is None


@pytest.mark.parametrize(
    ("facts", "office"),
    [
        (Facts("pothole", "road", 2), "wbd-strassen"),
        (Facts("pothole", "road", 5), "wbd-gefahrenstellen"),
        (Facts("crack", "road", None, road_class="motorway"), "autobahn"),
        (Facts("spalling", "lining", 3, line="U79"), "dvg-tunnel"),
        (Facts("spalling", "lining", 3), "wbd-bauwerke"),
    ],
)
def test_the_rules_to_begin_with_leave_nothing_without_an_office(facts: Facts, office: str) -> None:
    number = first_rule(RULES, facts)
    assert number is not None
    assert RULES[number].office == office
    assert {rule.office for rule in RULES} == {one.id for one in OFFICES}
