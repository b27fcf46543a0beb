# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A city's own cases, from the depot's table of decisions to a training picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from depot.store.database import Database
from depot.store.migration import migrate
from depot.training.choosing import split
from depot.training.cli import export
from depot.training.reading import decided
from edge.vision.detector import Detector
from edge.vision.package import load_package
from edge.vision.selftest import draw
from models import training
from models.training.added import Added, cut, load_added
from models.training.augment import compose
from models.training.classes import MODELS, STREET, TUNNEL
from models.training.dataset import Sample
from tests.depot.training.city import BOX, City
from tests.vision.packages import STREET as STREET_PACKAGE

TRAIN = next(name for name in map("Straße {}".format, range(99)) if split(f"road {name.casefold()}") == "train")
POTHOLE, CRACK = STREET.index("pothole"), STREET.index("crack")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two potholes, a rejected one and a transverse crack."""
    folder = tmp_path_factory.mktemp("export")
    database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
    migrate(database)
    city = City(database)
    city.case(road=TRAIN)
    city.case(road=TRAIN)
    city.case(road=TRAIN, state="rejected", reject_reason="not_a_defect")
    city.case(road=TRAIN, **{"class": "transverse_crack"})
    export(database, city.pictures, decided(database, []), folder / "set", "street")
    database.close()
    return folder / "set"


@pytest.fixture(scope="module")
def samples(exported: Path) -> list[Added]:
    found = load_added(exported, "train")
    assert all(isinstance(sample, Added) for sample in found)
    return found  # type: ignore[return-value]


def picture_of(sample: Sample) -> np.ndarray:
    return np.asarray(cv2.imread(str(sample.path)), np.uint8)


def test_what_the_depot_exports_is_what_the_training_reads(samples: list[Added]) -> None:
    labels = sorted([STREET.names[label] for label in sample.labels] for sample in samples)
    assert labels == [[], ["pothole"], ["pothole"], ["transverse_crack"]]
    for sample in samples:
        assert not sample.known[list(STREET.taught)].any()
        assert sample.known[POTHOLE] != sample.known[CRACK]
        assert len(sample.ignored) == 4


def test_a_case_is_taught_at_the_size_that_vehicles_see(samples: list[Added]) -> None:
    """A box of 120 pixels in a frame 1280 wide is 39 pixels wide in a training picture 416 wide."""
    sample = next(one for one in samples if one.labels.tolist() == [POTHOLE])
    widths = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        made = compose([cut(sample, picture_of(sample), rng)], (416, 256), (1.0, 1.0), rng, 0.0)
        widths += [box[2] - box[0] for box in made.boxes]
    assert np.median(widths) == pytest.approx((BOX[2] - BOX[0]) * 416 / 1280, rel=0.1)


def test_the_edge_of_the_sharp_part_does_not_give_the_box_away(samples: list[Added]) -> None:
    sample = next(one for one in samples if one.labels.tolist() == [POTHOLE])
    picture = picture_of(sample)
    windows = []
    for seed in range(50):
        cut_sample, shown = cut(sample, picture, np.random.default_rng(seed))
        top, bottom, left, right = cut_sample.ignored
        windows.append((left[2], top[3], right[0], bottom[1]))
        x1, y1, x2, y2 = (round(float(value)) for value in windows[-1])
        assert (shown[y1:y2, x1:x2] == picture[y1:y2, x1:x2]).all()
        changed = (shown != picture).any(2)
        changed[y1:y2, x1:x2] = False
        assert changed[y1 - 3 : y1 + 3, x1:x2].any()
        assert x1 <= sample.boxes[0, 0] + 1
        assert x2 >= sample.boxes[0, 2] - 1
    assert min(np.ptp(np.array(windows), axis=0)) >= 5


def test_outside_the_sharp_part_nothing_is_known_and_inside_a_rejected_class_is_absent(samples: list[Added]) -> None:
    sample = next(one for one in samples if not len(one.labels))
    shares = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made = compose([cut(sample, picture_of(sample), rng)], (416, 256), (3.0, 3.0), rng, 0.0)  # nothing around it
        shares.append(made.known[POTHOLE].mean())
        assert not made.known[[label for label in range(len(STREET)) if label != POTHOLE]].any()
    whole = (1.3 * 120) * (1.3 * 70) * (3 * 416 / 1280) ** 2 / (416 * 256)
    assert 0.5 * whole < np.mean(shares) < max(shares) < whole


def test_a_folder_that_is_none_or_was_changed_is_refused_in_one_line(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="wegewart-depot export-training"):
        load_added(tmp_path, "train")
    with pytest.raises(SystemExit, match="is for the model street"):
        load_added(exported, "train", TUNNEL)
    copy = tmp_path / "copy"
    for file in exported.rglob("*"):
        if file.is_file():
            target = copy / file.relative_to(exported)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    next(copy.rglob("*.jpg")).write_bytes(b"another picture")
    with pytest.raises(SystemExit, match="not the file of the table") as raised:
        load_added(copy, "train")
    assert "\n" not in str(raised.value)


def test_a_batch_holds_the_citys_cases_in_the_share_of_the_recipe(samples: list[Added]) -> None:
    pytest.importorskip("torch")
    from models.training.train import Batches
    from tests.models.test_train import RECIPE

    every = np.ones(len(STREET), bool)
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)
    plain = Sample(samples[0].path, "base", "base", "", every, every, *nothing, *nothing)
    recipe = replace(RECIPE, phases=(replace(RECIPE.phases[0], added_share=0.25),), batch=300)
    batches = Batches(recipe, [plain], [], samples)
    with_gaps = [bool((~example.known).any()) for example in batches.make(0)]
    assert np.mean(with_gaps) == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize("model", ["street", "tunnel"])
def test_further_training_starts_as_the_shipped_model(model: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from models.training.model import StreetNet
    from models.training.recipe import load_recipe
    from models.training.train import start

    classes, package = MODELS[model], load_package(STREET_PACKAGE.parent / model, precision="fp32")
    recipe = load_recipe(Path(training.__file__).parent / f"{model}_add.toml")
    assert all(phase.added_share > 0 for phase in recipe.phases)
    assert recipe.start_weights == f"models/{model}/model-fp32.onnx"
    road = draw(package.manifest.selftest.seed, 640, 384)
    picture = torch.from_numpy(road[None]).permute(0, 3, 1, 2).float()
    net = StreetNet(len(classes))
    start(net, recipe.start_weights, picture, classes)
    with torch.no_grad():
        logits, _ = net.eval()(picture)
    _, scores = Detector(package, 1, "fp32").look(road)
    assert np.abs(logits[0].sigmoid().numpy() - scores).max() < 0.05
    assert scores.max() > 0.2
