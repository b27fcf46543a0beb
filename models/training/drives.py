# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Frames of simulated drives (`wegewart-edge simulate`) as training pictures.

Only drives with seeds from 1000 on: those below are for tests and the demonstration. What they bring is measured on
real pictures and on drives apart, never mixed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.training.dataset import Sample, read_coco

FIRST_SEED = 1000
VIEW = "simulated"


def load_drives(folder: Path) -> list[Sample]:
    """Every frame of every drive below the folder, for training."""
    samples = []
    for labels in sorted(folder.glob("*/instances.json")):
        seed = json.loads(labels.read_text(encoding="utf-8"))["info"]["seed"]
        if seed < FIRST_SEED:
            raise ValueError(f"{labels}: seed {seed} is not for training")
        samples += load_drive(labels.parent)
    if not samples:
        raise FileNotFoundError(f"no drive below {folder}")
    return samples


def load_drive(folder: Path) -> list[Sample]:
    """Every frame of one drive."""
    coco: dict[str, Any] = json.loads((folder / "instances.json").read_text(encoding="utf-8"))
    for image in coco["images"]:
        image["view"] = VIEW
    return read_coco(folder, coco)
