# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the packages say on this processor: `python -m benchmarks.arm.look OUT PACKAGE... [--inputs OTHER]`.

Writes OUT.npz (inputs, boxes and scores as they leave the model) and OUT.json (final detections, self tests, times).
With `--inputs` the models get the other processor's inputs, bit by bit; final detections begin at the JPEG in any case.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from edge.errors import ModelError
from edge.vision.detector import Detector
from edge.vision.letterbox import fit
from edge.vision.manifest import Precision
from edge.vision.package import ModelPackage, load_package
from edge.vision.proof import prove


def look(
    package: ModelPackage, precision: Precision, inputs: dict[str, Any], arrays: dict[str, Any]
) -> list[dict[str, Any]]:
    """One file of a package on all its stored pictures; fills `arrays`."""
    size = package.manifest.input
    session, detector = package.session(precision, 1), Detector(package, 1, precision)
    found = []
    for stored in package.manifest.selftest.pictures:
        picture = np.asarray(cv2.imread(str(package.folder / stored.file)), np.uint8)
        key = f"{package.manifest.name} {precision} {Path(stored.file).stem}"
        canvas = inputs[f"{key} input"] if inputs else fit(picture, size.width, size.height)[0]
        started = time.monotonic()
        boxes, scores = session.run(canvas)
        spent_s = time.monotonic() - started
        arrays |= {f"{key} input": canvas, f"{key} boxes": boxes, f"{key} scores": scores}
        detections = [
            {
                "label": one.label,
                "score": one.score,
                "margin": one.score - package.manifest.thresholds[one.label],
                "box": one.box,
            }
            for one in detector.detect(picture)
        ]
        found.append({"key": key, "detections": detections, "session_s": spent_s})
    return found


def self_test(folder: Path, precision: Precision) -> str:
    """What the daemon would do with this file here: take it, or refuse it and why."""
    try:
        package = load_package(folder, precision=precision, threads=1)
        return f"holds, {prove(package, precision=precision, threads=1)} stored pictures too"
    except ModelError as error:
        return f"REFUSED: {error}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("packages", type=Path, nargs="+")
    parser.add_argument("--inputs", type=Path, help="another OUT.npz whose inputs are taken")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    inputs = dict(np.load(arguments.inputs)) if arguments.inputs else {}
    arrays: dict[str, Any] = {}
    pictures, tests = [], {}
    for folder in arguments.packages:
        package = load_package(folder, threads=1)
        for precision in package.precisions:
            tests[f"{package.manifest.name} {precision}"] = self_test(folder, precision)
            pictures += look(package, precision, inputs, arrays)
    np.savez(arguments.out.with_suffix(".npz"), **arrays)
    told = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "opencv": cv2.__version__,
        "self_tests": tests,
        "pictures": pictures,
    }
    arguments.out.with_suffix(".json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
