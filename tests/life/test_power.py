# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The computer is switched off late, cleanly, and never while the vehicle drives."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import gpiod
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ConfigError
from edge.life.ignition import GpioWire, IgnitionLine, Power, read_voltage
from edge.life.power import STOP_S, Shutdown, ShutdownSettings, problem

SETTINGS = ShutdownSettings(delay_s=300.0, most_s=1800.0, low_v=23.6, debounce_s=2.0, least_on_s=3600.0)
DRAIN_S = 5.0


@dataclass
class Vehicle:
    """A vehicle in which time passes by seconds; `off_s`: when it switched off, if it did."""

    settings: ShutdownSettings = SETTINGS
    now_s: float = 1000.0
    shutdown: Shutdown = field(init=False)
    off_s: float | None = None

    def __post_init__(self) -> None:
        self.shutdown = Shutdown(self.settings, now_s=self.now_s, drain_s=DRAIN_S)

    def pass_s(self, seconds: int, ignition: bool | None, *, moving=False, drained=True, supply_v=None) -> Vehicle:
        for _ in range(seconds):
            self.now_s += 1
            due = self.shutdown.update(self.now_s, ignition, moving=moving, drained=drained, supply_v=supply_v)
            if due and self.off_s is None:
                self.off_s = self.now_s
        return self

    def after_s(self, key_s: float) -> float | None:
        return None if self.off_s is None else self.off_s - key_s


def test_it_switches_off_five_minutes_after_the_key():
    vehicle = Vehicle().pass_s(60, ignition=True)
    key_s = vehicle.now_s + 1
    assert vehicle.pass_s(3600, ignition=False).after_s(key_s) == 300


def test_a_break_of_four_minutes_is_no_end_and_the_next_one_counts_anew():
    vehicle = Vehicle()
    for _ in range(20):
        vehicle.pass_s(60, ignition=True).pass_s(240, ignition=False)
    assert vehicle.off_s is None


@pytest.mark.parametrize(
    ("supply_v", "after_s"), [(None, 1800), (24.5, 1800), (22.0, 300)], ids=["unknown", "well", "low"]
)
def test_what_the_depot_has_not_got_keeps_it_on_for_half_an_hour_unless_the_battery_is_low(supply_v, after_s):
    vehicle = Vehicle().pass_s(60, ignition=True, supply_v=supply_v)
    key_s = vehicle.now_s + 1
    assert vehicle.pass_s(3600, ignition=False, drained=False, supply_v=supply_v).after_s(key_s) == after_s


def test_a_dip_of_the_supply_while_an_engine_starts_is_not_a_low_battery():
    vehicle = (
        Vehicle().pass_s(600, ignition=True, supply_v=25.0).pass_s(400, ignition=False, drained=False, supply_v=25.0)
    )
    vehicle.pass_s(3, ignition=False, drained=False, supply_v=16.0).pass_s(
        60, ignition=False, drained=False, supply_v=25.0
    )
    assert vehicle.off_s is None


def test_in_the_yard_a_computer_that_never_saw_the_key_stays_on_for_an_hour():
    assert Vehicle().pass_s(7200, ignition=False).after_s(1000.0) == 3600


def test_a_wire_that_says_off_while_the_vehicle_drives_is_a_fault_and_changes_nothing():
    vehicle = Vehicle().pass_s(60, ignition=True).pass_s(7200, ignition=False, moving=True)
    assert vehicle.off_s is None
    assert vehicle.shutdown.fault == "the ignition input says off while the vehicle drives: check its wire"


def test_a_wire_that_cannot_be_read_switches_nothing_off():
    vehicle = Vehicle().pass_s(60, ignition=True).pass_s(7200, ignition=None)
    assert vehicle.off_s is None
    assert "cannot be read" in str(vehicle.shutdown.fault)


def test_a_supply_that_carries_a_minute_is_enough_for_a_clean_end():
    settings = ShutdownSettings(hold_up_s=60.0)
    assert problem(settings, DRAIN_S) is None
    vehicle = Vehicle(settings).pass_s(60, ignition=True)
    key_s = vehicle.now_s + 1
    after_s = vehicle.pass_s(600, ignition=False, drained=False).after_s(key_s)
    assert after_s is not None
    assert after_s + DRAIN_S + STOP_S <= 60


@pytest.mark.parametrize(
    ("settings", "says"),
    [(ShutdownSettings(hold_up_s=10.0), "hold_up_s 10"), (ShutdownSettings(most_s=100.0), "most_s 100")],
)
def test_settings_that_do_not_fit_together_are_named(settings, says):
    assert says in str(problem(settings, DRAIN_S))


@given(
    st.lists(
        st.tuples(st.floats(0.5, 500), st.sampled_from([True, False, None]), st.booleans(), st.booleans()),
        max_size=150,
    )
)
def test_whatever_wire_and_wheels_say_it_is_switched_off_only_after_five_minutes_of_off_and_still(looks):
    shutdown, now_s, still_s = Shutdown(SETTINGS, now_s=0.0, drain_s=DRAIN_S), 0.0, None
    for wait_s, ignition, moving, drained in looks:
        now_s += wait_s
        is_still = ignition is False and not moving
        still_s = (now_s if still_s is None else still_s) if is_still else None
        if shutdown.update(now_s, ignition, moving=moving, drained=drained):
            assert still_s is not None
            assert now_s - still_s >= 300


# -- the wire


class Request:
    def __init__(self, values: list[object]) -> None:
        self.values, self.released = values, 0

    def get_value(self, line: int) -> object:
        value = self.values.pop(0)
        if isinstance(value, OSError):
            raise value
        return value

    def release(self) -> None:
        self.released += 1


def stand_in(monkeypatch: pytest.MonkeyPatch, *requests: Request) -> list[dict[str, object]]:
    """gpiod with its own settings and values, but no kernel behind it."""
    asked: list[dict[str, object]] = []
    waiting = list(requests)

    def request_lines(chip: str, **options: object) -> Request:
        asked.append({"chip": chip, **options})
        return waiting.pop(0)

    module = SimpleNamespace(line=gpiod.line, LineSettings=gpiod.LineSettings, request_lines=request_lines)
    monkeypatch.setitem(__import__("sys").modules, "gpiod", module)
    return asked


def test_the_line_is_asked_for_as_the_settings_say_and_anew_after_an_error(monkeypatch):
    on, off = gpiod.line.Value.ACTIVE, gpiod.line.Value.INACTIVE
    first, second = Request([on, off, OSError(5, "gone")]), Request([on])
    asked = stand_in(monkeypatch, first, second)
    wire = GpioWire(IgnitionLine("/dev/gpiochip0", 17, active_low=True))
    assert [wire.is_on(), wire.is_on()] == [True, False]
    with pytest.raises(OSError, match="gone"):
        wire.is_on()
    assert first.released == 1
    assert wire.is_on() is True
    settings = asked[0]["config"][17]  # type: ignore[index]
    assert (asked[0]["chip"], settings.active_low, settings.direction) == (
        "/dev/gpiochip0",
        True,
        gpiod.line.Direction.INPUT,
    )
    wire.close()
    wire.close()
    assert second.released == 1


def test_a_chip_that_is_not_there_is_an_error_of_the_look_and_not_of_the_start():
    wire = GpioWire(IgnitionLine("/dev/gpiochip99", 1))
    with pytest.raises(FileNotFoundError):
        wire.is_on()


def test_a_line_that_the_chip_has_not_got_is_one_too(monkeypatch):
    def request_lines(chip: str, **options: object) -> Request:
        raise ValueError("Invalid argument")  # so gpiod tells EINVAL

    stand_in(monkeypatch)
    monkeypatch.setattr(__import__("sys").modules["gpiod"], "request_lines", request_lines)
    with pytest.raises(OSError, match="line 99 of /dev/gpiochip0"):
        GpioWire(IgnitionLine("/dev/gpiochip0", 99)).is_on()


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gpiod", None)
    with pytest.raises(ConfigError, match=r"wegewart\[gpio\]"):
        GpioWire(IgnitionLine("/dev/gpiochip0", 17))


class Wire:
    def __init__(self) -> None:
        self.on: bool | OSError = True

    def is_on(self) -> bool:
        if isinstance(self.on, OSError):
            raise self.on
        return self.on

    def close(self) -> None: ...


def test_the_key_turned_again_cancels_and_even_during_the_clean_end_the_vehicle_drives_on():
    wire, now_s = Wire(), [0.0]
    power = Power(
        wire,
        ShutdownSettings(delay_s=300.0, low_v=23.6),
        drain_s=DRAIN_S,
        moving=lambda: False,
        drained=lambda: True,
        voltage=lambda: 24.456,
        clock=lambda: now_s[0],
    )

    def pass_s(seconds: int) -> bool:
        for _ in range(seconds):
            now_s[0] += 1
            power.look()
        return power.due

    assert not pass_s(10)
    assert power.gauges() == {"ignition_on": 1.0, "supply_v": 24.46}
    wire.on = False
    assert not pass_s(250)
    assert power.gauges() == {"ignition_on": 0.0, "ignition_off_s": 249, "supply_v": 24.46}
    wire.on = True
    assert not pass_s(1)
    wire.on = False
    assert not pass_s(300)
    assert pass_s(2)
    assert power.exit_code() == 21
    wire.on = True
    assert power.exit_code() == 0
    wire.on = OSError(5, "gone")
    assert not pass_s(1)
    assert power.faults() == ("the ignition input cannot be read: the computer is not switched off by it",)
    power.close()


def test_the_supply_is_read_in_whole_numbers_of_a_file(tmp_path: Path):
    file = tmp_path / "in1_input"
    file.write_text("24480\n")
    assert read_voltage(file, 0.001) == pytest.approx(24.48)
    file.write_text("n/a")
    assert read_voltage(file, 0.001) is None
    assert read_voltage(tmp_path / "none", 0.001) is None
