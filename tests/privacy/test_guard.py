# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the privacy model finds is unrecognisable in every picture that is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.simulated_drive import config_for, observations
from edge import assembly
from edge.cli import main
from edge.config import VehicleConfig, VisionConfig
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.errors import ModelError
from edge.privacy.guard import Guard
from edge.types import Detection, Picture
from edge.vision.selftest import draw

PERSON = Detection("person", 0.2, (10.0, 10.0, 40.0, 90.0))
CAR = Detection("vehicle", 0.3, (50.0, 20.0, 90.0, 60.0))


class Finds:
    """A model that finds the same in every picture."""

    def __init__(self, *found: Detection) -> None:
        self.found = found
        self.pictures: list[Picture] = []

    def detect(self, picture: Picture) -> Sequence[Detection]:
        self.pictures.append(picture)
        return self.found


class FindsEverywhere:
    """A model for which all of every picture is one person."""

    def detect(self, picture: Picture) -> Sequence[Detection]:
        return (Detection("person", 0.9, (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0]))),)


def picture() -> Picture:
    return np.zeros((100, 100, 3), np.uint8)


def test_what_either_model_finds_is_private():
    assert set(Guard(Finds(PERSON)).private(picture(), [CAR])) == {PERSON, CAR}


def test_without_a_privacy_model_the_other_models_word_has_to_do():
    assert Guard(None).private(picture(), [CAR]) == (CAR,)


def test_several_crops_of_one_picture_cost_one_look_and_the_next_picture_another():
    model = Finds(PERSON)
    guard = Guard(model)
    first, second = picture(), picture()
    for known in ([], [CAR]):
        assert PERSON in guard.private(first, known)
    assert CAR not in guard.private(second, [])
    assert [id(one) for one in model.pictures] == [id(first), id(second)]
    assert guard.looked == 2


def test_nothing_of_a_kept_picture_is_sharp_where_the_privacy_model_finds_a_person(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class Everywhere(Finds):
        package = assembly.detectors(config_for(small_drive))["road"].package
        precision = package.precisions[0]

    person = Detection("person", 0.9, (0.0, 0.0, 2000.0, 2000.0))
    monkeypatch.setattr(assembly, "privacy_detector", lambda _config: Everywhere(person))
    out = tmp_path / "events.jsonl"
    Daemon(config_for(small_drive), lambda _models, _calibration: JsonlSink(out, vehicle="test")).run()
    pictures = [one.picture for one in observations(out) if one.picture is not None]
    assert pictures
    for one in pictures:
        assert one.anonymised.area_share == 1
        assert one.anonymised.people >= 1
        jpeg = cv2.imread(str(tmp_path / "events.jsonl.pictures" / f"{one.sha256}.jpg"))
        rows, columns = (np.abs(np.diff(jpeg.astype(np.int16), axis=axis)).max(2) > 12 for axis in (0, 1))
        assert rows.mean() < 0.1  # edges of blocks alone
        assert columns.mean() < 0.1


def test_a_photo_made_safe_by_hand_goes_past_the_privacy_model_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """So the depot makes citizens' photos safe."""
    monkeypatch.setattr("edge.vision.installed.installed", lambda _models, _name, _threads: Finds(PERSON, CAR))
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.random.default_rng(1).integers(0, 256, (100, 100, 3), np.uint8))
    assert main(["detect", str(photo), "--json", "--safe", "--keep", "0,0,1,1"]) == 0
    kept = json.loads(capsys.readouterr().out)["kept"]["anonymised"]
    assert (kept["people"], kept["vehicles"]) == (1, 1)
    assert kept["area_share"] > 0.5


def config(models: Path, name: str = "privacy") -> VehicleConfig:
    return VehicleConfig(vehicle="test", vision=VisionConfig(models=models, privacy=name))


def test_a_vehicle_without_the_package_or_without_the_wish_drives_without_it(tmp_path: Path):
    assert assembly.privacy_detector(config(tmp_path)) is None
    assert assembly.privacy_detector(config(assembly.MODELS, "")) is None


def test_a_package_that_is_installed_is_used_by_default():
    detector = assembly.privacy_detector(VehicleConfig(vehicle="test"))
    assert detector is not None
    assert detector.package.manifest.task == "privacy"
    assert detector.detect(draw(1, 640, 360)) is not None


def test_a_damaged_package_is_refused_and_never_left_out(tmp_path: Path):
    shutil.copytree(assembly.MODELS / "privacy", tmp_path / "privacy")
    onnx = next((tmp_path / "privacy").glob("*.onnx"))
    onnx.write_bytes(onnx.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="sha256"):
        assembly.privacy_detector(config(tmp_path))
