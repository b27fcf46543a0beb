# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The privacy package scores what it states, and the score says what it is meant to say."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge.errors import InputError
from edge.types import Box, Detection
from edge.vision.detector import Detector
from edge.vision.package import load_package
from models.training import covered, evaluate, marks
from models.training.classes import ALL_VIEWS
from models.training.covered import Row
from models.training.dataset import shared_folder
from models.training.marks import FROM_VEHICLES, RENDERED, Marked
from models.training.recipe import load_recipe

FOLDER = Path(__file__).resolve().parents[2] / "models" / "privacy"
STATED = load_package(FOLDER).manifest.scores
WITHIN = 0.005

PERSON: Box = (100, 100, 120, 160)
FAR: Box = (280, 170, 340, 290)
HIM = Detection("person", 0.9, PERSON)


def assert_stated(rows: Sequence[Row], split: str, views: set[str]) -> None:
    said = {(one.view, one.label): one for one in STATED if one.split == split and one.view in views}
    assert {view for view, _ in said} == views
    assert {(row.view, row.label) for row in rows} == set(said)
    for row in rows:
        one = said[row.view, row.label]
        assert row.marks == one.boxes, row
        assert (row.precision, row.recall, row.f1) == pytest.approx((one.precision, one.recall, one.f1), abs=WITHIN), (
            row
        )


@pytest.mark.timeout(900)
def test_the_stated_score_on_rendered_streets_is_reproduced(tmp_path: Path, monkeypatch, capsys) -> None:
    """By the command that anybody can run: it needs neither marks nor real pictures."""
    drives = [str(drive) for drive in marks.render(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["evaluate", "privacy", "--json", "--drive", *drives])
    assert evaluate.main() == 0
    told = json.loads(capsys.readouterr().out)
    rows = [Row(o["view"], o["label"], o["boxes"], o["recall"], o["precision"], o["needless"]) for o in told]
    assert_stated(rows, "test", {RENDERED})


@pytest.mark.data
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("split", ["val", "test"])
def test_the_stated_score_on_marked_pictures_is_reproduced(split: str) -> None:
    pictures = marks.load_marked(marks.marks_folder(), split)
    rows = covered.score(covered.look_all(Detector(load_package(FOLDER)), pictures))
    assert_stated(rows, split, {ALL_VIEWS, FROM_VEHICLES})


@pytest.mark.data
def test_the_marks_lie_within_the_pictures_and_no_sequence_is_in_both_parts_or_in_the_training() -> None:
    parts: dict[str, set[str]] = {}
    sizes = {}
    for split in ("train", "val", "test"):
        coco = json.loads((shared_folder() / "data/road" / f"instances_{split}.json").read_text())
        sizes |= {one["file_name"]: (one["width"], one["height"], one["seq"]) for one in coco["images"]}
    left_out = set(load_recipe(Path(marks.__file__).with_name("privacy.toml")).left_out)
    for entry in marks.entries(marks.marks_folder()):
        width, height, sequence = sizes[entry["picture"]]
        parts.setdefault(sequence, set()).add(entry["part"])
        assert "/train/" not in entry["picture"] or sequence in left_out
        for one in entry["boxes"]:
            x1, y1, x2, y2 = one["box"]
            assert one["label"] in (*covered.LABELS, marks.UNSURE)
            assert 0 <= x1 < x2 <= width, entry
            assert 0 <= y1 < y2 <= height, entry
    assert all(len(of) == 1 for of in parts.values())


def scored(found: Sequence[Detection], *marked: tuple[str, Box], unsure: tuple[Box, ...] = ()) -> dict[str, Row]:
    picture = Marked(Path("picture.jpg"), (ALL_VIEWS,), marked, unsure)
    return {row.label: row for row in covered.score([(picture, (300, 400), found)])}


def test_a_person_hidden_by_two_boxes_is_covered() -> None:
    halves = [Detection("person", 0.1, (100, 100, 120, 130)), Detection("vehicle", 0.1, (100, 130, 120, 160))]
    assert scored(halves, ("person", PERSON))["person"].recall == 1


def test_a_person_of_whom_a_fifth_is_seen_is_not() -> None:
    legs_left = Detection("vehicle", 0.9, (60, 60, 160, 136))  # grown by 15 % it ends at row 147 of 160
    assert scored([legs_left], ("person", PERSON))["person"].recall == 0


def test_a_face_counts_by_whatever_hides_it_and_apart_from_its_person() -> None:
    face: Box = (106, 102, 114, 112)
    rows = scored([Detection("person", 0.9, face)], ("person", PERSON), ("face", face))
    assert (rows["face"].recall, rows["person"].recall, rows["all"].recall) == (1, 0, 0.5)
    assert (rows["all"].marks, rows["face"].marks) == (2, 1)


def test_precision_is_the_share_of_the_hidden_area_that_is_marked() -> None:
    row = scored([HIM], ("person", PERSON))["person"]
    grown = (20 + 2 * 7) * (60 + 2 * 21)
    assert row.precision == pytest.approx(20 * 60 / grown)
    assert row.needless == pytest.approx((grown - 20 * 60) / (400 * 300))
    assert row.f1 == pytest.approx(2 * row.precision / (1 + row.precision))
    nobody = Detection("person", 0.1, (300, 200, 320, 260))
    assert scored([HIM, nobody], ("person", PERSON))["person"].precision == pytest.approx(row.precision / 2)


def test_hiding_what_nobody_could_judge_is_no_mistake() -> None:
    rows = scored([HIM, Detection("person", 0.1, (300, 200, 320, 260))], ("person", PERSON), unsure=(FAR,))
    assert rows["person"].needless == scored([HIM], ("person", PERSON))["person"].needless
    assert rows["person"].marks == 1


def test_hiding_everything_or_nothing_is_no_good_score() -> None:
    everything = scored([Detection("person", 0.1, (0, 0, 400, 300))], ("person", PERSON))["person"]
    assert everything.recall == 1
    assert everything.precision == pytest.approx(0.01)
    nothing = scored([], ("person", PERSON))["person"]
    assert (nothing.recall, nothing.precision, nothing.f1) == (0, 0, 0)


def test_pictures_weigh_the_same_whatever_their_size() -> None:
    nobody = Detection("person", 0.1, (300, 200, 320, 260))

    def precision(times: int) -> float:
        large = [Detection(one.label, one.score, tuple(times * v for v in one.box)) for one in (nobody,)]
        picture = Marked(Path("large.jpg"), (ALL_VIEWS,), ())
        person = Marked(Path("small.jpg"), (ALL_VIEWS,), (("person", PERSON),))
        looks = [(picture, (300 * times, 400 * times), large), (person, (300, 400), [HIM])]
        return covered.score(looks)[0].precision

    assert precision(1) == pytest.approx(precision(4), abs=1e-3)


def test_rendered_marks_are_what_is_seen_well_enough_and_no_more(drive: Path) -> None:
    pictures = marks.load_rendered(drive)
    labels = {label for one in pictures for label, _ in one.marks}
    assert labels <= set(covered.LABELS)
    assert {"vehicle", "plate"} <= labels
    boxes = [box for one in pictures for _, box in one.marks]
    assert all(max(x2 - x1, y2 - y1) >= 10 for x1, y1, x2, y2 in boxes)
    assert any(one.unsure for one in pictures)
    assert all(one.path.exists() and one.views == (RENDERED,) for one in pictures)


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from edge.simulator import simulate

    folder = tmp_path_factory.mktemp("drive")
    simulate(folder, seed=marks.SEEDS[0], km=0.02, frame_every_m=10.0, scene="street")
    return folder


def shared_with(folder: Path, view: str) -> None:
    road = folder / "data" / "road"
    road.mkdir(parents=True)
    image = {"id": 1, "file_name": "images/val/a.webp", "view": view}
    defects = [
        {"image_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0},
        {"image_id": 1, "bbox": [5, 6, 7, 8], "iscrowd": 1},
    ]
    (road / "instances_val.json").write_text(json.dumps({"images": [image], "annotations": defects}))
    boxes = [{"label": "person", "box": PERSON}, {"label": "unsure", "box": FAR}]
    entry = {"picture": "images/val/a.webp", "boxes": boxes}
    told = {"format": 1, "pictures": [{**entry, "part": "val"}, {**entry, "part": "test"}]}
    (folder / "marks.json").write_text(json.dumps(told))


@pytest.mark.parametrize(("view", "views"), [("forward_high", (ALL_VIEWS, FROM_VEHICLES)), ("web_close", (ALL_VIEWS,))])
def test_a_marked_picture_counts_among_its_part_and_view(tmp_path: Path, monkeypatch, view: str, views) -> None:
    shared_with(tmp_path, view)
    monkeypatch.setenv("WEGEWART_SHARED", str(tmp_path))
    (one,) = marks.load_marked(tmp_path, "val")
    assert (one.views, one.marks, one.unsure) == (views, (("person", PERSON),), (FAR,))
    assert one.defects == ((1, 2, 4, 6),)


def test_a_marked_picture_that_is_missing_is_one_clear_line(tmp_path: Path, monkeypatch, capsys) -> None:
    shared_with(tmp_path, "web_close")
    monkeypatch.setenv("WEGEWART_SHARED", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["evaluate", "privacy", "--split", "val", "--marks", str(tmp_path)])
    assert evaluate.main() == InputError.exit_code
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "a.webp: cannot be read" in told.err
    (tmp_path / "data" / "road" / "instances_val.json").unlink()
    assert evaluate.main() == InputError.exit_code
    assert "set WEGEWART_SHARED" in capsys.readouterr().err
    (tmp_path / "marks.json").unlink()
    assert evaluate.main() == InputError.exit_code
    assert "marks.json: is missing" in capsys.readouterr().err
