# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's own stages on a world: one textured picture for every frame, true boxes with noise for the model.

Wired as `edge.daemon` wires a live vehicle (no look into the future, measurements `LATENCY_S` late), with its defaults.
The tracker is only watched: which looks made which observation says whose it is, without any guess by distance.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np

from benchmarks.geometry.route import lonlat
from benchmarks.geometry.sensors import Live, Readings
from benchmarks.geometry.things import Thing
from benchmarks.geometry.world import Vehicle, World
from edge.clock import UtcClock
from edge.config import DefectsConfig, SamplingConfig
from edge.defects.revisions import Revisions
from edge.defects.tracker import Defect, Step, Tracker, TrackerSettings
from edge.delivery.jsonl import JsonlSink
from edge.geometry import Calibration, east_north
from edge.lining import Lining
from edge.pipeline import Identity, Pipeline, Stages
from edge.positioning.estimator import Estimator
from edge.positioning.line import Line
from edge.positioning.mounting import Mounting
from edge.positioning.positioner import Positioner
from edge.roughness.meter import RoughnessMeter
from edge.roughness.settings import RoughnessSettings
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.sampling.sampler import Sampler
from edge.types import Detection, Frame, Picture, Pose
from messages.envelope import decode
from messages.types import Coverage, ModelRef, Observation, Position, Revision, Roughness

EDGE_NOISE_PX, SCORE = 1.5, 0.8
FRAMES_PER_S = 15.0


@dataclass(frozen=True)
class Seen:
    """One observation with what is behind it. `owners`: the true defect of each look, `times`: when it was."""

    id: str
    observation: Observation
    owners: tuple[str, ...]
    times: tuple[float, ...]
    ranges_m: tuple[float, ...]

    @property
    def owner(self) -> str:
        """The true defect that most of its looks show."""
        return Counter(self.owners).most_common(1)[0][0]

    @property
    def mixed(self) -> float:
        """Share of its looks that show something else."""
        return 1 - Counter(self.owners)[self.owner] / len(self.owners)


@dataclass
class Run:
    """What came of a drive."""

    seen: list[Seen] = field(default_factory=list)
    revisions: list[Revision] = field(default_factory=list)
    roughness: list[Roughness] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    #: Of every frame that the camera gave; the times of those judged.
    poses: list[Pose] = field(default_factory=list)
    judged_at: list[float] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


class Oracle:
    """A detector that knows the truth: true boxes, noise at their edges, some of them missed where that is asked."""

    def __init__(self, world: World, things: Sequence[Thing], *, misses: float, seed: int) -> None:
        self._world, self._things, self._misses = world, things, misses
        self._rng = np.random.default_rng([seed, 4])
        self.time_s = 0.0
        self.judged_at: list[float] = []
        self.owner: dict[tuple[float, ...], tuple[str, float]] = {}

    def detect(self, _picture: Picture) -> Sequence[Detection]:
        """The boxes of the frame taken at `time_s`."""
        self.judged_at.append(self.time_s)
        found = []
        for sight in self._world.sights(self._world.body(self.time_s), self._things):
            noise = self._rng.normal(0, EDGE_NOISE_PX, 4)
            if not sight.seen or self._rng.random() < self._misses:
                continue
            x1, y1, x2, y2 = (float(edge + slip) for edge, slip in zip(sight.box, noise, strict=True))
            width, height = self._world.vehicle.camera.width, self._world.vehicle.camera.height
            box = (max(x1, 0.0), max(y1, 0.0), min(max(x2, x1 + 1), float(width)), min(max(y2, y1 + 1), float(height)))
            self.owner[box] = (sight.thing.id, sight.ahead_m)
            found.append(Detection(sight.thing.label, SCORE, box))
        return found


class _Watched(Tracker):
    """The tracker, with a note of what it ended."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.finished: list[Defect] = []

    def step(self, *arguments: object, **named: object) -> Step:
        step = super().step(*arguments, **named)  # type: ignore[arg-type]
        self.finished += step.finished
        return step

    def finish(self) -> Step:
        step = super().finish()
        self.finished += step.finished
        return step


def positioner(vehicle: Vehicle, lines: Sequence[Line]) -> Positioner:
    """Positions as the daemon wires them."""
    mounting = Mounting(antenna_forward_m=vehicle.antenna_forward_m)
    return Positioner(Estimator(mounting=mounting), lines)


@cache
def texture(width: int, height: int) -> Picture:
    """A picture that is bright, sharp and structured enough to be judged."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.uint8)


def drive(
    world: World,
    said: Readings,
    things: Sequence[Thing],
    *,
    seed: int,
    misses: float = 0.0,
    lines: Sequence[Line] = (),
    lining: Lining | None = None,
    roughness: RoughnessSettings | None = None,
    calibration: Calibration | None = None,
) -> Run:
    """Drive through the world. `calibration`: what the vehicle believes of its camera (default: the vehicle's)."""
    calibration = calibration or world.vehicle.camera
    oracle = Oracle(world, things, misses=misses, seed=seed)
    defaults, sampling = DefectsConfig(), SamplingConfig()
    settings = TrackerSettings(
        max_range_m=defaults.max_range_m, min_frames=defaults.min_frames, min_certainty=defaults.min_certainty
    )
    tracker, out = _Watched(settings, calibration, lining), io.StringIO()
    estimator = positioner(world.vehicle, lines)
    more = {"revisions": Revisions()}
    more |= {"surface": "lining"} if lining is not None else {}
    more |= {"roughness": RoughnessMeter(roughness)} if roughness is not None else {}
    pipeline = Pipeline(
        Stages(
            **more,
            positions=Live(said.measurements),
            estimator=estimator,
            sampler=Sampler(every_m=sampling.every_m, fallback_s=sampling.every_s),
            coverage=CoverageLog(),
            detector=oracle,
            tracker=tracker,
            delivery=JsonlSink(out, vehicle="benchmark"),
        ),
        identity=Identity(ModelRef(name="truth", version="1", sha256="0" * 64), "benchmark", calibration.id),
        clock=UtcClock("benchmark", quality="gnss"),
        calibration=calibration,
        limits=Limits(max_speed_mps=sampling.max_speed_mps),
    )
    run = Run()
    picture = texture(world.vehicle.camera.width, world.vehicle.camera.height)
    shaking = np.random.default_rng([seed, 5])
    for index in range(int((world.motion.duration_s - 0.2) * FRAMES_PER_S)):
        # A camera is not exactly regular.
        oracle.time_s = 0.15 + index / FRAMES_PER_S + float(np.clip(shaking.normal(0, 0.002), -0.01, 0.01))
        pipeline.take(Frame(picture, oracle.time_s, index, f"{index:06d}"))
        if pipeline.pose is not None:
            run.poses.append(pipeline.pose)
    pipeline.finish()
    run.judged_at, run.counters, run.counts = oracle.judged_at, pipeline.counters, estimator.counts
    _sort(run, out.getvalue(), tracker.finished, oracle)
    return run


def _sort(run: Run, lines: str, finished: Sequence[Defect], oracle: Oracle) -> None:
    """What was delivered, by kind; observations come in the order in which the tracker ended their defects."""
    events = [decode(line.encode()) for line in lines.splitlines()]
    run.revisions = [event.data for event in events if isinstance(event.data, Revision)]
    run.roughness = [event.data for event in events if isinstance(event.data, Roughness)]
    run.coverage = [event.data for event in events if isinstance(event.data, Coverage)]
    told = [(event.id, event.data) for event in events if isinstance(event.data, Observation)]
    for (name, observation), defect in zip(told, finished, strict=True):
        looks = [oracle.owner[look.detection.box] for look in defect.sightings]
        run.seen.append(
            Seen(
                name,
                observation,
                tuple(owner for owner, _ in looks),
                tuple(look.time_s for look in defect.sightings),
                tuple(ahead for _, ahead in looks),
            )
        )


def off(position: Position | Pose, east_m: float, north_m: float) -> tuple[float, float]:
    """East and north from a true point to a stated place, metres."""
    if position.lon is None or position.lat is None:
        raise ValueError("has no place")
    return east_north(position.lon, position.lat, *lonlat(east_m, north_m))
