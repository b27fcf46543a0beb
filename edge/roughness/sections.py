# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sections of ten metres: the RMS of the vertical acceleration, as it would be at the reference speed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.roughness.sensor import Motion
from edge.roughness.settings import RoughnessSettings
from edge.roughness.way import Way
from messages.types import RoughSection


@dataclass(frozen=True)
class Section:
    """A finished section and where it begins on the way run."""

    start_way_m: float
    message: RoughSection


class SectionLog:
    """Adds up samples; a section is finished when its length is run without a break."""

    def __init__(self, settings: RoughnessSettings, way: Way) -> None:
        self._settings = settings
        self._way = way
        self.broken()

    def broken(self) -> None:
        """The samples are interrupted: the section that was begun is thrown away."""
        self._start: tuple[float, float] | None = None  # time, way
        self._energy = 0.0

    def add(self, motion: Motion, way_m: float, speed_mps: float) -> Section | None:
        """Take the sample at a place of the way; the section that it finishes."""
        if self._start is None:
            self._start, self._last_m = (motion.time_s, way_m), way_m
            return None
        step_m, self._last_m = way_m - self._last_m, way_m
        ratio = self._settings.reference_speed_mps / speed_mps
        self._energy += motion.ride_mps2**2 * ratio ** (2 * self._settings.speed_exponent) * step_m
        start_s, start_m = self._start
        length_m = way_m - start_m
        if length_m < self._settings.section_m:
            return None
        rms = math.sqrt(self._energy / length_m)
        seconds = motion.time_s - start_s
        self.broken()
        self._start, self._last_m = (motion.time_s, way_m), way_m
        message = RoughSection(
            path=self._path(start_s, motion.time_s),
            length_m=round(length_m, 2),
            speed_mps=round(length_m / seconds, 2),
            rms_mps2=round(rms, 3),
        )
        return Section(start_m, message)

    def _path(self, start_s: float, end_s: float) -> tuple[tuple[float, float], ...]:
        """Start, middle and end of the way of the middle between the axles; empty where no place is known."""
        points = []
        for time_s in (start_s, (start_s + end_s) / 2, end_s):
            spot = self._way.at(time_s)
            if spot is None:
                return ()
            point = spot.ahead_on_earth(self._settings.middle_forward_m, self._settings.axles_left_m)
            if point is None:
                return ()
            points.append((round(point[0], 8), round(point[1], 8)))
        return tuple(points)
