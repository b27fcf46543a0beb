# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines as a file says them, checked: either every line is one that a vehicle can be placed on, or one clear word."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from edge.geometry import east_north
from edge.positioning.line import Line, LineLandmark, tangents
from edge.positioning.line_raw import MAX_LANDMARKS, MAX_LINES, shown
from edge.positioning.line_shape import crossing, fitted, rounded, running_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.positioning.line import LandmarkKind, LonLat
    from edge.positioning.line_raw import RawFile, RawLandmark, RawLine, RawPoint

#: Longitude and latitude of Germany and its neighbours; whoever lies there only when swapped is swapped.
_HOME = (5.0, 17.5, 45.5, 56.0)
#: Points nearer than this are one.
_SAME_M = 0.1
_LONGEST_STEP_M = 2_000.0
#: A ring has no first chainage; ends nearer than this are one place.
_RING_M = 5.0
#: No track turns more at one point: the points are out of order there.
_TURNS_BACK_DEG = 120.0
#: How far a station's or tag's point may lie beside the axis.
_BESIDE_M = 50.0
#: Chainage may differ from the way along the points by this share, and for points put by hand by this much.
_STRETCH, _STRETCH_M = 0.2, 20.0
#: A chainage may lie this far beyond the ends of its line.
_BEYOND_M = 50.0
_KINDS: dict[str, LandmarkKind] = {"station": "station", "portal": "portal", "tag": "tag"}


def checked(raw: RawFile) -> tuple[Line, ...]:
    """The lines of a file.

    Raises:
        InputError: a line, landmark or tunnel cannot be true.
    """
    if not raw.lines:
        raise raw.refused("whole file", "holds no line", "give at least one LineString or two rows")
    if len(raw.lines) > MAX_LINES or len(raw.landmarks) > MAX_LANDMARKS:
        raise raw.refused("whole file", "holds too many lines or landmarks", "cut it into several files")
    seen: set[tuple[str, str | None]] = set()
    for line in raw.lines:
        if (line.name, line.track) in seen:
            raise raw.refused(line.where, f"line {line.name!r} is there twice", "tell its tracks apart by track")
        seen.add((line.name, line.track))
    named = [(mark.where, mark.line, mark.track) for mark in raw.landmarks]
    named += [(tunnel.where, tunnel.line, tunnel.track) for tunnel in raw.tunnels]
    for where, name, track in named:
        if not any(_belongs(name, track, line) for line in raw.lines):
            raise raw.refused(where, f"no line {name!r}, track {track!r}", "give a line of this file")
    return tuple(_line(raw, line) for line in raw.lines)


def _belongs(line: str | None, track: str | None, to: RawLine) -> bool:
    return line in (None, to.name) and track in (None, to.track)


def _line(raw: RawFile, line: RawLine) -> Line:
    _check_swapped(raw, line)
    kept = _kept(raw, line)
    _check_shape(raw, line, kept)
    shape, given = rounded([point.place for point in kept])
    metres = running_m(shape)
    flat = Line(line.name, tuple(shape), tuple(metres))
    marks = [mark for mark in raw.landmarks if _belongs(mark.line, mark.track, line)]
    anchors = _anchors(raw, line, [(metres[at], point) for at, point in zip(given, kept, strict=True)], marks, flat)
    chainages = fitted(metres, anchors)
    axis = Line(line.name, flat.points, tuple(chainages), line.track)

    def chainage_of(place: LonLat, where: str) -> float:
        return fitted([_beside(raw, where, place, flat)], anchors)[0]

    landmarks = [
        _landmark(raw, mark, axis, chainage_of(mark.place, mark.where) if mark.place else None) for mark in marks
    ]
    names = Counter(landmark.name for landmark in landmarks)
    if names and (most := names.most_common(1)[0])[1] > 1:
        raise raw.refused(line.where, f"landmark {most[0]!r} is there twice", "give each its own name")
    tunnels = [*line.tunnels]
    tunnels += [
        (chainages[a], chainages[b]) for (a, b), point in zip(pairwise(given), kept, strict=False) if point.tunnel
    ]
    for tunnel in raw.tunnels:
        if _belongs(tunnel.line, tunnel.track, line):
            start, end = sorted(chainage_of(place, tunnel.where) for place in tunnel.ends)
            tunnels.append((start, end))
    return replace(
        axis,
        tunnels=_tunnels(raw, line, tunnels, axis),
        landmarks=tuple(sorted(landmarks, key=lambda landmark: landmark.chainage_m)),
    )


# ---- the points


def _check_swapped(raw: RawFile, line: RawLine) -> None:
    if not line.points:
        raise raw.refused(line.where, "has no points", "draw it anew")
    lon, lat = (sum(axis) / len(line.points) for axis in zip(*(point.place for point in line.points), strict=True))
    if _at_home(lat, lon) and not _at_home(lon, lat):
        raise raw.refused(line.where, "latitude and longitude are swapped", "longitude comes first, then latitude")


def _at_home(lon: float, lat: float) -> bool:
    west, east, south, north = _HOME
    return west <= lon <= east and south <= lat <= north


def _kept(raw: RawFile, line: RawLine) -> list[RawPoint]:
    """The points without those that repeat the one before."""
    kept = [line.points[0]]
    for point in line.points[1:]:
        step = _distance(kept[-1].place, point.place)
        if step > _LONGEST_STEP_M:
            turned = _distance(kept[-1].place, (point.place[1], point.place[0])) <= _LONGEST_STEP_M
            remedy = "swap its lon and lat" if turned else "put in the points between, or make two lines of it"
            raise raw.refused(point.where, f"lies {step / 1000:.3g} km from the point before", remedy)
        if step >= _SAME_M:
            kept.append(point)
            continue
        before, after = kept[-1].chainage_m, point.chainage_m
        if before is not None and after is not None and abs(after - before) > 1.0:
            raise raw.refused(point.where, "same place as before, other chainage", "make two lines of it there")
        kept[-1] = replace(kept[-1], tunnel=point.tunnel)
    if len(kept) < 2:
        raise raw.refused(line.where, "a line needs at least two different points", "draw it anew")
    return kept


def _check_shape(raw: RawFile, line: RawLine, kept: Sequence[RawPoint]) -> None:
    places = [point.place for point in kept]
    if len(kept) > 3 and _distance(places[0], places[-1]) < _RING_M:
        raise raw.refused(
            line.where,
            "is a closed ring, its chainage would have two values where it closes",
            "cut it into two lines that meet at a station",
        )
    pieces = tangents(places)[0]
    for point, before, after in zip(kept[1:], pieces.tolist(), pieces[1:].tolist(), strict=False):
        if abs(math.degrees(after - before)) > _TURNS_BACK_DEG:
            raise raw.refused(point.where, "the line turns back on itself", "put the points in order along the track")
    if cut := crossing(places):
        raise raw.refused(
            kept[cut[1]].where,
            f"the line crosses or touches itself (first passed at {kept[cut[0]].where})",
            "make two lines of it there",
        )


def _distance(a: LonLat, b: LonLat) -> float:
    return math.hypot(*east_north(*b, a[0], (a[1] + b[1]) / 2))


# ---- chainage


def _anchors(
    raw: RawFile,
    line: RawLine,
    kept: Sequence[tuple[float, RawPoint]],
    marks: Sequence[RawLandmark],
    flat: Line,
) -> list[tuple[float, float]]:
    """Where chainage is known: metres along the points, chainage."""
    known = [(0.0, line.start_m, line.where)] if line.start_m is not None else []
    known += [(metres, point.chainage_m, point.where) for metres, point in kept if point.chainage_m is not None]
    known += [
        (_beside(raw, mark.where, mark.place, flat), mark.chainage_m, mark.where)
        for mark in marks
        if mark.chainage_m is not None and mark.place is not None
    ]
    known.sort(key=lambda anchor: anchor[:2])
    if len(known) > 1 and known[0][1] > known[-1][1]:
        raise raw.refused(line.where, "chainage falls along the points", "put the points in the order of chainage")
    anchors: list[tuple[float, float]] = []
    for metres, chainage, where in known:
        run, rise = (metres - anchors[-1][0], chainage - anchors[-1][1]) if anchors else (math.inf, math.inf)
        if run < 1.0 and abs(rise) < _STRETCH_M / 2:
            continue  # the same spot, said twice
        if rise <= 0:
            raise raw.refused(
                where, f"chainage {chainage:g} does not grow (before it: {anchors[-1][1]:g})", "correct the chainage"
            )
        if anchors and abs(rise - run) > _STRETCH * run + _STRETCH_M:
            why = f"chainage grows by {rise:.0f} m on {run:.0f} m of way since {anchors[-1][1]:g}"
            raise raw.refused(where, why, "correct the chainage, or make two lines where it jumps")
        anchors.append((metres, chainage))
    return anchors or [(0.0, 0.0)]


def _beside(raw: RawFile, where: str, place: LonLat, flat: Line) -> float:
    """Metres along the points."""
    beside = flat.nearest(*place)
    if beside is None or beside.gap_m > _BESIDE_M:
        gap = "far" if beside is None else f"{beside.gap_m:.0f} m"
        raise raw.refused(where, f"lies {gap} away from line {flat.name!r}", "put it on the line or name its line")
    return beside.chainage_m


def _landmark(raw: RawFile, mark: RawLandmark, axis: Line, placed_m: float | None) -> LineLandmark:
    kind = _KINDS.get(mark.kind.lower())
    if kind is None:
        raise raw.refused(mark.where, f"kind {shown(mark.kind)} is not known", "give station, portal or tag")
    chainage = mark.chainage_m if mark.chainage_m is not None else placed_m
    if chainage is None:
        raise raw.refused(mark.where, "has neither place nor chainage_m", "give one of them")
    if not axis.start_m - _BEYOND_M <= chainage <= axis.end_m + _BEYOND_M:
        why = f"chainage {chainage:g} is not on line {axis.name!r} ({axis.start_m:.0f} to {axis.end_m:.0f} m)"
        raise raw.refused(mark.where, why, "correct the chainage")
    if mark.error_m is not None and not 0 < mark.error_m <= 1_000:
        raise raw.refused(mark.where, f"error_m {mark.error_m:g} is out of bounds", "give metres above 0, at most 1000")
    return LineLandmark(mark.name, min(max(chainage, axis.start_m), axis.end_m), kind, mark.error_m)


def _tunnels(
    raw: RawFile, line: RawLine, tunnels: Sequence[tuple[float, float]], axis: Line
) -> tuple[tuple[float, float], ...]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(tunnels):
        if end < start or start < axis.start_m - _BEYOND_M or end > axis.end_m + _BEYOND_M:
            why = f"tunnel {start:g} to {end:g} is not on the line ({axis.start_m:.0f} to {axis.end_m:.0f} m)"
            raise raw.refused(line.where, why, "give [from_m, to_m] in chainage, the smaller first")
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
