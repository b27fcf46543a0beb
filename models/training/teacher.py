# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""People and vehicles on pictures that nobody labelled for them, from YOLOX-nano (COCO, Apache-2.0).

What the teacher is sure of becomes a label, what it doubts becomes a region to ignore. A score against
these labels is agreement with a teacher, not truth.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.training.dataset import load_road, shared_folder

# index in COCO's 80 classes -> class here
COCO = {0: "person", 1: "person", 3: "person", 2: "vehicle", 5: "vehicle", 7: "vehicle"}
SURE = 0.40
DOUBTFUL = 0.12
SIDE = 416
GREY = 114


def teach(out: Path, splits: tuple[str, ...] = ("train", "val", "test")) -> dict[str, Any]:
    """Label every picture once; a second call reads what the first one wrote."""
    if out.exists():
        read: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return read
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.inter_op_num_threads = 1
    model = shared_folder() / "weights" / "detector" / "yolox_nano.onnx"
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    labels = {}
    for split in splits:
        for sample in load_road(split):
            picture = np.asarray(cv2.imread(str(sample.path)), np.uint8)
            labels[sample.path.relative_to(shared_folder() / "data" / "road").as_posix()] = _look(session, picture)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(labels), encoding="utf-8")
    return labels


def _look(session: onnxruntime.InferenceSession, picture: NDArray[np.uint8]) -> dict[str, Any]:
    scale = SIDE / max(picture.shape)
    small = cv2.resize(picture, None, fx=scale, fy=scale)
    canvas = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    (raw,) = session.run(None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})
    cells = np.concatenate([_cells(stride) for stride in (8, 16, 32)])
    centre = (raw[0, :, :2] + cells[:, :2]) * cells[:, 2:]
    half = np.exp(raw[0, :, 2:4]) * cells[:, 2:] / 2
    boxes = np.concatenate((centre - half, centre + half), 1) / scale
    height, width = picture.shape[:2]
    boxes = boxes.clip(0, [width, height, width, height])
    found: dict[str, Any] = {"sure": [], "doubtful": []}
    for name in ("person", "vehicle"):
        columns = [5 + index for index, target in COCO.items() if target == name]
        scores = raw[0, :, columns].max(0) * raw[0, :, 4]
        chosen = scores > DOUBTFUL
        xywh = np.concatenate((boxes[chosen, :2], boxes[chosen, 2:] - boxes[chosen, :2]), 1)
        for index in cv2.dnn.NMSBoxes(xywh.tolist(), scores[chosen].tolist(), DOUBTFUL, 0.5):
            kind = "sure" if scores[chosen][index] >= SURE else "doubtful"
            found[kind].append((name, [round(float(v), 1) for v in boxes[chosen][index]]))
    return found


def _cells(stride: int) -> NDArray[np.float32]:
    count = SIDE // stride
    rows, columns = np.mgrid[:count, :count]
    return np.stack((columns, rows, np.full_like(rows, stride)), -1).reshape(-1, 3).astype(np.float32)
