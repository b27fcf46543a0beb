# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A board as a file that comes out of the printer at its true size: PNG (with its dots per metre) or PDF."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

from edge.calibration.board import Board, Gray

_POINTS_PER_M = 72 / 0.0254
#: Long and short side of the papers a board is likely to be printed on, metres.
_PAPERS = {"A4": (0.297, 0.210), "A3": (0.420, 0.297), "A2": (0.594, 0.420), "A1": (0.841, 0.594), "A0": (1.189, 0.841)}


def board_page(board: Board, dots_per_inch: float) -> tuple[Gray, float]:
    """The board with a line of text below it that says how to check the print; the dots per metre it has."""
    picture, dots_per_m = board.draw(dots_per_inch / 0.0254)
    line = np.full((round(0.008 * dots_per_m), picture.shape[1]), 255, np.uint8)
    count = board.columns - 1
    text = f"{board.text}; print at 100 %, then {count} squares must measure {count * board.square_m * 1000:g} mm"
    size = 0.8 * len(line) / 30
    wide = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)[0][0]
    size *= min(1.0, 0.9 * line.shape[1] / wide)
    at = (round(0.05 * line.shape[1]), round(0.6 * len(line)))
    cv2.putText(line, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, 0, max(1, round(size)), cv2.LINE_AA)
    return np.vstack([picture, line]), dots_per_m


def paper(width_m: float, height_m: float) -> str | None:
    """The smallest paper that holds a picture of this size; None where it needs a print shop."""
    long, short = max(width_m, height_m), min(width_m, height_m)
    return next((name for name, (a, b) in _PAPERS.items() if long <= a and short <= b), None)


def png(picture: Gray, dots_per_m: float) -> bytes:
    """A PNG file that states its size (chunk pHYs, PNG specification 11.3.4.3)."""
    data = cv2.imencode(".png", picture)[1].tobytes()
    body = b"pHYs" + struct.pack(">IIB", round(dots_per_m), round(dots_per_m), 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    after_header = 8 + 25  # signature, IHDR
    return data[:after_header] + chunk + data[after_header:]


def pdf(picture: Gray, dots_per_m: float) -> bytes:
    """A PDF of one page as large as the picture (ISO 32000-1, 7.5 file structure, 8.9 images)."""
    rows, columns = picture.shape
    wide, high = (side / dots_per_m * _POINTS_PER_M for side in (columns, rows))
    image, show = zlib.compress(picture.tobytes()), f"{wide:.4f} 0 0 {high:.4f} 0 0 cm /B Do".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/ViewerPreferences<</PrintScaling/None>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {wide:.4f} {high:.4f}]/Resources<</XObject<</B 5 0 R>>>>"
        "/Contents 4 0 R>>".encode(),
        b"<</Length %d>>stream\n%b\nendstream" % (len(show), show),
        b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 8"
        b"/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (columns, rows, len(image), image),
    ]
    out, places = b"%PDF-1.6\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end
