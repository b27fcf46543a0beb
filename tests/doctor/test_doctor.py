# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks.simulated_drive import config_for
from edge.calibration_file import load_calibration
from edge.cli import main
from edge.config import VehicleConfig
from edge.doctor import computer, place, sight
from edge.doctor.visit import visit
from edge.errors import InputError
from edge.life.board import Board
from edge.ports import EndOfRecording
from edge.sources import open_camera
from edge.types import Fix, Frame
from tests.delivery.little_depot import LittleDepot
from tests.delivery.samples import VEHICLE
from tests.servers import mosquitto


def vehicle(drive: Path, data: Path) -> VehicleConfig:
    found = config_for(drive)
    return replace(
        found,
        camera=replace(found.camera, calibration=drive / "calibration.toml"),
        delivery=replace(found.delivery, data=data),
    )


class Pictures:
    """A camera that gives the same picture again and again."""

    dropped = bad = 0

    def __init__(self, picture: np.ndarray, many: int = 30) -> None:
        self.picture, self.left = picture, many

    def read(self) -> Frame:
        if not self.left:
            raise EndOfRecording
        self.left -= 1
        return Frame(time_s=-self.left / 10, picture=self.picture, index=0, name="")

    def close(self) -> None:
        pass


def road(drive: Path) -> np.ndarray:
    return open_camera(config_for(drive)).read().picture


def looked_at(config: VehicleConfig, picture: np.ndarray) -> str:
    first, *_ = sight.check_camera(config, lambda: Pictures(picture))
    return f"{first.grade}: {first.text.en}"


def test_a_good_camera_is_good_and_says_which_road_it_sees(small_drive: Path, tmp_path: Path) -> None:
    picture, mount = sight.check_camera(vehicle(small_drive, tmp_path), lambda: Pictures(road(small_drive)))
    assert (picture.grade, mount.grade) == ("ok", "ok")
    assert picture.figures["frames_per_s"] == 10.0
    assert mount.figures["near_m"] < mount.figures["far_m"]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda p: (p * 0.05).astype(np.uint8), "bad: picture too dark"),
        (lambda p: np.full_like(p, 255), "bad: picture overexposed"),
        (lambda p: np.full_like(p, 120), "bad: picture covered"),
        (lambda p: cv2.GaussianBlur(p, (0, 0), 8), "bad: picture blurred"),
    ],
)
def test_a_spoilt_picture_is_named(small_drive: Path, tmp_path: Path, spoil, expected: str) -> None:
    assert looked_at(vehicle(small_drive, tmp_path), spoil(road(small_drive))).startswith(expected)


def test_a_camera_that_cannot_be_opened_is_one_line(small_drive: Path, tmp_path: Path) -> None:
    def broken() -> Pictures:
        raise InputError("v4l2 /dev/video0: not there")

    (finding,) = sight.check_camera(vehicle(small_drive, tmp_path), broken)
    assert (finding.grade, finding.text.de) == ("bad", "v4l2 /dev/video0: not there")
    assert finding.advice.de


def test_a_camera_of_another_shape_must_be_calibrated_again(small_drive: Path, tmp_path: Path) -> None:
    square = road(small_drive)[:, :500]
    *_, mount = sight.check_camera(vehicle(small_drive, tmp_path), lambda: Pictures(square))
    assert mount.grade == "bad"


def test_a_camera_that_looks_into_the_sky_sees_no_road(small_drive: Path) -> None:
    good = load_calibration(small_drive / "calibration.toml")
    assert sight.mounted(good, 25.0).grade == "ok"
    assert sight.mounted(dataclasses.replace(good, pitch_deg=-40.0), 25.0).grade == "bad"


def fix(error_m: float, utc_s: float | None = 1.7e9) -> Fix:
    return Fix(0.0, 6.76, 51.43, error_m, None, None, utc_s, "autonomous")


@pytest.mark.parametrize(
    ("fixes", "connected", "grade"),
    [
        ([fix(2.0)], True, "ok"),
        ([fix(9.0)], True, "warn"),
        ([fix(2.0, None)], True, "warn"),
        ([], True, "bad"),
        ([], False, "bad"),
    ],
)
def test_a_receiver_is_judged_by_its_fixes(fixes: list[Fix], connected: bool, grade: str) -> None:
    assert place.receiver(fixes, connected=connected, wait_s=20).grade == grade


@pytest.mark.parametrize(
    ("report", "grade"),
    [
        ({"satellites": [{"used": True}] * 10, "hdop": 0.9}, "ok"),
        ({"satellites": [{"used": True}] * 10, "hdop": 5.0}, "warn"),
        ({"satellites": [{"used": True}] * 5}, "warn"),
        ({"satellites": [{"used": False}] * 20, "hdop": 0.9}, "bad"),
        ({"satellites": "many"}, "bad"),
        ({"satellites": [3, None, {"used": "yes"}], "hdop": float("nan")}, "bad"),
        (None, "bad"),
    ],
)
def test_the_sky_is_judged_whatever_gpsd_says(report: dict[str, object] | None, grade: str) -> None:
    assert place.sky(report).grade == grade


@pytest.mark.parametrize(("up", "grade"), [(9.81, "ok"), (9.3, "ok"), (0.1, "bad"), (-9.81, "bad")])
def test_the_axis_that_points_up_feels_gravity(up: float, grade: str) -> None:
    assert place.gravity([up] * 5).grade == grade


def test_a_worn_card_and_a_folder_without_rights_are_told(small_drive: Path, tmp_path: Path) -> None:
    device = tmp_path / "sys" / "block" / "mmcblk0" / "device"
    device.mkdir(parents=True)
    (device / "life_time").write_text("0x0a 0x0b\n")
    (device / "pre_eol_info").write_text("0x03\n")
    (wear,) = computer.wear(tmp_path / "sys")
    assert (wear.grade, wear.figures["life_used_percent"]) == ("bad", 110)
    (disk,) = computer.check_disk(vehicle(small_drive, tmp_path / "gone"))
    assert disk.grade == "bad"
    (disk,) = computer.check_disk(vehicle(small_drive, tmp_path), sys=tmp_path / "none")
    assert disk.grade == "ok"


def hot(folder: Path, celsius: float) -> Board:
    zone = folder / "class" / "thermal" / "thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text(f"{celsius * 1000:.0f}\n")
    return Board(folder, vcgencmd=lambda: "throttled=0x1")


def test_heat_and_under_voltage_are_faults(small_drive: Path, tmp_path: Path) -> None:
    found = computer.check_board(vehicle(small_drive, tmp_path), hot(tmp_path / "sys", 95.0))
    assert [finding.grade for finding in found] == ["bad", "bad"]


def test_a_running_daemon_keeps_its_camera(small_drive: Path, tmp_path: Path) -> None:
    def never(_: VehicleConfig) -> Pictures:
        raise AssertionError("opened the camera of a running daemon")

    config = vehicle(small_drive, tmp_path)
    findings = list(visit(config, ask_systemd=lambda: "active", camera=never, wait_s=0.1))
    camera = next(finding for finding in findings if finding.part is sight.CAMERA)
    assert camera.grade == "skip"
    assert "systemctl stop" in camera.advice.de


@pytest.mark.integration
def test_doctor_on_a_whole_vehicle_and_a_failed_daemon_is_told_to_the_depot(
    small_drive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mosquitto(tmp_path / "broker") as broker, LittleDepot(broker.host, broker.port) as depot:
        file = tmp_path / "vehicle.toml"
        file.write_text(
            f'vehicle = "{VEHICLE}"\n[camera]\nkind = "replay"\nsource = "{small_drive}"\n'
            f'calibration = "{small_drive / "calibration.toml"}"\n[position]\nkind = "replay"\n'
            f'[delivery]\nhost = "{broker.host}"\nport = {broker.port}\ndata = "{tmp_path}"\n'
        )
        assert main(["doctor", "--config", str(file), "--json", "--wait", "0.1"]) == 0
        said = {line["part"]: line["grade"] for line in map(json.loads, capsys.readouterr().out.splitlines())}
        assert said["broker"] == said["camera"] == said["model"] == said["disk"] == "ok"
        monkeypatch.setattr(computer, "_SYSTEMCTL", ("echo", "failed"))
        assert main(["doctor", "--config", str(file), "--quick", "--tell"]) == 1
        health, _ = depot.first("health")
        assert any(fault.startswith("service: has failed") for fault in health.faults)
