# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the shipped model finds on a real drive with labelled frames, defect by defect.

    python -m benchmarks.real_drive DRIVE [--package models/street] [--threads N]

DRIVE holds `frames/`, `track.csv` and `instances.json` (COCO boxes; classes `crack` and `pothole`). The labels know no
defects, only boxes in frames, so they go through our own tracker first: each of its tracks counts as one labelled
defect. A labelled defect is found when in ANY of its frames the model has a box of the same family on it (overlap of
one half, and of a tenth for those who want to know whether it was pointed at). An observation is false when no box of
it lies on a label (overlap of a tenth) in any of its frames.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.simulated_drive import config_for
from edge.assembly import MODELS
from edge.defects.matching import family, iou
from edge.defects.tracker import Defect, Tracker, TrackerSettings
from edge.errors import WegewartError
from edge.ports import EndOfRecording
from edge.positioning.estimator import Estimator
from edge.sources import open_sources
from edge.types import Detection, Frame
from edge.vision.detector import Detector
from edge.vision.package import load_package

Boxes = dict[str, list[Detection]]


@dataclass
class Drive:
    """Boxes of the labels and of the model, by frame."""

    labels: Boxes = field(default_factory=dict)
    found: Boxes = field(default_factory=dict)


def read_labels(path: Path) -> Boxes:
    """Boxes by file name; ignore regions are left out."""
    coco = json.loads(path.read_bytes())
    names = {entry["id"]: Path(entry["file_name"]).name for entry in coco["images"]}
    classes = {entry["id"]: entry["name"] for entry in coco["categories"]}
    boxes: Boxes = {name: [] for name in names.values()}
    for entry in coco["annotations"]:
        if entry.get("iscrowd"):
            continue
        x, y, width, height = entry["bbox"]
        box = (x, y, x + width, y + height)
        boxes[names[entry["image_id"]]].append(Detection(classes[entry["category_id"]], 0.99, box))
    return boxes


def run(folder: Path, threads: int, package: Path = MODELS / "street") -> tuple[Drive, list[Defect], list[Defect]]:
    """Labelled defects and the model's observations, both through the same tracker."""
    sources = open_sources(config_for(folder))
    detector = Detector(load_package(package, threads=threads), threads)
    estimator = Estimator()
    # One look makes a labelled defect: the labels are certain.
    by_label = Tracker(TrackerSettings(min_frames=1, min_certainty=0.0), sources.calibration)
    by_model = Tracker(TrackerSettings(), sources.calibration)
    drive = Drive(labels=read_labels(folder / "instances.json"))
    labelled: list[Defect] = []
    observed: list[Defect] = []
    try:
        while True:
            frame: Frame = sources.camera.read()
            for measurement in sources.positions.until(frame.time_s + 2.0):
                estimator.add(measurement)
            pose = estimator.pose_at(frame.time_s)
            found = [d for d in detector.detect(frame.picture) if d.label not in ("person", "vehicle")]
            drive.found[frame.name] = found
            labelled += by_label.step(frame, pose, drive.labels.get(frame.name, [])).finished
            observed += by_model.step(frame, pose, found).finished
    except EndOfRecording:
        labelled += by_label.finish().finished
        observed += by_model.finish().finished
    return drive, labelled, observed


def hits(defect: Defect, others: Boxes, overlap: float) -> bool:
    """Whether in any frame of the defect another box of its family overlaps it so far."""
    return any(
        family(other.label) == family(sighting.detection.label) and iou(other.box, sighting.detection.box) >= overlap
        for sighting in defect.sightings
        for other in others.get(sighting.frame_name, [])
    )


def table(drive: Drive, labelled: Sequence[Defect], observed: Sequence[Defect]) -> list[str]:
    """The figures, one line each."""
    lines = [f"frames                                      {len(drive.found)}"]
    for kind in ("pothole", "crack"):
        defects = [defect for defect in labelled if family(defect.label) == kind]
        near = [defect for defect in defects if len(defect.sightings) > 1]
        seen = [defect for defect in observed if family(defect.label) == kind]
        false = [defect for defect in seen if not hits(defect, drive.labels, 0.1)]
        lines += [
            f"{kind}: labelled defects                    {len(defects)} ({len(near)} in more than one frame)",
            f"{kind}: found in any frame, overlap 0.5     {sum(hits(d, drive.found, 0.5) for d in defects)}",
            f"{kind}: pointed at in any frame, overlap 0.1 {sum(hits(d, drive.found, 0.1) for d in defects)}",
            f"{kind}: observations confirmed              {len(seen)}, of these on no label {len(false)}",
        ]
    return lines


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drive", type=Path)
    parser.add_argument("--package", type=Path, default=MODELS / "street")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    try:
        print("\n".join(table(*run(options.drive, options.threads, options.package))))
    except WegewartError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
