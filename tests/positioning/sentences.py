# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""NMEA sentences of a receiver that drives north through Berlin on 1 May 2026."""

from __future__ import annotations

from functools import reduce

LAT, LON = 52.5, 13.4
#: 10 m/s.
KNOTS = 10 * 3600 / 1852
DEGREES_PER_S = 10 / 111_195


def sentence(body: str) -> str:
    checksum = reduce(lambda code, char: code ^ ord(char), body, 0)
    return f"${body}*{checksum:02X}"


def _angle(value: float, digits: int) -> str:
    degrees = int(value)
    return f"{degrees:0{digits}d}{(value - degrees) * 60:09.6f}"


def clock(second: float) -> str:
    total = 8 * 3600 + 30 * 60 + second
    return f"{int(total // 3600) % 24:02d}{int(total // 60) % 60:02d}{total % 60:05.2f}"


def gga(second: float, *, quality: int = 1, hdop: float = 1.2, lat: float | None = None) -> str:
    where = f"{_angle(lat or LAT + second * DEGREES_PER_S, 2)},N,{_angle(LON, 3)},E"
    if quality == 0:
        where = ",,,"
    return sentence(f"GPGGA,{clock(second)},{where},{quality},08,{hdop},40.0,M,39.0,M,,")


def rmc(second: float, *, status: str = "A", date: str = "010526", lat: float | None = None) -> str:
    where = f"{_angle(lat or LAT + second * DEGREES_PER_S, 2)},N,{_angle(LON, 3)},E"
    return sentence(f"GPRMC,{clock(second)},{status},{where},{KNOTS:.3f},0.5,{date},,,A")


def epoch(second: float, *, quality: int = 1, date: str = "010526") -> str:
    return f"{gga(second, quality=quality)}\r\n{rmc(second, date=date)}\r\n"


def log(seconds: range) -> str:
    return "".join(epoch(float(second)) for second in seconds)
