# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge.boxes import iou
from edge.vision.decode import decode, suppress
from edge.vision.manifest import Manifest, read_manifest
from tests.vision.packages import STREET

LIMITS = {
    "pothole": 0.4,
    "longitudinal_crack": 0.3,
    "transverse_crack": 0.3,
    "alligator_crack": 0.3,
    "crack": 0.2,
    "person": 0.1,
    "vehicle": 0.1,
}
BOX = [10.0, 10.0, 50.0, 50.0]
NEAR = [12.0, 10.0, 52.0, 50.0]
FAR = [200.0, 200.0, 260.0, 240.0]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return msgspec.structs.replace(read_manifest(STREET / "model.toml"), thresholds=LIMITS)


def scores(manifest: Manifest, *rows: dict[str, float]) -> np.ndarray:
    return np.array([[row.get(name, 0.0) for name in manifest.classes] for row in rows], np.float32)


def labels(manifest: Manifest, boxes: list[list[float]], *rows: dict[str, float]) -> list[str]:
    found = decode(np.array(boxes, np.float32), scores(manifest, *rows), manifest)
    return [detection.label for detection in found]


def test_a_convincing_type_names_the_crack(manifest: Manifest) -> None:
    assert labels(manifest, [BOX], {"crack": 0.6, "alligator_crack": 0.35}) == ["alligator_crack"]


def test_a_doubtful_type_leaves_it_a_crack(manifest: Manifest) -> None:
    assert labels(manifest, [BOX], {"crack": 0.6, "alligator_crack": 0.25}) == ["crack"]


def test_cracks_of_different_types_on_the_same_place_are_one(manifest: Manifest) -> None:
    rows = {"crack": 0.6, "alligator_crack": 0.5}, {"crack": 0.5, "transverse_crack": 0.5}
    assert labels(manifest, [BOX, NEAR], *rows) == ["alligator_crack"]


def test_a_pothole_in_a_crack_stays(manifest: Manifest) -> None:
    assert set(labels(manifest, [BOX, NEAR], {"crack": 0.6}, {"pothole": 0.5})) == {"crack", "pothole"}


def test_one_box_can_be_a_pothole_and_a_crack(manifest: Manifest) -> None:
    assert set(labels(manifest, [BOX], {"crack": 0.6, "pothole": 0.5})) == {"crack", "pothole"}


def test_what_is_below_its_own_threshold_is_not_reported(manifest: Manifest) -> None:
    assert labels(manifest, [BOX, FAR], {"pothole": 0.39}, {"vehicle": 0.11}) == ["vehicle"]


def test_the_best_comes_first(manifest: Manifest) -> None:
    assert labels(manifest, [BOX, FAR], {"pothole": 0.5}, {"person": 0.9}) == ["person", "pothole"]


corners = arrays(np.float32, (12, 2), elements=st.floats(0, 300, width=32))
sizes = arrays(np.float32, (12, 2), elements=st.floats(1, 300, width=32))


@given(corners, sizes, st.floats(0.1, 0.9))
def test_boxes_that_stay_do_not_overlap_too_much_and_every_other_overlaps_one_that_stays(
    low: np.ndarray, size: np.ndarray, limit: float
) -> None:
    boxes = np.concatenate((low, low + size), 1)
    kept = suppress(boxes, limit)
    assert kept == sorted(set(kept))
    if len(boxes):
        assert kept[0] == 0
    for position, index in enumerate(kept):
        for other in kept[position + 1 :]:
            assert iou(boxes[index].tolist(), boxes[other].tolist()) <= limit + 1e-4
    for index in set(range(len(boxes))) - set(kept):
        better = [iou(boxes[index].tolist(), boxes[other].tolist()) for other in kept if other < index]
        assert max(better) >= limit - 1e-4


def test_a_box_that_was_cut_to_nothing_is_not_reported(manifest: Manifest) -> None:
    assert labels(manifest, [[640.0, 20.0, 640.0, 50.0]], {"pothole": 0.9}) == []


def test_nothing_in_nothing_out() -> None:
    assert suppress(np.zeros((0, 4), np.float32), 0.5) == []
