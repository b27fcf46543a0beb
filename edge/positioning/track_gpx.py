# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Tracks as GPX 1.0 and 1.1. `time_s` counts from the first point's time; a point without a time is left out."""

from __future__ import annotations

import math
from datetime import timezone
from typing import TYPE_CHECKING

import gpxpy
import gpxpy.gpx

from edge.errors import InputError
from edge.positioning.track import DEFAULT_ERROR_M, RANGE_ERROR_M, Problems, Track, checked
from edge.types import Fix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gpxpy.gpx import GPX, GPXTrackPoint

#: A day at 10 Hz with extensions stays below; the whole file is held in memory.
MAX_BYTES = 300_000_000


def read_gpx_track(path: Path) -> Track:
    """Read a track.

    Raises:
        InputError: it is no GPX or holds no usable point with a time.
    """
    gpx = _parse(path)
    problems = Problems(path)
    points: list[tuple[int, Fix]] = []
    zero_utc_s: float | None = None
    for number, point in enumerate(_points(gpx), start=1):
        if point.time is None:
            problems.add("no_time", 0, f"point {number} has no time; left out")
            continue
        moment = point.time
        if moment.tzinfo is None:
            problems.add("no_time_zone", 0, f"the time of point {number} names no time zone; taken as UTC")
            moment = moment.replace(tzinfo=timezone.utc)
        utc_s = moment.timestamp()
        zero_utc_s = utc_s if zero_utc_s is None else zero_utc_s
        points.append((0, _fix(point, utc_s - zero_utc_s, utc_s)))
    fixes = checked(points, problems)
    if not fixes:
        raise problems.unusable("position")
    return Track(tuple(fixes), (), None, problems.listed(), zero_utc_s)


def _parse(path: Path) -> GPX:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES // 1_000_000} MB; cut it into single drives")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}; give a GPX file") from None
    try:
        return gpxpy.parse(text)
    except (gpxpy.gpx.GPXException, ValueError, AttributeError, TypeError, OverflowError) as error:
        # gpxpy lets errors of its own through where a file is XML but not GPX.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: is not GPX ({reason[:200]}); export the track anew as GPX 1.1") from None


def _points(gpx: GPX) -> Iterator[GPXTrackPoint]:
    for track in gpx.tracks:
        for segment in track.segments:
            yield from segment.points


def _fix(point: GPXTrackPoint, time_s: float, utc_s: float) -> Fix:
    hdop = point.horizontal_dilution
    heading, speed = _motion(point, "course"), _motion(point, "speed")
    return Fix(
        time_s,
        point.longitude,
        point.latitude,
        hdop * RANGE_ERROR_M if hdop is not None and 0 < hdop < 100 else DEFAULT_ERROR_M,
        heading % 360 if heading is not None else None,
        speed if speed is not None and 0 <= speed < 150 else None,
        utc_s,
    )


def _motion(point: GPXTrackPoint, name: str) -> float | None:
    """`speed` (m/s) or `course` (degrees): GPX 1.0 has elements for them, 1.1 has them as extensions."""
    value = getattr(point, name, None)
    if value is None:
        texts = [
            element.text
            for extension in point.extensions
            for element in extension.iter()
            if str(element.tag).rpartition("}")[2] == name
        ]
        try:
            value = float(texts[0]) if texts and texts[0] else None
        except ValueError:
            value = None
    return value if isinstance(value, float) and math.isfinite(value) else None
