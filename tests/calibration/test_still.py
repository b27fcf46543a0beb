# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The mounting comes out of one picture: by marks on the ground, or by a lane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.calibration.marks import read_marks
from edge.calibration.mounting import mounted
from edge.calibration.still import mount_from_lane, mount_from_points
from edge.errors import InputError
from edge.geometry import Calibration
from edge.lens import Intrinsics, Lens

LENS = Intrinsics("lens", 1280, 720, 900.0, 905.0, 652.0, 351.0, Lens(-0.28, 0.08, 5e-4, -4e-4, -0.01), 0.002, 0.5, 0.2)
GROUND = [(5.0, 1.5), (5.0, -1.5), (9.0, 2.0), (9.0, -2.0), (14.0, 1.8), (14.0, -1.8)]
NUMBERS = ("pitch_deg", "roll_deg", "yaw_deg", "height_m")


def camera(pitch=11.0, roll=1.0, yaw=-2.0, height=2.1, place=(1.4, -0.2)) -> Calibration:
    angles = (pitch, roll, yaw)
    return mounted(LENS, "true", angles_deg=angles, errors_deg=(0, 0, 0), height_m=(height, 0), place_m=place)


def marks(true: Calibration, ground=GROUND) -> np.ndarray:
    return np.array([[*true.road_to_pixel(*place), *place] for place in ground])


def lane(true: Calibration, left=1.9, right=-1.7) -> list[tuple[float, float, float, float]]:
    return [(*true.road_to_pixel(6.5, y), *true.road_to_pixel(22, y)) for y in (left, right)]


def said(found: Calibration) -> list[float]:
    return [getattr(found, name) for name in NUMBERS]


@settings(max_examples=30, deadline=None)
@given(
    pitch=st.floats(3, 25),
    roll=st.floats(-6, 6),
    yaw=st.floats(-8, 8),
    height=st.floats(1.0, 3.5),
    count=st.integers(4, 6),
)
def test_marks_on_the_ground_give_the_whole_mounting(pitch, roll, yaw, height, count):
    true = camera(pitch, roll, yaw, height)
    found = mount_from_points(marks(true)[:count], LENS, name="m")
    assert said(found) == pytest.approx(said(true), abs=2e-3)
    assert (found.forward_m, found.left_m) == pytest.approx((1.4, -0.2), abs=2e-3)
    assert (found.lens, found.fx) == (LENS.lens, LENS.fx)


def test_the_errors_stated_from_marks_are_those_of_clicking_again_and_again():
    rng, true = np.random.default_rng(2), camera()
    trials = []
    for _ in range(60):
        clicked = marks(true)
        clicked[:, :2] += rng.normal(0, 1.5, (6, 2))
        trials.append(mount_from_points(clicked, LENS, name="m"))
    spread = np.std([said(trial) for trial in trials], axis=0)
    stated = np.sqrt(
        np.mean(
            [
                np.square([t.mount_pitch_error_deg, t.mount_roll_error_deg, t.mount_yaw_error_deg, t.height_error_m])
                for t in trials
            ],
            axis=0,
        )
    )
    assert stated == pytest.approx(spread, rel=0.35)


def test_a_mark_that_was_measured_wrongly_is_named():
    wrong = marks(camera())
    wrong[3, 2] += 1.0  # a metre too many
    with pytest.raises(InputError, match=r"contradict each other by \d+ pixels; without mark 4 they agree: check"):
        mount_from_points(wrong, LENS, name="m")


def test_marks_with_left_and_right_mixed_up_are_refused():
    mirrored = marks(camera(), [(5, 1.5), (5, -1.2), (9, 2), (9, -1), (14, 1.8)])
    mirrored[:, 3] *= -1
    with pytest.raises(InputError, match=r"contradict each other|no place of a camera 0.2 to 10 m above the ground"):
        mount_from_points(mirrored, LENS, name="m")


def test_too_few_marks_or_marks_in_one_line_are_refused():
    with pytest.raises(InputError, match="3 marks, 4 or more are needed"):
        mount_from_points(marks(camera())[:3], LENS, name="m")
    with pytest.raises(InputError, match="lie in one line"):
        mount_from_points(marks(camera(), [(5, 1.5), (7, 1.5), (9, 1.5), (14, 1.5)]), LENS, name="m")


@settings(max_examples=30, deadline=None)
@given(pitch=st.floats(3, 25), roll=st.floats(-6, 6), yaw=st.floats(-8, 8), height=st.floats(1.0, 3.5))
def test_a_lane_gives_pitch_yaw_and_height(pitch, roll, yaw, height):
    true = camera(pitch, roll, yaw, height, (0.0, 0.0))
    found = mount_from_lane(lane(true), 3.6, LENS, name="l", roll_deg=roll, place_m=(1.0, 0.5))
    assert said(found) == pytest.approx(said(true), abs=2e-3)
    assert (found.forward_m, found.left_m) == (1.0, 0.5)


def test_the_errors_stated_from_a_lane_cover_clicks_width_and_tilt():
    rng, true = np.random.default_rng(2), camera(roll=0.0, place=(0.0, 0.0))
    trials = []
    for _ in range(150):
        tilted = replace(true, roll_deg=rng.normal(0, 0.7))
        clicked = [tuple(np.array(line) + rng.normal(0, 1.5, 4)) for line in lane(tilted)]
        trials.append(said(mount_from_lane(clicked, 3.6 + rng.normal(0, 0.03), LENS, name="l")))
    spread, stated = np.std(trials, axis=0), mount_from_lane(lane(true), 3.6, LENS, name="l")
    assert stated.mount_pitch_error_deg == pytest.approx(spread[0], rel=0.3)
    assert stated.height_error_m == pytest.approx(spread[3], rel=0.3)
    assert stated.mount_yaw_error_deg > spread[2]  # it holds how well the vehicle stands along the lane too
    assert stated.mount_roll_error_deg == 0.7


@pytest.mark.parametrize(
    "lines",
    [
        [(100, 600, 500, 600), (100, 700, 500, 700)],  # both across the road
        [(300, 700, 600, 300), (300, 700, 600, 300)],  # the same twice
        [(300, 50, 600, 300), (900, 50, 700, 300)],  # they meet below
        [(1e9, 100, 600, 50), (900, 100, 700, 50)],  # outside the lens
    ],
)
def test_lines_that_are_no_lane_are_refused(lines):
    with pytest.raises(InputError, match="the two lines do not meet above the road"):
        mount_from_lane(lines, 3.5, LENS, name="l")


def test_marks_are_read_as_they_are_written_in_english_and_in_german(tmp_path: Path):
    path = tmp_path / "marks.csv"
    path.write_text("u,v,x_m,y_m,what\n100.5,600,5.25,-1.5,chalk\n200,500,9,2,\n")
    expected = [[100.5, 600, 5.25, -1.5], [200, 500, 9, 2]]
    assert read_marks(path).tolist() == expected
    path.write_text("\ufeffu;v;x_m;y_m\n100,5;600;5,25;-1,5\n200;500;9;2\n", encoding="utf-8")
    assert read_marks(path).tolist() == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "column u, v, x_m, y_m is missing"),
        ("u,v,x_m\n1,2,3\n", "column y_m is missing"),
        ("u,v,x_m,y_m\n1,2,3,4\n1,2,nan,4\n", "line 3: .* is no mark"),
        ("u,v,x_m,y_m\n1,2,3\n", "line 2: .* is no mark"),
        ("u,v,x_m,y_m\n1,2,3,4,5\n1,2,500,4\n", "line 3: .* is no mark"),
        ("u,v,x_m,y_m\n1,2,drei,4\n", "line 2: .* is no mark"),
    ],
)
def test_marks_that_are_none_are_named_with_their_line(tmp_path: Path, text: str, why: str):
    path = tmp_path / "marks.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=why) as error:
        read_marks(path)
    assert "\n" not in str(error.value)
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        read_marks(tmp_path / "none.csv")
    path.write_bytes(b"\xff\xfe\x00u")
    with pytest.raises(InputError, match="is no UTF-8 text"):
        read_marks(path)
