# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A board is what the printer and the finder think it is."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from edge.calibration.board import MARGIN, Board
from edge.calibration.printed import board_page, paper, pdf, png
from edge.errors import ConfigError
from tests.calibration.boards import CHARUCO, CHECKERBOARD


@pytest.mark.parametrize("board", [CHARUCO, CHECKERBOARD, Board("charuco", 5, 8, 0.04, 0.03, "APRILTAG_36H11")])
def test_a_drawn_board_is_found_with_each_corner_where_it_was_drawn(board: Board):
    picture, dots_per_m = board.draw(1500)
    found = board.find(picture)
    assert len(found.ids) == (board.columns - 1) * (board.rows - 1)
    margin = round(MARGIN * dots_per_m * board.square_m)
    drawn = board.points(found.ids)[:, :2] * dots_per_m + margin - 0.5
    if board.kind == "checkerboard":  # it looks the same upside down
        drawn = drawn if np.abs(found.pixels - drawn).max() < 1 else drawn[::-1]
    assert found.pixels == pytest.approx(drawn, abs=0.8)  # OpenCV 4 leans by half a pixel where edges are this sharp


def test_corners_of_the_charuco_board_lie_where_opencv_has_them():
    board = cv2.aruco.CharucoBoard((11, 8), 0.03, 0.022, cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    assert CHARUCO.points(np.arange(70)) == pytest.approx(board.getChessboardCorners(), abs=1e-7)


def test_nothing_is_found_where_there_is_no_board():
    noise = np.random.default_rng(1).integers(0, 255, (480, 640)).astype(np.uint8)
    for board in (CHARUCO, CHECKERBOARD):
        assert board.find(noise) is None
        assert board.find(np.full((480, 640), 128, np.uint8)) is None


def test_one_row_of_corners_is_no_view_of_a_board():
    picture, dots_per_m = CHARUCO.draw(1500)
    side = round(0.03 * dots_per_m)
    strip = picture[: side // 2 + 2 * side]
    found = CHARUCO.find(np.pad(strip, ((0, 100), (0, 0)), constant_values=255))
    assert found is None


@pytest.mark.parametrize(
    ("board", "why"),
    [
        (replace(CHARUCO, columns=3), "3x8 squares: use 4 to 40"),
        (replace(CHARUCO, square_m=float("nan")), "a square of nan mm"),
        (replace(CHARUCO, square_m=30.0), "a square of 30000 mm: use 2 to 1000 mm"),
        (replace(CHARUCO, marker_m=0.029), "a marker of 29 mm does not fit a square of 30 mm"),
        (replace(CHARUCO, marker_m=float("nan")), "a marker of nan mm does not fit"),
        (replace(CHARUCO, dictionary="9X9"), "dictionary '9X9' is unknown; use one of 4X4_50"),
        (replace(CHARUCO, columns=12, rows=12), "needs 72 markers, dictionary 4X4_50 has 50"),
    ],
)
def test_a_board_that_cannot_be_is_refused(board: Board, why: str):
    with pytest.raises(ConfigError, match=why):
        board.check()
    CHARUCO.check()
    CHECKERBOARD.check()


def test_a_png_says_how_large_it_is():
    picture, dots_per_m = board_page(CHARUCO, 150)
    data = png(picture, dots_per_m)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE).shape == picture.shape
    at = data.index(b"pHYs")
    per_m_x, per_m_y, unit = struct.unpack(">IIB", data[at + 4 : at + 13])
    assert (per_m_x, per_m_y, unit) == (round(dots_per_m), round(dots_per_m), 1)
    assert struct.unpack(">I", data[at + 13 : at + 17])[0] == zlib.crc32(data[at : at + 13])
    # a square is a whole number of dots and 30 mm at the stated resolution
    assert dots_per_m * 0.03 == pytest.approx(round(dots_per_m * 0.03))
    assert picture.shape[1] / dots_per_m == pytest.approx(12 * 0.03, abs=0.001)


def test_a_pdf_has_one_page_of_the_true_size_and_the_picture_in_it():
    picture, dots_per_m = board_page(CHECKERBOARD, 100)
    data = pdf(picture, dots_per_m)
    wide, high = map(float, re.search(rb"MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", data).groups())
    assert wide / 72 * 0.0254 == pytest.approx(picture.shape[1] / dots_per_m, abs=1e-5)
    assert high / 72 * 0.0254 == pytest.approx(picture.shape[0] / dots_per_m, abs=1e-5)
    image = data[data.index(b"/Subtype/Image") :]
    size = int(re.search(rb"/Length (\d+)>>stream\n", image)[1])
    body = image[image.index(b"stream\n") + 7 :][:size]
    assert np.array_equal(np.frombuffer(zlib.decompress(body), np.uint8).reshape(picture.shape), picture)
    table = data[int(re.search(rb"startxref\n(\d+)", data)[1]) :]
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", table)]
    assert [data[place:].startswith(b"%d 0 obj" % number) for number, place in enumerate(places, 1)] == [True] * 5


def test_the_paper_is_the_smallest_that_holds_the_board():
    assert paper(0.2, 0.29) == "A4"
    assert paper(0.36, 0.278) == "A3"
    assert paper(2.0, 0.3) is None
