# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Calibration files are read back as they were written, and what they cannot mean is refused in one line."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.calibration_file import calibration_text, intrinsics_text, load_calibration, load_intrinsics, named
from edge.errors import ConfigError
from edge.geometry import Calibration
from edge.lens import Intrinsics, Lens

DAY = dt.date(2026, 11, 22)
LENS = Intrinsics("front", 1280, 720, 901.5, 902.5, 640.25, 359.5, Lens(-0.3, 0.1, 1e-4, -2e-4, -0.01), 0.002, 1.5, 0.3)
MOUNTED = Calibration(
    id="van 7",
    width=1280,
    height=720,
    fx=901.5,
    fy=902.5,
    cx=640.25,
    cy=359.5,
    height_m=2.05,
    pitch_deg=11.75,
    roll_deg=-0.5,
    yaw_deg=1.25,
    forward_m=1.5,
    left_m=-0.25,
    pitch_error_deg=0.2,
    k1=-0.3,
    k2=0.1,
    p1=1e-4,
    p2=-2e-4,
    k3=-0.01,
    mount_pitch_error_deg=0.1,
    mount_yaw_error_deg=0.2,
    mount_roll_error_deg=0.3,
    height_error_m=0.02,
    focal_error_share=0.002,
    reprojection_px=0.3,
)
OLD = 'id="a"\nwidth=640\nheight=480\nfx=500\nfy=500\ncx=320\ncy=240\nheight_m=2\npitch_error_deg=0.5\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.toml"


def test_a_mounted_camera_comes_back_as_it_was_written(path: Path):
    path.write_text(calibration_text(MOUNTED, method='by "hand"', date=DAY))
    assert load_calibration(path) == MOUNTED
    assert 'format = 1\nkind = "mount"\ndate = 2026-11-22\nmethod = "by \\"hand\\""\n' in path.read_text()


def test_a_lens_comes_back_as_it_was_written(path: Path):
    path.write_text(intrinsics_text(LENS, method="charuco", date=DAY))
    assert load_intrinsics(path) == LENS


def test_numbers_out_of_numpy_are_written_as_numbers(path: Path):
    path.write_text(calibration_text(replace(MOUNTED, pitch_deg=np.float64(12.5))))
    assert load_calibration(path).pitch_deg == 12.5


def test_a_file_from_before_there_was_a_format_is_read(path: Path):
    path.write_text(OLD)
    read = load_calibration(path)
    assert (read.fx, read.pitch_error_deg, read.lens, read.mount_pitch_error_deg) == (500, 0.5, None, 0.0)


@pytest.mark.parametrize("number", ["2", "0", '"1.1"'])
def test_an_unknown_format_is_refused_before_its_keys_are(path: Path, number: str):
    path.write_text(OLD + f"format = {number}\nsomething_new = 5\n")
    with pytest.raises(ConfigError, match=r"c\.toml: format: .* is not known here, only 1; update this software$"):
        load_calibration(path)


def test_a_lens_is_no_mounted_camera_and_the_other_way_round(path: Path):
    path.write_text(intrinsics_text(LENS))
    with pytest.raises(ConfigError, match="kind: is a file of 'intrinsics', here one of 'mount' is needed"):
        load_calibration(path)
    path.write_text(calibration_text(MOUNTED))
    with pytest.raises(ConfigError, match="kind: is a file of 'mount', here one of 'intrinsics' is needed"):
        load_intrinsics(path)


@pytest.mark.parametrize(
    "line",
    [
        "fx = nan",
        "fy = -500.0",
        "cx = nan",
        "cy = inf",
        "height_m = nan",
        "height_m = -2.0",
        "pitch_deg = nan",
        "k1 = nan",
        "k2 = -inf",
        "height_error_m = -0.1",
        "mount_pitch_error_deg = nan",
        "focal_error_share = 2.0",
        "reprojection_px = -1.0",
    ],
)
def test_a_value_that_cannot_be_is_named_in_one_line(path: Path, line: str):
    key = line.split(maxsplit=1)[0]
    rows = [row for row in calibration_text(MOUNTED).splitlines() if not row.startswith(f"{key} =")]
    path.write_text("\n".join([*rows, line]))
    with pytest.raises(ConfigError, match=rf"^\S+c\.toml: {key}: [^\n]*$"):
        load_calibration(path)


def test_the_id_says_name_and_day_and_changes_with_the_content():
    first, same = named(MOUNTED, "van7", DAY), named(replace(MOUNTED, id="other"), "van7", DAY)
    other = named(replace(MOUNTED, pitch_deg=11.76), "van7", DAY)
    assert first.id.startswith("van7-20261122-")
    assert first.id == same.id != other.id
    assert replace(first, id=MOUNTED.id) == MOUNTED
