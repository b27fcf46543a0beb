# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The USB and Raspberry Pi cameras on stand-ins that mirror the libraries' API as far as it is used.

This shows that calls, formats and times are right by the libraries' documentation. It is no test on hardware.
"""

from __future__ import annotations

import sys
import time
import types
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from edge.cameras.pi import PiDevice
from edge.cameras.v4l2 import V4l2Device
from edge.errors import InputError


class FakeVideoCapture:
    """cv2.VideoCapture with the V4L2 back end."""

    opens = True
    size = (1280, 720)
    frame: np.ndarray | None = np.full((720, 1280, 3), 7, np.uint8)
    delay_s = 0.02

    def __init__(self, device: str, backend: int) -> None:
        assert backend == cv2.CAP_V4L2
        self.properties: dict[int, float] = {}
        self.released = False
        FakeVideoCapture.last = self

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, name: int, value: float) -> bool:
        self.properties[name] = value
        return True

    def get(self, name: int) -> float:
        if name == cv2.CAP_PROP_POS_MSEC:
            return (time.monotonic() - self.delay_s) * 1000
        sizes = {cv2.CAP_PROP_FRAME_WIDTH: self.size[0], cv2.CAP_PROP_FRAME_HEIGHT: self.size[1]}
        return float(sizes[name])

    def read(self) -> tuple[bool, np.ndarray | None]:
        return self.frame is not None, self.frame

    def release(self) -> None:
        self.released = True


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> type[FakeVideoCapture]:
    fake = type("Fake", (FakeVideoCapture,), {})
    monkeypatch.setattr(cv2, "VideoCapture", fake)
    return fake


def open_usb() -> V4l2Device:
    return V4l2Device(device="/dev/video0", width=1280, height=720, fps=30)


def test_a_usb_camera_is_asked_for_jpeg_size_and_rate(capture: type[FakeVideoCapture]) -> None:
    open_usb()
    assert FakeVideoCapture.last.properties == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 30,
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }


def test_a_usb_frame_carries_the_time_the_kernel_gave_its_buffer(capture: type[FakeVideoCapture]) -> None:
    grabbed = open_usb().grab()
    assert grabbed is not None
    assert 0.02 <= time.monotonic() - grabbed[1] < 1


def test_a_usb_time_stamp_of_another_clock_is_replaced_by_now(capture: type[FakeVideoCapture]) -> None:
    capture.delay_s = -1.7e9
    before = time.monotonic()
    grabbed = open_usb().grab()
    assert grabbed is not None
    assert before <= grabbed[1] <= time.monotonic()


def test_a_usb_frame_that_fails_is_none(capture: type[FakeVideoCapture]) -> None:
    capture.frame = None
    assert open_usb().grab() is None


def test_a_usb_camera_that_is_not_there_is_refused(capture: type[FakeVideoCapture]) -> None:
    capture.opens = False
    with pytest.raises(InputError, match=r"camera /dev/video0: cannot be opened; see"):
        open_usb()


def test_a_usb_camera_that_gives_another_size_is_refused_because_the_calibration_would_not_hold(
    capture: type[FakeVideoCapture],
) -> None:
    capture.size = (640, 480)
    with pytest.raises(InputError, match=r"gives 640x480 pixels where 1280x720 are asked for"):
        open_usb()
    assert FakeVideoCapture.last.released


class FakeRequest:
    def __init__(self, metadata: dict[str, Any]) -> None:
        self.metadata = metadata
        self.released = 0

    def make_array(self, name: str) -> np.ndarray:
        assert name == "main"
        return np.full((480, 640, 3), 9, np.uint8)

    def get_metadata(self) -> dict[str, Any]:
        return self.metadata

    def release(self) -> None:
        self.released += 1


class FakePicamera2:
    """picamera2.Picamera2 as far as it is used."""

    failure: Exception | None = None
    metadata: ClassVar[dict[str, Any]] = {}
    last: FakePicamera2

    def __init__(self, camera_num: int = 0) -> None:
        if self.failure is not None:
            raise self.failure
        self.calls: list[str] = []
        self.requests: list[FakeRequest] = []
        FakePicamera2.last = self

    def create_video_configuration(self, **options: Any) -> dict[str, Any]:
        return options

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration
        self.calls.append("configure")

    def start(self) -> None:
        self.calls.append("start")

    def capture_request(self) -> FakeRequest:
        self.requests.append(FakeRequest(self.metadata))
        return self.requests[-1]

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def picamera(monkeypatch: pytest.MonkeyPatch) -> type[FakePicamera2]:
    fake = type("Fake", (FakePicamera2,), {})
    module = types.ModuleType("picamera2")
    module.Picamera2 = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    return fake


def open_pi() -> PiDevice:
    return PiDevice(width=640, height=480, fps=20)


def test_a_pi_camera_is_configured_once_for_bgr_and_started(picamera: type[FakePicamera2]) -> None:
    device = open_pi()
    assert FakePicamera2.last.configuration["main"] == {"size": (640, 480), "format": "RGB888"}
    assert FakePicamera2.last.configuration["controls"] == {"FrameRate": 20}
    device.close()
    assert FakePicamera2.last.calls == ["configure", "start", "stop", "close"]


def test_every_request_is_given_back_even_when_its_picture_cannot_be_made(
    picamera: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = open_pi()
    device.grab()
    monkeypatch.setattr(FakeRequest, "make_array", lambda self, name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        device.grab()
    assert [request.released for request in FakePicamera2.last.requests] == [1, 1]


def test_the_sensor_time_is_brought_from_the_boot_clock_to_the_monotonic_one(picamera: type[FakePicamera2]) -> None:
    picamera.metadata = {"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 50_000_000}
    before = time.monotonic()
    grabbed = open_pi().grab()
    assert grabbed is not None
    assert before - 0.1 <= grabbed[1] <= time.monotonic() - 0.05
    assert grabbed[0].shape == (480, 640, 3)


def test_a_pi_frame_without_sensor_time_is_stamped_now(picamera: type[FakePicamera2]) -> None:
    before = time.monotonic()
    grabbed = open_pi().grab()
    assert grabbed is not None
    assert before <= grabbed[1] <= time.monotonic()


def test_a_missing_pi_camera_is_refused_in_one_line(picamera: type[FakePicamera2]) -> None:
    picamera.failure = IndexError("list index out of range")
    with pytest.raises(InputError, match=r"camera 0: list index out of range; see `rpicam-hello"):
        open_pi()


def test_missing_picamera2_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(InputError, match=r"apt install python3-picamera2"):
        open_pi()
