# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a case says, from all that was seen of it. Pure; the same sightings in any order give the same case."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from operator import mul
from typing import Any, TypeVar

from msgspec.structs import replace

from depot.cases.passes import count_passes, moment, saw
from depot.cases.plane import METRES_PER_DEGREE, east_north_m
from depot.cases.records import Case, Sighting
from depot.cases.trend import Measured, trend

#: Size and grade are those of the newest sightings: a defect grows.
_NEWEST = 5
#: Nothing is known better, metres.
_FLOOR_M = 0.05
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Looked:
    """One valid stretch past a case."""

    vehicle: str
    boot: str
    monotonic_s: float
    utc: str | None


def summed(case: Case, seen: Iterable[Sighting], looks: Iterable[Looked]) -> Case:
    """The case with everything that follows from sightings and looks; what people decided stays.

    Args:
        case: as it was.
        seen: all of its sightings, one at least.
        looks: valid stretches past it, at least those since it was last seen.
    """
    ordered = in_order(seen)
    best = max(ordered, key=_merit)
    dated = [one.utc for one in ordered if one.utc is not None]
    last = max(dated, default=None)
    unseen = [
        look
        for look in looks
        if look.utc is not None
        and (last is None or look.utc > last)
        and not saw(look.vehicle, look.boot, look.monotonic_s, ordered)
    ]
    label = _label(ordered)
    return replace(
        case,
        defect_class=label if case.class_by is None else case.defect_class,
        class_seen=None if case.class_by is None else label,
        surface=best.surface or "road",
        sightings=len(ordered),
        passes=count_passes(map(moment, ordered)),
        vehicles=len({one.vehicle for one in ordered if one.vehicle is not None}),
        reports=sum(one.report is not None for one in ordered),
        best=best.received,
        vehicle=best.vehicle,
        score=max((one.score for one in ordered if one.score is not None), default=None),
        shock_mps2=max((one.shock_mps2 for one in ordered if one.shock_mps2 is not None), default=None),
        first_seen_utc=min(dated, default=None),
        last_seen_utc=last,
        looks_without=count_passes((look.vehicle, look.boot, look.monotonic_s) for look in unseen),
        last_look_utc=max((look.utc for look in unseen if look.utc is not None), default=None),
        **place(ordered, best),
        **_extent(ordered),
    )


def place(ordered: Sequence[Sighting], best: Sighting | None = None) -> dict[str, Any]:
    """Where a case lies: the mean of its sightings' places, weighted by their errors."""
    best = best or max(ordered, key=_merit)
    lon, lat, error = _on_ground(ordered)
    line = best.line or _first(one.line for one in ordered)
    on_it = [one for one in ordered if one.chainage_m is not None and one.line == line]
    chainage, chainage_error = _mean_of([(one.chainage_m or 0.0, one.chainage_error_m) for one in on_it])
    return {
        "lon": lon,
        "lat": lat,
        "error_m": error,
        "heading_deg": best.heading_deg,
        "line": line,
        "track": best.track or _first(one.track for one in ordered),
        "chainage_m": chainage,
        "chainage_error_m": chainage_error,
        "side": best.side or _first(one.side for one in ordered),
        "lining_clock": best.lining_clock
        if best.lining_clock is not None
        else _first(one.lining_clock for one in ordered),
    }


def in_order(seen: Iterable[Sighting]) -> list[Sighting]:
    """By time. Never by number: new ones have none yet."""
    return sorted(seen, key=lambda one: (one.utc or "", one.received or 0, one.report or ""))


def _merit(one: Sighting) -> tuple[bool, float, int]:
    """The sighting in front: with a picture, the surest; of equals the one that came first."""
    return one.picture is not None and one.received is not None, one.score or 0.0, -(one.received or 0)


def _first(values: Iterable[_Value | None]) -> _Value | None:
    return next((value for value in values if value is not None), None)


def _label(ordered: Sequence[Sighting]) -> str:
    """The class that most speaks for; of equals the first in the alphabet."""
    votes: Counter[str] = Counter()
    for one in ordered:
        votes[one.defect_class] += one.score or 0.5  # type: ignore[assignment]  # Counter adds any number
    return min(votes, key=lambda label: (-votes[label], label))


def _on_ground(ordered: Sequence[Sighting]) -> tuple[float | None, float | None, float | None]:
    placed = [(one.lon, one.lat, one.error_m or 0.0) for one in ordered if one.lon is not None and one.lat is not None]
    if not placed:
        return None, None, None
    lon0, lat0, _ = placed[0]
    offsets = [east_north_m(lon, lat, lon0, lat0) for lon, lat, _ in placed]
    (east, north), error = _mean(offsets, [error for _, _, error in placed])
    if len(placed) == 1:
        return lon0, lat0, error
    lat = lat0 + north / METRES_PER_DEGREE
    lon = lon0 + east / (METRES_PER_DEGREE * max(math.cos(math.radians((lat + lat0) / 2)), 1e-6))
    return (lon + 180) % 360 - 180, lat, error


def _mean_of(values: Sequence[tuple[float, float | None]]) -> tuple[float | None, float | None]:
    """Of (value, error); None where there is no value."""
    if not values:
        return None, None
    (mean,), error = _mean([(value,) for value, _ in values], [error or 0.0 for _, error in values])
    return mean, error


def _mean(values: Sequence[tuple[float, ...]], errors: Sequence[float]) -> tuple[list[float], float]:
    """Mean weighted by the errors, and its own along each axis: wider where the values scatter more than theirs allow.

    The latter is the Birge ratio (Birge 1932) over all axes together.
    """
    if len(values) == 1:
        return list(values[0]), errors[0]
    weights = [1 / max(error, _FLOOR_M) ** 2 for error in errors]
    total = sum(weights)
    axes = list(zip(*values, strict=True))
    means = [sum(map(mul, weights, axis)) / total for axis in axes]
    left = sum(
        weight * (value - mean) * (value - mean)
        for axis, mean in zip(axes, means, strict=True)
        for weight, value in zip(weights, axis, strict=True)
    )
    return means, math.sqrt(max(1.0, left / (len(axes) * (len(values) - 1))) / total)


def _extent(ordered: Sequence[Sighting]) -> dict[str, Any]:
    """Size and grade as of late, and whether it grows."""
    sized = [one for one in ordered if one.length_m is not None and one.width_m is not None]
    newest = sized[-_NEWEST:]
    length, error = _mean_of([(one.length_m or 0.0, one.size_error_m) for one in newest])
    width, _ = _mean_of([(one.width_m or 0.0, one.size_error_m) for one in newest])
    graded = [one.grade for one in ordered if one.grade is not None][-_NEWEST:]
    return {
        "length_m": length,
        "width_m": width,
        "size_error_m": error,
        "grade": statistics.median_high(graded) if graded else None,
        "trend": trend([measured for one in sized for measured in _measured(one)]),
    }


def _measured(one: Sighting) -> list[Measured]:
    size = math.sqrt((one.length_m or 0.0) * (one.width_m or 0.0))
    try:
        when = datetime.fromisoformat((one.utc or "")[:19]).replace(tzinfo=timezone.utc)
    except ValueError:  # no date, or one that no calendar has, by a vehicle's mistake
        return []
    return [Measured(when.timestamp() / 86400, size, one.size_error_m or 0.0)]
