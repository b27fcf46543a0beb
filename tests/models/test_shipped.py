# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the shipped packages say about themselves has to be so."""

from __future__ import annotations

import os
import re
from typing import Literal, TypeAlias, get_args

import pytest

from edge.vision.detector import Detector
from edge.vision.package import load_package
from edge.vision.proof import prove
from models.training.classes import MODELS, TRAINED
from models.training.dataset import load, shared_folder
from models.training.evaluate import detect_all, f1_of, table
from models.training.thresholds import GENEROUS
from tests.vision.packages import STREET

#: How the scores of the privacy package are reproduced: test_privacy_scores.py.
Name: TypeAlias = Literal["street", "tunnel", "privacy"]
PACKAGES = {name: load_package(STREET.parent / name) for name in get_args(Name)}
each_package = pytest.mark.parametrize("name", PACKAGES)
each_file = pytest.mark.parametrize(
    ("name", "precision"), [(name, precision) for name in PACKAGES for precision in PACKAGES[name].precisions]
)


def stated(name: Name, split: str, precision: str) -> dict[tuple[str, str], float]:
    return {
        (score.view, score.label): score.f1
        for score in PACKAGES[name].manifest.scores
        if (score.split, score.onnx) == (split, precision)
    }


@each_package
def test_the_classes_are_those_of_the_training(name: Name) -> None:
    assert PACKAGES[name].manifest.classes == TRAINED[name].names


@each_file
@pytest.mark.parametrize("split", ["val", "test"])
def test_the_card_states_the_scores_of_model_toml(name: Name, split: str, precision: str) -> None:
    card = (PACKAGES[name].folder / "CARD.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- {split} {precision} -->(.*?)<!-- end -->", card, re.DOTALL)
    assert block
    title, _, *lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block[1].strip().splitlines()]
    rows = [dict(zip(title, line, strict=True)) for line in lines]
    written = {
        (row["view"], row.get("class", row.get("label", "")).split(" (")[0]): float(row["F1"])
        for row in rows
        if row.get("size", "all") == "all"
    }
    said = stated(name, split, precision)
    assert said
    for key, f1 in said.items():
        # The card and model.toml are rounded to different places.
        assert written[key] == pytest.approx(f1, abs=0.0011), key


@pytest.mark.parametrize("name", ["street", "privacy"])
def test_people_and_vehicles_have_low_thresholds(name: Name) -> None:
    """They are blurred where they are found: a wrong one costs a patch, a missed one a face."""
    thresholds = PACKAGES[name].manifest.thresholds
    assert thresholds["person"] <= GENEROUS
    assert thresholds["vehicle"] <= GENEROUS


@each_package
def test_every_file_finds_what_is_in_the_stored_pictures(name: Name) -> None:
    for precision in PACKAGES[name].precisions:
        assert prove(PACKAGES[name], precision=precision) >= 1


@pytest.mark.data
@pytest.mark.parametrize("name", MODELS)
def test_the_scores_on_val_are_those_of_the_card(name: Name) -> None:
    classes = MODELS[name]
    folder = shared_folder() / "data"
    if not folder.exists():
        reason = f"the pictures are missing: WEGEWART_SHARED does not lead to {folder}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    rows = table(detect_all(Detector(PACKAGES[name], 2, "int8"), load(classes, "val")))
    said = {key: f1 for key, f1 in stated(name, "val", "int8").items() if key[1] not in classes.taught_names}
    assert said
    for (view, label), f1 in said.items():
        assert f1_of(rows, label, view) == pytest.approx(f1, abs=0.005), (view, label)
