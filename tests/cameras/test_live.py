# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.cameras.live import LiveCamera, believable
from edge.ports import CameraStalledError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.types import Picture

DEADLINE_S = 10.0


class FakeDevice:
    """Hands out what a test puts in, and tells when it waits for more."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[object] = queue.Queue()
        self.waiting = threading.Semaphore(0)
        self.closed = 0

    def grab(self) -> tuple[Picture, float] | None:
        self.waiting.release()
        item = self.inbox.get()
        if isinstance(item, Exception):
            raise item
        if item is None:
            return None
        return np.full((2, 2, 3), item, np.uint8), float(str(item))

    def give(self, *items: object) -> None:
        """Put items in and wait until the camera has taken each and asks for the next."""
        for item in items:
            self.inbox.put(item)
            assert self.waiting.acquire(timeout=DEADLINE_S)

    def interrupt(self) -> None:
        self.inbox.put(None)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def camera(device: FakeDevice) -> Iterator[LiveCamera]:
    camera = LiveCamera(device=device, name="front", stall_s=DEADLINE_S)
    assert device.waiting.acquire(timeout=DEADLINE_S)
    yield camera
    camera.close()


def test_the_newest_frame_wins_and_older_ones_count_as_dropped(device: FakeDevice, camera: LiveCamera) -> None:
    device.give(1, 2, 3)
    frame = camera.read()
    assert (frame.time_s, frame.index, frame.name) == (3.0, 2, "front#2")
    assert camera.dropped == 2
    device.give(4)
    assert camera.read().time_s == 4.0
    assert camera.dropped == 2


def test_reading_waits_for_a_frame_that_is_still_to_come(device: FakeDevice, camera: LiveCamera) -> None:
    threading.Thread(target=device.give, args=(7,)).start()
    assert camera.read().time_s == 7.0


def test_unreadable_frames_are_counted_and_do_not_end_the_camera(device: FakeDevice, camera: LiveCamera) -> None:
    device.give(None, None, 5)
    assert camera.read().index == 0
    assert camera.bad == 2


def test_a_camera_that_gives_nothing_is_reported_as_stalled_with_what_to_check(device: FakeDevice) -> None:
    camera = LiveCamera(device=device, name="front", stall_s=0.05)
    with pytest.raises(CameraStalledError, match=r"camera front: no picture for 0.05 s .*check its cable"):
        camera.read()
    camera.close()


def test_the_time_limit_starts_anew_with_each_read(device: FakeDevice) -> None:
    ticks = iter(range(0, 1000, 3))
    camera = LiveCamera(device=device, name="front", stall_s=4.0, clock=lambda: float(next(ticks)))
    assert device.waiting.acquire(timeout=DEADLINE_S)
    for value in (1, 2, 3):
        device.give(value)
        assert camera.read().time_s == value
    camera.close()


def test_an_error_of_the_driver_reaches_the_reader_in_one_line(device: FakeDevice, camera: LiveCamera) -> None:
    device.inbox.put(OSError("No such device"))
    with pytest.raises(CameraStalledError, match=r"^camera front: failed: No such device$"):
        camera.read()


def test_a_closed_camera_ends_a_waiting_read_and_releases_the_device_once(
    device: FakeDevice, camera: LiveCamera
) -> None:
    caught: queue.Queue[Exception] = queue.Queue()

    def read() -> None:
        try:
            camera.read()
        except CameraStalledError as error:
            caught.put(error)

    reader = threading.Thread(target=read)
    reader.start()
    camera.close()
    camera.close()
    assert "is closed" in str(caught.get(timeout=DEADLINE_S))
    reader.join(DEADLINE_S)
    assert device.closed == 1


def test_a_device_that_hangs_in_its_driver_is_not_released_under_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.cameras.live._JOIN_S", 0.05)
    device = FakeDevice()
    monkeypatch.setattr(device, "interrupt", lambda: None)
    camera = LiveCamera(device=device, name="front")
    assert device.waiting.acquire(timeout=DEADLINE_S)
    camera.close()
    assert device.closed == 0
    device.inbox.put(None)


@pytest.mark.parametrize(("stamp", "expected"), [(99.5, 99.5), (0.0, 100.0), (100.5, 100.0), (1e9, 100.0)])
def test_a_time_stamp_is_believed_only_where_it_can_be_on_our_clock(stamp: float, expected: float) -> None:
    assert believable(stamp, 100.0) == expected
