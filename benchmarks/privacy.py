# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who can be recognised in the pictures that leave the vehicle: on rendered drives, and on real pictures with marks.

    python -m benchmarks.privacy DRIVE [DRIVE...]
    python -m benchmarks.privacy --marks [FOLDER] [--part val|test] [--curve 0.02,0.05,0.1 [--draw FILE.png]]

For the marks see `benchmarks/privacy_marks.py`. A drive: runs the chain as shipped. For every picture that was kept
for an observation, the truth says where faces and plates were in that frame; counted is how many of them had any pixel
in the part that stays sharp, and how many would have had without the models' people and vehicles. Everything else of a
picture is a mosaic, or cut away. And what it costs: of how many sharp parts more than half is hidden though nobody and
no vehicle is there, so that the clerk sees no defect.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import edge.assembly
import edge.pipeline
from benchmarks import privacy_curve, privacy_marks
from benchmarks.simulated_drive import config_for
from edge.daemon import Daemon
from edge.delivery.jsonl import JsonlSink
from edge.errors import WegewartError
from edge.privacy.anonymise import SafePicture, anonymise, sharp_part
from edge.simulator.truth import load
from edge.types import Frame
from edge.vision.detector import Detector
from edge.vision.package import load_package
from models.training.covered import outside_marks
from models.training.marks import load_rendered, marks_folder


class Census:
    """Stands between pipeline and anonymising, and counts."""

    def __init__(self, drive: Path) -> None:
        truth = load(drive / "truth.json")
        self._marked = {marked.path.name: marked for marked in load_rendered(drive)}
        #: Of each sharp part, the share hidden without need.
        self.needless: list[float] = []
        self.private: dict[str, list[tuple[float, float, float, float]]] = {}
        for thing in truth.objects:
            if thing.label in ("face", "plate"):
                for sighting in thing.frames:
                    self.private.setdefault(sighting.frame, []).append(sighting.box)
        self.names: dict[int, str] = {}
        self.guarded: set[str] = set()
        self.judged = self.pictures = self.present = self.exposed = self.exposed_without_model = 0
        self._place = edge.pipeline.Pipeline._place  # noqa: SLF001 - only here a frame has a name

    def place(self, pipeline: edge.pipeline.Pipeline, frame: Frame, *rest: object) -> None:
        """Note the name of each frame: its picture is made safe later, when a defect that it shows is confirmed."""
        self.names[id(frame.picture)] = Path(frame.name).name
        self.judged += 1
        self._place(pipeline, frame, *rest)  # type: ignore[arg-type]

    def anonymise(self, picture, box, private, settings, *, horizon_row) -> SafePicture:  # noqa: ANN001
        """Anonymise, and count faces and plates in the sharp part."""
        height, width = picture.shape[:2]
        self.pictures += 1
        name = self.names[id(picture)]
        self.guarded.add(name)
        shipped = sharp_part(width, height, box, private, settings)
        bare = sharp_part(width, height, box, [], settings)
        free = outside_marks(bare, self._marked[name])
        if free.any():
            self.needless.append(float((free & ~shipped).sum() / free.sum()))
        for x1, y1, x2, y2 in self.private.get(name, []):
            rows, columns = slice(int(y1), int(y2) + 1), slice(int(x1), int(x2) + 1)
            self.present += 1
            self.exposed += bool(shipped[rows, columns].any())
            self.exposed_without_model += bool(bare[rows, columns].any())
        return anonymise(picture, box, private, settings, horizon_row=horizon_row)


def run(drive: Path, folder: Path, package: Path) -> Census:
    """One drive, with the privacy model of a package."""
    census = Census(drive)
    privacy = Detector(load_package(package, threads=2), 2)

    def place(pipeline: edge.pipeline.Pipeline, frame: Frame, *rest: object) -> None:
        census.place(pipeline, frame, *rest)

    with (
        mock.patch.object(edge.pipeline.Pipeline, "_place", place),
        mock.patch.object(edge.pipeline, "anonymise", census.anonymise),
        mock.patch.object(edge.assembly, "privacy_detector", return_value=privacy),
    ):
        Daemon(config_for(drive), lambda _m, _c: JsonlSink(folder / "events.jsonl", vehicle="benchmark")).run()
    return census


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drives", type=Path, nargs="*", metavar="DRIVE")
    parser.add_argument(
        "--marks",
        type=Path,
        nargs="?",
        const=marks_folder(),
        metavar="FOLDER",
        help="real pictures (the project's)",
    )
    parser.add_argument("--part", choices=["val", "test"], default="val", help="of the marks (default: %(default)s)")
    parser.add_argument("--package", type=Path, default=privacy_marks.MODELS / "privacy", help="the privacy model")
    parser.add_argument("--curve", metavar="T,T,...", help="with --marks: thresholds to choose from, on val")
    parser.add_argument("--draw", type=Path, metavar="PNG", help="with --curve: as a picture")
    options = parser.parse_args()
    if not options.drives and options.marks is None:
        parser.error("name drives, or --marks")
    if options.draw is not None and not options.curve:
        parser.error("--draw draws a --curve")
    if options.marks is not None:
        try:
            for line in _marks(options):
                print(line, flush=True)
        except WegewartError as error:
            print(f"benchmark: {error}", file=sys.stderr)
            return error.exit_code
    return _drives(options.drives, options.package) if options.drives else 0


def _marks(options: argparse.Namespace) -> Iterator[str]:
    """Look at all pictures of a part and tell."""
    part = privacy_marks.Part(options.marks, options.part, options.package)
    if not options.curve:
        yield from privacy_marks.report(part)
        return
    steps = privacy_curve.look(part, [float(step) for step in options.curve.split(",")])
    yield from privacy_curve.lines(steps)
    if options.draw is not None:
        privacy_curve.draw(steps, part.thresholds["person"], options.draw)


def _drives(drives: list[Path], package: Path) -> int:
    """Run them and print the sums."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = [run(drive, Path(folder), package) for drive in drives]
        except WegewartError as error:
            print(f"benchmark: {error}", file=sys.stderr)
            return error.exit_code
    print(f"frames judged, of these looked at by the privacy model {sum(c.judged for c in found)}", end=", ")
    print(sum(len(c.guarded) for c in found))
    print(f"pictures kept for observations                   {sum(c.pictures for c in found)}")
    print(f"faces and plates in their frames                 {sum(c.present for c in found)}")
    print(f"of these with a pixel in the sharp part          {sum(c.exposed for c in found)}")
    print(f"the same without the models' people and vehicles {sum(c.exposed_without_model for c in found)}")
    hidden = [share for c in found for share in c.needless]
    lost = sum(share > privacy_marks.LOST for share in hidden)
    print(f"of a sharp part hidden without need, mean        {sum(hidden) / max(len(hidden), 1):.3f}")
    print(f"sharp parts that lose more than half             {lost} of {len(hidden)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
