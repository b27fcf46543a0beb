# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.false_alarms import Alarms, count, reported, table
from benchmarks.undamaged import Scenery, drives
from edge.simulator.truth import load
from edge.types import Detection, Picture
from edge.vision.detector import Detector
from edge.vision.package import ModelPackage, load_package
from tests.vision.packages import STREET

SEED, KM = 7, 0.06


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (folder,) = drives(tmp_path_factory.mktemp("undamaged"), "street", [SEED], KM)
    return folder


@pytest.fixture(scope="module")
def package() -> ModelPackage:
    return load_package(STREET)


class SeesPotholesIn(Detector):
    """Takes every thing of one kind for a pothole; the frames come in order."""

    kind, truth, frame = "", None, 0

    def detect(self, picture: Picture) -> tuple[Detection, ...]:
        name = f"{self.frame:06d}.jpg"
        SeesPotholesIn.frame += 1
        things = [one for one in self.truth.decoys if one.label == self.kind]
        return tuple(Detection("pothole", 0.9, s.box) for one in things for s in one.frames if s.frame == name)


def test_a_false_alarm_is_put_down_to_what_it_lies_on(
    drive: Path, package: ModelPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = load(drive / "truth.json")
    passed = [one for one in truth.decoys if one.label == "manhole" and len(one.frames) > 4]
    assert passed
    monkeypatch.setattr(SeesPotholesIn, "kind", "manhole")
    monkeypatch.setattr(SeesPotholesIn, "truth", truth)
    monkeypatch.setattr(SeesPotholesIn, "frame", 0)
    monkeypatch.setattr("benchmarks.false_alarms.Detector", SeesPotholesIn)
    alarms = count(package, [drive], threads=1)
    assert alarms.kinds == Counter(manhole=alarms.observations)
    assert alarms.observations >= len(passed)
    assert alarms.labels == Counter(pothole=alarms.observations)
    assert f"({alarms.observations / KM:.1f} per km)" in "\n".join(table(alarms))


def test_a_model_that_sees_nothing_raises_no_alarm(
    drive: Path, package: ModelPackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Detector, "detect", lambda *_: ())
    alarms = Alarms()
    assert reported(Detector(package, threads=1), drive, alarms) == []
    assert alarms.frames == len(load(drive / "truth.json").frames)
    assert alarms.boxes == 0


def test_what_has_no_box_is_known_by_its_place(drive: Path) -> None:
    scenery = Scenery(drive)
    frame = scenery.truth.frames[2].frame
    assert scenery.at(frame, (450.0, 2.0, 470.0, 12.0)) == "wall or sky"
    places = {scenery._ground(s, t) for s in np.arange(5.0, 50.0, 0.5) for t in (0.0, -1.6, 3.5)}
    assert {"marking", "bare asphalt", "kerb and beside"} <= places


def test_a_drive_is_drawn_once(drive: Path) -> None:
    before = (drive / "truth.json").stat().st_mtime_ns
    assert list(drives(drive.parent, "street", [SEED], KM)) == [drive]
    assert (drive / "truth.json").stat().st_mtime_ns == before
    assert cv2.imread(str(drive / "frames" / "000000.jpg")) is not None
