# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re

import numpy as np
import pytest

from models.training import sections
from models.training.calibration import Told
from models.training.classes import STREET
from models.training.evaluate import Row, f1_of, markdown, score
from models.training.metric import Count, Judged, Match, average_precision, curve, is_small
from models.training.report import strangers, with_section
from tests.models.test_calibration import MANIFEST, look


def judged(scores: list[tuple[float, bool]], boxes: int) -> list[Judged]:
    return [Judged(tuple(Match(score, right, 40.0) for score, right in scores), (40.0,) * boxes)]


@pytest.mark.parametrize(
    ("scores", "boxes", "expected"),
    [
        ([(0.9, True), (0.8, True)], 2, 1.0),
        ([(0.9, True), (0.8, False)], 2, 0.5),
        ([(0.9, False), (0.8, True)], 1, 0.5),
        ([(0.9, True), (0.8, False), (0.7, True)], 2, 0.5 + 0.5 * 2 / 3),
        ([(0.9, True), (0.9, False)], 1, 0.5),
        ([(0.9, True), (0.8, False), (0.7, False), (0.6, True), (0.5, True)], 3, (1 + 0.6 + 0.6) / 3),
        ([(0.9, False)], 0, 0.0),
        ([], 3, 0.0),
    ],
    ids=[
        "all",
        "half missed",
        "wrong one first",
        "one between",
        "equal scores pass together",
        "later is better",
        "no box",
        "none found",
    ],
)
def test_average_precision(scores: list[tuple[float, bool]], boxes: int, expected: float) -> None:
    assert average_precision(judged(scores, boxes)) == pytest.approx(expected)
    assert average_precision(judged(scores, boxes), is_small) == 0.0


def test_the_curve_passes_through_what_a_threshold_gives() -> None:
    found = judged([(0.9, True), (0.6, False), (0.4, True), (0.3, False)], 3)
    scores, recall, precision = curve(found)
    for number, threshold in enumerate(scores):
        count = found[0].count(float(threshold))
        assert (recall[number], precision[number]) == pytest.approx((count.recall, count.precision))


def test_the_table_tells_ap50_beside_f1_for_programs_and_people() -> None:
    rows = score([look(0.9, right=True), look(0.8, right=False)], MANIFEST)
    row = next(row for row in rows if (row.label, row.view, row.size) == ("pothole", "all", "all"))
    assert row.ap50 == pytest.approx(0.5)
    assert f1_of(rows, "pothole") == pytest.approx(0.5)
    assert "| all | pothole | all | 2 | 0.500 | 0.500 | 0.500 | 0.500 |" in markdown(rows)


def test_a_section_of_a_card_is_replaced_and_one_that_is_missing_is_added() -> None:
    card = "# street\n\n<!-- a -->\nold\n<!-- end -->\n\nby hand\n\n<!-- b -->\nkept\n<!-- end -->\n"
    new = with_section(card, "a", r"new \1")
    assert new == card.replace("old", r"new \1")
    added = with_section(new, "c", "more")
    assert added.startswith(new)
    assert with_section(added, "c", "more") == added


def test_scores_of_other_weights_are_noticed() -> None:
    stated = next(one for one in MANIFEST.scores if (one.onnx, one.split, one.view) == ("int8", "val", "all"))
    right = round(stated.recall * stated.boxes)
    wrong = round(right / stated.precision) - right
    same = Row("all", stated.label, "all", Count(right, wrong, stated.boxes - right))
    other = Row("all", stated.label, "all", Count(right, wrong + 40, stated.boxes - right))
    assert strangers(MANIFEST, {("val", "int8"): [same]}) == []
    (line,) = strangers(MANIFEST, {("val", "int8"): [other]})
    assert stated.label in line


def test_the_summary_leaves_out_views_with_few_boxes() -> None:
    rows = [
        Row(view, "pothole", "all", Count(boxes // 2, 1, boxes - boxes // 2), 0.25)
        for view, boxes in (("all", 30), ("forward_high", 20), ("web_close", 3))
    ]
    text = sections.summary({("val", "int8"): rows, ("test", "int8"): rows, ("test", "fp32"): rows}, STREET)
    assert re.findall(r"\| pothole \| (\w+) \|", text) == ["all", "forward_high"]
    assert "| 30 / 30 |" in text
    assert "0.250" in text


def test_the_calibration_table_has_a_row_for_every_class_and_for_all() -> None:
    told = {name: Told(np.array([0.2, 0.7]), np.array([False, True]), ("a", "b")) for name in ("pothole", "crack")}
    text = sections.calibration({"val": told, "test": told}, {})
    assert [line.split(" |")[0] for line in text.splitlines()[2:]] == ["| pothole", "| crack", "| all together"]
    assert text.splitlines()[-1].startswith("| all together | 4 | 0.250 | 0.250 |")
