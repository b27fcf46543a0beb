# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""People and vehicles on the street pictures, for the privacy model: YOLOX-nano (COCO, Apache-2.0) looks four times.

At three sizes and mirrored it finds more than the single look that a vehicle can afford; what the looks are sure of
becomes a label, what they doubt a region to ignore. No person has drawn these boxes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from tqdm import tqdm

from edge.types import Picture
from edge.vision.decode import Scores, suppress
from edge.vision.letterbox import Boxes, fit
from models.training.dataset import load_road, shared_folder
from models.training.privacy_net import NAMES, PrivacyNet, export_net, load_coco

WIDTHS = (416, 640, 960)
SURE = 0.40
DOUBTFUL = 0.10
OVERLAP = 0.5
#: Where the first look finds nothing at all, the others are not made.
NOTHING = 0.04


def teach(out: Path, splits: tuple[str, ...] = ("train",), threads: int = 2) -> dict[str, Any]:
    """Label every picture once; a second call reads what the first one wrote."""
    if out.exists():
        read: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return read
    session = teacher(threads)
    labels = {}
    for split in splits:
        for sample in tqdm(load_road(split), mininterval=10):
            picture = np.asarray(cv2.imread(str(sample.path)), np.uint8)
            name = sample.path.relative_to(shared_folder() / "data" / "road").as_posix()
            found: dict[str, Any] = {"sure": [], "doubtful": []}
            for label, score, box in look(session, picture):
                found["sure" if score >= SURE else "doubtful"].append((label, [round(float(v), 1) for v in box]))
            labels[name] = found
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(labels), encoding="utf-8")
    return labels


def teacher(threads: int = 2) -> onnxruntime.InferenceSession:
    """YOLOX-nano with our two classes, for pictures of any size."""
    net = PrivacyNet().eval()
    load_coco(net, shared_folder() / "weights" / "detector" / "yolox_nano.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "teacher.onnx"
        export_net(net, path, (640, 416), any_size=True)
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def look(
    session: onnxruntime.InferenceSession, picture: Picture, floor: float = DOUBTFUL
) -> list[tuple[str, float, Any]]:
    """All looks together: label, score and box in the picture's pixels, best first per label."""
    views = [(picture, width, False) for width in WIDTHS]
    views.append((np.ascontiguousarray(picture[:, ::-1]), 640, True))
    all_boxes: list[Boxes] = []
    all_scores: list[Scores] = []
    for view, width, mirrored in views:
        if all_scores and all_scores[0].max() < NOTHING:
            break
        height = -(-round(width * picture.shape[0] / picture.shape[1]) // 32) * 32
        canvas, letterbox = fit(view, width, height)
        raw, probabilities = session.run(["boxes", "scores"], {"image": canvas[None]})
        boxes = letterbox.back(raw[0])
        if mirrored:
            boxes[:, [0, 2]] = picture.shape[1] - boxes[:, [2, 0]]
        all_boxes.append(boxes)
        all_scores.append(probabilities[0])
    boxes, scores = np.concatenate(all_boxes), np.concatenate(all_scores)
    found = []
    for column, label in enumerate(NAMES):
        rows = np.flatnonzero((scores[:, column] >= floor) & (boxes[:, 2:] - boxes[:, :2] >= 1).all(1))
        rows = rows[np.argsort(-scores[rows, column], kind="stable")]
        found += [(label, float(scores[row, column]), boxes[row]) for row in rows[suppress(boxes[rows], OVERLAP)]]
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Label people and vehicles on the street pictures.")
    parser.add_argument("--out", type=Path, default=Path("runs/privacy_teacher.json"))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    labels = teach(arguments.out, threads=arguments.threads)
    for kind in ("sure", "doubtful"):
        print(kind, {name: sum(label == name for one in labels.values() for label, _ in one[kind]) for name in NAMES})


if __name__ == "__main__":
    main()
