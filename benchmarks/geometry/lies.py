# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sensors that lie: each takes what the sensors truly say, with times of arrival, and gives what the vehicle hears."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from edge.geometry import offset_lonlat
from edge.types import Fix, Measurement, Odometry

Arriving: TypeAlias = Sequence[tuple[float, Measurement]]
Lie: TypeAlias = Callable[[Arriving], list[tuple[float, Measurement]]]

#: When it goes wrong, seconds of the drive.
FROM_S, TO_S = 18.0, 23.0
WEEKS_S = 1024 * 7 * 86_400.0
#: A counter of 16 bits that counts pulses of 2 cm.
OVERFLOW_M = 65_536 * 0.02 / 4


def _fixes(arriving: Arriving, change: Callable[[Fix], Fix], *, to_s: float = TO_S) -> list[tuple[float, Measurement]]:
    """Change the fixes of the bad stretch."""
    return [(when, change(m) if isinstance(m, Fix) and FROM_S <= m.time_s < to_s else m) for when, m in arriving]


def _wheels(arriving: Arriving, change: Callable[[Odometry], Odometry]) -> list[tuple[float, Measurement]]:
    return [(when, change(m) if isinstance(m, Odometry) else m) for when, m in arriving]


def _moved(fix: Fix, east_m: float, north_m: float) -> Fix:
    lon, lat = offset_lonlat(fix.lon, fix.lat, east_m, north_m)
    return replace(fix, lon=lon, lat=lat)


def teleport(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """Single fixes half a kilometre away, every second one for two seconds."""
    seen = 0

    def jump(fix: Fix) -> Fix:
        nonlocal seen
        seen += 1
        return _moved(fix, 500.0, -300.0) if seen % 2 else fix

    return _fixes(arriving, jump, to_s=FROM_S + 2)


def scattered(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """Five seconds of fixes all over the town."""
    return _fixes(arriving, lambda fix: _moved(fix, 400 * math.sin(7 * fix.time_s), 400 * math.cos(11 * fix.time_s)))


def future(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """Two fixes dated an hour ahead."""
    return _fixes(arriving, lambda fix: replace(fix, time_s=fix.time_s + 3600), to_s=FROM_S + 0.4)


def past(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """Fixes that come again four seconds later."""
    again = [(when + 4.0, m) for when, m in arriving if isinstance(m, Fix) and FROM_S <= m.time_s < TO_S]
    return sorted([*arriving, *again], key=lambda pair: pair[0])


def null_island(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """Longitude 0, latitude 0."""
    return _fixes(arriving, lambda fix: replace(fix, lon=0.0, lat=0.0))


def roll_over(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """A date 1,024 weeks back."""
    return _fixes(arriving, lambda fix: replace(fix, utc_s=(fix.utc_s or 0.0) - WEEKS_S))


def not_a_number(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """Places, errors and metres that are no numbers."""
    fixes = _fixes(arriving, lambda fix: replace(fix, lon=math.nan, error_m=math.nan, speed_mps=math.inf))
    hurt = lambda m: replace(m, distance_m=math.nan) if FROM_S <= m.time_s < FROM_S + 1 else m  # noqa: E731
    return _wheels(fixes, hurt)


def frozen(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """A receiver that repeats its last place for eight seconds, as good as ever by its own word."""
    first: list[Fix] = []

    def repeat(fix: Fix) -> Fix:
        first.append(fix)
        return replace(first[0], time_s=fix.time_s, utc_s=fix.utc_s)

    return _fixes(arriving, repeat, to_s=FROM_S + 8)


def overflow(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """A counter that starts anew from zero."""
    return _wheels(arriving, lambda m: replace(m, distance_m=m.distance_m % OVERFLOW_M))


def backwards(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """An odometer that counts down for five seconds while the vehicle drives on."""
    at = {m.time_s: m.distance_m for _, m in arriving if isinstance(m, Odometry)}
    start = min((abs(t - FROM_S), d) for t, d in at.items())[1]
    end = min((abs(t - TO_S), d) for t, d in at.items())[1]

    def mirror(m: Odometry) -> Odometry:
        if m.time_s < FROM_S:
            return m
        return replace(m, distance_m=2 * start - m.distance_m if m.time_s < TO_S else m.distance_m - 2 * (end - start))

    return _wheels(arriving, mirror)


def stuck(arriving: Arriving) -> list[tuple[float, Measurement]]:
    """An odometer that counts nothing for five seconds while the vehicle drives on, and goes on from there."""
    at = {m.time_s: m.distance_m for _, m in arriving if isinstance(m, Odometry)}
    start = min((abs(t - FROM_S), d) for t, d in at.items())[1]
    end = min((abs(t - TO_S), d) for t, d in at.items())[1]
    return _wheels(
        arriving,
        lambda m: replace(m, distance_m=min(m.distance_m, max(start, m.distance_m - (end - start)))),
    )


LIES: dict[str, tuple[str, Lie]] = {
    "teleport": ("fixes that jump 580 m to and fro", teleport),
    "scattered": ("fixes all over the town for 5 s", scattered),
    "future": ("fixes from the future", future),
    "past": ("fixes told again 4 s later", past),
    "null": ("fixes at 0/0", null_island),
    "roll_over": ("week roll-over (UTC 1,024 weeks back)", roll_over),
    "nan": ("not a number in fix and odometer", not_a_number),
    "frozen": ("frozen fix for 8 s", frozen),
    "overflow": ("odometer overflow", overflow),
    "backwards": ("odometer counts down for 5 s", backwards),
    "stuck": ("odometer counts nothing for 5 s", stuck),
}
