# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The pipeline camera on the real GStreamer, with its test picture as the source."""

from __future__ import annotations

import time

import pytest

from edge.cameras.gstreamer import GstreamerDevice, jetson_pipeline, redacted, rtsp_pipeline
from edge.cameras.live import LiveCamera
from edge.errors import InputError
from edge.ports import CameraStalledError
from tests.servers import need

BARS = "videotestsrc is-live=true pattern=smpte75 ! video/x-raw,framerate=30/1"


@pytest.fixture
def gstreamer() -> None:
    need("gst-launch-1.0")


def open_pipeline(pipeline: str, *, width: int = 321, height: int = 241) -> LiveCamera:
    device = GstreamerDevice(pipeline=pipeline, width=width, height=height)
    return LiveCamera(device=device, name="pipe", stall_s=30)


@pytest.mark.integration
@pytest.mark.usefixtures("gstreamer")
def test_a_pipeline_gives_bgr_pictures_of_the_size_asked_for_even_where_rows_are_padded() -> None:
    camera = open_pipeline(BARS)
    try:
        frames = [camera.read() for _ in range(3)]
    finally:
        camera.close()
    picture = frames[-1].picture
    assert picture.shape == (241, 321, 3)
    blue, green, red = (int(value) for value in picture[60, 321 * 5 // 7 + 20])
    assert (blue < 50, green < 50, red > 150) == (True, True, True)  # the sixth bar is red
    assert frames[0].time_s < frames[1].time_s < frames[2].time_s <= time.monotonic()


@pytest.mark.integration
@pytest.mark.usefixtures("gstreamer")
def test_closing_ends_the_process() -> None:
    device = GstreamerDevice(pipeline=BARS, width=64, height=48)
    camera = LiveCamera(device=device, name="pipe", stall_s=30)
    camera.read()
    camera.close()
    assert device._process.poll() is not None


@pytest.mark.integration
@pytest.mark.usefixtures("gstreamer")
@pytest.mark.parametrize(
    ("pipeline", "reason"),
    [
        ("nosuchelement", r'no element "nosuchelement"'),
        ("filesrc location=/no/such/file ! decodebin", r"Resource not found"),
        ("videotestsrc num-buffers=0", r"exit status"),
    ],
)
def test_a_pipeline_that_ends_says_why_in_one_line(pipeline: str, reason: str) -> None:
    camera = open_pipeline(pipeline)
    try:
        with pytest.raises(CameraStalledError, match=reason) as caught:
            camera.read()
    finally:
        camera.close()
    assert "\n" not in str(caught.value)


def test_without_gstreamer_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(InputError, match=r"apt install gstreamer1.0-tools") as caught:
        open_pipeline("rtspsrc location=rtsp://bus:geheim@10.0.0.2/live")
    assert "geheim" not in str(caught.value)


@pytest.mark.usefixtures("gstreamer")
def test_a_pipeline_with_an_open_quote_is_refused() -> None:
    with pytest.raises(InputError, match=r"No closing quotation; check the quotes"):
        open_pipeline("filesrc location='/tmp")


def test_passwords_are_left_out_of_what_is_shown() -> None:
    assert redacted("rtsp://bus:geheim@10.0.0.2/live x") == "rtsp://bus:...@10.0.0.2/live x"
    assert redacted("rtsp://10.0.0.2:554/live") == "rtsp://10.0.0.2:554/live"


def test_an_address_cannot_add_elements_to_the_pipeline() -> None:
    assert rtsp_pipeline(url="rtsp://x/a ! filesink location=/etc/passwd").count("'") == 2


def test_the_jetson_pipeline_names_sensor_size_and_rate() -> None:
    text = jetson_pipeline(sensor=1, width=1920, height=1080, fps=30, flip=2)
    assert text.startswith("nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),width=1920,height=1080")
    assert "framerate=30/1" in text
    assert "flip-method=2" in text
