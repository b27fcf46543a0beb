# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Our street model beside the one open road damage model that runs, on the same pictures with the same metric.

    python -m benchmarks.peer [--split test] [--precision int8]

The peer is RoadDamageDetector_K210 (MIT): a YOLO-Fastest of 320x320 trained on RDD2020. Its files stand in
WEGEWART_SHARED/weights/peer_k210. OpenCV 5 no longer reads Darknet's format, so this command needs OpenCV 4, in an
environment of its own: `pip install 'opencv-python-headless<5' onnxruntime msgspec tqdm`.

Both get, for every class, the threshold with the best F1 on `val`, all views together. Cracks are told apart by type
and, as `crack`, counted whatever their type. The peer keeps the overlap that its own demonstration suppresses with.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np

from edge.types import Picture
from edge.vision.decode import Scores
from edge.vision.detector import Detector
from edge.vision.letterbox import Boxes
from edge.vision.manifest import Manifest, Precision
from edge.vision.package import load_package
from models.training.classes import STREET
from models.training.dataset import Sample, load, shared_folder
from models.training.metric import Judged, average_precision
from models.training.thresholds import STEPS, Look, counted, judge_candidates

ROOT = Path(__file__).resolve().parents[1]
DAMAGE = tuple(name for name in STREET.names if name not in STREET.taught_names)
SIDE = 320
OVERLAP = 0.45
LEAST = 0.02
#: Classes of RDD2020 in ours; D43 and D44 are faded markings.
NAMES = {
    "D00": "longitudinal_crack",
    "D01": "longitudinal_crack",
    "D10": "transverse_crack",
    "D11": "transverse_crack",
    "D20": "alligator_crack",
    "D40": "pothole",
}

See = Callable[[Picture], tuple[Boxes, Scores]]


class Peer:
    """The peer's network in OpenCV."""

    def __init__(self, folder: Path) -> None:
        if not hasattr(cv2.dnn, "readNetFromDarknet"):
            raise SystemExit(f"OpenCV {cv2.__version__} does not read Darknet; see `python -m benchmarks.peer --help`")
        network = folder / "320x320"
        self._net = cv2.dnn.readNetFromDarknet(
            str(network / "yolo-fastest.cfg"), str(network / "yolo-fastest_6000.weights")
        )
        self._names = (folder / "voc.names").read_text(encoding="utf-8").split()

    def look(self, picture: Picture) -> tuple[Boxes, Scores]:
        """Boxes in pixels of the picture and scores of our classes, before any threshold."""
        height, width = picture.shape[:2]
        self._net.setInput(cv2.dnn.blobFromImage(picture, 1 / 255, (SIDE, SIDE), swapRB=True))
        rows = np.concatenate(self._net.forward(self._net.getUnconnectedOutLayersNames()))
        rows = rows[rows[:, 5:].max(1) >= LEAST]
        centre, size = rows[:, :2], rows[:, 2:4]
        boxes = np.concatenate((centre - size / 2, centre + size / 2), 1) * [width, height, width, height]
        scores = np.zeros((len(rows), len(STREET)), np.float32)
        for column, name in enumerate(self._names, 5):
            if name in NAMES:
                label = STREET.index(NAMES[name])
                scores[:, label] = np.maximum(scores[:, label], rows[:, column])
        return boxes.astype(np.float32), scores


@dataclass(frozen=True)
class Contender:
    """A model with what it says about both splits."""

    manifest: Manifest
    val: list[Look]
    looks: list[Look]

    def scores(self, name: str, view: str) -> tuple[int, float, float]:
        """Boxes, AP50 and F1 of a class in a view."""
        label = STREET.index(name)
        val = [one for _, one in judge_candidates(self.val, self.manifest, label)]
        best = max(STEPS, key=lambda step: counted(val, step).f1)
        judged: list[Judged] = [
            one for sample, one in judge_candidates(self.looks, self.manifest, label) if view in ("all", sample.view)
        ]
        count = counted(judged, best)
        return count.boxes, average_precision(judged), count.f1


def look_all(see: See, samples: Sequence[Sample]) -> list[Look]:
    """What a model says of pictures before any threshold."""
    return [(sample, *see(np.asarray(cv2.imread(str(sample.path)), np.uint8))) for sample in samples]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=["val", "test"], default="test")
    parser.add_argument("--precision", choices=["int8", "fp32"], default="int8")
    parser.add_argument("--package", type=Path, default=ROOT / "models" / "street")
    arguments = parser.parse_args()
    precision: Precision = arguments.precision
    package = load_package(arguments.package, precision=precision)
    val, samples = load(STREET, "val"), load(STREET, arguments.split)
    peer = Peer(shared_folder() / "weights" / "peer_k210")
    nms = msgspec.structs.replace(package.manifest.nms, overlap=OVERLAP)
    see = Detector(package, 1, precision).look
    ours = Contender(package.manifest, look_all(see, val), look_all(see, samples))
    theirs = Contender(
        msgspec.structs.replace(package.manifest, nms=nms), look_all(peer.look, val), look_all(peer.look, samples)
    )
    print(f"{arguments.split}, {len(samples)} pictures; ours: {package.manifest.version} {precision}")
    print("| view | class | boxes | AP50 ours | AP50 peer | F1 ours | F1 peer |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for view in ("all", *(view for view, _ in Counter(sample.view for sample in samples).most_common())):
        for name in DAMAGE:
            boxes, ap50, f1 = ours.scores(name, view)
            _, peer_ap50, peer_f1 = theirs.scores(name, view)
            if boxes:
                print(f"| {view} | {name} | {boxes} | {ap50:.3f} | {peer_ap50:.3f} | {f1:.3f} | {peer_f1:.3f} |")


if __name__ == "__main__":
    main()
