# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Speed from a vehicle's CAN bus: python-can's virtual bus, and a real virtual interface where the kernel has one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.positioning.can_bus import CanBus, CanFrame, CanPlace
from edge.positioning.can_speed import FMS_SPEED, CanSignal, CanSpeedReader, open_can_speed, signal_filter
from edge.positioning.live import LivePositions
from edge.positioning.obd import ObdReader, open_obd, speed_answer
from edge.types import Odometry
from tests.servers import wait_until


@pytest.fixture
def place() -> CanPlace:
    return CanPlace("virtual", f"test-{uuid.uuid4()}")


class Vehicle:
    """A control unit that answers the question for its speed, and others that say other things."""

    def __init__(self, place: CanPlace, speed_kmh: int, *, extended: bool = False, refuse: bool = False) -> None:
        self.bus = can.Bus(interface=place.interface, channel=place.channel)
        self.speed_kmh, self.extended, self.refuse = speed_kmh, extended, refuse
        self.asked = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def say(self, can_id: int, data: bytes, *, extended: bool | None = None) -> None:
        extended = self.extended if extended is None else extended
        self.bus.send(can.Message(arbitration_id=can_id, data=data, is_extended_id=extended))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.bus.shutdown()

    def _run(self) -> None:
        ask, answer = (0x18DB33F1, 0x18DAF110) if self.extended else (0x7DF, 0x7E8)
        while not self._stop.is_set():
            message = self.bus.recv(0.02)
            if message is None or message.arbitration_id != ask or bytes(message.data[:3]) != b"\x02\x01\x0d":
                continue
            self.asked += 1
            if self.refuse:
                self.say(answer, b"\x03\x7f\x01\x12")
                continue
            self.say(0x123, bytes(8))
            self.say(answer, b"\x03\x41\x0c\x10")  # the engine's speed, which nobody asked for
            self.say(answer, bytes([3, 0x41, 0x0D, self.speed_kmh, 0, 0, 0, 0]))
            self.say(answer + 1, bytes([3, 0x41, 0x0D, 0, 0, 0, 0, 0]))  # the gearbox sees it otherwise


@pytest.fixture(params=[False, True], ids=["11 bits", "29 bits"])
def vehicle(place: CanPlace, request: pytest.FixtureRequest) -> Iterator[Vehicle]:
    vehicle = Vehicle(place, 50, extended=request.param)
    yield vehicle
    vehicle.close()


def collect(source: LivePositions[Odometry], count: int) -> list[Odometry]:
    found: list[Odometry] = []

    def enough() -> bool:
        found.extend(source.until(time.monotonic()))
        return len(found) >= count

    wait_until(enough, timeout_s=20, what=f"{count} words of the odometer")
    return found


def test_the_vehicle_is_asked_for_its_speed_and_its_distance_added_up(place: CanPlace, vehicle: Vehicle) -> None:
    source = open_obd(place=place, extended_ids=vehicle.extended, scale=0.98)
    try:
        found = collect(source, 5)
        way, duration = found[-1].distance_m - found[0].distance_m, found[-1].time_s - found[0].time_s
        assert way / duration == pytest.approx(50 / 3.6 * 0.98)
        assert duration / (len(found) - 1) >= 0.15  # a polite pace
        assert source.state.counts == {}
    finally:
        source.close()


def test_a_vehicle_that_refuses_is_counted(place: CanPlace) -> None:
    vehicle = Vehicle(place, 50, refuse=True)
    source = open_obd(place=place)
    try:
        wait_until(lambda: source.state.counts.get("obd_refused", 0) >= 2, what="refusals")
        assert source.until(time.monotonic()) == []
    finally:
        source.close()
        vehicle.close()


@pytest.mark.parametrize("kind", ["obd", "signal"])
def test_a_silent_bus_is_given_up(place: CanPlace, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.positioning.can_speed._READ_S", 0.01)
    clock = [0.0]
    if kind == "obd":
        reader = ObdReader(CanBus(place, ()), Counter(), clock=lambda: clock[0])
    else:
        reader = CanSpeedReader(CanBus(place, ()), FMS_SPEED, Counter(), clock=lambda: clock[0])
    assert list(reader.read()) == []
    clock[0] = 16.0
    with pytest.raises(OSError, match="for 15 s; is the ignition on"):
        reader.read()
    reader.close()


def test_a_bus_of_trucks_is_listened_to_whoever_sends(place: CanPlace) -> None:
    vehicle = Vehicle(place, 0)
    bus = CanBus(place, (signal_filter(FMS_SPEED),))
    clock = [0.0]
    counts: Counter[str] = Counter()
    reader = CanSpeedReader(bus, FMS_SPEED, counts, clock=lambda: clock[0])
    frames = [
        (0x18FEF100, b"\xff\x00\x0a" + bytes(5)),  # 10 km/h
        (0x0CFEF1EE, b"\xff\x00\x24" + bytes(5)),  # 36 km/h, another sender
        (0x18FEF200, b"\xff\x00\x64" + bytes(5)),  # another group
        (0x18FEF100, b"\xff\xff\xff" + bytes(5)),  # not available
        (0x18FEF100, b"\xff\x00"),  # cut off
        (0x18FEF100, b"\xff\x00\x24" + bytes(5)),
    ]
    found: list[Odometry] = []
    for can_id, data in frames:
        clock[0] += 0.1
        vehicle.say(can_id, data, extended=True)
        if can_id != 0x18FEF200:
            found += reader.read()
    reader.close()
    vehicle.close()
    assert [m.distance_m for m in found] == pytest.approx([0, (10 + 36) / 2 / 3.6 * 0.1, (23 + 4 * 36) / 3.6 * 0.1])
    assert counts == {"speed_missing": 1, "frame_short": 1}


def test_the_source_listens_in_the_background(place: CanPlace) -> None:
    signal = CanSignal(can_id=0x1A0, start_bit=16, length=13, factor=0.08, byte_order="little")
    vehicle = Vehicle(place, 0)
    source = open_can_speed(place=place, signal=signal)
    try:
        wait_until(lambda: source.state.connected, what="the bus")
        for _ in range(3):
            vehicle.say(0x1A0, bytes([0, 0, 0x71, 0x02, 0]))  # 625 x 0.08 = 50 km/h
        found = collect(source, 3)
        way, duration = found[-1].distance_m - found[0].distance_m, found[-1].time_s - found[0].time_s
        assert way == pytest.approx(50 / 3.6 * duration)
    finally:
        source.close()
        vehicle.close()


@pytest.mark.parametrize(
    ("signal", "data", "raw"),
    [
        (CanSignal(1, 8, 16, 1), b"\x00\x34\x12", 0x1234),
        (CanSignal(1, 12, 8, 1), b"\x00\x30\x02", 0x23),
        (CanSignal(1, 0, 4, 1, signed=True), b"\x0f", -1),
        # Motorola: the start bit is the most significant one.
        (CanSignal(1, 7, 16, 1, byte_order="big"), b"\x12\x34\x56", 0x1234),
        (CanSignal(1, 15, 16, 1, byte_order="big"), b"\x12\x34\x56", 0x3456),
        (CanSignal(1, 3, 12, 1, byte_order="big"), b"\x12\x34\x56", 0x234),
        (CanSignal(1, 3, 8, 1, byte_order="big", signed=True), b"\x1f\xe4", -2),
        (CanSignal(1, 8, 16, 1), b"\x00\x34", None),
        (CanSignal(1, 15, 16, 1, byte_order="big"), b"\x12\x34", None),
    ],
)
def test_bits_are_taken_as_a_dbc_file_counts_them(signal: CanSignal, data: bytes, raw: int | None) -> None:
    assert signal.raw(data) == raw


@given(st.binary(max_size=64), st.integers(0, 511), st.integers(1, 64), st.sampled_from(["little", "big"]))
def test_no_frame_breaks_a_signal(data: bytes, start: int, length: int, order) -> None:
    raw = CanSignal(1, start, length, 1, byte_order=order).raw(data)
    assert raw is None or 0 <= raw < 2**length
    assert speed_answer(data) in {None, *range(256)}


@pytest.mark.parametrize("change", [{"length": 0}, {"length": 65}, {"start_bit": -1}, {"start_bit": 512}])
def test_a_signal_that_cannot_be_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="start_bit must be"):
        CanSignal(**({"can_id": 1, "start_bit": 0, "length": 8, "factor": 1.0} | change))


def test_a_bus_that_is_not_there_is_waited_for() -> None:
    source = open_can_speed(place=CanPlace("socketcan", "no-such-can"))
    wait_until(lambda: source.state.counts.get("connection_lost", 0) >= 1, what="the refusal")
    source.close()


@pytest.mark.parametrize("opening", [open_obd, open_can_speed])
def test_without_python_can_one_line_says_what_to_install(opening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "can", None)
    with pytest.raises(ConfigError, match=r"pip install 'wegewart\[can\]'"):
        opening()


@pytest.mark.integration
def test_a_virtual_interface_of_the_kernel_carries_the_same() -> None:
    name = "vcanwege"
    made = subprocess.run(["ip", "link", "add", name, "type", "vcan"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"the kernel has no vcan: {made.stderr.strip()}")
    try:
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        vehicle = Vehicle(CanPlace("socketcan", name), 50)
        source = open_obd(place=CanPlace("socketcan", name))
        try:
            assert len(collect(source, 3)) >= 3
        finally:
            source.close()
            vehicle.close()
    finally:
        subprocess.run(["ip", "link", "del", name], check=True)


def test_a_frame_is_sent_and_received_as_it_is(place: CanPlace) -> None:
    one, other = CanBus(place, ()), CanBus(place, ())
    one.send(CanFrame(0x18DB33F1, extended=True, data=b"\x01\x02"))
    assert other.receive(1.0) == CanFrame(0x18DB33F1, extended=True, data=b"\x01\x02")
    assert other.receive(0.01) is None
    one.close()
    other.close()
