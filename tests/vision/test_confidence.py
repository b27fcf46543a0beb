# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.types import Detection
from edge.vision.confidence import calibrated, confidence
from edge.vision.decode import decode
from edge.vision.detector import Detector
from edge.vision.manifest import Line, read_manifest
from edge.vision.package import ModelPackageError, load_package
from edge.vision.selftest import draw
from tests.vision.packages import copy_of_street, without_calibration

LINES = st.builds(Line, slope=st.floats(0.05, 20), offset=st.floats(-20, 20))
SCORES = st.floats(0, 1)
LINE = Line(slope=1.7, offset=1.1)


@given(score=SCORES, line=LINES)
def test_a_confidence_is_a_probability(score: float, line: Line) -> None:
    assert 0 <= confidence(score, line) <= 1


@given(line=LINES, scores=st.lists(SCORES, min_size=2))
def test_a_higher_score_is_never_told_lower(line: Line, scores: list[float]) -> None:
    told = [confidence(score, line) for score in sorted(scores)]
    assert told == sorted(told)


def test_half_stays_half_on_the_line_that_changes_nothing() -> None:
    assert confidence(0.5, Line(slope=1, offset=0)) == pytest.approx(0.5)
    assert confidence(0.3, Line(slope=1, offset=0)) == pytest.approx(0.3)
    assert confidence(0.5, Line(slope=1, offset=2)) == pytest.approx(1 / (1 + np.exp(-2)))


def test_a_class_without_a_line_keeps_its_score_and_the_surest_comes_first() -> None:
    found = [Detection("person", 0.6, (0, 0, 9, 9)), Detection("pothole", 0.5, (20, 0, 29, 9))]
    assert [(one.label, one.score > 0.6) for one in calibrated(found, {"pothole": LINE})] == [
        ("pothole", True),
        ("person", False),
    ]


def test_calibration_changes_what_is_told_of_a_box_and_not_which_boxes_are_found(tmp_path: Path) -> None:
    plain = load_package(copy_of_street(tmp_path, without_calibration))
    lines = dict.fromkeys(plain.manifest.classes, LINE)
    other = replace(plain, manifest=msgspec.structs.replace(plain.manifest, calibration=lines))
    picture = draw(plain.manifest.selftest.seed, 640, 384)
    before, after = (Detector(one, threads=1).detect(picture) for one in (plain, other))
    assert before
    assert {(one.label, one.box) for one in before} == {(one.label, one.box) for one in after}
    assert {one.box: one.score for one in after} == {one.box: confidence(one.score, LINE) for one in before}


def test_a_package_without_calibration_tells_the_models_score(tmp_path: Path) -> None:
    package = load_package(copy_of_street(tmp_path, without_calibration))
    detector = Detector(package, threads=1)
    picture = draw(package.manifest.selftest.seed, 640, 384)
    assert package.manifest.calibration == {}
    assert detector.detect(picture) == decode(*detector.look(picture), package.manifest)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[calibration.pothole]\nslope = 0.0\noffset = 0.0\n", ["calibration", "> 0"]),
        ("[calibration.pothole]\nslope = -1.0\noffset = 0.0\n", ["calibration", "> 0"]),
        ("[calibration.pothole]\nslope = nan\noffset = 0.0\n", ["calibration"]),
        ("[calibration.pothole]\nslope = 1.0\noffset = nan\n", ["calibration"]),
        ("[calibration.pothole]\nslope = 1.0\n", ["calibration", "offset"]),
        ("[calibration.hole]\nslope = 1.0\noffset = 0.0\n", ["calibration", "not in classes"]),
    ],
)
def test_a_line_that_would_turn_the_order_or_belongs_to_nothing_is_refused(
    tmp_path: Path, toml: str, words: list[str]
) -> None:
    folder = copy_of_street(
        tmp_path, lambda text: without_calibration(text).replace("[superclass]", f"{toml}\n[superclass]")
    )
    with pytest.raises(ModelPackageError) as caught:
        read_manifest(folder / "model.toml")
    assert all(word in str(caught.value) for word in words), caught.value
