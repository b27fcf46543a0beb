# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""USB cameras through Video4Linux, by OpenCV.

Written against OpenCV's documented API; a real camera was not at hand, so it is tested on a stand-in only.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.cameras.live import believable
from edge.errors import InputError

if TYPE_CHECKING:
    from edge.types import Picture


class V4l2Device:
    """One `/dev/video*`. USB 2 has no room for raw pictures above VGA, so the camera is asked for JPEG."""

    def __init__(self, *, device: str, width: int, height: int, fps: float, fourcc: str = "MJPG") -> None:
        """Open the device.

        Args:
            device: `/dev/video0`, or better a name under `/dev/v4l/by-id/` that survives a reboot.
            width: pixels.
            height: pixels.
            fps: pictures per second.
            fourcc: how the camera sends its pictures.

        Raises:
            InputError: it cannot be opened or has no such picture size.
        """
        self._video = cv2.VideoCapture(device, cv2.CAP_V4L2)
        if not self._video.isOpened():
            raise InputError(f"camera {device}: cannot be opened; see `v4l2-ctl --list-devices` and the group 'video'")
        self._video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*fourcc))
        self._video.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._video.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._video.set(cv2.CAP_PROP_FPS, fps)
        self._video.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        got = (int(self._video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(self._video.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        if got != (width, height):
            self._video.release()
            # Another size would silently make the calibration wrong.
            raise InputError(
                f"camera {device}: gives {got[0]}x{got[1]} pixels where {width}x{height} are asked for; "
                "see `v4l2-ctl --list-formats-ext` for its sizes"
            )

    def grab(self) -> tuple[Picture, float] | None:
        """Wait for the next picture."""
        good, picture = self._video.read()
        if not good or picture is None:
            return None
        # OpenCV's V4L2 back end gives the kernel's buffer time, which nearly all drivers take from CLOCK_MONOTONIC.
        stamp_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return np.asarray(picture, np.uint8), believable(stamp_s, time.monotonic())

    def interrupt(self) -> None:
        """The driver cannot be interrupted."""

    def close(self) -> None:
        """Release the device."""
        self._video.release()
