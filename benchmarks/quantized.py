# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a model's INT8 file loses against its FP32 file, and how sure that is.

    python -m benchmarks.quantized {street,tunnel} --split {val,test} [--package FOLDER]

F1 of all views at the package's thresholds. The interval holds the difference in 95 of 100 samples of the same
pictures, drawn with replacement (`models/training/gate.py`): where it reaches from below zero to above, these pictures
do not tell which of the two is better.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from edge.vision.package import load_package
from models.training.classes import MODELS
from models.training.dataset import load
from models.training.evaluate import ALL_VIEWS
from models.training.gate import counts as count
from models.training.gate import gains
from models.training.metric import Count
from models.training.teacher import teach

ROOT = Path(__file__).resolve().parents[1] / "models"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(MODELS))
    parser.add_argument("--split", choices=["val", "test"], required=True)
    parser.add_argument("--package", type=Path, help="default: models/MODEL")
    parser.add_argument("--teacher", type=Path, default=Path("runs/teacher.json"))
    options = parser.parse_args()
    classes = MODELS[options.model]
    package = load_package(options.package or ROOT / options.model)
    samples = load(classes, options.split, teach(options.teacher) if classes.taught else None)
    fp32, int8 = (count(package, samples, precision=precision) for precision in ("fp32", "int8"))
    print("| class | boxes | FP32 | INT8 | difference | 95 of 100 samples |\n| --- | --- | --- | --- | --- | --- |")
    for (view, label), before in fp32.items():
        boxes = int(before[:, [0, 2]].sum())
        if view == ALL_VIEWS and boxes:
            after = int8[view, label]
            scores = [Count(*map(int, part.sum(0))).f1 for part in (before, after)]
            low, high = np.percentile(gains(before, after), [2.5, 97.5])
            print(f"| {label} | {boxes} | {scores[0]:.3f} | {scores[1]:.3f} ", end="")
            print(f"| {scores[1] - scores[0]:+.3f} | {low:+.3f} to {high:+.3f} |")


if __name__ == "__main__":
    main()
