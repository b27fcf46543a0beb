# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The self-test of a release: stored pictures with known answers, judged by real ONNX models, good and bad."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.cli import main
from edge.errors import ModelError
from edge.selftest import selftest
from edge.types import Detection
from edge.update.proof import SelfTest
from edge.update.refusal import RefusedError
from edge.vision.package import load_package
from edge.vision.proof import missed, prove
from tests.update.onnx_by_hand import always

STREET = Path(__file__).parents[2] / "models" / "street"
CLASSES = 7


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shutil.copytree(STREET, tmp_path / "models" / "street")
    return tmp_path / "models"


def change(models: Path, old: str, new: str) -> None:
    manifest = models / "street" / "model.toml"
    text = manifest.read_text(encoding="utf-8")
    assert old in text
    manifest.write_text(text.replace(old, new), encoding="utf-8")


def put(models: Path, boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
    """Replace the model, as somebody would who packed a bad one in good faith: hashes and expectations fit."""
    folder = models / "street"
    content = always(boxes, scores, 640, 384)
    (folder / "model-int8.onnx").write_bytes(content)
    text = (folder / "model.toml").read_text(encoding="utf-8")
    head, first, _ = text.split("[[onnx]]")
    sha256 = hashlib.sha256(content).hexdigest()
    first = re.sub(r'sha256 = "\w+"', f'sha256 = "{sha256}"', first.split("[[onnx.expected]]")[0])
    scores_at = text.find("[[scores]]")
    rest = text[scores_at:] if scores_at >= 0 else "scores = []"
    body = f"{head}[[onnx]]{first}expected = []\n\n{rest}"
    (folder / "model.toml").write_text(body, encoding="utf-8")


def test_what_is_shipped_passes(models: Path) -> None:
    (judged,) = selftest(models, None)
    assert (judged.name, judged.pictures) == ("street", 3)


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_both_files_pass_and_not_by_a_thread(precision) -> None:
    package = load_package(STREET, precision=precision)
    assert prove(package, precision=precision) == 3
    for picture in package.manifest.selftest.pictures:
        assert len(picture.known) >= 3
        assert (STREET / picture.file).stat().st_size < 60_000


def test_a_model_that_loads_and_finds_nothing_is_refused(models: Path) -> None:
    put(models, np.zeros((5, 4), np.float32), np.zeros((5, CLASSES), np.float32))
    load_package(models / "street")  # all that was asked before: hash, shapes, the drawn picture
    with pytest.raises(ModelError, match=r"selftest selftest/pothole.jpg: pothole at .* was not found"):
        selftest(models, None)


def test_a_model_that_finds_everything_everywhere_is_refused(models: Path) -> None:
    corners = [(x, y) for x in range(0, 640, 16) for y in range(0, 360, 16)]
    small = np.array([(x, y, x + 14, y + 14) for x, y in corners], np.float32)
    known = [one.box for picture in load_package(STREET).manifest.selftest.pictures for one in picture.known]
    boxes = np.concatenate([np.array(known, np.float32), small])
    put(models, boxes, np.ones((len(boxes), CLASSES), np.float32))
    with pytest.raises(ModelError, match=r"was not found|things found, at most"):
        selftest(models, None)


def test_a_model_that_cannot_be_computed_is_refused(models: Path) -> None:
    put(models, np.zeros((5, 4), np.float32), np.zeros((5, CLASSES + 1), np.float32))
    with pytest.raises(ModelError, match=r"output scores"):
        selftest(models, None)


def test_more_things_than_can_be_there() -> None:
    picture = load_package(STREET).manifest.selftest.pictures[0]
    right = [Detection(one.label, 0.9, one.box) for one in picture.known]
    assert missed(picture, right, 0.5) is None
    assert missed(picture, right[1:], 0.5) == "pothole at (252, 308, 335, 359) was not found"
    assert missed(picture, right * 40, 0.5) == f"{len(right) * 40} things found, at most {picture.most} can be there"
    wrong = [Detection("crack", 0.9, picture.known[0].box), *right[1:]]
    assert missed(picture, wrong, 0.5) is not None


def test_a_picture_that_is_not_the_one_that_belongs_there(models: Path) -> None:
    picture = models / "street" / "selftest" / "pothole.jpg"
    picture.write_bytes(picture.read_bytes() + b"x")
    with pytest.raises(ModelError, match=r"pothole.jpg: sha256: is .*, model.toml says"):
        selftest(models, None)
    picture.unlink()
    with pytest.raises(ModelError, match=r"pothole.jpg: file: No such file or directory"):
        selftest(models, None)


def test_a_picture_that_is_none(models: Path) -> None:
    picture = models / "street" / "selftest" / "pothole.jpg"
    before = hashlib.sha256(picture.read_bytes()).hexdigest()
    picture.write_bytes(b"no picture")
    change(models, before, hashlib.sha256(b"no picture").hexdigest())
    with pytest.raises(ModelError, match=r"pothole.jpg: file: is no picture"):
        selftest(models, None)


def test_a_package_without_pictures_proves_nothing(models: Path) -> None:
    manifest = models / "street" / "model.toml"
    text = manifest.read_text(encoding="utf-8")
    head, _, rest = text.partition("[[selftest.pictures]]")
    manifest.write_text(head + rest[rest.index("[origin]") :], encoding="utf-8")
    load_package(models / "street")
    with pytest.raises(ModelError, match=r"selftest.pictures: has none that shows something"):
        selftest(models, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('label = "pothole"\nbox = [', 'label = "hole"\nbox = ['),
        ('file = "selftest/pothole.jpg"', 'file = "../pothole.jpg"'),
        ("most = 43", "most = -1"),
        ("most = 43", "most = 43\nleast = 3"),
    ],
)
def test_a_manifest_that_says_nonsense_of_its_pictures(models: Path, old: str, new: str) -> None:
    change(models, old, new)
    with pytest.raises(ModelError, match=r"selftest.pictures"):
        selftest(models, None)


def test_a_folder_without_the_model_that_the_vehicle_uses(models: Path, tmp_path: Path) -> None:
    config = tmp_path / "vehicle.toml"
    config.write_text('vehicle = "bus-1"\n[tunnel]\nmodel = "lining"\n')
    with pytest.raises(ModelError, match=r"has no package lining, which the vehicle uses"):
        selftest(models, config)
    with pytest.raises(ModelError, match=r"has no package street"):
        selftest(tmp_path / "none", None)


def test_the_command_tells_people_and_programs(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "vehicle.toml"
    config.write_text('vehicle = "bus-1"\n')
    assert main(["selftest", "--models", str(models), "--config", str(config)]) == 0
    assert "street 2026.11.1: 3 pictures judged rightly in" in capsys.readouterr().out
    assert main(["selftest", "--models", str(models), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["pictures"] == 3
    config.write_text("vehicle = 7\n")
    assert main(["selftest", "--models", str(models), "--config", str(config)]) == 2
    assert "vehicle.toml: vehicle" in capsys.readouterr().err
    assert main(["selftest", "--models", str(models), "--config", str(config), "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert "vehicle.toml: vehicle" in said["reason"]


@pytest.mark.integration
def test_the_updater_learns_from_the_real_program_why_a_model_is_refused(models: Path, tmp_path: Path) -> None:
    """As on a vehicle: a release's folder with its program and its models, within the updater's limits."""
    release = tmp_path / "release"
    (release / "bin").mkdir(parents=True)
    (release / "bin" / "wegewart-edge").symlink_to(Path(sys.executable).with_name("wegewart-edge"))
    (release / "models").symlink_to(models)
    prove_it = SelfTest(tmp_path / "vehicle.toml")
    for parent in (*release.parents, *models.parents):
        if parent.is_relative_to(tmp_path.parents[1]):
            parent.chmod(0o755)
    prove_it(release)
    put(models, np.zeros((5, 4), np.float32), np.zeros((5, CLASSES), np.float32))
    with pytest.raises(RefusedError, match=r"selftest: .*pothole at .* was not found") as refused:
        prove_it(release)
    assert refused.value.for_good
