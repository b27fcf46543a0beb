# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.roads.condition import MARKS_RULE, RULE, Damage, condition, marks, over_traffic

CLASSES = ("pothole", "alligator_crack", "longitudinal_crack", "transverse_crack", "crack", "manhole")


def damage(defect_class: str = "pothole", **values: Any) -> Damage:
    return Damage(number=values.pop("number", 1), defect_class=defect_class, state="confirmed", **values)


def test_a_section_without_damage_is_grade_1() -> None:
    found = condition([], 20.0)
    assert (found.grade, found.by, found.worst) == (1, "nothing", None)


@pytest.mark.parametrize(
    ("damages", "grade", "by"),
    [
        ([damage(grade=1, length_m=0.1, width_m=0.08)], 1, "extent"),
        ([damage(grade=3, length_m=0.6, width_m=0.4)], 3, "severity"),
        ([damage(grade=5, length_m=1.2, width_m=1.0)], 5, "severity"),
        ([damage("alligator_crack", grade=3, length_m=3.0, width_m=2.0)], 4, "extent"),
        ([damage("alligator_crack", grade=5, length_m=12.0, width_m=3.0)], 5, "extent"),
        ([damage("longitudinal_crack", grade=4, length_m=12.0, width_m=0.3)], 3, "extent"),
        ([damage("transverse_crack", grade=5, length_m=0.2, width_m=3.4)], 3, "severity"),
        ([damage(grade=None)] * 2, 2, "extent"),
        ([damage(grade=2, length_m=0.3, width_m=0.3, number=n) for n in range(20)], 4, "extent"),
    ],
)
def test_the_grade_is_the_worse_of_extent_and_worst_defect(damages: list[Damage], grade: int, by: str) -> None:
    found = condition(damages, 20.0)
    assert (found.grade, found.by, found.rule) == (grade, by, RULE)


_metres = st.one_of(st.none(), st.floats(0, 1e7))
_damages = st.lists(
    st.builds(
        Damage,
        number=st.integers(1, 99),
        defect_class=st.sampled_from(CLASSES),
        state=st.just("new"),
        grade=st.one_of(st.none(), st.integers(1, 5)),
        length_m=_metres,
        width_m=_metres,
    ),
    max_size=8,
)


@given(_damages, st.floats(0.5, 30.0))
def test_any_damages_give_a_grade_and_more_of_them_never_a_better_one(damages: list[Damage], section_m: float) -> None:
    grades = [condition(damages[:count], section_m).grade for count in range(len(damages) + 1)]
    assert grades == sorted(grades)
    assert set(grades) <= {1, 2, 3, 4, 5}


@given(_damages)
def test_the_order_of_the_damages_does_not_matter(damages: list[Damage]) -> None:
    there, back = condition(damages, 20.0), condition(damages[::-1], 20.0)
    assert (there.grade, there.damaged_share) == (back.grade, back.damaged_share)


@pytest.mark.parametrize(
    ("defect_class", "grade", "clock", "wanted"),
    [
        ("spalling", 3, 3.0, (0, 0, 2)),
        ("spalling", 3, 11.5, (0, 2, 2)),
        ("spalling", 2, None, (0, 1, 1)),
        ("exposed_rebar", 3, 9.0, (1, 0, 2)),
        ("exposed_rebar", 5, 0.0, (1, 3, 2)),
        ("water_leakage", 1, 0.0, (0, 0, 1)),
        ("water_leakage", 5, 0.0, (0, 0, 3)),
        ("efflorescence", 2, 3.0, (0, 0, 1)),
        ("corrosion", 4, 3.0, (0, 0, 1)),
        ("longitudinal_crack", 5, 0.0, (None, 0, 2)),
    ],
)
def test_marks_are_proposed_by_class_extent_and_place(
    defect_class: str, grade: int, clock: float | None, wanted: tuple[int | None, int, int]
) -> None:
    found = marks(damage(defect_class, grade=grade, lining_clock=clock))
    assert found is not None
    assert wanted == (found.S, found.V, found.D)


def test_a_defect_of_roads_gets_no_marks() -> None:
    assert marks(damage("pothole", grade=5)) is None


def test_what_the_camera_cannot_see_is_said() -> None:
    for defect_class, word in (("crack", "width"), ("exposed_rebar", "loss of section")):
        found = marks(damage(defect_class, grade=3))
        assert found is not None
        assert word in str(found.note)
    unknown = marks(damage("spalling", grade=None))
    assert unknown is not None
    assert "at least" in str(unknown.note)


def test_what_hangs_from_ten_to_two_hangs_over_traffic() -> None:
    assert [over_traffic(clock) for clock in (2.0, 2.1, 6.0, 9.9, 10.0, 0.0, None)] == [
        True, False, False, False, True, True, True,
    ]  # fmt: skip


def test_the_documentation_names_both_rules_and_calls_neither_by_anothers_name() -> None:
    text = (Path(__file__).parents[3] / "docs" / "condition.md").read_text(encoding="utf-8")
    assert RULE in text
    assert MARKS_RULE in text
    assert "no ZEB value" in text
