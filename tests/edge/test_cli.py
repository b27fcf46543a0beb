# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Every mistake of a user is one line and the exit code that README names."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.assembly import MODELS
from edge.cli import main
from edge.config import load_calibration
from messages.envelope import decode
from tests.servers import free_port, mosquitto


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    told = capsys.readouterr()
    return code, told.out, told.err


def one_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.startswith("wegewart-edge:")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.jpg"), noise)
    return folder


def test_detect_prints_one_json_line_per_picture(capsys, pictures: Path):
    code, out, _ = run(capsys, "detect", pictures / "0.jpg", pictures / "1.jpg", "--json")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["image"] for line in lines] == [str(pictures / "0.jpg"), str(pictures / "1.jpg")]
    assert all((line["width"], line["height"]) == (160, 120) for line in lines)
    for line in lines:
        for found in line["detections"]:
            assert set(found) == {"class", "score", "box"}


def test_detect_gives_what_may_be_kept_of_a_picture_with_all_else_in_few_blocks(capsys, pictures: Path):
    picture = pictures / "0.jpg"
    code, out, _ = run(capsys, "detect", picture, "--json", "--safe", "--keep", "0.25,0.25,0.75,0.75", "--blocks", "8")
    assert code == 0
    kept = json.loads(out)["kept"]
    assert set(kept) == {"jpeg", "width", "height", "box", "anonymised"}
    crop = cv2.imdecode(np.frombuffer(base64.b64decode(kept["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert crop.shape == (kept["height"], kept["width"], 3)
    x1, y1, x2, y2 = (round(value) for value in kept["box"])
    inside, outside = crop[y1:y2, x1:x2].astype(float), crop[:5, :5].astype(float)
    assert inside.std() > 40  # noise, as it was
    assert outside.std() < 10  # a block of its mean


@pytest.mark.parametrize("keep", ["1,2", "a,b,c,d", "0.5,0,0.5,1", "0,0,2,1", "nan,0,1,1"])
def test_a_box_that_is_none_is_refused(capsys, pictures: Path, keep: str):
    code, _, err = run(capsys, "detect", pictures / "0.jpg", "--json", "--safe", "--keep", keep)
    assert code == 2
    assert "four shares" in one_line(err)


def test_detect_goes_on_after_an_unreadable_picture_and_ends_with_3(capsys, pictures: Path):
    (pictures / "0.jpg").write_bytes((pictures / "0.jpg").read_bytes()[:300])
    code, out, err = run(capsys, "detect", pictures / "0.jpg", pictures / "none.jpg", pictures / "1.jpg", "--json")
    assert code == 3
    assert len(out.splitlines()) == 1
    assert str(pictures / "0.jpg") in err
    assert str(pictures / "none.jpg") in err
    assert "2 of 3 pictures could not be read" in err


def test_a_model_with_a_wrong_hash_is_refused_with_4(capsys, pictures: Path, tmp_path: Path):
    package = tmp_path / "street"
    shutil.copytree(MODELS / "street", package)
    onnx = next(package.glob("*int8*.onnx"))
    onnx.write_bytes(onnx.read_bytes() + b"x")
    code, _, err = run(capsys, "detect", pictures / "0.jpg", "--model", package)
    assert code == 4
    assert onnx.name in one_line(err)
    assert "sha256" in one_line(err)


def test_a_model_that_is_not_there_is_named(capsys, pictures: Path):
    code, _, err = run(capsys, "detect", pictures / "0.jpg", "--model", "moon")
    assert code == 4
    assert "moon" in one_line(err)


@pytest.mark.parametrize("make", ["missing", "empty", "text"])
def test_a_recording_that_cannot_be_read_ends_with_3(capsys, tmp_path: Path, make: str):
    source = tmp_path / "film.mp4"
    if make == "empty":
        source = tmp_path / "folder"
        source.mkdir()
    elif make == "text":
        source.write_text("this is no film")
    code, _, err = run(capsys, "replay", source, "--out", tmp_path / "o.jsonl")
    assert code == 3
    assert str(source) in one_line(err)


def test_a_folder_without_a_readable_picture_ends_with_3(capsys, tmp_path: Path):
    (tmp_path / "0.jpg").write_bytes(b"no picture")
    code, _, err = run(capsys, "replay", tmp_path, "--out", tmp_path / "o.jsonl")
    assert code == 3
    assert "holds no readable picture" in one_line(err)


def test_a_track_that_cannot_be_read_ends_with_3(capsys, pictures: Path, tmp_path: Path):
    track = tmp_path / "track.gpx"
    track.write_text("<gpx><nonsense")
    code, _, err = run(capsys, "replay", pictures, "--track", track, "--out", tmp_path / "o.jsonl")
    assert code == 3
    assert "track.gpx" in one_line(err)


def test_a_track_in_another_time_zone_is_told_and_observations_have_no_position(
    capsys, caplog, pictures: Path, tmp_path: Path
):
    (pictures / "frames.csv").write_text("frame,t_s\n" + "".join(f"{i}.jpg,{i}\n" for i in range(3)))
    track = tmp_path / "track.csv"
    track.write_text("t_s,lat,lon\n" + "".join(f"{7200 + i},{51.43 + i / 9000},6.76\n" for i in range(4)))
    code, _, _ = run(capsys, "replay", pictures, "--track", track, "--out", tmp_path / "o.jsonl")
    assert code == 0
    assert "shifted by 2 h, so the time zone is wrong" in caplog.text
    assert b'"lon"' not in (tmp_path / "o.jsonl").read_bytes()


def test_a_calibration_of_another_shape_is_refused_with_2(capsys, pictures: Path, tmp_path: Path):
    calibration = tmp_path / "c.toml"
    calibration.write_text('id="c"\nwidth=1280\nheight=400\nfx=900\nfy=900\ncx=640\ncy=200\nheight_m=2.0\n')
    code, _, err = run(capsys, "replay", pictures, "--calibration", calibration, "--out", tmp_path / "o.jsonl")
    assert code == 2
    assert "1280x400" in one_line(err)
    assert "160x120" in one_line(err)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "vehicle: is missing"),
        ('vehicle = "b"\n[camera]\nheigth = 3\n', "camera.heigth: unknown key, did you mean 'height'?"),
        ('vehicle = "b"\n[camera]\nsource = "front"\n', "camera.source: 'front' is no camera number"),
    ],
)
def test_a_wrong_configuration_ends_with_2(capsys, tmp_path: Path, text: str, expected: str):
    path = tmp_path / "vehicle.toml"
    path.write_text(text)
    code, _, err = run(capsys, "run", "--config", path)
    assert code == 2
    assert f"{path}: {expected}" in one_line(err)


def test_a_broker_that_is_not_there_ends_a_replay_with_5(capsys, pictures: Path, tmp_path: Path):
    url = f"mqtt://127.0.0.1:{free_port()}"
    code, _, err = run(capsys, "replay", pictures, "--broker", url, "--data", tmp_path / "d", "--wait-s", "2")
    assert code == 5
    assert "127.0.0.1" in one_line(err)


@pytest.mark.integration
def test_a_broker_that_refuses_the_login_ends_a_replay_with_5_and_the_password_is_not_told(
    capsys, pictures: Path, tmp_path: Path
):
    with mosquitto(tmp_path / "broker", extra="allow_anonymous false\n") as server:
        url = f"mqtt://bus:secret-word@127.0.0.1:{server.port}"
        code, out, err = run(capsys, "replay", pictures, "--broker", url, "--data", tmp_path / "d")
    assert code == 5
    one_line(err)
    assert "secret-word" not in out + err


def test_replay_writes_events_that_the_depot_can_read(capsys, small_drive: Path, tmp_path: Path):
    out = tmp_path / "events.jsonl"
    code, told, _ = run(capsys, "replay", small_drive, "--out", out, "--vehicle", "bus-7")
    assert code == 0
    summary = json.loads(told)
    events = [decode(line) for line in out.read_bytes().splitlines()]
    assert summary["events_confirmed"] == len(events) > 0
    assert {event.vehicle for event in events} == {"bus-7"}


@pytest.mark.parametrize(
    "arguments", [("--vehicle", "Bus 7"), ("--every-m", "0"), ("--threads", "0"), ("--pace", "-1")]
)
def test_an_argument_out_of_bounds_ends_with_2(capsys, pictures: Path, arguments):
    code, _, err = run(capsys, "replay", pictures, *arguments)
    assert code == 2
    assert arguments[0] in one_line(err)


def test_the_mounting_is_found_from_a_drive_and_its_file_is_read_back(capsys, small_drive: Path, tmp_path: Path):
    out = tmp_path / "camera.toml"
    true = load_calibration(small_drive / "calibration.toml")
    code, _, err = run(capsys, "calibrate", "mount", small_drive, "--height-m", true.height_m, "--out", out)
    assert code == 0, err
    found = load_calibration(out)
    assert found.pitch_deg == pytest.approx(true.pitch_deg, abs=1.5)
    assert found.fx == pytest.approx(true.fx, rel=0.2)


def test_a_mounting_that_cannot_be_found_ends_with_3(capsys, pictures: Path, tmp_path: Path):
    code, _, err = run(capsys, "calibrate", "mount", pictures, "--height-m", "2", "--out", tmp_path / "c.toml")
    assert code == 3
    assert "needs a track" in one_line(err)


def test_config_explain_shows_the_values_of_a_file(capsys, tmp_path: Path):
    path = tmp_path / "v.toml"
    path.write_text('vehicle = "bus-7"\n')
    code, out, _ = run(capsys, "config", "explain", path)
    assert code == 0
    assert 'vehicle = "bus-7"  # from the file' in out
    assert run(capsys, "config", "check", path)[0] == 0
