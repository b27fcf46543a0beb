# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What boards say of heat and supply, from trees of files like those that their kernels make: stand-ins for boards."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.life.board import Board, BoardState, ask_vcgencmd
from edge.life.condition import Condition
from edge.life.heat import HeatGovernor

PI_4 = {
    "class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "class/thermal/thermal_zone0/temp": "48312\n",
    "class/hwmon/hwmon0/name": "cpu_thermal\n",
    "class/hwmon/hwmon1/name": "rpi_volt\n",
    "class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
    "class/thermal/cooling_device0/type": "pwm-fan\n",
    "class/thermal/cooling_device0/cur_state": "3\n",
    "devices/platform/soc/soc:firmware/get_throttled": "0\n",
}
ORIN = {
    "class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "class/thermal/thermal_zone0/temp": "61500\n",
    "class/thermal/thermal_zone1/type": "gpu-thermal\n",
    "class/thermal/thermal_zone1/temp": "63250\n",
    "class/thermal/thermal_zone2/type": "cv0-thermal\n",  # switched off: reading its `temp` fails
    "class/thermal/cooling_device0/type": "cpu-throttle-alert\n",
    "class/thermal/cooling_device0/cur_state": "0\n",
    "class/hwmon/hwmon2/name": "soctherm_oc\n",
    "class/hwmon/hwmon2/oc1_event_cnt": "0\n",
    "class/hwmon/hwmon2/oc3_event_cnt": "7\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def put(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def look(root: Path, files: dict[str, str], vcgencmd: str | None = None) -> BoardState:
    put(root, files)
    return Board(root, vcgencmd=lambda: vcgencmd).look()


def test_a_raspberry_pi_that_is_well(root):
    state = look(root, PI_4)
    assert state == BoardState({"cpu_thermal": 48.312}, {})
    assert state.hottest_c == 48.312


def test_a_jetson_that_is_well(root):
    state = look(root, ORIN)
    assert state.temperatures_c == {"cpu_thermal": 61.5, "gpu_thermal": 63.25}
    assert (state.events, state.slowed_by, state.under_voltage) == ({"oc1": 0, "oc3": 7}, (), False)


@pytest.mark.parametrize(
    ("bits", "low", "slowed"),
    [
        ("1", True, ()),
        ("50005", True, ("throttled",)),
        ("2", False, ("frequency_capped",)),
        ("80008", False, ("soft_temperature_limit",)),
        ("e0000", False, ()),  # has been, is not now
    ],
)
def test_the_bits_of_a_raspberry_pi_from_either_place(root, bits, low, slowed):
    state = look(root, {"devices/platform/soc/soc:firmware/get_throttled": bits + "\n"})
    told = look(root / "without", {}, f"throttled=0x{bits}\n")
    assert (state.under_voltage, state.slowed_by) == (told.under_voltage, told.slowed_by) == (low, slowed)


def test_the_alarm_of_the_supply_is_enough(root):
    assert look(root, {**PI_4, "class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}).under_voltage


def test_a_kernel_that_slows_the_processor_is_told_and_a_fan_is_not(root):
    assert look(root, {**ORIN, "class/thermal/cooling_device0/cur_state": "2\n"}).slowed_by == ("cpu_throttle_alert",)


@pytest.mark.parametrize("content", ["", "hot\n", "-273000\n", "999999999\n", "\0\0"])
def test_a_broken_sensor_is_left_out(root, content):
    state = look(root, {"class/thermal/thermal_zone0/type": "x\n", "class/thermal/thermal_zone0/temp": content})
    assert state.hottest_c is None


def test_another_computer_has_nothing_to_say_and_vcgencmd_is_asked_once(root):
    asked = []
    board = Board(root / "nothing", vcgencmd=lambda: asked.append(1))
    assert [board.look(), board.look()] == [BoardState({}, {})] * 2
    assert asked == [1]


def test_this_computer_can_be_looked_at():
    state = Board().look()
    assert all(-55 < value < 150 for value in state.temperatures_c.values())
    assert ask_vcgencmd() is None or "throttled=" in ask_vcgencmd()


# -- what health says


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def condition(root: Path, clock: Clock) -> Condition:
    return Condition(Board(root, vcgencmd=lambda: None), HeatGovernor(), clock=clock)


def test_under_voltage_is_a_fault_for_five_minutes_and_counted_when_it_begins(root, clock, condition):
    put(root, PI_4)
    for alarm in "0110101":
        put(root, {"class/hwmon/hwmon1/in0_lcrit_alarm": alarm})
        condition.look()
        clock.now_s += 2
    assert condition.counters()["under_voltages"] == 3
    assert condition.faults() == ("under-voltage in the last 5 minutes: check supply and cable",)
    put(root, PI_4)
    clock.now_s += 301
    condition.look()
    assert condition.faults() == ()
    assert condition.gauges() == {"temperature_cpu_thermal_c": 48.3, "temperature_c": 48.3, "pace_share": 1.0}


def test_events_of_the_supply_count_from_our_start_on(root, clock, condition):
    for count in ("7", "7", "9"):
        put(root, {**ORIN, "class/hwmon/hwmon2/oc3_event_cnt": count})
        condition.look()
    assert condition.counters()["supply_events"] == 2
    assert condition.faults() == (
        "the board reports sudden over-current in the last 5 minutes: check supply and cable",
    )


def test_heat_lowers_the_pace_and_says_so(root, clock, condition):
    put(root, {**PI_4, "class/thermal/thermal_zone0/temp": "76000\n"})
    condition.look()
    assert condition.share == 0.7
    assert condition.faults() == ("looks less often because of the heat: 70% of the pace at 76 degrees",)
    assert condition.counters()["heat_steps"] == 1


def test_a_processor_slowed_by_its_supply_is_no_reason_to_look_less_often(root, clock, condition):
    put(root, {**PI_4, "devices/platform/soc/soc:firmware/get_throttled": "50005\n"})
    condition.look()
    assert condition.share == 1.0
    assert condition.counters()["throttlings"] == 1
    put(root, {"devices/platform/soc/soc:firmware/get_throttled": "80008\n"})
    condition.look()
    assert condition.share < 1.0
