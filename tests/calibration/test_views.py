# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Of all pictures of a board those are kept that tell something."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.calibration.board import Corners
from edge.calibration.views import View, choose, coverage, edge_width_px, look
from tests.calibration.boards import CHARUCO, CHECKERBOARD, PLAIN, Photographer

STILL = ((10.0, -20.0, 5.0), (0.0, 0.0, 0.45))


@pytest.fixture(scope="module")
def photographers() -> dict[str, Photographer]:
    return {board.kind: Photographer(board, PLAIN) for board in (CHARUCO, CHECKERBOARD)}


@pytest.mark.parametrize("board", [CHARUCO, CHECKERBOARD])
def test_a_sharp_picture_is_a_view_with_all_corners(photographers, board):
    view = look(board, photographers[board.kind].take(*STILL), "a.jpg")
    assert (view.name, len(view.corners.ids)) == ("a.jpg", (board.columns - 1) * (board.rows - 1))


def test_a_picture_without_the_board_is_named_so():
    assert look(CHARUCO, np.full((480, 640, 3), 77, np.uint8), "a.jpg") == "no board"


def test_the_width_of_an_edge_grows_with_the_blur_it_had(photographers):
    widths = []
    for blur_px in (0.5, 1.0, 1.5):
        gray = cv2.cvtColor(photographers["checkerboard"].take(*STILL, blur_px=blur_px), cv2.COLOR_BGR2GRAY)
        widths.append(edge_width_px(CHECKERBOARD, gray, CHECKERBOARD.find(gray)))
    # of a Gauss blur the contrast by the steepest slope is its width times the root of two pi
    assert widths == pytest.approx([1.9, 2.8, 3.9], abs=0.5)
    assert widths == sorted(widths)


@pytest.mark.parametrize("across", [0, 1])
def test_a_board_moved_during_exposure_is_blurred_whichever_way_it_moved(photographers, across):
    picture = photographers["checkerboard"].take(*STILL)
    moved = cv2.blur(picture, (9, 1) if across == 0 else (1, 9))
    assert look(CHECKERBOARD, moved, "m") == "blurred"


def view(shift: float, ids: range = range(20)) -> View:
    pixels = np.array([[30.0 * (i % 5), 30.0 * (i // 5)] for i in ids])
    return View(f"at {shift:g}", Corners(np.array(ids), pixels + shift))


def test_the_same_view_again_is_left_out():
    kept, alike = choose([view(0), view(5), view(60), view(62), view(300)], 640)
    assert [v.name for v in kept] == ["at 0", "at 60", "at 300"]
    assert [v.name for v in alike] == ["at 5", "at 62"]


def test_views_of_other_corners_of_the_board_are_not_the_same():
    kept, _ = choose([view(0, range(10)), view(0, range(10, 20))], 640)
    assert len(kept) == 2


def test_the_share_of_the_picture_that_was_covered_is_counted_in_cells():
    everywhere = np.stack(np.meshgrid(np.linspace(1, 639, 12), np.linspace(1, 479, 12)), -1).reshape(-1, 2)
    assert coverage([], 640, 480) == 0
    assert coverage([View("all", Corners(np.arange(144), everywhere))], 640, 480) == 1
    left = everywhere[everywhere[:, 0] < 320]
    assert coverage([View("left", Corners(np.arange(len(left)), left))], 640, 480) == 0.5
    outside = everywhere + 1000
    assert coverage([View("outside", Corners(np.arange(144), outside))], 640, 480) == 0
