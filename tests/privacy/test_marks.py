# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark with marks counts what can be read, and says clearly that marks are missing."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import privacy, privacy_curve
from benchmarks.privacy_marks import Seen, Sums, _add, needless
from edge.errors import InputError
from edge.privacy.anonymise import PrivacySettings
from edge.simulator.truth import load
from edge.types import Box, Detection
from models.training.marks import FROM_VEHICLES, Marked, entries

PLATE = ("plate", (100.0, 100.0, 140.0, 110.0))
DEFECT = (90.0, 90.0, 160.0, 130.0)
MARKED = Marked(Path("picture.webp"), ("all", FROM_VEHICLES), (PLATE,))
NOTHING = (np.zeros((0, 4), np.float32), np.zeros((0, 2), np.float32))


def counted(*found: Detection, street: tuple[Detection, ...] = (), defect=DEFECT) -> Sums:
    sums = Sums()
    _add(
        sums,
        Seen(MARKED, width=400, height=300, raw=NOTHING, street=street, defects=(defect,)),
        found,
    )
    return sums


def readable(sums: Sums) -> dict[str, int]:
    return {name: count["plate"] for name, count in sums.readable.items()}


def test_a_plate_in_a_defects_box_is_readable_until_a_model_covers_its_car():
    car = Detection("vehicle", 0.5, (80, 60, 170, 140))
    assert readable(counted()) == {"bare": 1, "street": 1, "privacy": 1}
    assert readable(counted(street=(car,))) == {"bare": 1, "street": 0, "privacy": 0}
    assert readable(counted(car)) == {"bare": 1, "street": 1, "privacy": 0}
    assert counted(car).covered["plate"] == 1


def test_half_a_plate_covered_is_a_plate_that_can_be_read():
    half = Detection("vehicle", 0.5, (103, 95, 118, 115))
    sums = counted(half)
    assert readable(sums)["privacy"] == 1
    assert sums.covered["plate"] == 0


def test_a_plate_beside_every_sharp_part_cannot_be_read():
    assert readable(counted(defect=(300.0, 200.0, 330.0, 220.0))) == {"bare": 0, "street": 0, "privacy": 0}


def test_what_is_hidden_without_need_is_told():
    assert counted().needless[True] == [0.0]
    assert counted(Detection("person", 0.5, (200, 150, 300, 250))).needless[True][0] > 100 * 100 / (400 * 300)


def test_parts_that_show_the_clerk_nothing_are_counted():
    whole, third = Detection("vehicle", 0.1, DEFECT), Detection("vehicle", 0.1, (90, 90, 105, 130))
    assert "more than half of 1.000 of 1 sharp parts" in needless(counted(whole))
    assert "more than half of 0.000 of 1 sharp parts" in needless(counted(third))


def test_the_curve_tells_each_threshold_and_is_drawn(tmp_path: Path):
    seen = Detection("vehicle", 0.5, (80, 60, 170, 140))
    steps = [privacy_curve.Step(0.1, counted(seen)), privacy_curve.Step(0.6, counted())]
    low, high = privacy_curve.lines(steps)
    assert low.startswith("0.100: ")
    assert "plate 1.000" in low
    assert "plate 0.000" in high
    privacy_curve.draw(steps, 0.1, tmp_path / "curve.png")
    drawn = cv2.imread(str(tmp_path / "curve.png"))
    assert drawn is not None
    assert drawn.std() > 0


def test_drawing_wants_a_curve(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.argv", ["privacy", "--marks", "x", "--draw", "curve.png"])
    with pytest.raises(SystemExit):
        privacy.main()
    assert "--curve" in capsys.readouterr().err


def test_missing_marks_are_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setattr("sys.argv", ["privacy", "--marks", str(tmp_path)])
    assert privacy.main() == InputError.exit_code
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "marks.json: is missing" in text


@pytest.mark.parametrize("content", ["[]", "{", json.dumps({"format": 2, "pictures": []})])
def test_a_file_that_is_none_of_marks_is_refused(tmp_path: Path, content: str):
    (tmp_path / "marks.json").write_text(content)
    with pytest.raises(InputError, match=r"marks\.json"):
        entries(tmp_path)


def test_on_a_rendered_drive_a_false_vehicle_over_a_defect_is_a_part_that_the_clerk_loses(small_drive: Path):
    """And what a drawn car hides is no loss."""
    census = privacy.Census(small_drive)
    frame = next(thing.frames[0] for thing in load(small_drive / "truth.json").objects if thing.label == "vehicle")
    picture = np.zeros((720, 1280, 3), np.uint8)
    census.names[id(picture)] = frame.frame

    def sent(defect: Box, *found: Detection) -> float:
        census.anonymise(picture, defect, found, PrivacySettings(sharp_margin=0.0), horizon_row=None)
        return census.needless.pop() if census.needless else 0.0

    road = (600.0, 650.0, 640.0, 690.0)
    assert sent(road) == 0.0
    assert sent(road, Detection("vehicle", 0.1, road)) == 1.0
    assert sent(frame.box, Detection("vehicle", 0.1, frame.box)) == 0.0
