# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores become probabilities; thresholds follow a stated cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.vision.confidence import confidence
from edge.vision.decode import decode
from edge.vision.manifest import Line, Manifest, read_manifest
from models.training import calibration, thresholds
from models.training.calibration import NONE, Told, crossed, error, fit, fit_all, told
from models.training.metric import Count, Judged, judge
from models.training.thresholds import Look, choose, cost_s, counted
from tests.models.test_metric import HERE, sample
from tests.vision.packages import STREET

MANIFEST: Manifest = read_manifest(STREET / "model.toml")
POTHOLE = MANIFEST.classes.index("pothole")
TRUE = Line(slope=1.8, offset=0.9)


def boxes(count: int, seed: int, line: Line = TRUE) -> Told:
    chance = np.random.default_rng(seed)
    scores = chance.uniform(0.2, 0.8, count)
    right = chance.random(count) < [confidence(float(score), line) for score in scores]
    return Told(scores, right, tuple(f"place {number % 20}" for number in range(count)))


def look(score: float, *, right: bool, sequence: str = "a") -> Look:
    """A picture with one pothole, and one box that is on it or beside it."""
    one = sample([(HERE, "pothole")], ["pothole"])
    box = HERE if right else (200.0, 100.0, 300.0, 150.0)
    scores = np.zeros((1, len(MANIFEST.classes)), np.float32)
    scores[0, POTHOLE] = score
    object.__setattr__(one, "sequence", sequence)
    return one, np.array([box], np.float32), scores


def test_the_line_that_scores_were_drawn_from_is_found_again() -> None:
    found = fit(boxes(4000, seed=1), NONE, calibration.COMMON_STRAYS)
    assert found.slope == pytest.approx(TRUE.slope, rel=0.15)
    assert found.offset == pytest.approx(TRUE.offset, abs=0.15)


def test_scores_are_more_honest_after_it_on_boxes_that_it_never_saw() -> None:
    line = fit(boxes(600, seed=2), NONE, calibration.COMMON_STRAYS)
    other = boxes(2000, seed=3)
    assert error(other.through(line), other.right) < 0.5 * error(other.scores, other.right)


def test_a_class_with_few_boxes_stays_with_the_others() -> None:
    many = boxes(2000, seed=4)
    few = Told(np.array([0.3, 0.4]), np.array([False, False]), ("x", "y"))
    lines = fit_all({"pothole": many, "crack": few})
    assert abs(lines["crack"].offset - lines["pothole"].offset) < 0.5


def test_without_any_box_nothing_is_changed() -> None:
    none = Told(np.array([]), np.array([], bool), ())
    assert fit_all({"pothole": none}) == {"pothole": NONE}
    assert error(none.scores, none.right) == 0


def test_what_is_told_of_a_sequence_that_was_left_out_does_not_know_it() -> None:
    honest = boxes(400, seed=5)
    liar = Told(np.full(80, 0.6), np.zeros(80, bool), ("liar",) * 80)
    with_it = {"pothole": calibration.joined([honest, liar])}
    knows = with_it["pothole"].through(fit_all(with_it)["pothole"])[400:]
    left_out = crossed(with_it)["pothole"][400:]
    assert left_out.mean() > knows.mean()


def test_only_boxes_that_pass_the_threshold_count() -> None:
    limit = MANIFEST.thresholds["pothole"]
    looks = [look(limit + 0.1, right=True), look(limit + 0.2, right=False), look(limit - 0.1, right=False)]
    found = told(looks, MANIFEST, "pothole")
    assert found.scores == pytest.approx([limit + 0.1, limit + 0.2])
    assert found.right.tolist() == [True, False]


def test_f1_is_the_same_at_the_threshold_that_calibration_moves_along() -> None:
    looks = [look(0.03 * number, right=number % 3 > 0) for number in range(1, 30)]
    floor = dict.fromkeys(MANIFEST.classes, 0.03)
    raw = [judge(one, decode(where, scores, MANIFEST, floor), POTHOLE) for one, where, scores in looks]
    moved = [
        Judged(tuple(replace(match, score=confidence(match.score, TRUE)) for match in one.matches), one.true_sizes_px)
        for one in raw
    ]
    for threshold in (0.1, 0.3, 0.5):
        assert counted(moved, confidence(threshold, TRUE)) == counted(raw, threshold)


def test_where_a_miss_costs_more_more_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [look(0.5, right=True)] * 4 + [look(0.2, right=True)] * 2 + [look(0.2, right=False)] * 5
    chosen = {}
    for missed_s in (6.0, 60.0):
        monkeypatch.setitem(thresholds.MISSED_S, "pothole", missed_s)
        chosen[missed_s] = choose(looks, MANIFEST, "cost")["pothole"]
    assert 0.2 < chosen[6.0] <= 0.5
    assert chosen[60.0] <= 0.2


def test_wrong_and_missed_boxes_cost_what_is_stated() -> None:
    assert cost_s(Count(right=9, wrong=2, missed=1), "pothole") == 2 * 5 + 30
    assert cost_s(Count(wrong=1, missed=1), "crack") == 5 + 15
