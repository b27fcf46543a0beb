# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A live camera that never holds up the rest: a thread takes every picture, the newest one waits in a single slot.

A picture that nobody took before the next one came is counted in `dropped`. A device that gives nothing for `stall_s`
ends in `CameraStalledError`: users report cameras that only a new process (or a reboot) brings back, so nothing is
re-opened here.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

from edge.ports import CameraStalledError
from edge.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.types import Picture

_log = logging.getLogger(__name__)

#: After a picture that could not be read; a device that fails at once must not spin a core.
_PAUSE_AFTER_BAD_S = 0.05
_JOIN_S = 2.0
#: A driver's time stamp must lie this near to now to be believed, seconds.
_MAX_DELAY_S = 2.0


class Device(Protocol):
    """One kind of camera hardware. The camera's own thread calls `grab`, and `close` comes after that has ended."""

    def grab(self) -> tuple[Picture, float] | None:
        """Wait for the next picture.

        Returns:
            Height x width x 3 BGR and monotonic seconds at capture; None where the picture was unreadable.
        """

    def interrupt(self) -> None:
        """Called from another thread: end a waiting `grab` where the hardware allows it, else do nothing."""

    def close(self) -> None:
        """Release the device."""


class LiveCamera:
    """A device as a camera: the newest frame wins."""

    def __init__(
        self,
        *,
        device: Device,
        name: str,
        stall_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start to take pictures.

        Args:
            device: what to take them from; it is closed with the camera.
            name: how frames and errors call it.
            stall_s: how long `read` waits for a picture.
            clock: monotonic seconds.
        """
        self.dropped = 0
        self.bad = 0
        self._device = device
        self._name = name
        self._stall_s = stall_s
        self._clock = clock
        self._fresh = threading.Condition()
        self._slot: Frame | None = None
        self._failure: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera {name}", daemon=True)
        self._thread.start()

    def read(self) -> Frame:
        """The newest frame that was not read yet; waits for it.

        Raises:
            CameraStalledError: none came within `stall_s`, or the device failed or was closed.
        """
        deadline = self._clock() + self._stall_s
        with self._fresh:
            while self._slot is None:
                if self._failure is not None:
                    raise CameraStalledError(f"camera {self._name}: {self._failure}")
                left = deadline - self._clock()
                if left <= 0:
                    raise CameraStalledError(
                        f"camera {self._name}: no picture for {self._stall_s:g} s ({self.bad} unreadable); "
                        "check its cable and whether another program uses it"
                    )
                self._fresh.wait(left)
            frame, self._slot = self._slot, None
        return frame

    def close(self) -> None:
        """Stop and release the device. May be called twice."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._fail("is closed")
        self._device.interrupt()
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            # Releasing a device under a thread that waits in its driver crashes the process; its end releases it too.
            _log.warning(
                "camera %s: its driver does not answer; the device is released when the process ends", self._name
            )
            return
        self._device.close()

    def _run(self) -> None:
        index = 0
        while not self._stop.is_set():
            try:
                grabbed = self._device.grab()
            except Exception as error:  # noqa: BLE001 - whatever a driver raises must reach the reader, not die here
                self._fail(f"failed: {str(error) or type(error).__name__}")
                return
            if grabbed is None:
                self.bad += 1
                self._stop.wait(_PAUSE_AFTER_BAD_S)
                continue
            picture, time_s = grabbed
            with self._fresh:
                if self._slot is not None:
                    self.dropped += 1
                self._slot = Frame(picture, time_s, index, f"{self._name}#{index}")
                self._fresh.notify()
            index += 1

    def _fail(self, why: str) -> None:
        with self._fresh:
            self._failure = self._failure or why
            self._fresh.notify_all()


def believable(stamp_s: float, now_s: float) -> float:
    """A driver's capture time where it can be one on our clock, else now."""
    return stamp_s if 0 <= now_s - stamp_s <= _MAX_DELAY_S else now_s
