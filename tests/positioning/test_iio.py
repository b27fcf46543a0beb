# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""IIO devices: a sysfs tree and a FIFO as a device node stand in for the kernel."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.positioning.iio import BufferReader, PollReader, connect_iio, open_iio
from edge.positioning.iio_device import Body, IioPlace, find_device
from edge.positioning.iio_scan import IDENTITY, Layout, along_up, element, mount_matrix
from edge.positioning.merged import TurnRate
from edge.types import Acceleration
from tests.servers import wait_until

#: Raw numbers of a device at rest that turns left by 10 degrees a second: x, y, z.
ACCEL, GYRO = (10, -20, 16_384), (3, -4, 572)
ACCEL_SCALE, GYRO_SCALE = 9.81 / 16_384, 0.000305176


def put(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


class FakeDevice:
    """An IMU as `inv_mpu6050` shows it, with its node."""

    def __init__(self, folder: Path, *, name: str = "mpu6050", kinds: tuple[str, ...] = ("accel", "anglvel")) -> None:
        self.sysfs, self.dev = folder / "sys", folder / "dev"
        self.device = self.sysfs / "iio:device0"
        self.node = self.dev / "iio:device0"
        put(self.device / "name", name)
        put(self.device / "sampling_frequency", 50)
        put(self.device / "sampling_frequency_available", "10 20 50 100 200 500")
        put(self.device / "current_timestamp_clock", "realtime")
        put(self.device / "buffer/enable", 0)
        put(self.device / "buffer/length", 2)
        put(self.device / "trigger/current_trigger", "")
        put(self.sysfs / "trigger0/name", "other-dev3")
        put(self.sysfs / "trigger1/name", f"{name}-dev0")
        index = 0
        for kind, scale, raws in (("accel", ACCEL_SCALE, ACCEL), ("anglvel", GYRO_SCALE, GYRO)):
            if kind not in kinds:
                continue
            put(self.device / f"in_{kind}_scale", f"{scale:.12f}")
            for axis, raw in zip("xyz", raws, strict=True):
                put(self.device / f"in_{kind}_{axis}_raw", raw)
                self.scan(f"in_{kind}_{axis}", index, "be:s16/16>>0")
                index += 1
        self.scan("in_temp", 7, "be:s16/16>>0")
        self.scan("in_timestamp", 8, "le:s64/64>>0")
        self.dev.mkdir(exist_ok=True)
        os.mkfifo(self.node)
        # Both ways: a FIFO that nobody has open for writing is at its end.
        self._writer = os.open(self.node, os.O_RDWR | os.O_NONBLOCK)

    def scan(self, name: str, index: int, kind: str) -> None:
        folder = self.device / "scan_elements"
        put(folder / f"{name}_en", 0)
        put(folder / f"{name}_index", index)
        put(folder / f"{name}_type", kind)

    def say(self, data: bytes) -> None:
        os.write(self._writer, data)

    def attribute(self, name: str) -> str:
        return (self.device / name).read_text().strip()

    def place(self, **changes) -> IioPlace:
        return IioPlace(sysfs=self.sysfs, dev=self.dev, **changes)

    def close(self) -> None:
        os.close(self._writer)


@pytest.fixture
def fake(tmp_path: Path):
    device = FakeDevice(tmp_path)
    yield device
    device.close()


def scan(time_s: float, *, z: int = ACCEL[2]) -> bytes:
    """Six channels of 16 bits, four bytes of padding, the time."""
    return struct.pack(">6h", ACCEL[0], ACCEL[1], z, *GYRO) + bytes(4) + struct.pack("<q", round(time_s * 1e9))


def test_a_buffer_is_set_up_read_across_reads_and_switched_off(fake: FakeDevice) -> None:
    reader = connect_iio(fake.place(), Counter())
    assert isinstance(reader, BufferReader)
    now_s = time.monotonic()
    fake.say(scan(now_s - 0.01) + scan(now_s, z=8_192)[:9])
    first = list(reader.read())
    fake.say(scan(now_s, z=8_192)[9:])
    second = list(reader.read())
    assert first == [
        Acceleration(pytest.approx(now_s - 0.01, abs=1e-6), pytest.approx(9.81)),
        TurnRate(pytest.approx(now_s - 0.01, abs=1e-6), pytest.approx(-10.0, abs=0.02)),
    ]
    assert [type(m) for m in second] == [Acceleration, TurnRate]
    assert second[0].vertical_mps2 == pytest.approx(4.905)
    assert fake.attribute("buffer/enable") == "1"
    assert fake.attribute("current_timestamp_clock") == "monotonic"
    assert fake.attribute("sampling_frequency") == "100"
    assert fake.attribute("trigger/current_trigger") == "mpu6050-dev0"
    assert fake.attribute("scan_elements/in_accel_z_en") == "1"
    assert fake.attribute("scan_elements/in_temp_en") == "0"
    reader.close()
    assert fake.attribute("buffer/enable") == "0"


def test_a_buffer_that_was_enabled_before_is_read_as_it_stands_and_left_on(fake: FakeDevice) -> None:
    for name in ("in_accel_x", "in_accel_y", "in_accel_z", "in_anglvel_x", "in_anglvel_y", "in_anglvel_z"):
        put(fake.device / f"scan_elements/{name}_en", 1)
    put(fake.device / "scan_elements/in_temp_en", 1)
    put(fake.device / "scan_elements/in_timestamp_en", 1)
    put(fake.device / "buffer/enable", 1)
    counts: Counter[str] = Counter()
    reader = connect_iio(fake.place(), counts)
    now_s = time.monotonic()
    fake.say(scan(now_s))  # the temperature lies in what was padding
    assert [m.time_s for m in reader.read()] == [pytest.approx(now_s, abs=1e-6)] * 2
    reader.close()
    assert fake.attribute("buffer/enable") == "1"
    assert counts == {}


def test_the_udev_rule_starts_a_buffer_that_is_then_read(fake: FakeDevice) -> None:
    rules = Path(__file__).parents[2] / "firmware_config/raspberry_pi/etc/udev/rules.d/70-wegewart.rules"
    script = re.search(r"/bin/sh -c '(.*)'", rules.read_text(encoding="utf-8"))
    assert script is not None
    command = script[1].replace("/sys%p", str(fake.device)).replace("$$", "$")
    subprocess.run(["/bin/sh", "-c", command], check=True)
    for folder in (fake.device, fake.device / "scan_elements", fake.device / "buffer"):
        for path in folder.iterdir():
            if path.is_file():
                path.chmod(0o444)  # to the daemon /sys is read-only
    counts: Counter[str] = Counter()
    reader = connect_iio(fake.place(), counts)
    assert isinstance(reader, BufferReader)
    assert fake.attribute("current_timestamp_clock") == "monotonic"
    assert fake.attribute("sampling_frequency") == "100"
    fake.say(scan(time.monotonic()))
    assert len(list(reader.read())) == 2
    reader.close()
    assert fake.attribute("buffer/enable") == "1"
    assert counts == {}


def test_a_scan_with_the_time_of_another_clock_is_counted(fake: FakeDevice) -> None:
    counts: Counter[str] = Counter()
    reader = connect_iio(fake.place(), counts)
    fake.say(scan(1_777_624_200.0))
    assert list(reader.read()) == []
    assert counts == {"scan_refused": 1}
    reader.close()


def test_a_silent_buffer_is_given_up(fake: FakeDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.positioning.iio._READ_S", 0.01)
    clock = [0.0]
    body = Body(fake.device, "z")
    reader = BufferReader(fake.device, fake.node, body, Counter(), clock=lambda: clock[0])
    assert list(reader.read()) == []
    clock[0] = 6.0
    with pytest.raises(OSError, match="does its interrupt or trigger run"):
        reader.read()
    reader.close()


@pytest.mark.parametrize("lacking", ["node", "trigger", "timestamp"])
def test_without_a_buffer_the_channels_are_polled(fake: FakeDevice, lacking: str) -> None:
    if lacking == "node":
        fake.node.unlink()
    elif lacking == "trigger":
        put(fake.sysfs / "trigger1/name", "another-dev9")
    else:
        (fake.device / "scan_elements/in_timestamp_en").unlink()
    counts: Counter[str] = Counter()
    reader = connect_iio(fake.place(rate_hz=1000.0), counts)
    assert isinstance(reader, PollReader)
    found = list(reader.read())
    assert [type(m) for m in found] == [Acceleration, TurnRate] * 10
    assert found[0].vertical_mps2 == pytest.approx(9.81)
    assert counts == {"buffer_unavailable": 1}
    assert fake.attribute("buffer/enable") == "0"
    reader.close()


def test_polling_keeps_its_pace_and_does_not_catch_up_after_a_pause(fake: FakeDevice) -> None:
    clock, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    reader = PollReader(
        fake.device, Body(fake.device, "z"), Counter(), rate_hz=100, clock=lambda: clock[0], sleep=sleep
    )
    times = [m.time_s for m in reader.read() if isinstance(m, Acceleration)]
    assert times == pytest.approx([i / 100 for i in range(10)])
    clock[0] += 60
    times = [m.time_s for m in reader.read() if isinstance(m, Acceleration)]
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(0.01)
    assert sum(s == 0 for s in slept) <= 4


def test_a_sample_that_is_no_number_is_counted(fake: FakeDevice) -> None:
    counts: Counter[str] = Counter()
    reader = PollReader(fake.device, Body(fake.device, "z"), counts, rate_hz=10_000)
    put(fake.device / "in_accel_x_raw", "busy")
    assert list(reader.read()) == []
    assert counts == {"sample_unreadable": 10}
    (fake.device / "in_accel_x_raw").unlink()
    with pytest.raises(OSError, match="in_accel_x_raw"):
        reader.read()


@pytest.mark.parametrize(
    ("up", "matrix", "vertical"),
    [
        ("z", None, 9.81),
        ("-z", None, -9.81),
        ("x", None, 10 * ACCEL_SCALE),
        ("y", "1, 0, 0; 0, 0, 1; 0, -1, 0", 9.81),
        ("-x", "0, 0, -1; 0, 1, 0; 1, 0, 0", 9.81),
    ],
)
def test_the_axis_that_points_up_is_set_after_the_mount_matrix(
    fake: FakeDevice, up, matrix: str | None, vertical: float
) -> None:
    if matrix is not None:
        put(fake.device / "in_accel_mount_matrix", matrix)
        put(fake.device / "in_mount_matrix", "1, 0, 0; 0, 1, 0; 0, 0, 1")
    body = Body(fake.device, up)
    raw = {
        f"in_{kind}_{a}": v for kind, r in (("accel", ACCEL), ("anglvel", GYRO)) for a, v in zip("xyz", r, strict=True)
    }
    found = body.moved(1.0, raw)
    assert found[0] == Acceleration(1.0, pytest.approx(vertical))


def test_scale_and_offset_may_be_of_one_axis(fake: FakeDevice) -> None:
    put(fake.device / "in_accel_offset", 100)
    put(fake.device / "in_accel_z_scale", 0.5)
    raw = dict.fromkeys(Body(fake.device, "z").channels, 0) | {"in_accel_z": 20}
    assert Body(fake.device, "z").moved(0.0, raw)[0] == Acceleration(0.0, 60.0)
    assert Body(fake.device, "x").moved(0.0, raw)[0] == Acceleration(0.0, pytest.approx(100 * ACCEL_SCALE))


def test_a_device_is_found_by_its_name_its_folder_or_as_the_only_one(tmp_path: Path) -> None:
    fake = FakeDevice(tmp_path, kinds=("accel",))
    put(fake.sysfs / "iio:device1/name", "bme280")
    put(fake.sysfs / "iio:device2/name", "gyro")
    put(fake.sysfs / "iio:device2/in_anglvel_z_raw", 5)
    assert find_device(fake.place()).name == "iio:device0"
    assert find_device(fake.place(device="gyro")).name == "iio:device2"
    assert find_device(fake.place(device="iio:device2")).name == "iio:device2"
    with pytest.raises(OSError, match="no IIO device bme280"):
        find_device(fake.place(device="bme280"))
    raw = {"in_anglvel_z": 1}
    assert Body(fake.sysfs / "iio:device2", "z").moved(0.0, raw) == [TurnRate(0.0, pytest.approx(-57.29578))]
    fake.close()


def test_of_a_device_that_has_both_only_what_is_wanted_is_taken(fake: FakeDevice) -> None:
    reader = connect_iio(fake.place(kinds=("anglvel",)), Counter())
    assert fake.attribute("scan_elements/in_accel_x_en") == "0"
    now_s = time.monotonic()
    fake.say(struct.pack(">3h", *GYRO) + bytes(2) + struct.pack("<q", round(now_s * 1e9)))
    assert [type(m) for m in reader.read()] == [TurnRate]
    reader.close()


def test_the_source_reads_in_the_background_and_waits_for_a_device_that_is_not_there(fake: FakeDevice) -> None:
    source = open_iio(fake.place())
    missing = open_iio(fake.place(device="none"))
    try:
        wait_until(lambda: source.state.connected, what="the device")
        fake.say(scan(time.monotonic()))
        wait_until(lambda: len(source.until(time.monotonic())) == 2, what="a sample")
        wait_until(lambda: missing.state.counts.get("connection_lost", 0) >= 1, what="the refusal")
    finally:
        source.close()
        missing.close()
    assert fake.attribute("buffer/enable") == "0"


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        ("le:s16/16>>0", b"\xfe\xff", -2),
        ("be:s16/16>>0", b"\xff\xfe", -2),
        ("le:u16/16>>0", b"\xfe\xff", 65_534),
        ("le:s12/16>>4", b"\xf0\x7f", 2047),
        ("le:s12/16>>4", b"\x0f\x80", -2048),
        ("be:u12/16>>0", b"\xf1\x23", 0x123),
        ("le:s64/64>>0", b"\xff" * 8, -1),
        ("le:s16/16X3>>0", b"\x01\x00", 1),
    ],
)
def test_stored_numbers_are_read_as_the_kernel_describes_them(kind: str, data: bytes, value: int) -> None:
    assert element("in_x", "0", kind).value(data) == value


def test_elements_lie_in_the_order_of_their_index_each_aligned_to_its_size() -> None:
    layout = Layout(
        [element("t", "9", "le:s64/64>>0"), element("b", "2", "le:s32/32>>0"), element("a", "1", "le:s16/16>>0")]
    )
    assert layout.size == 16
    assert layout.values(struct.pack("<hxxiq", 1, 2, 3)) == {"a": 1, "b": 2, "t": 3}
    assert Layout([element("a", str(i), "le:s16/16>>0") for i in range(3)]).size == 6


@pytest.mark.parametrize("text", ["", "le:s16", "le:s20/16>>0", "me:s16/16>>0", "le:s16/16>>4", "le:s16/24>>0"])
def test_a_type_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="in_accel_x: type"):
        element("in_accel_x", "0", text)


@pytest.mark.parametrize("text", ["", "1, 0; 0, 1", "1,0,0;0,1,0;0,0,2", "a,b,c;d,e,f;g,h,i", "0,0,0;0,0,0;0,0,0"])
def test_a_matrix_that_does_not_turn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mount matrix|convert"):
        mount_matrix(text)


@given(st.tuples(*[st.floats(-50, 50)] * 3))
def test_up_and_down_are_opposite(values: tuple[float, float, float]) -> None:
    assert along_up(values, IDENTITY, "y") == -along_up(values, IDENTITY, "-y") == values[1]
