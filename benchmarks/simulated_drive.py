# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How many true defects of a simulated drive become exactly one observation, and how far off they lie.

    python -m benchmarks.simulated_drive [--seed N] [--km X] [--perfect] [--list]

With `--perfect` the detector is replaced by the truth's boxes (with noise at their edges): what remains is the error
of position, tracking and measuring. Without it the shipped model judges the rendered pictures: a figure for the
whole chain on rendered scenes, never for the model on real streets.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from benchmarks.matching import Comparison, compare
from edge import assembly
from edge.clock import UtcClock
from edge.config import CameraConfig, PositionConfig, VehicleConfig
from edge.daemon import Daemon
from edge.defects.revisions import Revisions
from edge.defects.tracker import Tracker, TrackerSettings
from edge.delivery.jsonl import JsonlSink
from edge.errors import WegewartError
from edge.judging import Judge
from edge.pipeline import Pipeline, Stages, Timing
from edge.ports import EndOfRecording
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.simulator import simulate
from edge.simulator.truth import Truth, load
from edge.sources import open_sources
from edge.telling import Identity
from edge.types import Detection, Picture
from messages.envelope import decode
from messages.types import ModelRef, Observation

EDGE_NOISE_PX = 1.5
#: Radius that holds 95 % of a two-dimensional normal error, in standard deviations of one direction.
RADIUS_95 = 2.45


class TrueBoxes:
    """A detector that knows the truth of the frame that was set last."""

    def __init__(self, truth: Truth) -> None:
        self.frame = ""
        self._chance = random.Random(1)  # noqa: S311 - noise, no secret
        self._boxes: dict[str, list[Detection]] = {}
        for defect in truth.defects:
            for sighting in defect.frames:
                if defect.surface == "road" and sighting.clear:
                    self._boxes.setdefault(sighting.frame, []).append(Detection(defect.label, 0.8, sighting.box))

    def detect(self, _picture: Picture) -> Sequence[Detection]:
        """The true boxes of the frame with noise at their edges."""
        return [
            Detection(d.label, d.score, tuple(v + self._chance.gauss(0, EDGE_NOISE_PX) for v in d.box))  # type: ignore[arg-type]
            for d in self._boxes.get(self.frame, [])
        ]


def config_for(drive: Path) -> VehicleConfig:
    """A vehicle that replays a drive."""
    return VehicleConfig(
        vehicle="benchmark",
        camera=CameraConfig(kind="replay", source=str(drive)),
        position=PositionConfig(kind="replay"),
    )


def run_perfect(drive: Path, truth: Truth, out: Path) -> Counter[str]:
    """The chain with the truth in place of the model."""
    config = config_for(drive)
    sources = open_sources(config)
    calibration, boxes, delivery = sources.calibration, TrueBoxes(truth), JsonlSink(out, vehicle="benchmark")
    seen = assembly.road_view(config, calibration)
    model = ModelRef(name="truth", version="1", sha256="0" * 64)
    judge = Judge("road", model, boxes, Tracker(TrackerSettings(), calibration), CoverageLog(view_m=seen), Limits())
    pipeline = Pipeline(
        Stages(
            positions=sources.positions,
            positioner=assembly.positioner(config),
            sampler=assembly.sampler(config, seen),
            surroundings=assembly.surroundings(config),
            judges={"street": (judge,), "tunnel": (judge,)},
            revisions=Revisions(),
            roughness=None,
            delivery=delivery,
        ),
        identity=Identity("benchmark", "truth"),
        clock=UtcClock("benchmark", quality="replay"),
        calibration=calibration,
        timing=Timing(lookahead_s=2.0),
    )
    while True:
        try:
            frame = sources.camera.read()
        except EndOfRecording:
            break
        boxes.frame = Path(frame.name).name
        pipeline.take(frame)
    pipeline.finish()
    delivery.close()
    return pipeline.counters


def run_model(drive: Path, out: Path, min_certainty: float | None = None) -> Counter[str]:
    """The chain as shipped, or with another certainty needed of an observation."""
    config = config_for(drive)
    if min_certainty is not None:
        config = replace(config, defects=replace(config.defects, min_certainty=min_certainty))
    summary = Daemon(config, lambda _models, _calibration: JsonlSink(out, vehicle="benchmark")).run()
    return Counter(summary.counters)


def observations(path: Path) -> list[Observation]:
    """The observations in a file of events."""
    events = (decode(line) for line in path.read_bytes().splitlines())
    return [event.data for event in events if isinstance(event.data, Observation)]


def table(result: Comparison, counters: Counter[str], truth: Truth) -> list[str]:
    """The figures, one line each."""
    place = sorted(m.error_m for m in result.matches)
    along = sorted(
        abs(m.observation.size.length_m - m.defect.length_m) for m in result.matches if m.observation.size is not None
    )
    across = sorted(
        abs(m.observation.size.width_m - m.defect.width_m) for m in result.matches if m.observation.size is not None
    )
    covered = [
        m.error_m <= RADIUS_95 * m.observation.position.error_m for m in result.matches if m.observation.position
    ]
    right = sum(m.observation.defect_class == m.defect.label for m in result.matches)
    lining = sum(d.surface == "lining" for d in truth.defects)
    share = result.found_once / len(result.clear) if result.clear else math.nan
    return [
        f"frames judged                          {counters['frames_judged']}",
        f"true defects on the road, in clear view {len(result.clear)} of {len(truth.defects) - lining}",
        f"of these exactly one observation       {result.found_once} ({share:.1%})",
        f"repeated observations                  {len(result.repeated)}",
        f"false observations                     {len(result.false)}",
        f"right class among the matched          {right} of {len(result.matches)}",
        f"position error, median / 95 %          {_quantiles(place)} m",
        f"position within its stated 95 % radius  {sum(covered)} of {len(covered)}",
        f"length error, median / 95 %            {_quantiles(along)} m",
        f"width error, median / 95 %             {_quantiles(across)} m",
        f"defects on the tunnel's lining         {lining} (the street model does not look for them)",
    ]


def _quantiles(values: Sequence[float]) -> str:
    if not values:
        return "none"
    return f"{statistics.median(values):.2f} / {values[min(len(values) - 1, math.ceil(0.95 * len(values)) - 1)]:.2f}"


def main() -> int:
    """Render (unless a drive is given), run, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drive", type=Path, help="folder of a simulated drive (default: render one)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--km", type=float, default=0.5)
    parser.add_argument("--perfect", action="store_true", help="the truth's boxes in place of the model")
    parser.add_argument("--min-certainty", type=float, help="instead of the shipped setting; model only")
    parser.add_argument("--list", action="store_true", help="name what was missed, repeated and false")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        drive = options.drive
        try:
            if drive is None:
                drive = Path(folder) / "drive"
                simulate(drive, seed=options.seed, km=options.km)
            truth = load(drive / "truth.json")
            out = Path(folder) / "events.jsonl"
            counters = (
                run_perfect(drive, truth, out) if options.perfect else run_model(drive, out, options.min_certainty)
            )
        except WegewartError as error:
            print(f"benchmark: {error}", file=sys.stderr)
            return error.exit_code
        result = compare(truth, observations(out))
    print("\n".join(table(result, counters, truth)))
    if options.list:
        _list(result)
    return 0


def _list(result: Comparison) -> None:
    seen = {match.defect.id for match in result.matches}
    for defect in result.clear:
        if defect.id not in seen:
            place = f"{defect.label} {defect.id} at s {defect.s_m:.1f} m, t {defect.t_m:.1f} m"
            print(f"missed    {place}, {defect.length_m:.1f} x {defect.width_m:.1f} m, {len(defect.frames)} frames")
    for match in result.repeated:
        print(f"repeated  {match.observation.defect_class} of {match.defect.id}, {match.error_m:.1f} m off")
    for wrong in result.false:
        print(f"false     {wrong.defect_class}, {wrong.frames_seen} frames, score {wrong.score}, at {wrong.position}")


if __name__ == "__main__":
    sys.exit(main())
