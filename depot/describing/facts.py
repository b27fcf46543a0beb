# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The facts of a case as a text tells them: rounded as finely as they are known, dated in local time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from depot.cases.records import Case, Sighting
from depot.describing.words import LINES

#: Clerks read local dates.
_ZONE = ZoneInfo("Europe/Berlin")
#: Nothing on a road is so many metres, degrees or hours. NaN is not below it either.
_SENSELESS = 1e8
TIMES = "\N{MULTIPLICATION SIGN}"
#: 95 of 100 lie within so many standard deviations: along one direction, and in the plane.
WITHIN_LINE, WITHIN_PLANE = 1.96, 2.45


@dataclass(frozen=True)
class Extent:
    """Of a crack its length; of all else length along the road and width across it. `error_m`: 95 %."""

    length_m: float
    width_m: float | None
    error_m: float | None


@dataclass(frozen=True)
class Growth:
    """The larger extent at the first and at the last sighting that has one."""

    first_m: float
    first_day: date
    last_m: float
    last_day: date


@dataclass(frozen=True)
class Facts:
    """A case, and what has to be worked out from it."""

    case: Case
    extent: Extent | None
    #: Whole metres, rounded up: 95 of 100 lie within. Along the line, where the case lies on one.
    within_m: int | None
    first_day: date | None
    last_day: date | None
    look_day: date | None
    decided_day: date | None
    opened_day: date | None
    growth: Growth | None
    #: Index of one of eight points of the compass from north clockwise.
    compass: int | None
    #: Quarter hours from 12 o'clock.
    clock_quarters: int | None


def facts_of(case: Case, sightings: Sequence[Sighting] = ()) -> Facts:
    """Work them out. What is not finite or makes no sense counts as not known."""
    error_m, factor = (case.chainage_error_m, WITHIN_LINE) if case.line is not None else (case.error_m, WITHIN_PLANE)
    heading, hours = _finite(case.heading_deg), _finite(case.lining_clock)
    return Facts(
        case=case,
        extent=_extent(case),
        within_m=_round_up(error_m, factor),
        first_day=local_day(case.first_seen_utc),
        last_day=local_day(case.last_seen_utc),
        look_day=local_day(case.last_look_utc),
        decided_day=local_day(case.decided_utc),
        opened_day=local_day(case.opened_utc),
        growth=_growth(sightings) if case.trend in ("growing", "shrinking") else None,
        compass=None if heading is None else round(heading / 45) % 8,
        clock_quarters=None if hours is None else round(hours * 4) % 48,
    )


def local_day(utc: str | None) -> date | None:
    """The local day of a time; None where it is none."""
    if utc is None:
        return None
    try:
        return datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone(_ZONE).date()
    except (ValueError, OverflowError):
        return None


def rounded(value_m: float, error_m: float | None) -> float:
    """No finer than it is known: steps of 1 cm, 5 cm, 10 cm, 50 cm or 1 m, at most the error; from 1 m on, 10 cm."""
    known = max(error_m or 0.01, 0.02 * value_m, 0.1 if value_m >= 0.995 else 0.0)
    step = next((s for s in (1.0, 0.5, 0.1, 0.05) if s <= known), 0.01)
    return max(round(value_m / step) * step, step)


def _extent(case: Case) -> Extent | None:
    length, width = _finite(case.length_m), _finite(case.width_m)
    if length is None or width is None or min(length, width) < 0 or max(length, width) == 0:
        return None
    deviation = _finite(case.size_error_m)
    error = None if deviation is None or deviation <= 0 else WITHIN_LINE * deviation
    if case.defect_class in LINES:
        return Extent(rounded(max(length, width), error), None, error)
    return Extent(rounded(length, error), rounded(width, error), error)


def _growth(sightings: Sequence[Sighting]) -> Growth | None:
    sized = [
        (seen.utc, day, max(seen.length_m, seen.width_m), seen.size_error_m)
        for seen in sightings
        if seen.length_m is not None and seen.width_m is not None and seen.utc is not None
        if (day := local_day(seen.utc)) is not None
    ]
    if not sized:
        return None
    first, last = min(sized, key=_time), max(sized, key=_time)
    return None if first[1] == last[1] else Growth(_about(first), first[1], _about(last), last[1])


def _time(sized: tuple[str, date, float, float | None]) -> str:
    return sized[0]


def _about(sized: tuple[str, date, float, float | None]) -> float:
    return rounded(sized[2], WITHIN_LINE * (sized[3] or 0.0))


def _round_up(error_m: float | None, factor: float) -> int | None:
    error = _finite(error_m)
    if error is None or error < 0:
        return None
    within = max(error * factor, 0.5)
    step = 1 if within <= 20 else 5 if within <= 100 else 50
    return math.ceil(within / step) * step


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < _SENSELESS else None
