# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.training.augment import MAP_STRIDE, cells, compose
from models.training.classes import STREET
from models.training.drives import load_drives
from tests.models.test_metric import HERE, THERE, sample

PICTURE = np.full((192, 320, 3), 128, np.uint8)
SAME = (1.0, 1.0)


@pytest.mark.parametrize("seed", range(30))
def test_boxes_stay_in_the_picture_and_carry_every_class_they_belong_to(seed: int) -> None:
    one = sample([(HERE, "pothole"), (THERE, "alligator_crack")], ["pothole", "crack"])
    example = compose([(one, PICTURE)] * 4, (640, 384), (0.7, 1.5), np.random.default_rng(seed))
    assert example.picture.shape == (384, 640, 3)
    assert (example.boxes >= 0).all()
    assert (example.boxes <= [640, 384, 640, 384]).all()
    for target in example.targets:
        names = {STREET.names[index] for index in np.flatnonzero(target)}
        assert names in ({"pothole"}, {"alligator_crack", "crack"})


def test_what_nobody_looked_for_is_unknown_in_its_cell_and_known_in_the_other() -> None:
    holes = sample([], ["pothole"])
    cracks = sample([], ["crack"])
    example = compose([(holes, PICTURE), (cracks, PICTURE)], (640, 384), SAME, np.random.default_rng(0))
    left, right = example.known[:, :, : 320 // MAP_STRIDE], example.known[:, :, 320 // MAP_STRIDE :]
    assert left[STREET.index("pothole")].all()
    assert not left[STREET.crack].any()
    assert right[STREET.crack].all()
    assert not right[STREET.index("pothole")].any()


def test_under_an_untyped_crack_no_type_is_known_but_the_crack_is() -> None:
    one = sample([((0.0, 0.0, 320.0, 192.0), "crack")], ["crack", *(STREET.names[label] for label in STREET.typed)])
    example = compose([(one, PICTURE)], (640, 384), SAME, np.random.default_rng(1))
    assert example.known[STREET.crack].all()
    assert not example.known[list(STREET.typed), 24, 40].any()


def test_a_region_to_ignore_blanks_its_own_group_alone() -> None:
    one = sample([], ["crack", "pothole"], ignored=[((0.0, 0.0, 320.0, 192.0), "crack")])
    example = compose([(one, PICTURE)], (640, 384), SAME, np.random.default_rng(1))
    assert not example.known[STREET.crack, 24, 40]
    assert example.known[STREET.index("pothole")].all()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_cells_cover_the_canvas_once(count: int) -> None:
    covered = np.zeros((384, 640), int)
    for left, top, right, bottom in cells(640, 384, count):
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()


def test_the_same_seed_gives_the_same_example() -> None:
    one = sample([(HERE, "pothole")], ["pothole"])
    first, second = (compose([(one, PICTURE)], (640, 384), (0.7, 1.5), np.random.default_rng(3)) for _ in "ab")
    assert (first.picture == second.picture).all()
    assert (first.boxes == second.boxes).all()


def test_a_drive_for_tests_is_not_for_training(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    table = {"info": {"seed": 7}, "images": [], "annotations": [], "categories": []}
    (drive / "instances.json").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(ValueError, match="seed 7 is not for training"):
        load_drives(tmp_path)


def test_a_drive_knows_every_class(tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    names = ["longitudinal_crack", "transverse_crack", "alligator_crack", "pothole", "person", "vehicle"]
    image = {"id": 1, "file_name": "a.jpg", "annotated_classes": names, "source": "simulated", "seq": "s"}
    table = {
        "info": {"seed": 1000},
        "images": [image],
        "annotations": [{"image_id": 1, "category_id": 4, "bbox": [1, 2, 3, 4], "iscrowd": 0}],
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(names)],
    }
    (drive / "instances.json").write_text(json.dumps(table), encoding="utf-8")
    (one,) = load_drives(tmp_path)
    assert one.known.all()
    assert one.view == "simulated"
    assert one.boxes.tolist() == [[1, 2, 4, 6]]
    assert one.labels.tolist() == [STREET.index("pothole")]
