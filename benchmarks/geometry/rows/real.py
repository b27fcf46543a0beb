# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A real labelled drive: 148 frames of a highway, 5 m apart with gaps, through the model and the tracker as shipped.

The folder is `drive/br386_a` in WEGEWART_SHARED (default: `../shared` beside the checkout); where it is missing the row
is skipped with a word. The way between frames is real, the coordinates are made up by the data's makers. That a defect
in one frame is the same as in the next is decided here by the camera's geometry alone: a labelled box, carried to the
road, moved by the way driven and back into the picture, lies on a labelled box of its kind there.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks import real_drive
from benchmarks.geometry.figure import Figure, Job, Plan
from benchmarks.simulated_drive import config_for
from edge.defects.matching import family, iou
from edge.defects.report import report
from edge.defects.tracker import Defect
from edge.geometry import Calibration, east_north
from edge.sources import open_sources
from edge.types import Box, Fix

#: A highway with two lanes and shoulders: nothing on the road lies farther from the vehicle's line, metres.
ROAD_M = 9.0
#: Frames nearer together along the way are neighbours, metres; a box carried over lies on one with this overlap.
STEP_M, SAME_OVERLAP = 6.0, 0.3


@dataclass(frozen=True)
class Found:
    """What came of the drive; empty `lines`: there is none."""

    missing: str
    off_line_m: tuple[float, ...]
    unplaced: int
    pairs: int
    joined: int
    lines: tuple[str, ...]


def folder() -> Path:
    """Where the drive should be."""
    shared = os.environ.get("WEGEWART_SHARED") or Path(__file__).resolve().parents[3].parent / "shared"
    return Path(shared) / "drive" / "br386_a"


def real() -> Found:
    """Run the model over the drive and compare."""
    if not (folder() / "instances.json").is_file():
        return Found(f"no drive in {folder()}; set WEGEWART_SHARED", (), 0, 0, 0, ())
    ran, labelled, observed = real_drive.run(folder(), 2)
    sources = open_sources(config_for(folder()))
    fixes = [m for m in sources.positions.until(math.inf) if isinstance(m, Fix)]
    places = [report(defect).position for defect in observed]
    off = tuple(_off_line_m(fixes, place.lon, place.lat) for place in places if place is not None)
    assert sources.calibration is not None
    joined, pairs = _neighbours(labelled, sources.calibration)
    return Found(
        "", off, sum(place is None for place in places), pairs, joined, tuple(real_drive.table(ran, labelled, observed))
    )


def _off_line_m(fixes: Sequence[Fix], lon: float, lat: float) -> float:
    """From a place to the polyline of fixes, run on at its end."""
    near = math.inf
    points = [east_north(fix.lon, fix.lat, lon, lat) for fix in fixes]
    last, before = points[-1], points[-2]
    points.append((last[0] + 8 * (last[0] - before[0]), last[1] + 8 * (last[1] - before[1])))
    for (x1, y1), (x2, y2) in pairwise(points):
        dx, dy = x2 - x1, y2 - y1
        share = min(max(-(x1 * dx + y1 * dy) / max(dx * dx + dy * dy, 1e-9), 0.0), 1.0)
        near = min(near, math.hypot(x1 + share * dx, y1 + share * dy))
    return near


def _neighbours(labelled: Sequence[Defect], calibration: Calibration) -> tuple[int, int]:
    """Labelled boxes of neighbouring frames that must be one defect: how many the tracker joined, of how many."""
    looks = [(look, number) for number, defect in enumerate(labelled) for look in defect.sightings]
    frames = {look.frame_name: look.pose.distance_m for look, _ in looks}
    order = sorted(frames, key=lambda name: frames[name])
    pairs = joined = 0
    for name, after in pairwise(order):
        way = frames[after] - frames[name]
        if not 0 < way <= STEP_M:
            continue
        here = [(look, n) for look, n in looks if look.frame_name == name]
        there = [(look, n) for look, n in looks if look.frame_name == after]
        for look, number in here:
            carried = _carried(look.detection.box, way, calibration)
            kin = [(o, m) for o, m in there if family(o.detection.label) == family(look.detection.label)]
            overlaps = [(iou(carried, other.detection.box), m) for other, m in kin] if carried is not None else []
            best = max(overlaps, default=(0.0, -1))
            if best[0] >= SAME_OVERLAP:
                pairs += 1
                joined += best[1] == number
    return joined, pairs


def _carried(box: Box, way_m: float, calibration: Calibration) -> Box | None:
    """Where a flat thing in this box appears after so much way straight on; None where it is out of the picture."""
    corners = [(box[0], box[3]), (box[2], box[3]), (box[0], box[1]), (box[2], box[1])]
    points = [calibration.pixel_to_road(*corner) for corner in corners]
    pixels = [None if p is None else calibration.road_to_pixel(p.x_m - way_m, p.y_m) for p in points]
    seen = [pixel for pixel in pixels if pixel is not None]
    if len(seen) < len(corners):
        return None
    us, vs = [u for u, _ in seen], [v for _, v in seen]
    inside = min(us) >= 0 and max(us) <= calibration.width and max(vs) <= calibration.height
    return (min(us), min(vs), max(us), max(vs)) if inside else None


def jobs(plan: Plan) -> list[Job]:
    """Once: there is one drive; a short run does without the model."""
    return [] if plan.short else [Job(real)]


def figures(results: Sequence[Found]) -> list[Figure]:
    """On the line, joined, and the table beside the labels."""
    if not results:
        return [Figure("real", "real drive", "told", "left out of the short run", None)]
    (found,) = results
    if found.missing:
        return [Figure("real", "real drive", "told", f"skipped: {found.missing}", None)]
    farthest = max(found.off_line_m, default=0.0)
    share = found.joined / max(found.pairs, 1)
    told = [
        Figure(
            "real",
            "real drive: observations lie on the road line",
            f"all within {ROAD_M:.0f} m of it",
            f"{sum(off <= ROAD_M for off in found.off_line_m)} of {len(found.off_line_m) + found.unplaced},"
            f" farthest {farthest:.1f} m, {found.unplaced} without a place",
            farthest <= ROAD_M and found.unplaced == 0 and bool(found.off_line_m),
            {"farthest_m": farthest, "observations": len(found.off_line_m)},
        ),
        Figure(
            "real",
            "real drive: the same labelled defect in frames 5 m apart is one",
            ">= 95 % of pairs",
            f"{share:.1%} ({found.joined} of {found.pairs} pairs)",
            share >= 0.95 and found.pairs > 0,
            {"joined": found.joined, "pairs": found.pairs},
        ),
    ]
    for line in found.lines:
        what, value = re.split(r"\s{2,}|\s(?=\d+$)", line, maxsplit=1)
        told.append(Figure("real", f"real drive, {what}", "told", value, None))
    return told
