# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The privacy package, and the network that it was made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.vision.detector import Detector
from edge.vision.package import load_package
from edge.vision.proof import prove
from models.training.classes import ALL_VIEWS, PRIVACY
from models.training.covered import Row
from models.training.dataset import load_private

FOLDER = Path(__file__).resolve().parents[2] / "models" / "privacy"


def test_the_package_finds_the_people_and_vehicles_of_its_stored_pictures() -> None:
    package = load_package(FOLDER)
    labels = {one.label for picture in package.manifest.selftest.pictures for one in picture.known}
    assert labels == set(package.manifest.classes) == set(PRIVACY.names)
    assert prove(package) == len(package.manifest.selftest.pictures)


def test_it_is_small_enough_for_a_mobile_download() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 2_300_000


def test_what_is_cut_by_the_edge_of_the_picture_is_found_too() -> None:
    """Vehicles beside the camera are never seen whole."""
    package = load_package(FOLDER)
    stored = next(one for one in package.manifest.selftest.pictures if one.file.endswith("vehicle.jpg"))
    picture = np.asarray(cv2.imread(str(FOLDER / stored.file)), np.uint8)
    x1, y1, x2, y2 = max(
        (known.box for known in stored.known if known.label == "vehicle"),
        key=lambda box: (box[2] - box[0]) * (box[3] - box[1]),
    )
    half = np.ascontiguousarray(picture[:, round((x1 + x2) / 2) :])
    found = [one.box for one in Detector(package).detect(half) if one.label == "vehicle"]
    assert any(box[0] < 5 and box[3] > y1 and box[1] < y2 for box in found)


def test_a_score_is_the_product_of_there_is_something_and_it_is_this() -> None:
    torch = pytest.importorskip("torch")
    from models.training.privacy_net import logit_of_both

    a, b = torch.tensor([-12.0, -1.0, 0.0, 3.0, 14.0]), torch.tensor([[-9.0], [0.5], [11.0]])
    assert torch.allclose(logit_of_both(a, b).sigmoid(), a.sigmoid() * b.sigmoid(), atol=1e-6)


def test_weights_of_half_the_width_give_the_same_answers(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    import onnxruntime

    from models.training.privacy import halve
    from models.training.privacy_net import PrivacyNet, export_net

    torch.manual_seed(0)
    path = tmp_path / "net.onnx"
    export_net(PrivacyNet(), path, (96, 64))
    picture = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    before, size = onnxruntime.InferenceSession(str(path)).run(None, {"image": picture}), path.stat().st_size
    halve(path)
    after = onnxruntime.InferenceSession(str(path)).run(None, {"image": picture})
    assert path.stat().st_size < 0.62 * size
    for one, other in zip(before, after, strict=True):
        assert np.abs(one - other).max() < 0.01 * np.abs(one).max()


def test_scores_are_put_into_model_toml_and_card_and_nothing_else_changes(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from models.training import privacy

    folder = tmp_path / "privacy"
    shutil.copytree(FOLDER, folder)
    rows = [Row(ALL_VIEWS, "person", 7, 0.8, 0.25, 0.1)]
    privacy.write_scores(folder, {"val": rows, "test": rows})
    before, after = load_package(FOLDER).manifest, load_package(folder).manifest
    assert [(one.split, one.boxes, one.recall, one.precision, one.f1) for one in after.scores] == [
        (split, 7, 0.8, 0.25, 0.381) for split in ("val", "test")
    ]
    same = [key for key in before.__struct_fields__ if key != "scores"]
    assert [getattr(before, key) for key in same] == [getattr(after, key) for key in same]
    lines = (folder / "CARD.md").read_text(encoding="utf-8").splitlines()
    assert lines.count("| all | person | 7 | 0.250 | 0.800 | 0.381 | 0.100 |") == 2
    old = (FOLDER / "CARD.md").read_text(encoding="utf-8").splitlines()
    start = old.index("<!-- val fp32 -->")
    assert lines[: start + 1] == old[: start + 1]
    assert lines[-20:] == old[-20:]


def test_what_the_teacher_doubts_at_an_annotated_defect_is_neither_person_nor_vehicle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEGEWART_SHARED", str(tmp_path))
    image = {"id": 1, "file_name": "a.jpg", "view": "v", "source": "s", "seq": "", "annotated_classes": ["pothole"],
             "redistributable": "yes"}  # fmt: skip
    hole = {"image_id": 1, "category_id": 1, "bbox": [100, 100, 50, 40], "iscrowd": 0}
    coco = {"categories": [{"id": 1, "name": "pothole"}], "images": [image], "annotations": [hole]}
    table = tmp_path / "data" / "road" / "instances_train.json"
    table.parent.mkdir(parents=True)
    table.write_text(json.dumps(coco))
    doubts = [["vehicle", [98, 102, 151, 139]], ["person", [100, 20, 150, 139]], ["vehicle", [300, 20, 350, 60]]]
    sure = [["person", [101, 101, 149, 139]]]
    (sample,) = load_private("train", {"a.jpg": {"sure": sure, "doubtful": doubts}})
    assert sample.ignored.tolist() == [doubts[1][1], doubts[2][1]]
    assert sample.boxes.tolist() == [sure[0][1]], "what it is sure of stays a person"
