# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What leaves the vehicle: a crop around the defect in which only the defect itself is sharp.

Guarantee by construction, not by a detector: everything outside the defect's box (and a small margin) is reduced
to mosaic blocks so coarse that a number plate 4 m away is about four blocks wide and one high, and nothing
above the road's horizon is in the crop at all. A detector of people and vehicles can only take more away: their boxes,
enlarged, are mosaicked even inside the sharp part. The mosaic is the mean of each block: it cannot be undone.
The JPEG is written anew from pixels, so no EXIF data of a camera is in it.

Of a place that the depot asked for (`outline`) only the patch of road or wall is sharp, without a margin: what stands
beside it is not in it, as it would be in the rectangle around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Box, Detection, Picture
from messages.types import Anonymised

METHOD = "mosaic-outside-defect-1"
PLACE_METHOD = "mosaic-outside-place-1"
#: Labels of the detector that are private, and how far their boxes are enlarged on each side, as a share.
PRIVATE_LABELS = {"person": 0.35, "vehicle": 0.15}
#: Two boxes of one label that overlap more are the same person or vehicle.
_SAME_SHARE = 0.5


@dataclass(frozen=True)
class PrivacySettings:
    """How much is kept."""

    #: Mosaic blocks are this share of the picture's width: 1/40 is 32 pixels at 1280, 4 on a plate 4 m away.
    block_share: float = 1 / 40
    #: The sharp part reaches beyond the defect's box by this share of the box on each side.
    sharp_margin: float = 0.15
    #: The crop reaches beyond the box by this share of the picture's width on each side.
    context_share: float = 0.15
    #: The crop is at most this wide and high; larger ones are scaled down.
    max_side_px: int = 960
    jpeg_quality: int = 85


@dataclass(frozen=True)
class SafePicture:
    """An anonymised JPEG, the defect's box in it, and what was done."""

    jpeg: bytes
    width: int
    height: int
    box: Box
    anonymised: Anonymised


def anonymise(
    picture: Picture,
    box: Box,
    private: Sequence[Detection],
    settings: PrivacySettings,
    *,
    horizon_row: float | None,
    outline: Sequence[tuple[float, float]] | None = None,
) -> SafePicture:
    """Crop, mosaic and encode.

    Args:
        picture: the raw frame, height x width x 3, BGR.
        box: the defect, or what is around `outline`, in pixels of the frame.
        private: detections of people and vehicles in the same frame; other labels are ignored.
        settings: how much is kept.
        horizon_row: nothing above this row is in the crop; None where no calibration is known.
        outline: only what lies inside it is sharp, instead of the box with its margin.
    """
    height, width = picture.shape[:2]
    top = 0.0 if horizon_row is None else min(max(horizon_row, 0.0), height - 1.0)
    # A false detection may reach above the road: its upper part is cut off with everything else there.
    box = _inside((box[0], max(box[1], top), box[2], max(box[3], top)), width, height)
    context = settings.context_share * width
    x1, y1, x2, y2 = _whole(
        (box[0] - context, max(box[1] - context, top), box[2] + context, box[3] + context), width, height
    )
    crop = picture[y1:y2, x1:x2]
    wanted = sharp_part(width, height, box, (), settings, outline=outline)
    sharp = sharp_part(width, height, box, private, settings, outline=outline)[y1:y2, x1:x2]
    block = max(8, round(settings.block_share * width))
    safe = np.where(sharp[..., None], crop, mosaic(crop, block))
    scale = min(1.0, settings.max_side_px / max(safe.shape[:2]))
    if scale < 1.0:
        safe = cv2.resize(safe, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ok, jpeg = cv2.imencode(".jpg", safe, [cv2.IMWRITE_JPEG_QUALITY, settings.jpeg_quality])
    if not ok:  # pragma: no cover - OpenCV encodes every 8 bit picture
        raise RuntimeError("OpenCV could not encode a picture as JPEG")
    return SafePicture(
        jpeg=jpeg.tobytes(),
        width=safe.shape[1],
        height=safe.shape[0],
        box=_inside(
            ((box[0] - x1) * scale, (box[1] - y1) * scale, (box[2] - x1) * scale, (box[3] - y1) * scale),
            safe.shape[1],
            safe.shape[0],
        ),
        anonymised=Anonymised(
            method=METHOD if outline is None else PLACE_METHOD,
            people=_taken_away(wanted, private, "person"),
            vehicles=_taken_away(wanted, private, "vehicle"),
            area_share=round(1 - float(sharp.mean()), 3),
        ),
    )


def sharp_part(
    width: int,
    height: int,
    box: Box,
    private: Sequence[Detection],
    settings: PrivacySettings,
    *,
    outline: Sequence[tuple[float, float]] | None = None,
) -> NDArray[np.bool_]:
    """Height x width of the frame: True where it may leave the vehicle as it is."""
    if outline is None:
        sharp = np.zeros((height, width), dtype=np.bool_)
        _fill(sharp, _grown(box, settings.sharp_margin), value=True)
    else:
        sharp = _inside_of(outline, width, height)
    for detection in private:
        if detection.label in PRIVATE_LABELS:
            _fill(sharp, _grown(detection.box, PRIVATE_LABELS[detection.label]), value=False)
    return sharp


def hidden_share(
    width: int, height: int, outline: Sequence[tuple[float, float]], private: Sequence[Detection]
) -> float:
    """What of a convex outline somebody or a vehicle takes, with the margin that is taken away around them."""
    patch = _inside_of(outline, width, height)
    free = patch.copy()
    for detection in private:
        if detection.label in PRIVATE_LABELS:
            _fill(free, _grown(detection.box, PRIVATE_LABELS[detection.label]), value=False)
    return 1 - float(free.sum()) / max(int(patch.sum()), 1)


def _taken_away(wanted: NDArray[np.bool_], private: Sequence[Detection], label: str) -> int:
    """How many of a label cost something of what would be sharp; what two models found counts once."""
    counted: list[Box] = []
    for detection in private:
        if detection.label != label or any(_same(detection.box, other) for other in counted):
            continue
        if wanted[_part(_grown(detection.box, PRIVATE_LABELS[label]))].any():
            counted.append(detection.box)
    return len(counted)


def _same(box: Box, other: Box) -> bool:
    """Whether two boxes share half of what both cover."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    both = (box[2] - box[0]) * (box[3] - box[1]) + (other[2] - other[0]) * (other[3] - other[1]) - common
    return common > _SAME_SHARE * both


def _inside_of(outline: Sequence[tuple[float, float]], width: int, height: int) -> NDArray[np.bool_]:
    """Height x width: True inside a convex outline, which may reach beyond the picture."""
    mask = np.zeros((height, width), dtype=np.uint8)
    far = 10 * max(width, height)  # OpenCV draws with 32 bits
    corners = np.clip(np.rint(np.array(outline)), -far, far).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 1)
    inside: NDArray[np.bool_] = mask.astype(np.bool_)
    return inside


def mosaic(picture: Picture, block: int) -> Picture:
    """Replace every block x block square by its mean; squares at the right and lower edge may be smaller."""
    height, width = picture.shape[:2]
    rows, columns = np.arange(0, height, block), np.arange(0, width, block)
    sums = np.add.reduceat(np.add.reduceat(picture, rows, axis=0, dtype=np.uint32), columns, axis=1)
    tall, wide = np.diff(rows, append=height), np.diff(columns, append=width)
    means = np.rint(sums / (tall[:, None, None] * wide[None, :, None])).astype(np.uint8)
    safe: Picture = means.repeat(tall, axis=0).repeat(wide, axis=1)
    return safe


def _inside(box: Box, width: int, height: int) -> Box:
    x1, y1, x2, y2 = (round(v, 1) for v in box)
    return min(max(x1, 0), width), min(max(y1, 0), height), min(max(x2, 0), width), min(max(y2, 0), height)


def _whole(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Whole pixels inside the picture, at least one wide and high."""
    x1 = min(max(int(box[0]), 0), width - 1)
    y1 = min(max(int(box[1]), 0), height - 1)
    return (
        x1,
        y1,
        min(max(int(np.ceil(box[2])), x1 + 1), width),
        min(max(int(np.ceil(box[3])), y1 + 1), height),
    )


def _grown(box: Box, share: float) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = share * (x2 - x1), share * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy


def _fill(mask: NDArray[np.bool_], box: Box, *, value: bool) -> None:
    mask[_part(box)] = value


def _part(box: Box) -> tuple[slice, slice]:
    """Rows and columns of a picture."""
    x1, y1, x2, y2 = (max(round(v), 0) for v in box)
    return slice(y1, y2), slice(x1, x2)
