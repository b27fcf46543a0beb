# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera that is opened anew when it stalls, in this process: the first step of the ladder."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edge.errors import WegewartError
from edge.ports import Camera, CameraStalledError
from edge.types import Frame

_log = logging.getLogger(__name__)


class ReopeningCamera:
    """A live camera and how to open it again.

    Args:
        open_camera: opens the device; called at once and after a stall.
        may_reopen: whether it may be tried again now (`Life.camera_may_reopen`).

    Raises:
        WegewartError: it cannot be opened the first time.
    """

    def __init__(self, open_camera: Callable[[], Camera], may_reopen: Callable[[], bool]) -> None:
        self._open = open_camera
        self._may_reopen = may_reopen
        self._camera = open_camera()
        self._dropped = self._bad = 0  # of cameras before this one

    @property
    def dropped(self) -> int:
        """See `Camera.dropped`."""
        return self._dropped + self._camera.dropped

    @property
    def bad(self) -> int:
        """See `Camera.bad`."""
        return self._bad + self._camera.bad

    def read(self) -> Frame:
        """See `Camera.read`. Raises CameraStalledError: opening it anew did not help, or not any more."""
        while True:
            try:
                return self._camera.read()
            except CameraStalledError as error:  # noqa: PERF203 - each round waits for a picture
                if not self._may_reopen():
                    raise
                _log.warning("%s; it is opened anew", error)
                self._renew()

    def close(self) -> None:
        """See `Camera.close`."""
        self._camera.close()

    def _renew(self) -> None:
        self._dropped, self._bad = self.dropped, self.bad
        before = self._camera
        before.close()
        try:
            self._camera = self._open()
        except (WegewartError, OSError, RuntimeError) as error:
            # A driver that hangs keeps its device: only the end of the process frees it.
            self._dropped, self._bad = self._dropped - before.dropped, self._bad - before.bad
            raise CameraStalledError(f"the camera could not be opened anew: {error}") from None
