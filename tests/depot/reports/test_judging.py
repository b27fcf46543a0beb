# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What of a photo may be kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot.reports.judging import Verdict, judge_marked, judge_report, touched
from tests.depot.reports.conftest import crop, found, judged

MIDDLE = (0.4, 0.4, 0.6, 0.6)
FAR = (0.0, 0.0, 8.0, 8.0)


def report(*detections: dict[str, Any], expected: str | None = None, on_people: Any = "refuse") -> Verdict:
    return judge_report(judged(*detections), expected=expected, on_people=on_people)


def test_a_defect_alone_is_kept_as_its_crop() -> None:
    verdict = report(found("pothole", score=0.7))
    assert (verdict.refused, verdict.reason, verdict.defect_class, verdict.score) == (False, None, "pothole", 0.7)
    assert verdict.safe is not None
    assert verdict.safe.jpeg.startswith(b"\xff\xd8")


def test_a_person_anywhere_refuses_the_photo() -> None:
    verdict = report(found(), found("person", FAR))
    assert (verdict.refused, verdict.reason, verdict.safe) == (True, "people", None)


def test_by_setting_a_person_far_from_the_defect_is_only_made_unrecognisable() -> None:
    assert report(found(), found("person", FAR), on_people="mosaic").safe is not None


@pytest.mark.parametrize(("label", "reason"), [("person", "people"), ("vehicle", "vehicle")])
def test_a_person_or_a_vehicle_at_the_defect_refuses_it_under_any_setting(label: str, reason: str) -> None:
    verdict = report(found(), found(label, (58, 58, 90, 90)), on_people="mosaic")
    assert (verdict.refused, verdict.reason, verdict.safe) == (True, reason, None)


def test_a_vehicle_in_the_background_is_a_mosaic_anyway() -> None:
    assert report(found(), found("vehicle", FAR)).safe is not None


def test_near_counts_with_the_margins_that_the_vehicle_uses() -> None:
    defect = (40.0, 40.0, 60.0, 60.0)  # sharp to 63
    near, off = judged(found("person", (66, 40, 76, 60))), judged(found("person", (67, 40, 77, 60)))  # grown by 3.5
    assert touched(defect, near.detections) == "people"
    assert touched(defect, off.detections) is None


def test_of_two_defects_the_one_without_a_car_on_it_is_kept() -> None:
    verdict = report(
        found("pothole", (10, 10, 30, 30), 0.9), found("vehicle", (5, 5, 35, 35)), found("crack", (70, 70, 80, 80), 0.4)
    )
    assert (verdict.refused, verdict.defect_class) == (False, "crack")


def test_what_the_citizen_chose_counts_before_the_score() -> None:
    both = found("pothole", score=0.9), found("crack", (70, 70, 80, 80), 0.4)
    assert report(*both).defect_class == "pothole"
    assert report(*both, expected="crack").defect_class == "crack"
    assert report(*both, expected="spalling").defect_class == "pothole"


def test_a_photo_in_which_nothing_is_found_is_accepted_but_not_kept() -> None:
    verdict = report(found("vehicle", FAR))
    assert (verdict.refused, verdict.reason, verdict.safe) == (False, "nothing", None)


def test_a_crew_gets_what_it_marked_unless_a_person_or_a_car_is_there() -> None:
    kept = judge_marked(judged(kept=crop()), MIDDLE, on_people="refuse")
    assert kept.safe is not None
    person = judge_marked(judged(found("person", FAR), kept=crop()), MIDDLE, on_people="refuse")
    assert (person.reason, person.safe) == ("people", None)
    car = judge_marked(judged(found("vehicle", (50, 50, 90, 90)), kept=crop()), MIDDLE, on_people="mosaic")
    assert (car.reason, car.safe) == ("vehicle", None)


BOX = st.tuples(st.floats(0, 90), st.floats(0, 90), st.floats(1, 40), st.floats(1, 40)).map(
    lambda v: (v[0], v[1], v[0] + v[2], v[1] + v[3])
)


@given(
    boxes=st.lists(st.tuples(st.sampled_from(["pothole", "crack", "person", "vehicle"]), BOX), max_size=6),
    on_people=st.sampled_from(["refuse", "mosaic"]),
)
def test_whatever_is_found_a_kept_crop_touches_nobody(boxes: list[Any], on_people: Any) -> None:
    detections = [found(label, box, 0.5 + number / 100) for number, (label, box) in enumerate(boxes)]
    verdict = report(*detections, on_people=on_people)
    if verdict.safe is None:
        assert verdict.reason is not None
        return
    assert not verdict.refused
    (box,) = [one["box"] for one in detections if one["score"] == verdict.score]
    assert touched(box, judged(*detections).detections) is None
    assert on_people == "mosaic" or not any(one["class"] == "person" for one in detections)
