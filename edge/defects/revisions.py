# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Better places for what was already published: once a stretch of poses is corrected backwards, so are its defects.

What is kept of a defect is thin: per look its pose and where the defect lay before the vehicle. The newest win.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, replace

import msgspec

from edge.defects.placing import Glimpse, Placed, place
from edge.defects.report import glimpses, is_overhead
from edge.defects.surface_place import SurfacePlace
from edge.defects.track import Defect
from edge.types import Correction, Pose
from messages.types import LinePosition, Position

#: Looks kept of one defect: those that place it best.
_LOOKS = 5
#: A defect seen with fixes all the time is reached by the correction of a gap that began right then, if at all.
_KEEP_WITH_FIXES = 100


@dataclass(frozen=True)
class Revised:
    """An observation's place, known better now; `number` counts up from 1 for each observation."""

    event_id: str
    number: int
    position: Position | None
    line: LinePosition | None
    heading_deg: float | None


@dataclass(frozen=True)
class _Noted:
    glimpses: tuple[Glimpse, ...]
    best: Pose
    error_m: float
    overhead: bool
    told: Placed
    number: int = 0

    def place(self) -> Placed:
        return place(self.glimpses, self.best, error_m=self.error_m, overhead=self.overhead)


class Revisions:
    """Remembers published defects. Not thread-safe."""

    def __init__(self, *, keep: int = 2_000) -> None:
        """Remember the newest `keep` defects seen without fixes (about 4 kB each), and a few of the others."""
        if keep < 1:
            raise ValueError(f"keep {keep} must be at least 1")
        self._keep = keep
        self._with_fixes: deque[str] = deque()
        self._noted: OrderedDict[str, _Noted] = OrderedDict()

    def note(self, event_id: str, defect: Defect) -> None:
        """Keep what may be corrected later; what has no place in metres never is."""
        if not isinstance(defect.place, SurfacePlace):
            return
        nearest = sorted(glimpses(defect), key=lambda g: g.heading_error_m)[:_LOOKS]
        if not nearest:
            return
        error_m, overhead = defect.place.error_m, is_overhead(defect)
        told = place(nearest, defect.best.pose, error_m=error_m, overhead=overhead)
        self._noted[event_id] = _Noted(tuple(nearest), defect.best.pose, error_m, overhead, told)
        self._noted.move_to_end(event_id)
        if all(glimpse.pose.method == "gnss" for glimpse in nearest):
            self._with_fixes.append(event_id)
            if len(self._with_fixes) > _KEEP_WITH_FIXES:
                self._noted.pop(self._with_fixes.popleft(), None)
        while len(self._noted) > self._keep:
            self._noted.popitem(last=False)

    def correct(self, correction: Correction) -> list[Revised]:
        """The noted defects that a correction moves, in the order in which they were noted."""
        return [
            revised
            for event_id, noted in list(self._noted.items())
            if (revised := self._correct(event_id, noted, correction)) is not None
        ]

    def _correct(self, event_id: str, noted: _Noted, correction: Correction) -> Revised | None:
        poses = [glimpse.pose for glimpse in noted.glimpses]
        if not any(_is_in(pose, correction) for pose in (*poses, noted.best)):
            return None
        new = replace(
            noted,
            glimpses=tuple(replace(g, pose=_corrected(g.pose, correction)) for g in noted.glimpses),
            best=_corrected(noted.best, correction),
            number=noted.number + 1,
        )
        placed = new.place()
        if placed == noted.told:
            return None
        self._noted[event_id] = replace(new, told=placed)
        position = None if placed.position is None else msgspec.structs.replace(placed.position, revised=True)
        return Revised(event_id, new.number, position, placed.line, placed.heading_deg)


def _is_in(pose: Pose, correction: Correction) -> bool:
    return correction.start_s <= pose.time_s <= correction.end_s


def _corrected(pose: Pose, correction: Correction) -> Pose:
    return correction.pose_at(pose.time_s) if _is_in(pose, correction) else pose
