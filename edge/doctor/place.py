# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Where and when: receiver, odometer, inertial sensor, clock."""

from __future__ import annotations

import json
import math
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from edge.config import PositionConfig, VehicleConfig
from edge.doctor.finding import Finding, Words
from edge.errors import WegewartError
from edge.life.ntp import kernel_is_synchronized, timedate_is_synchronized
from edge.sensors import LiveSensors, open_sensors
from edge.types import Acceleration, Fix

RECEIVER = Words("Empfänger", "receiver")
SKY = Words("Himmel", "sky")
CLOCK = Words("Uhr", "clock")
SENSORS = {"odometer": Words("Wegimpulse", "odometer"), "imu": Words("Beschleunigung", "inertial sensor")}

#: Satellites that a 3D fix needs, and with how many it is good; the dilution of precision that is still good.
_LEAST_SATELLITES, _GOOD_SATELLITES, _GOOD_HDOP = 4, 8, 2.0
_GOOD_ERROR_M = 5.0
_GRAVITY_MPS2, _GRAVITY_OFF_MPS2 = 9.81, 0.7
_POLL_S = 0.1


def check_sensors(
    config: VehicleConfig,
    *,
    wait_s: float,
    open_them: Callable[[VehicleConfig], LiveSensors] = open_sensors,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:
    """Listen to all for a while; ends early once each has spoken."""
    try:
        with closing(open_them(config)) as sensors:
            heard = _listen(sensors, wait_s, clock, pause)
            connected = {name: source.state.connected for name, source in sensors.by_name.items()}
    except WegewartError as error:
        yield Finding(
            RECEIVER, "bad", Words(str(error), str(error)), Words("Bibliothek nachinstallieren", "install it")
        )
        return
    if config.position.kind in ("gpsd", "nmea"):
        yield receiver(heard.fixes, connected=connected.get("receiver", False), wait_s=wait_s)
    for name, part in SENSORS.items():
        if name in connected:
            yield _sensor(part, heard.of(name), heard, connected=connected[name])


@dataclass
class Heard:
    """What came in."""

    fixes: list[Fix]
    accelerations: list[Acceleration]
    others: int = 0

    def of(self, name: str) -> int:
        """Measurements of a sensor."""
        return len(self.accelerations) if name == "imu" else self.others


def _listen(sensors: LiveSensors, wait_s: float, clock: Callable[[], float], pause: Callable[[float], None]) -> Heard:
    heard = Heard([], [])
    until_s = clock() + wait_s
    while clock() < until_s:
        for measurement in sensors.until(clock()):
            if isinstance(measurement, Fix):
                heard.fixes.append(measurement)
            elif isinstance(measurement, Acceleration):
                heard.accelerations.append(measurement)
            else:
                heard.others += 1
        told = {"receiver": len(heard.fixes) >= 3, "imu": len(heard.accelerations) >= 50, "odometer": heard.others > 0}
        if all(told.get(name, True) for name in sensors.by_name):
            break
        pause(_POLL_S)
    return heard


def receiver(fixes: list[Fix], *, connected: bool, wait_s: float) -> Finding:
    """Judge the fixes of a while."""
    if not connected:
        return Finding(
            RECEIVER,
            "bad",
            Words("nicht verbunden", "not connected"),
            Words("Kabel; systemctl status gpsd", "cable; systemctl status gpsd"),
        )
    if not fixes:
        return Finding(
            RECEIVER,
            "bad",
            Words(f"in {wait_s:.0f} s kein Ort", f"no position within {wait_s:.0f} s"),
            Words("unter freien Himmel fahren, Antenne prüfen", "drive under open sky, check the antenna"),
        )
    error_m, quality = fixes[-1].error_m, fixes[-1].quality
    figures = {"fixes": float(len(fixes)), "error_m": round(error_m, 1)}
    told = Words(f"{quality}, auf {error_m:.1f} m genau", f"{quality}, accurate to {error_m:.1f} m")
    if error_m > _GOOD_ERROR_M:
        return Finding(
            RECEIVER, "warn", told, Words("Antenne braucht freien Himmel", "antenna needs open sky"), figures
        )
    if all(fix.utc_s is None for fix in fixes):
        return Finding(RECEIVER, "warn", told, Words("noch keine Uhrzeit: warten", "no time yet: wait"), figures)
    return Finding(RECEIVER, "ok", told, figures=figures)


def _sensor(part: Words, many: int, heard: Heard, *, connected: bool) -> Finding:
    if not connected:
        return Finding(part, "bad", Words("nicht verbunden", "not connected"), Words("Kabel, Rechte", "cable, rights"))
    if part is SENSORS["imu"] and heard.accelerations:
        return gravity([one.vertical_mps2 for one in heard.accelerations])
    if not many:
        return Finding(
            part, "warn", Words("steht still", "stands still"), Words("einige Meter rollen", "roll some metres")
        )
    return Finding(part, "ok", Words(f"{many} Messungen", f"{many} measurements"), figures={"measurements": many})


def gravity(up_mps2: list[float]) -> Finding:
    """Whether the axis that is said to point up feels gravity while the vehicle stands."""
    part, middle = SENSORS["imu"], statistics.median(up_mps2)
    told = Words(f"{middle:.2f} m/s² nach oben", f"{middle:.2f} m/s² upwards")
    if math.isclose(middle, _GRAVITY_MPS2, abs_tol=_GRAVITY_OFF_MPS2):
        return Finding(part, "ok", told, figures={"up_mps2": round(middle, 2)})
    return Finding(
        part,
        "bad",
        told,
        Words("imu.up: im Stand muss es 9,81 sein", "imu.up: standing it must be 9.81"),
        {"up_mps2": round(middle, 2)},
    )


def check_sky(config: PositionConfig, *, wait_s: float) -> Iterator[Finding]:
    """Satellites as gpsd sees them; nothing for other receivers."""
    if config.kind != "gpsd":
        return
    try:
        report = ask_gpsd(config.gpsd_host, config.gpsd_port, wait_s=wait_s)
    except OSError as error:
        why = error.strerror or str(error)
        yield Finding(
            SKY, "bad", Words(f"gpsd: {why}", f"gpsd: {why}"), Words("systemctl start gpsd", "systemctl start gpsd")
        )
        return
    yield sky(report)


def sky(report: dict[str, Any] | None) -> Finding:
    """Judge a SKY report of gpsd (gpsd_json(5): satellites with `used`, `hdop`)."""
    satellites = report.get("satellites") if report else None
    if not isinstance(satellites, list):
        return Finding(
            SKY,
            "bad",
            Words("gpsd meldet keine Satelliten", "gpsd reports no satellites"),
            Words("Empfänger angesteckt? ls /dev/ttyACM*", "receiver plugged in? ls /dev/ttyACM*"),
        )
    used = sum(isinstance(one, dict) and one.get("used") is True for one in satellites)
    hdop = report.get("hdop") if report else None
    figures = {"satellites_used": float(used), "satellites_seen": float(len(satellites))}
    told = f"{used} / {len(satellites)}"
    if isinstance(hdop, (int, float)) and not isinstance(hdop, bool) and math.isfinite(hdop):
        figures["hdop"] = float(hdop)
        told += f", HDOP {hdop:.1f}"
    words = Words(f"{told} Satelliten benutzt", f"{told} satellites used")
    if used < _LEAST_SATELLITES:
        return Finding(SKY, "bad", words, Words("unter freien Himmel fahren", "drive under open sky"), figures)
    if used < _GOOD_SATELLITES or figures.get("hdop", 0.0) > _GOOD_HDOP:
        return Finding(SKY, "warn", words, Words("Antenne höher, weg von Metall", "antenna higher, off metal"), figures)
    return Finding(SKY, "ok", words, figures=figures)


def ask_gpsd(host: str, port: int, *, wait_s: float) -> dict[str, Any] | None:
    """The first SKY report with satellites; None where none comes in time.

    Raises:
        OSError: nobody there.
    """
    until_s, rest = time.monotonic() + wait_s, b""
    with socket.create_connection((host, port), timeout=5.0) as link:
        link.sendall(b'?WATCH={"enable":true,"json":true}\n')
        while (left_s := until_s - time.monotonic()) > 0:
            link.settimeout(left_s)
            try:
                got = link.recv(65_536)
            except TimeoutError:
                break
            if not got:
                break
            *lines, rest = (rest + got)[-1_000_000:].split(b"\n")
            for line in lines:
                report = _report(line)
                if report is not None:
                    return report
    return None


def _report(line: bytes) -> dict[str, Any] | None:
    try:
        report = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_sky = isinstance(report, dict) and report.get("class") == "SKY" and "satellites" in report
    return report if is_sky else None


def check_clock(
    ask: tuple[Callable[[], bool | None], ...] = (kernel_is_synchronized, timedate_is_synchronized),
) -> Iterator[Finding]:
    """Whether the computer's clock is set. The receiver's time counts more; this one serves until it comes."""
    answer = next((answer for one in ask if (answer := one()) is not None), None)
    if answer:
        yield Finding(CLOCK, "ok", Words("gestellt", "synchronized"))
    else:
        yield Finding(
            CLOCK,
            "warn",
            Words("noch nicht gestellt", "not synchronized yet"),
            Words("chronyc sources; der Empfänger stellt sie auch", "chronyc sources; the receiver sets it, too"),
        )
