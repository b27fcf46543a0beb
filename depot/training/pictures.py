# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A case's picture as a training picture: checked, written anew, and which part of it may teach. Pure.

Bytes and boxes come from vehicles, so nothing of them is believed: a picture that is not what its message says is left
out. It is encoded anew from its pixels, so that nothing but pixels goes into the set.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from PIL import Image

from depot.intake import MAX_PIXELS
from depot.training.reading import Sight
from messages.types import Observation, PictureRef

Box = tuple[float, float, float, float]

#: The one way of making pictures whose sharp part is known: the defect's box, grown by this share on each side, in a
#: crop that reaches beyond the box by that share of the frame's width (edge/privacy).
_METHOD = "mosaic-outside-defect-1"
_SHARP_MARGIN, _CONTEXT = 0.15, 0.15
_SMALLEST_PX = 4.0
_QUALITY = 95
_WIDEST_FRAME_PX = 4096


@dataclass(frozen=True)
class Taught:
    """A picture for training. Boxes are x1, y1, x2, y2 in its pixels; outside `sharp` it is a mosaic."""

    jpeg: bytes
    width: int
    height: int
    box: Box
    sharp: tuple[int, int, int, int]

    @property
    def sha256(self) -> str:
        """Of the new file."""
        return hashlib.sha256(self.jpeg).hexdigest()


def taught(seen: Observation, content: bytes | None) -> Taught | str:
    """The training picture of a sighting, or why there is none. `content`: None where the store has it no more."""
    picture = seen.picture
    if picture is None or content is None:
        return "without a picture"
    if picture.anonymised.method != _METHOD:
        return "with a picture whose sharp part is not known"
    # Counted are only those that cost something of what would be sharp. Where in it, nobody knows: a mosaic there would
    # be taught as road, or as the defect.
    if picture.anonymised.people or picture.anonymised.vehicles:
        return "with people or vehicles hidden in the sharp part"
    if not _is_inside(picture.box, picture.width, picture.height):
        return "with a box that is none"
    sharp = _sharp(picture)
    if min(sharp[2] - sharp[0], sharp[3] - sharp[1]) < _SMALLEST_PX:
        return "with a box that is none"
    if hashlib.sha256(content).hexdigest() != picture.sha256:
        return "with a picture that is not the one of the message"
    try:
        jpeg = _anew(content, picture.width, picture.height)
    except Exception:  # noqa: BLE001 - a decoder fed with strangers' bytes may raise anything
        return "with a picture that is not the one of the message"
    return Taught(jpeg, picture.width, picture.height, picture.box, sharp)


def _is_inside(box: Box, width: int, height: int) -> bool:
    return 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height


def _sharp(picture: PictureRef) -> tuple[int, int, int, int]:
    """What is surely no mosaic, in whole pixels."""
    x1, y1, x2, y2 = picture.box
    dx, dy = _SHARP_MARGIN * (x2 - x1), _SHARP_MARGIN * (y2 - y1)
    return (
        max(0, math.ceil(x1 - dx) + 1),
        max(0, math.ceil(y1 - dy) + 1),
        min(picture.width, math.floor(x2 + dx) - 1),
        min(picture.height, math.floor(y2 + dy) - 1),
    )


def _anew(content: bytes, width: int, height: int) -> bytes:
    """The same pixels as a JPEG of ours. Raises whatever the decoder does, and ValueError: another size."""
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        if image.size != (width, height) or width * height > MAX_PIXELS:
            raise ValueError("another size than the message says")
        pixels = image.convert("RGB").tobytes()
    out = io.BytesIO()
    # A copy of the picture would take its comments along.
    Image.frombytes("RGB", (width, height), pixels).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def frame_widths(seen: Iterable[Sight]) -> dict[str, int]:
    """By calibration, that is by camera: how wide its frames are, in pixels of the pictures, from how far those reach.

    A crop at the frame's edge reaches less far and one made smaller has fewer pixels, so most are right or too small:
    the upper quartile is taken.
    """
    found: defaultdict[str, list[int]] = defaultdict(list)
    for sight in seen:
        picture = sight.observation.picture
        if picture is not None:
            reach = picture.width - (picture.box[2] - picture.box[0])
            width = min(max(reach / (2 * _CONTEXT), picture.width), _WIDEST_FRAME_PX)
            found[sight.observation.calibration].append(round(width))
    return {camera: sorted(widths)[3 * len(widths) // 4] for camera, widths in found.items()}
