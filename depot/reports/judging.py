# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What of a photo may be kept: the pure core of reports.

The detector of people is too weak to rely on, so what is kept does not rest on it: at most a crop in which the defect's
box alone is sharp and all else is a coarse mosaic. The detector can only take more away: a person anywhere refuses the
photo (or is made unrecognisable, by setting), a person or a vehicle at the defect itself refuses it in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, field

from messages.types import Anonymised

Box = tuple[float, float, float, float]
#: people, vehicle: refused. The others: without a picture; nothing: no defect was found in it; none: none was sent.
Reason = Literal["people", "vehicle", "nothing", "none"]

#: The vehicle enlarges these boxes by such shares on each side, and the defect's by the last (edge/privacy).
_PRIVATE = {"person": 0.35, "vehicle": 0.15}
_SHARP_MARGIN = 0.15


class Safe(Struct, frozen=True, kw_only=True):
    """An anonymised crop; `box` is the defect in its pixels."""

    jpeg: bytes
    width: int
    height: int
    box: Box
    anonymised: Anonymised


class Found(Struct, frozen=True, kw_only=True):
    """A defect, a person or a vehicle in a photo; `box` in its pixels. Defects alone have a crop."""

    defect_class: str = field(name="class")
    score: float
    box: Box
    safe: Safe | None = None


class Judged(Struct, frozen=True, kw_only=True):
    """What the detector says of a photo. `kept`: the crop around the box that a crew marked."""

    width: int
    height: int
    detections: tuple[Found, ...]
    kept: Safe | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """Refused; or accepted, with a crop where `safe` is there, and the defect where one was found."""

    refused: bool
    reason: Reason | None = None
    safe: Safe | None = None
    defect_class: str | None = None
    score: float | None = None


def judge_report(judged: Judged, *, expected: str | None, on_people: Literal["refuse", "mosaic"]) -> Verdict:
    """What of a citizen's photo is taken. `expected`: the class that the citizen chose; if it is found, it counts."""
    if on_people == "refuse" and any(one.defect_class == "person" for one in judged.detections):
        return Verdict(refused=True, reason="people")
    defects = [one for one in judged.detections if one.safe is not None]
    if not defects:
        return Verdict(refused=False, reason="nothing")
    clear = [one for one in defects if touched(one.box, judged.detections) is None]
    if not clear:
        return Verdict(refused=True, reason=touched(_best(defects, expected).box, judged.detections))
    best = _best(clear, expected)
    return Verdict(refused=False, safe=best.safe, defect_class=best.defect_class, score=best.score)


def judge_marked(judged: Judged, marked: Box, *, on_people: Literal["refuse", "mosaic"]) -> Verdict:
    """What of a crew's photo is taken. `marked`: what they want to show, in shares of width and height."""
    if on_people == "refuse" and any(one.defect_class == "person" for one in judged.detections):
        return Verdict(refused=True, reason="people")
    width, height = judged.width, judged.height
    reason = touched((marked[0] * width, marked[1] * height, marked[2] * width, marked[3] * height), judged.detections)
    if reason is not None:
        return Verdict(refused=True, reason=reason)
    return Verdict(refused=False, safe=judged.kept)


def touched(box: Box, detections: Sequence[Found]) -> Reason | None:
    """Whether a person or a vehicle reaches into what would be sharp around `box`."""
    sharp = _grown(box, _SHARP_MARGIN)
    for label, reason in (("person", "people"), ("vehicle", "vehicle")):
        if any(one.defect_class == label and _overlap(_grown(one.box, _PRIVATE[label]), sharp) for one in detections):
            return reason  # type: ignore[return-value]  # mypy widens the pair
    return None


def _best(defects: Sequence[Found], expected: str | None) -> Found:
    return max(defects, key=lambda one: (one.defect_class == expected, one.score))


def _grown(box: Box, share: float) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = share * (x2 - x1), share * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]
