# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's own stages on a world: one textured picture for every frame, true boxes with noise for the model.

Wired as `edge.daemon` wires a live vehicle, from a configuration, by `edge.assembly`. The trackers are only watched:
which looks made which observation says whose it is, without any guess by distance.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace

import cv2
import numpy as np

from benchmarks.geometry.route import lonlat
from benchmarks.geometry.sensors import Live, Readings
from benchmarks.geometry.things import Thing
from benchmarks.geometry.world import Vehicle, World
from edge import assembly
from edge.clock import UtcClock
from edge.config import PositionConfig, VehicleConfig
from edge.daemon import _LIVE
from edge.defects.revisions import Revisions
from edge.defects.tracker import Defect, Step, Tracker
from edge.delivery.jsonl import JsonlSink
from edge.geometry import east_north
from edge.judging import Surface
from edge.pipeline import Pipeline, Stages
from edge.positioning.positioner import Positioner
from edge.telling import Identity
from edge.types import Detection, Frame, Picture, Pose
from messages.envelope import decode
from messages.types import Coverage, Observation, Position, Revision, Roughness

EDGE_NOISE_PX, SCORE = 1.5, 0.8
FRAMES_PER_S, SETTLED_S = 15.0, 0.5


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
    #: Of every frame that the camera gave: as known at once, and `SETTLED_S` later (looks are placed by such poses).
    poses: list[Pose] = field(default_factory=list)
    settled: list[Pose] = field(default_factory=list)
    judged_at: list[float] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Oracle:
    """A detector that knows the truth: true boxes, noise at their edges, some of them missed where that is asked."""

    #: What observations say of their model.
    package = SimpleNamespace(
        manifest=SimpleNamespace(name="truth", version="1"), file=lambda _precision: SimpleNamespace(sha256="0" * 64)
    )
    precision = "none"

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


@cache
def texture(width: int, height: int) -> Picture:
    """A picture that is bright, sharp and structured enough to be judged."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.uint8)


def config_of(vehicle: Vehicle, **sections: object) -> VehicleConfig:
    """A vehicle's configuration: all defaults but for the antenna's place and the sections given."""
    position = PositionConfig(antenna_forward_m=vehicle.antenna_forward_m)
    return VehicleConfig(vehicle="benchmark", position=position, **sections)  # type: ignore[arg-type]


def drive(
    world: World,
    said: Readings,
    things: Sequence[Thing],
    *,
    seed: int,
    misses: float = 0.0,
    config: VehicleConfig | None = None,
) -> Run:
    """Drive through the world; `config`: see `config_of`."""
    config = config or config_of(world.vehicle)
    oracles: dict[Surface, Oracle] = {"road": _oracle(world, things, "road", misses, seed)}
    if config.tunnel.model:
        oracles["lining"] = _oracle(world, things, "lining", misses, seed)
    positions, positioner, out = Live(said.measurements), assembly.positioner(config), io.StringIO()
    pipeline = _pipeline(world, config, oracles, positions=positions, positioner=positioner, out=out)
    finished = _watch([judge.tracker for judge in pipeline.judges])
    run, picture = Run(), texture(world.vehicle.camera.width, world.vehicle.camera.height)
    shaking = np.random.default_rng([seed, 5])
    for index in range(int((world.motion.duration_s - 0.2) * FRAMES_PER_S)):
        # A camera is not exactly regular.
        time_s = 0.15 + index / FRAMES_PER_S + float(np.clip(shaking.normal(0, 0.002), -0.01, 0.01))
        for oracle in oracles.values():
            oracle.time_s = time_s
        pipeline.take(Frame(picture, time_s, index, f"{index:06d}"))
        if pipeline.pose is not None:
            run.poses.append(pipeline.pose)
            if time_s > SETTLED_S:
                run.settled.append(positioner.pose_at(time_s - SETTLED_S))
    pipeline.finish()
    run.judged_at = sorted({time_s for oracle in oracles.values() for time_s in oracle.judged_at})
    run.counts = pipeline.counts() + Counter({f"receiver_{name}": n for name, n in positions.counts.items()})
    owner = {box: of for oracle in oracles.values() for box, of in oracle.owner.items()}
    _sort(run, out.getvalue(), finished, owner)
    return run


def _oracle(world: World, things: Sequence[Thing], surface: Surface, misses: float, seed: int) -> Oracle:
    return Oracle(world, [thing for thing in things if thing.surface == surface], misses=misses, seed=seed)


def _pipeline(
    world: World,
    config: VehicleConfig,
    oracles: dict[Surface, Oracle],
    *,
    positions: Live,
    positioner: Positioner,
    out: io.StringIO,
) -> Pipeline:
    """As `edge.daemon` builds it."""
    calibration = world.vehicle.camera
    seen = assembly.road_view(config, calibration)
    return Pipeline(
        Stages(
            positions=positions,
            positioner=positioner,
            sampler=assembly.sampler(config, seen),
            surroundings=assembly.surroundings(config),
            judges=assembly.judges(config, oracles, calibration, seen),  # type: ignore[arg-type]
            revisions=Revisions(),
            roughness=assembly.roughness(config),
            delivery=JsonlSink(out, vehicle="benchmark"),
        ),
        identity=Identity("benchmark", calibration.id),
        clock=UtcClock("benchmark", quality="gnss"),
        calibration=calibration,
        timing=_LIVE,
    )


def _watch(trackers: Sequence[Tracker]) -> list[Defect]:
    """A list that fills with the defects that the trackers end, in that order."""
    finished: list[Defect] = []

    def watched(method: Callable[..., Step]) -> Callable[..., Step]:
        def call(*arguments: object, **named: object) -> Step:
            step = method(*arguments, **named)
            finished.extend(step.finished)
            return step

        return call

    for tracker in trackers:
        tracker.step, tracker.finish = watched(tracker.step), watched(tracker.finish)  # type: ignore[method-assign]
    return finished


def _sort(run: Run, lines: str, finished: Sequence[Defect], owner: dict[tuple[float, ...], tuple[str, float]]) -> None:
    """What was delivered, by kind; observations come in the order in which the trackers ended their defects."""
    events = [decode(line.encode()) for line in lines.splitlines()]
    run.revisions = [event.data for event in events if isinstance(event.data, Revision)]
    run.roughness = [event.data for event in events if isinstance(event.data, Roughness)]
    run.coverage = [event.data for event in events if isinstance(event.data, Coverage)]
    told = [(event.id, event.data) for event in events if isinstance(event.data, Observation)]
    for (name, observation), defect in zip(told, finished, strict=True):
        looks = [owner[look.detection.box] for look in defect.sightings]
        run.seen.append(
            Seen(
                name,
                observation,
                tuple(of for of, _ in looks),
                tuple(look.time_s for look in defect.sightings),
                tuple(ahead for _, ahead in looks),
            )
        )


def off(position: Position | Pose, east_m: float, north_m: float) -> tuple[float, float]:
    """East and north from a true point to a stated place, metres."""
    if position.lon is None or position.lat is None:
        raise ValueError("has no place")
    return east_north(position.lon, position.lat, *lonlat(east_m, north_m))
