# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Short trainings of equal length that differ in one thing each: what the next euro should buy.

Every point is scored on `val` with the thresholds that are best there, so its F1 is a little too good, but for all
points alike. A point that was cut goes on where it stopped; one that is done is not done again.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch

from edge.vision.letterbox import fit
from edge.vision.manifest import Manifest, read_manifest
from models.training.classes import MODELS as CLASSES
from models.training.classes import Classes
from models.training.dataset import Sample, load
from models.training.evaluate import Row, score
from models.training.export import load_average
from models.training.model import StreetNet
from models.training.recipe import Phase, load_recipe
from models.training.teacher import teach
from models.training.thresholds import Look, choose
from models.training.train import train

MODELS = Path(__file__).resolve().parents[1]
SCORED = {
    "street": ("pothole", "crack"),
    "tunnel": ("crack", "spalling", "water_leakage", "efflorescence", "exposed_rebar"),
}
COCO, STREET_MODEL = "detector/yolox_nano.onnx", "models/street/model-fp32.onnx"


@dataclass(frozen=True)
class Point:
    """One training. `share` of the pictures, by place; `width`: channels; `start`: weights, or from nothing.

    `held`: nothing before the heads learns. `pasted`, `weather`: as in a recipe's phase.
    """

    name: str
    share: float = 1.0
    width: int = 16
    size: tuple[int, int] = (416, 256)
    open_only: bool = False
    start: str = COCO
    model: str = "street"
    held: bool = False
    pasted: float = 0.0
    weather: float = 0.0


@dataclass(frozen=True)
class Budget:
    """The same for every point."""

    steps: int
    batch: int


def measure(point: Point, budget: Budget, folder: Path, teacher: Path) -> dict[str, Any]:
    """Train and score one point, or read what an earlier run wrote. The folder: for its checkpoint and result."""
    result = folder / "result.json"
    if result.exists():
        read: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return read
    classes = CLASSES[point.model]
    recipe = load_recipe(MODELS / "training" / f"{point.model}.toml")
    phase = Phase(
        steps=budget.steps, size=point.size, zoom=(0.7, 1.8), cells=(0.35, 0.5, 0.15),
        rate=1.5e-3, last_rate=2e-5, simulated_share=0.0, pasted=point.pasted, weather=point.weather,
    )  # fmt: skip
    recipe = replace(
        recipe, batch=budget.batch, width=point.width, phases=(phase,), warmup_steps=40, save_every=50,
        start_weights=point.start, held=point.held,
    )  # fmt: skip
    taught = teach(teacher) if classes.taught else None
    pictures = nested(load(classes, "train", taught, open_only=point.open_only), point.share)
    train(recipe, folder, classes=classes, real=pictures)
    rows = judge(load_average(folder / "last.pt", classes), load(classes, "val"), point.size, classes)
    spent_s = torch.load(folder / "last.pt", weights_only=True)["spent_s"]
    found = {
        "point": asdict(point),
        "budget": asdict(budget),
        "pictures": len(pictures),
        "minutes": round(spent_s / 60, 1),
        "scores": {
            f"{row.view} {row.label}": {"f1": round(row.count.f1, 4), "ap50": row.ap50, "boxes": row.count.boxes}
            for row in rows
            if row.size == "all" and row.view in ("all", classes.own_view) and row.label in SCORED[point.model]
        },
    }
    result.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def nested(samples: Sequence[Sample], share: float) -> list[Sample]:
    """That share of each source's pictures, place by place (only the last one is cut, along the way).

    Every larger share holds all of a smaller one.
    """
    sources: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        sources[sample.source].append(sample)
    taken: list[Sample] = []
    for own in sources.values():
        own.sort(key=_by_place)
        taken += own[: round(share * len(own))]
    return taken


def _by_place(sample: Sample) -> tuple[bytes, str]:
    place = sample.sequence or sample.path.name
    return hashlib.sha256(place.encode()).digest(), sample.path.name


def judge(net: StreetNet, samples: Sequence[Sample], size: tuple[int, int], classes: Classes) -> list[Row]:
    """The score table of a network with the thresholds that are best on these pictures."""
    manifest = read_manifest(MODELS / classes.model / "model.toml")
    looks = list(_looks(net, samples, size))
    best: Manifest = msgspec.structs.replace(manifest, thresholds=choose(looks, manifest))
    return score(looks, best)


@torch.no_grad()
def _looks(net: StreetNet, samples: Sequence[Sample], size: tuple[int, int]) -> Iterator[Look]:
    for sample in samples:
        canvas, letterbox = fit(np.asarray(cv2.imread(str(sample.path)), np.uint8), *size)
        logits, boxes = net(torch.from_numpy(canvas)[None].permute(0, 3, 1, 2).float())
        yield sample, letterbox.back(boxes[0].numpy()), logits[0].sigmoid().numpy()
