# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The lens comes out of views of a board, and what does not tell it is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.calibration.board import Board, Corners
from edge.calibration.intrinsics import find_intrinsics
from edge.calibration.views import View, look
from edge.errors import InputError
from edge.lens import Intrinsics
from tests.calibration.boards import CAMERA, CHARUCO, CHECKERBOARD, Photographer, poses


def seen(board: Board, camera: Intrinsics, places: list[tuple], *, noise_px: float = 0.15) -> list[View]:
    """Views worked out without pictures, through the lens's own formula."""
    rng = np.random.default_rng(4)
    ids = np.arange((board.columns - 1) * (board.rows - 1))
    views = []
    for i, (turn, middle) in enumerate(places):
        corner = board.points(ids) - np.array([board.columns, board.rows, 0]) * board.square_m / 2
        x, y, z = (corner @ turned(turn).T + middle).T
        bent = camera.lens.bend(x / z, y / z)
        pixels = np.stack([camera.cx + camera.fx * bent[0], camera.cy + camera.fy * bent[1]], axis=1)
        inside = ((pixels > 0) & (pixels < (camera.width, camera.height))).all(axis=1)
        views.append(
            View(f"{i}.jpg", Corners(ids[inside], pixels[inside] + rng.normal(0, noise_px, (inside.sum(), 2))))
        )
    return views


def turned(turn_deg: tuple[float, float, float]) -> np.ndarray:
    a, b, c = np.radians(turn_deg)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_x @ about_y @ about_z


def find(views: list[View], board: Board = CHARUCO, camera: Intrinsics = CAMERA):
    return find_intrinsics(views, board, width=camera.width, height=camera.height, name="found")


@pytest.mark.parametrize(("board", "far_m", "aside"), [(CHARUCO, 0.6, 0.9), (CHECKERBOARD, 0.8, 0.6)])
def test_the_lens_of_a_camera_comes_out_of_25_pictures_with_noise_and_blur(board: Board, far_m: float, aside: float):
    camera = Photographer(board, CAMERA)
    pictures = [camera.take(*pose, seed=i) for i, pose in enumerate(poses(25, far_m=far_m, aside=aside))]
    views = [look(board, picture, str(i)) for i, picture in enumerate(pictures)]
    assert all(isinstance(view, View) for view in views)
    found = find(views, board)
    lens = found.intrinsics
    assert (lens.fx, lens.fy) == pytest.approx((CAMERA.fx, CAMERA.fy), rel=0.005)
    assert (lens.cx, lens.cy) == pytest.approx((CAMERA.cx, CAMERA.cy), abs=3)
    grid = np.stack(np.meshgrid(np.linspace(0, 959, 20), np.linspace(0, 539, 12)), -1).reshape(-1, 2)
    x, y = CAMERA.straight(grid).T
    bent = np.stack(lens.lens.bend(x, y), axis=1) * (lens.fx, lens.fy) + (lens.cx, lens.cy)
    off = bent - grid
    assert np.hypot(*off.T).max() < 1.0  # everywhere in the picture
    assert (
        np.hypot(*(off - off.mean(axis=0)).T).max() < 0.5
    )  # the same without the middle's error, which turns all alike
    assert found.error_px < 0.2
    assert found.held_out_px < 0.2
    assert found.coverage == 1.0


def test_the_stated_errors_hold_for_what_they_are_stated_of():
    off = []
    for trial in range(8):
        places = [(turn, tuple(np.array(place) * (1 + 0.02 * trial))) for turn, place in poses(25)]
        lens = find(seen(CHARUCO, CAMERA, places, noise_px=0.3)).intrinsics
        off.append((lens.fx - CAMERA.fx) / (lens.focal_error_share * lens.fx))
        off.append((lens.cx - CAMERA.cx) / lens.centre_error_px)
        assert lens.reprojection_px == pytest.approx(0.3, abs=0.05)
    assert np.abs(off).max() < 3.5
    assert np.sqrt(np.mean(np.square(off))) > 0.2  # nor are they mere caution


def test_a_lens_without_distortion_is_found_as_one():
    plain = replace(CAMERA, lens=replace(CAMERA.lens, k1=0.0, k2=0.0, p1=0.0, p2=0.0, k3=0.0))
    lens = find(seen(CHARUCO, plain, poses(25))).intrinsics.lens
    assert abs(lens.k1) < 0.005
    assert lens.k3 == 0.0  # what is not needed is not used


def test_too_few_views_are_refused_with_what_to_do():
    with pytest.raises(InputError, match=r"only 9 different, sharp views.*10 are needed; take 20 to 30 pictures"):
        find(seen(CHARUCO, CAMERA, poses(9)))


def test_a_board_held_only_in_the_middle_is_refused():
    places = [(turn, (0, 0, 0.9)) for turn, _ in poses(25)]
    with pytest.raises(InputError, match=r"seen in only \d+ % of the picture.*edges and corners"):
        find(seen(CHARUCO, CAMERA, places))


def test_a_board_held_straight_on_all_the_time_is_refused():
    flat = [((0.3 * (i % 3), 0.2, 0), place) for i, (_, place) in enumerate(poses(25))]
    with pytest.raises(InputError, match=r"only 0 views have the board tilted by more than 10 degrees, 4 are needed"):
        find(seen(CHARUCO, CAMERA, flat, noise_px=0.3))


def test_a_board_that_is_not_the_one_stated_is_refused():
    warped = [
        View(v.name, Corners(v.corners.ids, v.corners.pixels + 4 * np.sin(v.corners.pixels[:, ::-1] / 60)))
        for v in seen(CHARUCO, CAMERA, poses(25))
    ]
    with pytest.raises(
        InputError, match=r"corners lie [\d.]+ pixels beside.*is the board flat and really a charuco 11x8"
    ):
        find(warped)


def test_one_wrong_view_among_many_is_dropped_and_named():
    views = seen(CHARUCO, CAMERA, poses(25))
    bad = views[7]
    views[7] = View(
        "bad.jpg", Corners(bad.corners.ids, bad.corners.pixels + 5 * np.sin(bad.corners.pixels[:, ::-1] / 40))
    )
    found = find(views)
    assert found.dropped == ("bad.jpg",)
    assert found.views == 24
    assert found.intrinsics.fx == pytest.approx(CAMERA.fx, rel=0.005)


def test_of_very_many_views_some_are_enough():
    places = [(turn, (x * f, y * f, z * f)) for f in (1.0, 1.1, 1.2) for turn, (x, y, z) in poses(27)]
    assert find(seen(CHARUCO, CAMERA, places)).views == 60
