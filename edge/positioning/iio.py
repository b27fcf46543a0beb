# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""An accelerometer or gyro that Linux knows as an Industrial I/O device.

The device's buffer gives every sample with the kernel's time. Where it cannot be had (no trigger, no right to set it
up) the channels are read one after the other from sysfs, a hundred times a second: good enough, a little uneven.
A buffer that was enabled before we came (by a udev rule) is read as it stands.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from edge.positioning.iio_device import (
    Body,
    IioPlace,
    Moved,
    elements,
    find_device,
    own_trigger,
    read_text,
    set_rate,
    write_text,
)
from edge.positioning.iio_scan import Layout
from edge.positioning.live import LivePositions, Reader

_CLOCK = "timestamp"
_BUFFER_SCANS = 128
_READ_S = 0.5
_SILENT_S = 5.0
_MAX_READ = 65_536
#: One reading of the poll: so many samples, then they are handed on.
_BATCH = 10


def open_iio(place: IioPlace | None = None) -> LivePositions[Moved]:
    """Vertical acceleration, turn rate or both, whatever the device has. To be joined by `MergedPositions`."""
    where = place or IioPlace()
    return LivePositions(connect=lambda counts: connect_iio(where, counts), name=f"IIO {where.device or 'sensor'}")


def connect_iio(place: IioPlace, counts: Counter[str]) -> Reader[Moved]:
    """The device's buffer, or sysfs where that cannot be had (counted as `buffer_unavailable`).

    Raises:
        OSError: there is no such device.
        ValueError: what it says of itself cannot be read.
    """
    device = find_device(place)
    body = Body(device, place.up, place.kinds)
    with contextlib.suppress(OSError):  # some have one rate only, some one for each kind
        set_rate(device, place.rate_hz)
    try:
        return BufferReader(device, place.dev / device.name, body, counts)
    except OSError:
        counts["buffer_unavailable"] += 1
        return PollReader(device, body, counts, rate_hz=place.rate_hz)


class BufferReader:
    """An enabled buffer. Counts `scan_refused` (no believable time)."""

    def __init__(
        self,
        device: Path,
        node: Path,
        body: Body,
        counts: Counter[str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Enable it.

        Raises:
            OSError: it cannot be set up or read.
        """
        self._device, self._body, self._counts, self._clock = device, body, counts, clock
        self._was_enabled = read_text(device / "buffer/enable", "0") == "1"
        if not self._was_enabled:
            self._set_up()
        enabled = [e for e in elements(device) if read_text(device / f"scan_elements/{e.name}_en", "0") == "1"]
        self._layout = Layout(enabled)
        if not {e.name for e in enabled} >= {*body.channels, f"in_{_CLOCK}"}:
            self._disable()
            raise OSError(f"{device}: its buffer lacks channels or times")
        try:
            self._file = os.open(node, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            self._disable()
            raise
        self._rest = b""
        self._heard_s = clock()

    def read(self) -> Sequence[Moved]:
        """The samples since the last call.

        Raises:
            OSError: the device is gone or silent.
        """
        if not select.select([self._file], [], [], _READ_S)[0]:
            if self._clock() - self._heard_s > _SILENT_S:
                raise ConnectionError(f"no sample for {_SILENT_S:.0f} s; does its interrupt or trigger run?")
            return []
        try:
            data = os.read(self._file, _MAX_READ)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionError("the device is gone")
        now_s = self._heard_s = self._clock()
        data, size = self._rest + data, self._layout.size
        whole = len(data) // size * size
        self._rest = data[whole:]
        found: list[Moved] = []
        for start in range(0, whole, size):
            values = self._layout.values(data[start : start + size])
            time_s = values[f"in_{_CLOCK}"] / 1e9
            if abs(time_s - now_s) > 2 * _SILENT_S:  # another clock than the monotonic one
                self._counts["scan_refused"] += 1
                continue
            found += self._body.moved(time_s, values)
        return found

    def close(self) -> None:
        """Close and disable it."""
        os.close(self._file)
        self._disable()

    def _set_up(self) -> None:
        device = self._device
        write_text(device / "current_timestamp_clock", "monotonic")
        for item in elements(device):
            wanted = item.name in self._body.channels or item.name == f"in_{_CLOCK}"
            write_text(device / f"scan_elements/{item.name}_en", str(int(wanted)))
        write_text(device / "buffer/length", str(_BUFFER_SCANS))
        trigger = device / "trigger/current_trigger"
        if trigger.exists() and not read_text(trigger, ""):
            write_text(trigger, own_trigger(device))
        write_text(device / "buffer/enable", "1")

    def _disable(self) -> None:
        if not self._was_enabled:
            with contextlib.suppress(OSError):
                write_text(self._device / "buffer/enable", "0")


class PollReader:
    """Channels read one after the other. Counts `sample_unreadable`."""

    def __init__(
        self,
        device: Path,
        body: Body,
        counts: Counter[str],
        *,
        rate_hz: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._device, self._body, self._counts = device, body, counts
        self._clock, self._sleep, self._step_s = clock, sleep, 1 / rate_hz
        self._next_s = clock()

    def read(self) -> Sequence[Moved]:
        """The next ten samples.

        Raises:
            OSError: the device is gone.
        """
        found: list[Moved] = []
        for _ in range(_BATCH):
            now_s = self._clock()
            self._sleep(max(0.0, self._next_s - now_s))
            self._next_s = max(self._next_s, now_s - self._step_s) + self._step_s
            before_s = self._clock()
            try:
                raw = {name: int(read_text(self._device / f"{name}_raw")) for name in self._body.channels}
            except ValueError:
                self._counts["sample_unreadable"] += 1
                continue
            found += self._body.moved((before_s + self._clock()) / 2, raw)
        return found

    def close(self) -> None:
        """Nothing is held."""
