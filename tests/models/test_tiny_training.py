# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A whole training in little: drawn pictures, a tiny network, a cut, quantizing, packing, and the vehicle finds it.

Needs PyTorch: `scripts/test` makes .venv-training for it and runs it there; elsewhere it is skipped.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from edge.vision.detector import Detector  # noqa: E402
from edge.vision.package import load_package  # noqa: E402
from edge.vision.selftest import draw  # noqa: E402
from models.training import package as packing  # noqa: E402
from models.training.calibration import NONE  # noqa: E402
from models.training.classes import STREET  # noqa: E402
from models.training.dataset import load_road  # noqa: E402
from models.training.evaluate import detect_all, f1_of, look_all, table  # noqa: E402
from models.training.export import load_average  # noqa: E402
from models.training.quantize import make_files  # noqa: E402
from models.training.report import calibrate  # noqa: E402
from tests.servers import wait_until  # noqa: E402

#: About a minute of processor time; a machine with much else to do takes several minutes.
pytestmark = pytest.mark.timeout(1200)

SIZE = (192, 128)
ROOT = Path(__file__).resolve().parents[2]
STEPS = 300
RECIPE = f"""
seed = 5
batch = 4
width = 8
save_every = 60
weight_decay = 0.01
ema_decay = 0.9
gradient_limit = 10.0
warmup_steps = 10
open_data_only = false
start_weights = ""
view_weights = {{}}
[[phase]]
steps = {STEPS}
size = {list(SIZE)}
zoom = [0.9, 1.1]
cells = [1.0, 0.0, 0.0]
rate = 8e-3
last_rate = 2e-4
simulated_share = 0.0
"""


#: What all drawn pictures say of themselves.
SAME = {
    "view": "forward_high",
    "source": "drawn",
    "seq": "",
    "redistributable": "yes",
    "annotated_classes": ["pothole", "crack"],
}
COUNTS = {"train": 60, "val": 20, "test": 20}


def road(seed: int) -> tuple[np.ndarray, list[list[float]]]:
    """Asphalt with one to three holes, and their boxes (x, y, width, height)."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    picture = 80 + rng.integers(0, 40, (height, width)) + np.arange(height)[:, None] * 30 // height
    rows, columns = np.mgrid[:height, :width]
    boxes = []
    for third in rng.permutation(3)[: rng.integers(1, 4)]:
        wide, high = rng.uniform(16, 30), rng.uniform(8, 14)
        x, y = width * (2 * third + 1) / 6 + rng.uniform(-3, 3), rng.uniform(height / 2, height - high)
        inside = ((columns - x) / wide) ** 2 + ((rows - y) / high) ** 2 < 1
        picture = np.where(inside, picture // 6, picture)
        boxes.append([x - wide, y - high, 2 * wide, 2 * high])
    return picture.clip(0, 255).astype(np.uint8)[..., None].repeat(3, 2), boxes


def drawn(shared: Path) -> None:
    """A data set in the form of the real one."""
    folder = shared / "data" / "road"
    for offset, (split, count) in enumerate(COUNTS.items()):
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        (folder / split).mkdir(parents=True)
        for number in range(1, count + 1):
            picture, boxes = road(1000 * offset + number)
            name = f"{split}/{number}.png"
            cv2.imwrite(str(folder / name), picture)
            images.append({"id": number, "file_name": name, **SAME})
            annotations += [{"image_id": number, "category_id": 1, "bbox": box, "iscrowd": 0} for box in boxes]
        coco = {"categories": [{"id": 1, "name": "pothole"}], "images": images, "annotations": annotations}
        (folder / f"instances_{split}.json").write_text(json.dumps(coco))


class Training:
    """`scripts/train street` on the drawn pictures, in a process of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.run = folder / name
        command = ["-m", "models.training.train", "street", "--recipe", folder / "tiny.toml", "--threads", "1"]
        env = {**os.environ, "WEGEWART_SHARED": str(folder / "shared"), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command), "--run", str(self.run)], cwd=ROOT, env=env, stderr=subprocess.PIPE
        )

    def ended(self) -> None:
        _, errors = self.process.communicate(timeout=400)
        assert self.process.returncode == 0, errors[-2000:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the pictures, and two runs of the recipe: `whole`, and `cut`, which was killed on the way."""
    folder = tmp_path_factory.mktemp("tiny")
    drawn(folder / "shared")
    nobody = {"sure": [], "doubtful": []}
    names = [
        f"{split}/{n}.png" for split, count in (("train", 60), ("val", 20), ("test", 20)) for n in range(1, count + 1)
    ]
    (folder / "teacher.json").write_text(json.dumps(dict.fromkeys(names, nobody)))
    (folder / "tiny.toml").write_text(RECIPE)
    cut, whole = Training(folder, "cut"), Training(folder, "whole")
    wait_until((cut.run / "last.pt").exists, timeout_s=400, what="the first checkpoint")
    cut.process.send_signal(signal.SIGKILL)
    cut.process.communicate()
    assert cut.process.returncode == -signal.SIGKILL
    assert torch.load(cut.run / "last.pt", weights_only=True)["step"] < STEPS
    Training(folder, "cut").ended()
    whole.ended()
    return folder


@pytest.fixture
def drawn_set(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEGEWART_SHARED", str(folder / "shared"))
    torch.set_num_threads(1)
    return folder


def test_a_run_that_was_killed_ends_with_exactly_the_weights_of_one_that_was_not(folder: Path) -> None:
    whole, cut = (load_average(folder / run / "last.pt").state_dict() for run in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    assert all(torch.equal(whole[key], cut[key]) for key in whole)


def test_it_is_quantized_packed_loaded_by_the_vehicle_and_finds_the_holes(drawn_set: Path) -> None:
    run, out, teacher = drawn_set / "whole", drawn_set / "package", drawn_set / "teacher.json"
    make_files(run, load_road("train"), SIZE)
    package = packing.chosen_on_val(packing.draft(STREET, run, out, "1.0", SIZE), STREET, teacher)
    package = packing.with_selftest(package)
    tables = packing.scored(package, STREET, ["val"], teacher)
    scores = packing.as_scores(tables)
    packing.write(replace(package, manifest=msgspec.structs.replace(package.manifest, scores=scores)))

    loaded = load_package(out)
    assert loaded.precisions[0] == "int8"
    assert loaded.manifest.calibration["pothole"] != NONE
    for precision in loaded.precisions:
        rows = table(detect_all(Detector(loaded, 1, precision), load_road("test")))
        assert f1_of(rows, "pothole") > 0.5, precision
    stated = next(
        one for one in loaded.manifest.scores if (one.onnx, one.label, one.view) == ("int8", "pothole", "all")
    )
    again = table(detect_all(Detector(loaded, 1, "int8"), load_road("val")))
    assert f1_of(again, "pothole") == pytest.approx(stated.f1, abs=0.005)
    assert any(one.label == "pothole" for one in Detector(loaded, 1).detect(draw(3, *SIZE)))

    looks = look_all(Detector(loaded, 1, "int8"), load_road("val"))
    os.utime(out / "model.toml", (0, 0))
    assert calibrate(out, looks) == loaded.manifest
    assert (out / "model.toml").stat().st_mtime == 0, "the report writes what the gate has named"
    packing.write(replace(loaded, manifest=msgspec.structs.replace(loaded.manifest, calibration={})))
    assert calibrate(out, looks) == load_package(out).manifest == loaded.manifest
