# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Stored pictures for a package's self-test: drawn by the simulator, with what it drew as the known answers.

    python -m models.training.stored street

They ask whether a model works at all, not how good it is: for each class the picture is taken in which both files find
what is there most surely, so that no board's last bits decide. Scores on real pictures stand in CARD.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace as with_fields
from pathlib import Path

import cv2
import msgspec
import numpy as np

from edge.boxes import iou
from edge.simulator import simulate
from edge.simulator.truth import load
from edge.types import Detection
from edge.vision.decode import decode
from edge.vision.detector import Detector
from edge.vision.manifest import Known, StoredPicture
from edge.vision.package import MANIFEST, ModelPackage, load_package
from edge.vision.proof import prove

SEED, KM, EVERY_M = 3, 0.25, 2.5
WIDTH = 640
QUALITY = 88
#: How far a score lies above the threshold of its class, and how well a box fits: nothing hangs by a thread.
SURE, FITS, SMALLEST_PX = 0.2, 0.6, 16
#: Things that a picture asks for.
MOST = 5
#: The classes that a picture is chosen for; where a model does not surely find one in a drawing, there is none.
CHOSEN = {
    "street": ("pothole", "alligator_crack", "longitudinal_crack"),
    "tunnel": ("crack", "spalling", "water_leakage"),
    "privacy": ("vehicle", "person"),
}

Look = tuple[str, list[Known], list[Sequence[Detection]]]


def with_pictures(package: ModelPackage) -> ModelPackage:
    """Draw, choose and write the pictures; the package that names them."""
    out = package.folder / "selftest"
    out.mkdir(exist_ok=True)
    for old in out.glob("*.jpg"):
        old.unlink()
    stored: list[StoredPicture] = []
    with tempfile.TemporaryDirectory() as folder:
        drive = Path(folder) / "drive"
        name = package.manifest.name
        simulate(drive, seed=SEED, km=KM, frame_every_m=EVERY_M, scene="tunnel" if name == "tunnel" else "street")
        looks = list(_looks(package, drive, Path(folder)))
        for label in CHOSEN[name]:
            best = max(_candidates(package, looks, label), key=lambda found: found[0], default=None)
            if best is None:
                print(f"{label}: not surely found in any drawing")
                continue
            score, path, known, most = best
            print(f"{label}: {score:.2f} above its threshold; also {[one.label for one in known]}")
            content = Path(path).read_bytes()
            (out / f"{label}.jpg").write_bytes(content)
            file, digest = f"selftest/{label}.jpg", hashlib.sha256(content).hexdigest()
            stored.append(StoredPicture(file=file, sha256=digest, known=tuple(known), most=2 * most + 5))
    test = msgspec.structs.replace(package.manifest.selftest, pictures=tuple(stored))
    return with_fields(package, manifest=msgspec.structs.replace(package.manifest, selftest=test))


def _looks(package: ModelPackage, drive: Path, folder: Path) -> Iterator[Look]:
    """Every frame made smaller: its file, what it shows, what each file of the package finds in it."""
    truth = load(drive / "truth.json")
    shown: dict[str, list[Known]] = {}
    detectors = [Detector(package, 2, precision) for precision in package.precisions]
    for thing in (*truth.defects, *truth.objects):
        if thing.label in package.manifest.classes:
            for seen in thing.frames:
                shown.setdefault(seen.frame, []).append(Known(label=thing.label, box=seen.box))
    for frame in sorted((drive / "frames").glob("*.jpg")):
        whole = cv2.imread(str(frame))
        scale = WIDTH / whole.shape[1]
        small = cv2.resize(whole, (WIDTH, round(whole.shape[0] * scale)), interpolation=cv2.INTER_AREA)
        path = folder / frame.name
        cv2.imwrite(str(path), small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        picture = np.asarray(cv2.imread(str(path)), np.uint8)
        known = [
            Known(label=one.label, box=tuple(round(value * scale, 1) for value in one.box))  # type: ignore[arg-type]
            for one in shown.get(frame.name, [])
        ]
        yield str(path), known, [decode(*detector.look(picture), package.manifest) for detector in detectors]


def _candidates(package: ModelPackage, looks: list[Look], label: str) -> Iterator[tuple[float, str, list[Known], int]]:
    """Per frame that surely shows this class: how surely, its file, all that is surely found, most things found."""
    for path, known, found in looks:
        margins = [min(_margin(package, one, boxes) for boxes in found) for one in known]
        sure = [
            (one.label != label, -margin, one)
            for margin, one in zip(margins, known, strict=True)
            if margin >= SURE and min(one.box[2] - one.box[0], one.box[3] - one.box[1]) >= SMALLEST_PX
        ]
        sure.sort(key=lambda found: found[:2])
        if sure and sure[0][2].label == label:
            yield -sure[0][1], path, [one for _, _, one in sure[:MOST]], max(len(boxes) for boxes in found)


def _margin(package: ModelPackage, known: Known, found: Sequence[Detection]) -> float:
    scores = [one.score for one in found if one.label == known.label and iou(one.box, known.box) >= FITS]
    return max(scores, default=0.0) - package.manifest.thresholds[known.label]


def insert(text: str, pictures: Sequence[StoredPicture]) -> str:
    """The text of a model.toml with these pictures instead of those it had."""
    rows = []
    for picture in pictures:
        known = [f"    {{ label = {json.dumps(one.label)}, box = {list(one.box)} }}," for one in picture.known]
        rows += ["[[selftest.pictures]]", f'file = "{picture.file}"', f'sha256 = "{picture.sha256}"']
        rows += [f"most = {picture.most}", "known = [", *known, "]", ""]
    before, after = text.split("[origin]\n")
    return before.split("[[selftest.pictures]]")[0] + "\n".join(rows) + "\n[origin]\n" + after


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Make the stored pictures of a package's self-test.")
    parser.add_argument("model", choices=sorted(CHOSEN))
    folder = Path(__file__).resolve().parents[1] / parser.parse_args().model
    package = with_pictures(load_package(folder))
    manifest = folder / MANIFEST
    text = insert(manifest.read_text(encoding="utf-8"), package.manifest.selftest.pictures)
    manifest.write_text(text, encoding="utf-8")
    for precision in package.precisions:
        print(f"{precision}: {prove(load_package(folder, precision=precision), precision=precision)} pictures hold")


if __name__ == "__main__":
    main()
