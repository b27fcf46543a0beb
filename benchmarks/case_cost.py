# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which thresholds cost the depot least when a defect's frames have become one case: F1's or the cheapest per frame?

    python -m benchmarks.case_cost [--package models/street] [--seeds N N] [--km X]

Thresholds are chosen on `val` by F1 and by cost per frame (`models.training.thresholds`, which states the costs). Both
then judge simulated damaged streets through judge and tracker, with several certainties asked of a case. A case is of
the defect that one of its boxes lies on; a second one is repeated, one of no defect is false; a defect in clear view
without a case is missed. Needs the pictures of `val`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import msgspec

from benchmarks.simulated_drive import config_for
from edge import assembly
from edge.defects.matching import family, iou
from edge.defects.tracker import Defect, Tracker, TrackerSettings
from edge.geometry import Calibration
from edge.judging import Judge
from edge.ports import EndOfRecording
from edge.positioning.estimator import Estimator
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.simulator import simulate
from edge.simulator.truth import TrueDefect, Truth, load
from edge.sources import open_sources
from edge.types import Detection, Picture
from edge.vision.confidence import calibrated
from edge.vision.decode import decode
from edge.vision.detector import Detector
from edge.vision.manifest import Manifest
from edge.vision.package import load_package
from models.training.classes import MODELS
from models.training.dataset import load as load_pictures
from models.training.evaluate import look_all
from models.training.metric import Count
from models.training.thresholds import Goal, choose, cost_s

#: The drives that the tracker's certainty was chosen on; those of `false_alarms` are others.
SEEDS, KM = (101, 102), 0.5
FOLDER = Path("runs/damaged")
CERTAINTIES = (0.5, 0.6, 0.7, 0.8, 0.9)
ON = 0.1


@dataclass
class Shown:
    """A detector that tells what another one found."""

    found: Sequence[Detection] = ()

    def detect(self, _picture: Picture) -> Sequence[Detection]:
        """What was found in the picture at hand."""
        return self.found


@dataclass
class Choice:
    """One way to set the thresholds, and what became of it."""

    name: str
    manifest: Manifest
    certainty: float
    counts: dict[str, Count] = field(default_factory=dict)
    repeated: int = 0

    def take(self, truth: Truth, cases: Sequence[Defect]) -> None:
        """Count the cases of one drive."""
        road = {one.id: one for one in truth.defects if one.surface == "road"}
        owners = Counter(owner for case in cases if (owner := _owner(case, road.values())) is not None)
        false = Counter(family(case.label) for case in cases if _owner(case, road.values()) is None)
        self.repeated += sum(number - 1 for number in owners.values())
        for kind in ("pothole", "crack"):
            clear = {one.id for one in road.values() if one.clear_view and family(one.label) == kind}
            found = len(clear & set(owners))
            self.counts[kind] = self.counts.get(kind, Count()) + Count(found, false[kind], len(clear) - found)

    @property
    def cost_s(self) -> float:
        """A repeated case costs what a false one does."""
        return sum(cost_s(count, kind) for kind, count in self.counts.items()) + cost_s(Count(0, self.repeated), "")


def _owner(case: Defect, defects: Collection[TrueDefect]) -> str | None:
    boxes = {sighting.frame_name: sighting.detection.box for sighting in case.sightings}
    best = max(
        (
            (sum(iou(seen.box, boxes[seen.frame]) >= ON for seen in one.frames if seen.frame in boxes), one.id)
            for one in defects
            if family(one.label) == family(case.label)
        ),
        default=(0, ""),
    )
    return best[1] if best[0] else None


def drive(detector: Detector, folder: Path, choices: Sequence[Choice]) -> None:
    """Run the network once and every choice behind it."""
    sources, estimator, truth = open_sources(config_for(folder)), Estimator(), load(folder / "truth.json")
    judges = [_judge(detector, choice, sources.calibration) for choice in choices]
    cases: list[list[Defect]] = [[] for _ in choices]
    try:
        while True:
            frame = sources.camera.read()
            for measurement in sources.positions.until(frame.time_s + 2.0):
                estimator.add(measurement)
            pose = estimator.pose_at(frame.time_s)
            raw = detector.look(frame.picture)
            for choice, (shown, judge), found in zip(choices, judges, cases, strict=True):
                shown.found = calibrated(decode(*raw, choice.manifest), choice.manifest.calibration)
                verdict = judge.look(frame.picture, pose.speed_mps)
                found.extend(judge.tracker.step(frame, pose, verdict.defects).finished)
    except EndOfRecording:
        for choice, (_, judge), found in zip(choices, judges, cases, strict=True):
            choice.take(truth, [*found, *judge.tracker.finish().finished])


def _judge(detector: Detector, choice: Choice, camera: Calibration | None) -> tuple[Shown, Judge]:
    shown = Shown()
    tracker = Tracker(TrackerSettings(min_certainty=choice.certainty), camera)
    return shown, Judge("road", assembly.model_ref(detector), shown, tracker, CoverageLog(), Limits())


def table(choices: Sequence[Choice]) -> list[str]:
    """One line per choice."""
    lines = ["| scores | thresholds by | certainty | potholes missed | cracks missed | false | repeated | cost, s |"]
    lines.append("| --- " * 8 + "|")
    for one in choices:
        holes, cracks = one.counts["pothole"], one.counts["crack"]
        lines.append(
            f"| {'calibrated' if one.manifest.calibration else 'raw'} | {one.name} | {one.certainty:.1f} "
            f"| {holes.missed} of {holes.boxes} | {cracks.missed} of {cracks.boxes} | {holes.wrong + cracks.wrong} "
            f"| {one.repeated} | {one.cost_s:.0f} |"
        )
    return lines


def main() -> None:
    """Choose on val, draw what is missing, drive, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, default=Path("models/street"))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--km", type=float, default=KM, help="of each drive")
    parser.add_argument("--drives", type=Path, default=FOLDER, help="where the drives are kept")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    detector = Detector(load_package(options.package), options.threads)
    manifest = detector.package.manifest
    looks = look_all(detector, load_pictures(MODELS[manifest.name], "val"))
    choices = []
    for goal in get_args(Goal):
        chosen = {**manifest.thresholds, **choose(looks, manifest, goal)}
        for name in looks[0][0].classes.taught_names:  # without the teacher's labels nothing is known of them
            chosen[name] = manifest.thresholds[name]
        for lines in ({}, manifest.calibration):
            told = msgspec.structs.replace(manifest, thresholds=chosen, calibration=lines)
            choices += [Choice(goal, told, certainty) for certainty in CERTAINTIES]
    for seed in options.seeds:
        folder = options.drives / f"street-{seed}-{options.km:g}km"
        if not (folder / "truth.json").exists():
            simulate(folder, seed=seed, km=options.km, scene="street")
        drive(detector, folder, choices)
    print("\n".join(table(choices)))


if __name__ == "__main__":
    main()
