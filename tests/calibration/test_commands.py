# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge calibrate`: what a technician types, what it answers, and what it refuses in one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.calibration_file import calibration_text, intrinsics_text, load_calibration, load_intrinsics
from edge.cli import main
from edge.lens import Intrinsics
from edge.simulator import default_camera
from tests.calibration.boards import CHARUCO, PLAIN, Photographer, poses

TRUE = default_camera()
LENS = Intrinsics("sim", TRUE.width, TRUE.height, TRUE.fx, TRUE.fy, TRUE.cx, TRUE.cy, focal_error_share=0.002)


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    code = main(["calibrate", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, "".join(line for line in err.splitlines(keepends=True) if not line.startswith(("INFO", "WARN")))


@pytest.fixture(scope="module")
def lens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lens") / "lens.toml"
    path.write_text(intrinsics_text(LENS))
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    camera = Photographer(CHARUCO, PLAIN)
    for i, pose in enumerate(poses(18)):
        cv2.imwrite(str(folder / f"{i:02d}.png"), camera.take(*pose, seed=i))
    cv2.imwrite(str(folder / "20.png"), camera.take(*poses(1)[0], seed=50))
    cv2.imwrite(str(folder / "21.png"), np.full((480, 640, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "22.png"), np.full((240, 320, 3), 90, np.uint8))
    return folder


def test_a_board_is_made_to_print(capsys, tmp_path: Path):
    code, out, err = run(capsys, "board", "--squares", "7x5", "--out", tmp_path / "b.pdf", "--dpi", "100")
    assert (code, err) == (0, "")
    assert "charuco 7x5 squares of 30 mm" in out
    assert "240 x 188 mm, fits A4" in out
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF-1.6")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--out", "b.gif"], "--out b.gif: must end in .pdf or .png"),
        (["--out", "b.png", "--squares", "11"], "--squares 11: must be columns x rows"),
        (["--out", "b.png", "--square-mm", "nan"], "a square of nan mm"),
        (["--out", "b.png", "--dpi", "9"], "--dpi 9: must be from 50 to 1200"),
        (["--out", "b.png", "--dictionary", "4X4_50; x"], "dictionary '4X4_50; x' is unknown"),
    ],
)
def test_a_board_that_cannot_be_made_is_refused_in_one_line(capsys, arguments, why):
    code, _, err = run(capsys, "board", *arguments)
    assert code == 2
    assert why in err
    assert err.count("\n") == 1


def test_the_lens_is_found_and_each_picture_left_out_is_named_with_why(capsys, pictures: Path, tmp_path: Path):
    path = tmp_path / "lens.toml"
    code, out, err = run(capsys, "intrinsics", pictures, "--out", path, "--name", "front", "--date", "2026-11-22")
    assert (code, err) == (0, "")
    found = load_intrinsics(path)
    assert found.fx == pytest.approx(PLAIN.fx, rel=0.005)
    assert found.id.startswith("front-20261122-")
    assert "date = 2026-11-22" in path.read_text()
    named = {Path(line.split(":")[0]).name: line for line in out.splitlines()}
    assert "nearly the same view as another one; move the board" in named["20.png"]
    assert "no board found, or too little of it" in named["21.png"]
    assert "of another size" in named["22.png"]
    assert "left out: 1 no board, 1 size, 1 alike" in named["lens.toml"]


def test_a_video_of_the_board_will_do_too(capsys, pictures: Path, tmp_path: Path):
    video = tmp_path / "board.avi"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 4.0, (640, 480))
    for i in range(18):
        writer.write(cv2.imread(str(pictures / f"{i:02d}.png")))
    writer.release()
    code, _, err = run(capsys, "intrinsics", video, "--out", tmp_path / "lens.toml")
    assert (code, err) == (0, "")
    assert load_intrinsics(tmp_path / "lens.toml").fx == pytest.approx(PLAIN.fx, rel=0.01)


def test_pictures_that_do_not_tell_the_lens_end_with_3(capsys, pictures: Path, tmp_path: Path):
    code, _, err = run(capsys, "intrinsics", pictures, "--squares", "9x6", "--out", tmp_path / "lens.toml")
    assert code == 3
    assert "different, sharp views of the board, 10 are needed; take 20 to 30 pictures" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "lens.toml").exists()


def test_the_mounting_is_found_from_a_drive_with_a_known_lens(capsys, small_drive: Path, lens: Path, tmp_path: Path):
    path = tmp_path / "camera.toml"
    code, out, err = run(
        capsys, "mount", small_drive, "--intrinsics", lens, "--forward-m", "1.5", "--name", "van7", "--out", path
    )
    assert (code, err) == (0, "")
    found = load_calibration(path)
    assert found.pitch_deg == pytest.approx(TRUE.pitch_deg, abs=0.25)
    assert (found.roll_deg, found.yaw_deg) == pytest.approx((0, 0), abs=0.5)
    assert found.height_m == pytest.approx(TRUE.height_m, rel=0.02)
    assert abs(found.pitch_deg - TRUE.pitch_deg) < 4 * found.mount_pitch_error_deg < 2
    assert abs(found.height_m - TRUE.height_m) < 3 * found.height_error_m < 0.2
    assert (found.fx, found.focal_error_share) == (TRUE.fx, 0.002)
    assert "straight drive, " in out
    assert found.id.startswith("van7-")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cli_calibrate._PAIRS", 12)


@pytest.mark.usefixtures("quick")
def test_a_height_by_hand_is_taken_but_not_against_the_drive(capsys, small_drive: Path, lens: Path, tmp_path: Path):
    path = tmp_path / "camera.toml"
    base = ["mount", small_drive, "--intrinsics", lens, "--out", path, "--height-m"]
    assert run(capsys, *base, "2.08")[0] == 0
    assert (load_calibration(path).height_m, load_calibration(path).height_error_m) == (2.08, 0.02)
    code, _, err = run(capsys, *base, "2.9")
    assert code == 3
    assert "--height-m 2.9: the drive says 2.1" in err


def test_the_mounting_is_found_from_marks_and_from_a_lane(capsys, lens: Path, tmp_path: Path):
    path, marks = tmp_path / "camera.toml", tmp_path / "marks.csv"
    ground = [(5.5, 1.5), (5.5, -1.5), (9, 2), (12, -2)]
    rows = [(*TRUE.road_to_pixel(*place), *place) for place in ground]
    marks.write_text("u,v,x_m,y_m\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    assert run(capsys, "mount", "--points", marks, "--intrinsics", lens, "--out", path)[0] == 0
    found = load_calibration(path)
    assert (found.pitch_deg, found.height_m, found.forward_m) == pytest.approx((12.0, 2.1, 1.5), abs=0.01)
    assert 'method = "4 marks on the ground; lens sim"' in path.read_text()

    lines = [",".join(f"{v:.2f}" for x in (6.5, 20) for v in TRUE.road_to_pixel(x, y)) for y in (1.8, -1.8)]
    lane = ["--lane", lines[0], "--lane", lines[1], "--lane-width-m", "3.6"]
    assert run(capsys, "mount", *lane, "--intrinsics", lens, "--out", path)[0] == 0
    found = load_calibration(path)
    assert (found.pitch_deg, found.height_m) == pytest.approx((12.0, 2.1), abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "give one of SOURCE (a drive), --points (marks) or --lane twice"),
        (["drive", "--points", "m.csv"], "give one of SOURCE"),
        (["--points", "m.csv"], "--points: needs --intrinsics; make it with"),
        (["drive"], "--height-m: is needed where the lens is not known"),
        (["drive", "--height-m", "nan"], "--height-m nan: must be from 0.1 to 10"),
        (["drive", "--height-m", "-2"], "--height-m -2: must be from 0.1 to 10"),
        (["drive", "--height-m", "2", "--name", "a b/c"], "--name 'a b/c': use letters"),
        (["drive", "--height-m", "2", "--date", "gestern"], "--date gestern: must be a day like"),
        (["--lane", "1,2,3,4", "--intrinsics", "LENS"], "--lane: give it twice"),
        (
            ["--lane", "1,2,3", "--lane", "1,2,3,4", "--lane-width-m", "3", "--intrinsics", "LENS"],
            "must be four numbers",
        ),
        (
            ["--lane", "1,2,nan,4", "--lane", "1,2,3,4", "--lane-width-m", "3", "--intrinsics", "LENS"],
            "must be numbers",
        ),
        (["drive", "--intrinsics", "none.toml"], "none.toml: cannot be read"),
    ],
)
def test_arguments_that_contradict_or_lack_something_end_with_2(capsys, lens: Path, tmp_path: Path, arguments, why):
    given = [lens if argument == "LENS" else argument for argument in arguments]
    code, _, err = run(capsys, "mount", *given, "--out", tmp_path / "c.toml")
    assert code == 2
    assert why in err
    assert err.count("\n") == 1


def test_a_lens_of_another_shape_of_picture_is_refused(capsys, small_drive: Path, tmp_path: Path):
    square = tmp_path / "square.toml"
    square.write_text(intrinsics_text(Intrinsics("square", 960, 960, 700, 700, 480, 480)))
    code, _, err = run(capsys, "mount", small_drive, "--intrinsics", square, "--out", tmp_path / "c.toml")
    assert code == 2
    assert "square.toml: calibration 'square' is for 960x960 pixels and does not fit 960x540" in err


@pytest.mark.usefixtures("quick")
def test_a_lens_found_at_twice_the_size_is_brought_to_the_size_of_the_drive(capsys, small_drive: Path, tmp_path: Path):
    large, path = tmp_path / "large.toml", tmp_path / "c.toml"
    large.write_text(intrinsics_text(LENS.scaled(1920, 1080)))
    assert run(capsys, "mount", small_drive, "--intrinsics", large, "--forward-m", "1.5", "--out", path)[0] == 0
    found = load_calibration(path)
    assert (found.width, found.fx) == (960, pytest.approx(TRUE.fx))
    assert found.pitch_deg == pytest.approx(12.0, abs=0.5)


def test_a_mounted_camera_given_for_a_lens_is_refused(capsys, small_drive: Path, tmp_path: Path):
    path = tmp_path / "mounted.toml"
    path.write_text(calibration_text(TRUE))
    code, _, err = run(capsys, "mount", small_drive, "--intrinsics", path, "--out", tmp_path / "c.toml")
    assert code == 2
    assert "kind: is a file of 'mount', here one of 'intrinsics' is needed" in err


def test_a_file_that_cannot_be_written_is_named(capsys, tmp_path: Path):
    code, _, err = run(capsys, "board", "--out", tmp_path / "no" / "b.png", "--dpi", "60")
    assert code == 3
    assert "b.png: cannot be written: No such file" in err
