# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Picture files: read one whole picture or say why not.

A decoder fills the missing part of a truncated JPEG with grey and calls it a success. A model would judge
that grey, so a file must be complete by its own format before it is decoded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from edge.types import Picture

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xae\x42\x60\x82"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
#: In a JPEG scan an FF byte is data when 00 follows, a restart mark when D0..D7 follow.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def load_picture(path: Path) -> tuple[Picture | None, str]:
    """Read a picture file: (height x width x 3 BGR, "") or (None, what is wrong with it)."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return None, error.strerror or "cannot be read"
    if not data:
        return None, "the file is empty"
    if not is_complete(data):
        return None, "the file is cut off"
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        return None, "not a picture that can be decoded"
    return np.asarray(picture, np.uint8), ""


def is_complete(data: bytes) -> bool:
    """Whether a JPEG, PNG or WebP has its end. Other formats are left to the decoder: True."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_has_end(data)
    if data.startswith(_PNG):
        return _PNG_END in data
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return True


def _jpeg_has_end(data: bytes) -> bool:
    """Walk the segments; an embedded thumbnail lies inside a segment and is stepped over with it."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            found = _MARKER_IN_SCAN.search(data, at)
            if found is None:
                return False
            at = found.start()
        if data[at : at + 2] == bytes((0xFF, _END_OF_IMAGE)):
            return True
    return False
