# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What models/street says about itself has to be so."""

from __future__ import annotations

import os
import re

import pytest

from edge.vision.detector import Detector
from edge.vision.package import load_package
from models.training.classes import STREET as CLASSES
from models.training.dataset import load_road, shared_folder
from models.training.evaluate import detect_all, f1_of, table
from models.training.thresholds import GENEROUS
from tests.vision.packages import STREET

CARD = (STREET / "CARD.md").read_text(encoding="utf-8")
PACKAGE = load_package(STREET)


def stated(split: str, precision: str) -> dict[tuple[str, str], float]:
    return {
        (score.view, score.label): score.f1
        for score in PACKAGE.manifest.scores
        if (score.split, score.onnx) == (split, precision)
    }


def test_the_classes_are_those_of_the_training() -> None:
    assert PACKAGE.manifest.classes == CLASSES.names


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_the_card_states_the_scores_of_model_toml(precision: str) -> None:
    block = re.search(rf"<!-- val {precision} -->(.*?)<!-- end -->", CARD, re.DOTALL)
    assert block
    for (view, label), f1 in stated("val", precision).items():
        name = {"crack": r"crack \(every type\)"}.get(label, rf"{label}( \(agreement\))?")
        row = re.search(rf"\| {view} \| {name} \| all \|.*\| ([0-9.]+) \|", block[1])
        assert row, (view, label)
        assert float(row.groups()[-1]) == pytest.approx(f1, abs=0.0006)


def test_people_and_vehicles_have_low_thresholds() -> None:
    """They are blurred where they are found: a wrong one costs a patch, a missed one a face."""
    thresholds = PACKAGE.manifest.thresholds
    assert thresholds["person"] <= GENEROUS
    assert thresholds["vehicle"] <= GENEROUS


@pytest.mark.data
def test_the_scores_on_val_are_those_of_the_card() -> None:
    folder = shared_folder() / "data" / "road"
    if not folder.exists():
        reason = f"the pictures are missing: WEGEWART_SHARED does not lead to {folder}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    rows = table(detect_all(Detector(PACKAGE, 2, "int8"), load_road("val")))
    for (view, label), f1 in stated("val", "int8").items():
        if label not in ("person", "vehicle"):
            assert f1_of(rows, label, view) == pytest.approx(f1, abs=0.005), (view, label)
