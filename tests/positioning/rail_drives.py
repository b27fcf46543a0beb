# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A light-rail vehicle on a line with a tunnel: its truth, and what its sensors say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edge.geometry import east_north
from edge.positioning.estimator import Estimator
from edge.positioning.line import Line, LineLandmark
from edge.positioning.line_course import LineSettings
from edge.positioning.line_shape import fitted, rounded, running_m
from edge.positioning.positioner import Positioner
from edge.types import Correction, Fix, Landmark, Measurement, Odometry, Pose
from tests.positioning.lines import LAT0, LON0, course, lonlat

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP_S = 0.1


@dataclass
class Rail:
    """A track with its truth. Lengths in metres; the line that a file would hold is less exact (`file_error_m`)."""

    legs: Sequence[tuple[float, float]]
    tunnel: tuple[float, float] | None = None
    stations: Sequence[float] = ()
    tags: Sequence[float] = ()
    file_error_m: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        points = np.array(course(self.legs, step_m=1.0))
        self.way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        self.points = points
        self.headings = np.unwrap(np.arctan2(*np.gradient(points, self.way, axis=0).T))

    def at(self, chainage: float) -> tuple[float, float, float]:
        """East, north, heading in radians."""
        east, north = (float(np.interp(chainage, self.way, self.points[:, i])) for i in (0, 1))
        return east, north, float(np.interp(chainage, self.way, self.headings))

    def line(self, *, name: str = "U79") -> Line:
        """As in a file: a point every 20 m, a little beside, tied to chainage at the stations and ends."""
        rng = np.random.default_rng(self.seed + 1_000)
        given = [*np.arange(0, self.way[-1] - 10, 20), self.way[-1]]
        spots = [np.array(self.at(c)[:2]) + rng.normal(0, self.file_error_m, 2) for c in given]
        shape, at = rounded([lonlat(*spot) for spot in spots])
        metres = running_m(shape)
        known = {0.0, self.way[-1], *self.stations}
        anchors = [(float(np.interp(c, given, [metres[i] for i in at])), float(c)) for c in sorted(known)]
        marks = [LineLandmark(f"station {i}", c, "station") for i, c in enumerate(self.stations)]
        marks += [LineLandmark(f"tag {i}", c, "tag") for i, c in enumerate(self.tags)]
        return Line(
            name,
            tuple(shape),
            tuple(fitted(metres, anchors)),
            None,
            (self.tunnel,) if self.tunnel else (),
            tuple(sorted(marks, key=lambda mark: mark.chainage_m)),
        )


@dataclass
class RailDrive:
    """One drive along a rail: 50 km/h, 20 s at each station (a little beside its middle), signals on the way."""

    rail: Rail
    start_m: float = 50.0
    end_m: float | None = None
    top_mps: float = 14.0
    signals: Sequence[float] = ()
    stops_beside_m: float = 2.0
    scale: float = 1.01
    slip_q: float = 0.0025
    fix_error_m: float = 1.5
    lasting: float = 0.9
    gyro: bool = True
    odometer: bool = True
    seed: int = 0
    events: list[Landmark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        end = self.end_m if self.end_m is not None else float(self.rail.way[-1]) - 50.0
        halts = sorted(
            (c + (self.rng.normal(0, self.stops_beside_m) if c in self.rail.stations else 0.0))
            for c in (*self.rail.stations, *self.signals)
            if self.start_m < c < end
        )
        s, v, wait, chainages = self.start_m, 0.0, 3.0, []
        while s < end:
            chainages.append(s)
            if wait > 0:
                wait -= STEP_S
                continue
            gap = halts[0] - s if halts else math.inf
            if gap < 0.3 and v < 0.6:
                halts.pop(0)
                v, wait = 0.0, 20.0
                continue
            v = max(0.3, min(v + 1.0 * STEP_S, self.top_mps, math.sqrt(2 * 1.0 * max(gap, 0.0))))
            s += v * STEP_S
        self.chainage = np.array(chainages)
        self.times = np.arange(len(chainages)) * STEP_S

    def truth(self, time_s: float) -> tuple[float, tuple[float, float]]:
        """Chainage, and where that is (east, north)."""
        chainage = float(np.interp(time_s, self.times, self.chainage))
        return chainage, self.rail.at(chainage)[:2]

    def measurements(self) -> Iterator[Measurement]:
        """In order of time."""
        ways = np.diff(self.chainage, prepend=self.chainage[0])
        slips = self.rng.normal(0, 1, len(ways)) * np.sqrt(self.slip_q * np.abs(ways))
        wheels = np.cumsum((ways + slips) / self.scale)
        headings = [self.rail.at(c)[2] for c in self.chainage]
        rates = np.degrees(np.gradient(headings, STEP_S)) + 0.2 + self.rng.normal(0, 0.2, len(ways))
        error, events = np.zeros(2), sorted(self.events, key=lambda event: event.time_s)
        tags = sorted(self.rail.tags)
        tunnel = self.rail.tunnel or (math.inf, math.inf)
        for i, time_s in enumerate(self.times.tolist()):
            if self.odometer:
                rate = float(rates[i]) if self.gyro else None
                yield Odometry(time_s, float(wheels[i]), rate)
            while events and events[0].time_s <= time_s:
                yield Landmark(time_s, events.pop(0).name)
            for index, tag in enumerate(tags):
                if i and self.chainage[i - 1] < tag <= self.chainage[i]:
                    yield Landmark(time_s, f"tag {index}")
            if i % 10 == 3 and not tunnel[0] < self.chainage[i] < tunnel[1]:
                error = self.lasting * error + math.sqrt(1 - self.lasting**2) * self.rng.normal(0, self.fix_error_m, 2)
                yield self._fix(i, time_s, error, float(ways[i]) / STEP_S)

    def _fix(self, i: int, time_s: float, error: np.ndarray, speed: float) -> Fix:
        east, north, heading = self.rail.at(float(self.chainage[i]))
        course_deg = (math.degrees(heading) + self.rng.normal(0, 1.5)) % 360
        return Fix(
            time_s,
            *lonlat(east + error[0], north + error[1]),
            self.fix_error_m,
            course_deg if speed > 1 else None,
            max(0.0, speed + self.rng.normal(0, 0.1)),
        )


@dataclass
class Driven:
    """What came out: poses given in time, corrections, and how far both are from the truth."""

    drive: RailDrive
    positioner: Positioner
    poses: list[Pose]
    corrections: list[Correction]

    def error_m(self, pose: Pose) -> float:
        """Distance from the truth on the ground."""
        assert pose.lon is not None
        assert pose.lat is not None
        east, north = east_north(pose.lon, pose.lat, LON0, LAT0)
        true = self.drive.truth(pose.time_s)[1]
        return math.hypot(east - true[0], north - true[1])

    def along_m(self, pose: Pose) -> float:
        """Error in chainage."""
        assert pose.line is not None
        return pose.line.chainage_m - self.drive.truth(pose.time_s)[0]

    def between(self, start_m: float, end_m: float) -> list[Pose]:
        """The poses of a stretch."""
        return [pose for pose in self.poses if start_m < self.drive.truth(pose.time_s)[0] < end_m]

    def corrected(self, pose: Pose) -> Pose:
        """By the last correction that holds for it."""
        for correction in reversed(self.corrections):
            if correction.start_s <= pose.time_s <= correction.end_s:
                return correction.pose_at(pose.time_s)
        return pose


def driven(
    drive: RailDrive, *, lines: Sequence[Line] | None = None, settings: LineSettings | None = None, every_s: float = 0.5
) -> Driven:
    """Poses as they are asked for at the time; corrections as they come."""
    positioner = Positioner(Estimator(), [drive.rail.line()] if lines is None else lines, settings=settings)
    result = Driven(drive, positioner, [], [])
    due = 1.0
    for measurement in drive.measurements():
        while measurement.time_s > due:
            result.poses.append(positioner.pose_at(due))
            due += every_s
        positioner.add(measurement)
        result.corrections += positioner.corrections()
    return result
