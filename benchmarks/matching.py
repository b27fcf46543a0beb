# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Observations of a simulated drive against its truth: which defect each one is, and how far off it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.defects.matching import family
from edge.geometry import east_north
from edge.judging import Surface
from edge.simulator.truth import TrueDefect, Truth
from messages.types import Observation

#: An observation farther than this from every true defect of its family is false.
GATE_M = 6.0


@dataclass(frozen=True)
class Match:
    """One observation with the defect it shows."""

    observation: Observation
    defect: TrueDefect
    error_m: float


@dataclass(frozen=True)
class Comparison:
    """What became of the true defects. `repeated`: observations of a defect that already had one."""

    matches: tuple[Match, ...]
    repeated: tuple[Match, ...]
    false: tuple[Observation, ...]
    unplaced: tuple[Observation, ...]
    clear: tuple[TrueDefect, ...]

    @property
    def found_once(self) -> int:
        """Defects in clear view with exactly one observation."""
        more = {match.defect.id for match in self.repeated}
        wanted = {defect.id for defect in self.clear}
        return sum(m.defect.id in wanted and m.defect.id not in more for m in self.matches)


def compare(truth: Truth, observations: Sequence[Observation], surface: Surface = "road") -> Comparison:
    """Pair observations with defects on the road (or the lining), nearest first, each defect once."""
    observations = [seen for seen in observations if seen.surface == surface]
    there = [defect for defect in truth.defects if defect.surface == surface]
    headings = {frame.frame: frame.heading_deg for frame in truth.frames}
    pairs = sorted(
        (error, index, number)
        for index, seen in enumerate(observations)
        for number, defect in enumerate(there)
        if family(seen.defect_class) == family(defect.label)
        and (error := _distance_m(seen, defect, headings)) is not None
        and error <= GATE_M
    )
    matches: dict[int, Match] = {}
    repeated: dict[int, Match] = {}
    taken: set[int] = set()
    for error, index, number in pairs:
        if index not in matches and number not in taken:
            matches[index] = Match(observations[index], there[number], error)
            taken.add(number)
    for error, index, number in pairs:
        if index not in matches and index not in repeated:
            repeated[index] = Match(observations[index], there[number], error)
    rest = [seen for index, seen in enumerate(observations) if index not in matches and index not in repeated]
    return Comparison(
        matches=tuple(matches.values()),
        repeated=tuple(repeated.values()),
        false=tuple(seen for seen in rest if seen.position is not None),
        unplaced=tuple(seen for seen in rest if seen.position is None),
        clear=tuple(defect for defect in there if defect.clear_view),
    )


def _distance_m(seen: Observation, defect: TrueDefect, headings: dict[str, float]) -> float | None:
    """From the observation's place to the nearest point of the defect's rectangle (cracks) or to its middle."""
    if seen.position is None:
        return None
    east, north = east_north(seen.position.lon, seen.position.lat, defect.lon, defect.lat)
    if family(defect.label) != "crack":
        return math.hypot(east, north)
    heading = math.radians(headings.get(defect.best_frame or "", seen.heading_deg or 0.0))
    along = abs(east * math.sin(heading) + north * math.cos(heading))
    across = abs(east * math.cos(heading) - north * math.sin(heading))
    return math.hypot(max(along - defect.length_m / 2, 0.0), max(across - defect.width_m / 2, 0.0))
