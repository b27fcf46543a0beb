# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The Raspberry Pi's camera through Picamera2.

Written against Picamera2 0.3 (`create_video_configuration`, `capture_request`, `CompletedRequest`); a real camera was
not at hand, so it is tested on a stand-in only.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.cameras.live import believable
from edge.errors import InputError

if TYPE_CHECKING:
    from edge.types import Picture


class PiDevice:
    """One camera on the ribbon cable. Configured once for the life of the process: changing modes leaks memory."""

    def __init__(self, *, number: int = 0, width: int, height: int, fps: float) -> None:
        """Open and start the camera.

        Args:
            number: which camera, as `rpicam-hello --list-cameras` counts them.
            width: pixels.
            height: pixels.
            fps: pictures per second.

        Raises:
            InputError: Picamera2 is not installed, or the camera cannot be opened at this size.
        """
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - only there on a Raspberry Pi
        except ImportError as error:
            raise InputError(
                f"camera {number}: Picamera2 cannot be loaded ({error}); run `apt install python3-picamera2` and make "
                "the environment with --system-site-packages"
            ) from None
        try:
            self._camera: Any = Picamera2(number)
            configuration = self._camera.create_video_configuration(
                # Picamera2 names formats by libcamera's little-endian order: its "RGB888" is BGR in memory.
                main={"size": (width, height), "format": "RGB888"},
                controls={"FrameRate": fps},
                buffer_count=4,
                # Without the queue a request is never older than the wish for it.
                queue=False,
            )
            self._camera.configure(configuration)
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise InputError(
                f"camera {number}: {error}; see `rpicam-hello --list-cameras`, its cable and other programs that use it"
            ) from None

    def grab(self) -> tuple[Picture, float] | None:
        """Wait for the next picture."""
        request = self._camera.capture_request()
        try:
            picture = request.make_array("main")
            stamp_ns = request.get_metadata().get("SensorTimestamp")
        finally:
            # A request that is not given back is a buffer less; after four the camera stands still.
            request.release()
        return np.ascontiguousarray(picture, np.uint8), _monotonic(stamp_ns)

    def interrupt(self) -> None:
        """The driver cannot be interrupted."""

    def close(self) -> None:
        """Stop and release the camera."""
        self._camera.stop()
        self._camera.close()


def _monotonic(stamp_ns: int | None) -> float:
    """SensorTimestamp (first row exposed, CLOCK_BOOTTIME, ns) on the monotonic clock, which stands during suspend."""
    now_s = time.monotonic()
    if stamp_ns is None:
        return now_s
    return believable(stamp_ns / 1e9 - (time.clock_gettime(time.CLOCK_BOOTTIME) - now_s), now_s)
