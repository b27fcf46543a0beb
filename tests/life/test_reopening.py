# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera that stalls is opened anew, but not for ever."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ConfigError
from edge.life.ladder import LadderSettings, Reopening
from edge.life.reopening import ReopeningCamera
from edge.ports import CameraStalledError
from edge.types import Frame


class Camera:
    """Gives so many frames, then stalls."""

    def __init__(self, frames: int) -> None:
        self.left, self.closed = frames, 0
        self.dropped, self.bad = 2, 1

    def read(self) -> Frame:
        if not self.left:
            raise CameraStalledError("camera front: no picture for 5 s")
        self.left -= 1
        return Frame(np.zeros((2, 2, 3), np.uint8), 0.0, self.left, "front")

    def close(self) -> None:
        self.closed += 1


def test_it_is_opened_anew_as_often_as_allowed_and_then_the_stall_is_told(caplog):
    cameras = [Camera(3), Camera(0), Camera(2), Camera(9)]
    waiting = list(cameras)
    reopening = Reopening(LadderSettings(reopens=2))
    camera = ReopeningCamera(lambda: waiting.pop(0), lambda: reopening.allowed(0.0))
    for _ in range(5):
        camera.read()
    with pytest.raises(CameraStalledError, match="no picture for 5 s"):
        camera.read()
    camera.close()
    assert [each.closed for each in cameras] == [1, 1, 1, 0]
    assert (camera.dropped, camera.bad) == (6, 3)  # of three cameras
    assert [record.getMessage() for record in caplog.records] == [
        "camera front: no picture for 5 s; it is opened anew"
    ] * 2


@pytest.mark.parametrize("error", [ConfigError("no such device"), RuntimeError("busy"), OSError(16, "busy")])
def test_a_device_that_its_driver_holds_is_a_stall_and_no_crash(error):
    cameras: list[Camera | Exception] = [Camera(1), error]

    def open_camera() -> Camera:
        found = cameras.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    camera = ReopeningCamera(open_camera, lambda: True)
    camera.read()
    with pytest.raises(CameraStalledError, match="could not be opened anew"):
        camera.read()
    camera.close()
    assert (camera.dropped, camera.bad) == (2, 1)
