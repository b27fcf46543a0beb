# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes a test drive: plans it from the seed, draws it, writes it with the sensors' readings and the truth."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import cv2
import numpy as np

from edge.errors import InputError
from edge.geometry import Calibration
from edge.simulator import sensors, sightings, truth
from edge.simulator.motion import Motion
from edge.simulator.picture import Painter
from edge.simulator.recording import Recording
from edge.simulator.route import Place, Route
from edge.simulator.scenario import Mark, Scenario, Scene, mended, plan
from edge.simulator.sensors import Day
from edge.simulator.sightings import Glance
from edge.simulator.truth import Sighting, TrueDefect, TrueFrame, TrueObject, Truth
from edge.simulator.undamaged import undamaged as without_defects

if TYPE_CHECKING:
    from edge.simulator.noise import Image
    from edge.simulator.picture import View

Progress = Callable[[int, int], None]
#: Bounds of the options: lowest and highest value, unit.
BOUNDS = {
    "km": (0.02, 50.0, "km"),
    "speed_kmh": (3.0, 130.0, "km/h"),
    "frame_every_m": (0.2, 50.0, "m"),
    "stop_s": (0.0, 600.0, "s"),
}
#: What has to be made unrecognisable in any case.
DETAILS: dict[str, Literal["plate", "face"]] = {"vehicle": "plate", "person": "face"}
#: How fast the camera's exposure follows the light, seconds.
EXPOSURE_S = 0.35


def default_camera() -> Calibration:
    """A camera in a van or a bus: 960 x 540, 65 degrees wide, 2.1 m high, looking 12 degrees down."""
    focal = round(480 / math.tan(math.radians(32.5)), 2)
    return Calibration(
        "simulated-960x540",
        960,
        540,
        focal,
        focal,
        480.0,
        270.0,
        2.1,
        pitch_deg=12.0,
        forward_m=1.5,
        pitch_error_deg=0.1,
    )


@dataclass(frozen=True)
class DriveSummary:
    """What was made. `defects`, `clear_view`, `decoys`: by class."""

    out: Path
    frames: int
    length_m: float
    duration_s: float
    defects: dict[str, int]
    clear_view: dict[str, int]
    decoys: dict[str, int]
    people: int
    vehicles: int


@dataclass(frozen=True)
class Again:
    """A drive along the same road. `mended`: ids of defects that have become patches of asphalt since."""

    day: Day = field(default_factory=Day)
    mended: frozenset[str] = frozenset()


def simulate(
    out: Path,
    *,
    seed: int,
    km: float,
    speed_kmh: float = 50.0,
    frame_every_m: float = 2.0,
    scene: Scene = "mixed",
    stop_at_m: float | None = None,
    stop_s: float = 5.0,
    calibration: Calibration | None = None,
    again: Again | None = None,
    undamaged: bool = False,
    progress: Progress | None = None,
) -> DriveSummary:
    """Render a drive into the folder `out`; the same arguments give the same drive.

    `again`: the same road on another day; `undamaged`: without defects, to count false alarms; `frame_every_m`: metres
    between frames at full speed; `stop_at_m`: stand there for `stop_s` seconds while the camera goes on; `scene`:
    street, tunnel (all of the drive, so no fix at all) or mixed; `progress`: is called with the frames done and the
    frames in all.

    Raises:
        InputError: an option is out of bounds, or the folder cannot be used.
    """
    _check(seed, scene, {"km": km, "speed_kmh": speed_kmh, "frame_every_m": frame_every_m, "stop_s": stop_s})
    length = km * 1000.0
    if stop_at_m is not None and not 0 < stop_at_m < length:
        raise InputError(f"stop_at_m {stop_at_m:g}: lies outside the drive of {length:g} m; choose a place within it")
    camera = calibration or default_camera()
    motion = Motion(length, speed_kmh / 3.6, stop_at_m, stop_s)
    again = again or Again()
    scenario = mended(plan(seed, length, scene), again.mended)
    if undamaged:
        scenario = without_defects(scenario)
    drive = _Drive(scenario, Route(seed, length), motion, camera, speed_kmh / 3.6)
    recording = Recording(out)
    frames = drive.render(recording, motion.frame_times(frame_every_m), progress)
    said = sensors.readings(seed, drive.route, motion, drive.scenario.tunnel, again.day)
    recording.tables(camera, said, [(frame.frame, frame.t_s) for frame in frames])
    whole = Truth(
        truth.FORMAT, seed, km, speed_kmh, scene, dataclasses.asdict(camera),
        drive.tunnel_m, said.drawn, tuple(frames), *drive.true_marks(), drive.true_objects(),
    )  # fmt: skip
    recording.instances(whole)
    truth.save(whole, out / "truth.json")
    return _summary(out, whole, motion)


def _check(seed: int, scene: str, numbers: dict[str, float]) -> None:
    if not 0 <= seed < 2**63:
        raise InputError(f"seed {seed}: must be 0 or more and below 2^63")
    if scene not in get_args(Scene):
        raise InputError(f"scene {scene!r}: unknown; choose one of {', '.join(get_args(Scene))}")
    for name, value in numbers.items():
        low, high, unit = BOUNDS[name]
        if not low <= value <= high:
            raise InputError(f"{name} {value:g}: out of bounds; choose {low:g} to {high:g} {unit}")


@dataclass
class _Drive:
    """One drive being rendered; collects what is seen of each thing."""

    scenario: Scenario
    route: Route
    motion: Motion
    camera: Calibration
    speed_mps: float
    _seen: dict[str, list[Sighting]] = field(default_factory=dict)

    @property
    def tunnel_m(self) -> tuple[float, float] | None:
        """The tunnel's part of the drive."""
        tunnel, length = self.scenario.tunnel, self.scenario.length_m
        return None if tunnel is None else (max(0.0, tunnel[0]), min(length, tunnel[1]))

    def render(self, recording: Recording, times: np.ndarray, progress: Progress | None) -> list[TrueFrame]:
        painter = Painter(self.scenario, self.route, self.camera, self.speed_mps)
        frames: list[TrueFrame] = []
        gain, before = 1.0, -10.0
        for index, (t, s, speed) in enumerate(
            zip(times, self.motion.distance(times), self.motion.speed(times), strict=True)
        ):
            place, name = self.route.place(float(s)), f"{index:06d}.jpg"
            view = painter.view(place)
            wanted = float(np.clip(1.08 * (1 / painter.light_ahead(place.s_m)) ** 0.78, 0.9, 3.2))
            gain += (wanted - gain) * (1 - math.exp(-(t - before) / EXPOSURE_S))
            before = t
            picture = painter.expose(view.picture, gain, index)
            recording.frame(name, picture)
            self._look(name, place, view, picture, painter)
            lon, lat = place.lonlat
            frames.append(
                TrueFrame(
                    name, round(float(t), 4), round(place.s_m, 3), round(lon, 9), round(lat, 9),
                    round(place.heading_deg, 4), round(float(speed), 3), self.scenario.in_tunnel(place.s_m),
                )
            )  # fmt: skip
            if progress is not None:
                progress(index + 1, len(times))
        return frames

    def _look(self, name: str, place: Place, view: View, picture: Image, painter: Painter) -> None:
        glance = Glance(name, place, view, cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
        for mark in (*self.scenario.defects, *self.scenario.decoys):
            self._note(mark.id, sightings.see_mark(mark, painter.optics, self.route, glance))
        for index, shown in view.shown.items():
            thing = self.scenario.uprights[index]
            if thing.label != "tree":
                whole, detail = sightings.see_upright(shown, glance, thing.s_m - place.s_m)
                self._note(thing.id, whole)
                self._note(f"{thing.id}-{DETAILS[thing.label]}", detail)

    def _note(self, name: str, seen: Sighting | None) -> None:
        if seen is not None:
            self._seen.setdefault(name, []).append(seen)

    def true_marks(self) -> tuple[tuple[TrueDefect, ...], tuple[TrueDefect, ...]]:
        """Defects and decoys with all their sightings."""
        return tuple(map(self._true_mark, self.scenario.defects)), tuple(map(self._true_mark, self.scenario.decoys))

    def _true_mark(self, mark: Mark) -> TrueDefect:
        s, t, z = sightings.road_point(mark)
        lon, lat = self.route.lonlat(s, t)
        s0, s1, t0, t1 = mark.extent
        frames = tuple(self._seen.get(mark.id, ()))
        clear = [seen for seen in frames if seen.clear]
        best = max(clear or frames, key=lambda seen: (seen.visible_share >= 0.95, _area(seen)), default=None)
        opening = sightings.opening_m(mark)
        return TrueDefect(
            mark.id, mark.label, mark.surface, round(s, 3), round(t, 3), round(z, 3), round(lon, 9), round(lat, 9),
            round(s1 - s0, 3), round(t1 - t0, 3), mark.depth_m, None if opening is None else round(opening, 4),
            len(clear) >= truth.CLEAR_FRAMES, None if best is None else best.frame, frames,
        )  # fmt: skip

    def true_objects(self) -> tuple[TrueObject, ...]:
        """Everyone and everything that has to be made unrecognisable, as far as it was seen."""
        found: list[TrueObject] = []
        for thing in self.scenario.uprights:
            if thing.label == "tree":
                continue
            if thing.id in self._seen:
                found.append(TrueObject(thing.id, thing.label, frames=tuple(self._seen[thing.id])))
            name = f"{thing.id}-{DETAILS[thing.label]}"
            if name in self._seen:
                frames = tuple(self._seen[name])
                found.append(TrueObject(name, DETAILS[thing.label], thing.id, thing.plate or None, frames))
        return tuple(found)


def _area(seen: Sighting) -> float:
    return (seen.box[2] - seen.box[0]) * (seen.box[3] - seen.box[1])


def _summary(out: Path, whole: Truth, motion: Motion) -> DriveSummary:
    def count(things: tuple[TrueDefect, ...]) -> dict[str, int]:
        labels = [thing.label for thing in things]
        return {label: labels.count(label) for label in sorted(set(labels))}

    return DriveSummary(
        out,
        len(whole.frames),
        whole.km * 1000,
        motion.duration_s,
        count(whole.defects),
        count(tuple(d for d in whole.defects if d.clear_view)),
        count(whole.decoys),
        sum(o.label == "person" for o in whole.objects),
        sum(o.label == "vehicle" for o in whole.objects),
    )
