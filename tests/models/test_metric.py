# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.types import Box, Detection
from models.training.classes import STREET, TUNNEL
from models.training.dataset import Sample, load
from models.training.drives import found_in_any_frame
from models.training.evaluate import f1_of, table
from models.training.metric import Count, judge

LONGITUDINAL = STREET.index("longitudinal_crack")
HERE: Box = (10.0, 10.0, 60.0, 60.0)
THERE: Box = (200.0, 100.0, 300.0, 150.0)


def sample(boxes: list[tuple[Box, str]], scored: list[str], ignored: list[tuple[Box, str]] | None = None) -> Sample:
    ignored = ignored or []
    flags = np.array([name in scored for name in STREET.names])
    return Sample(
        path=Path("picture.webp"),
        view="forward_high",
        source="test",
        sequence="",
        known=flags,
        scored=flags,
        boxes=np.array([box for box, _ in boxes], np.float32).reshape(-1, 4),
        labels=np.array([STREET.index(name) for _, name in boxes], np.int64),
        ignored=np.array([box for box, _ in ignored], np.float32).reshape(-1, 4),
        ignored_labels=np.array([STREET.index(name) for _, name in ignored], np.int64),
    )


def count(one: Sample, found: list[tuple[str, float, Box]], label: int) -> Count:
    return judge(one, [Detection(*detection) for detection in found], label).count()


def test_a_typed_crack_is_right_as_a_crack_whatever_its_name() -> None:
    one = sample([(HERE, "transverse_crack")], ["crack", "transverse_crack"])
    assert count(one, [("alligator_crack", 0.9, HERE)], STREET.crack) == Count(1, 0, 0)
    assert count(one, [("alligator_crack", 0.9, HERE)], LONGITUDINAL) == Count(0, 0, 0)


def test_a_second_box_on_the_same_thing_is_wrong() -> None:
    one = sample([(HERE, "pothole")], ["pothole"])
    assert count(one, [("pothole", 0.9, HERE), ("pothole", 0.8, HERE)], STREET.index("pothole")) == Count(1, 1, 0)


def test_a_box_in_a_region_to_ignore_is_neither_right_nor_wrong() -> None:
    one = sample([], ["crack"], ignored=[((0.0, 0.0, 100.0, 100.0), "crack")])
    assert count(one, [("crack", 0.9, HERE), ("crack", 0.9, THERE)], STREET.crack) == Count(0, 1, 0)


def test_a_region_to_ignore_for_cracks_does_not_hide_a_wrong_pothole() -> None:
    one = sample([], ["pothole"], ignored=[((0.0, 0.0, 100.0, 100.0), "crack")])
    assert count(one, [("pothole", 0.9, HERE)], STREET.index("pothole")) == Count(0, 1, 0)


def test_a_class_that_nobody_looked_for_does_not_count() -> None:
    one = sample([(HERE, "pothole")], ["pothole"])
    found = [Detection("pothole", 0.9, HERE), Detection("crack", 0.9, THERE)]
    rows = table([(one, found)])
    assert f1_of(rows, "pothole") == 1.0
    assert not [row for row in rows if row.label == "crack"]


def test_less_than_half_overlap_is_a_miss_and_a_wrong_box() -> None:
    one = sample([(HERE, "pothole")], ["pothole"])
    assert count(one, [("pothole", 0.9, (40.0, 10.0, 90.0, 60.0))], STREET.index("pothole")) == Count(0, 1, 1)


@pytest.mark.parametrize(("right", "wrong", "missed", "f1"), [(0, 0, 0, 0.0), (1, 1, 1, 0.5), (3, 0, 1, 6 / 7)])
def test_f1(right: int, wrong: int, missed: int, f1: float) -> None:
    assert Count(right, wrong, missed).f1 == pytest.approx(f1)


def test_a_defect_counts_once_if_any_of_its_frames_found_it(tmp_path: Path) -> None:
    def defect(kind: str, *, clear: bool, surface: str = "road") -> dict[str, object]:
        frames = [{"frame": name, "box": HERE} for name in ("a.jpg", "b.jpg")]
        return {"class": kind, "surface": surface, "clear_view": clear, "frames": frames}

    defects = [
        defect("pothole", clear=True),
        defect("transverse_crack", clear=False),
        defect("crack", clear=True, surface="wall"),
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"defects": defects}), encoding="utf-8")
    pothole = Detection("pothole", 0.5, HERE)
    assert found_in_any_frame(tmp_path, {"a.jpg": [], "b.jpg": [pothole]}) == (1, 1, 1, 2)
    assert found_in_any_frame(tmp_path, {"a.jpg": [Detection("crack", 0.5, HERE)], "b.jpg": []}) == (0, 1, 1, 2)
    assert found_in_any_frame(tmp_path, {"a.jpg": [Detection("pothole", 0.5, THERE)], "b.jpg": []}) == (0, 1, 0, 2)


def test_the_tunnel_set_says_what_was_not_looked_for_and_tiles_stand_apart(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "data" / "tunnel"
    folder.mkdir(parents=True)
    image = {"license_tier": "C", "group": "g", "source": "morgan", "not_exhaustive_category_ids": [2]}
    table_of = {
        "images": [
            {"id": 1, "file_name": "a.webp", "is_tile": False, **image},
            {"id": 2, "file_name": "b.webp", "is_tile": True, **image},
        ],
        "categories": [{"id": number, "name": name} for number, name in enumerate(TUNNEL.names, 1)],
        "annotations": [
            {"image_id": number, "category_id": 1, "bbox": [10, 10, 50, 50], "iscrowd": 0} for number in (1, 2)
        ],
    }
    (folder / "instances_val.json").write_text(json.dumps(table_of))
    monkeypatch.setenv("WEGEWART_SHARED", str(tmp_path))
    whole, tile = load(TUNNEL, "val")
    assert [TUNNEL.names[label] for label in np.flatnonzero(~whole.scored)] == ["spalling"]
    rows = table([(one, [Detection("crack", 0.9, HERE), Detection("spalling", 0.9, THERE)]) for one in (whole, tile)])
    counts = {(row.view, row.label): (row.count.right, row.count.wrong) for row in rows}
    assert counts == {
        ("all", "crack"): (1, 0),
        ("morgan", "crack"): (1, 0),
        ("morgan_tile", "crack"): (1, 0),
    }
    assert load(TUNNEL, "val", open_only=True) == []
