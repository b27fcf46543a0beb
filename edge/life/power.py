# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""When the computer is switched off after the ignition: late, cleanly, and never while the vehicle drives.

Decisions only; `edge.life.ignition` reads the wire. The rules follow what is known to work in cars: nothing happens
while the ignition is on; after it, the computer stays on for a while, because buses stop for breaks and a mobile link
needs its time; a battery that runs low ends that at once, but a dip of it does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Time constant of the low-pass on the supply's voltage, seconds: starting an engine takes less.
_VOLTAGE_S = 45.0
#: So long after the end of the drain the computer needs to stop, seconds.
STOP_S = 10.0


@dataclass(frozen=True)
class ShutdownSettings:
    """When to switch off, all counted from the moment at which the ignition went off.

    delay_s: not before this.
    most_s: from `delay_s` on, only once the depot has everything; but after this in any case.
    hold_up_s: how long the supply carries the computer without the vehicle's; 0: it has a permanent feed. A supply that
        carries it for less than `delay_s` shortens everything.
    low_v: below this (low-passed) only `delay_s` is waited for; 0: the supply's voltage is not known.
    debounce_s: the wire must say the same for so long.
    least_on_s: a computer that has not yet seen the ignition on stays on for so long: whoever works on it in the yard.
    """

    delay_s: float = 300.0
    most_s: float = 1800.0
    hold_up_s: float = 0.0
    low_v: float = 0.0
    debounce_s: float = 2.0
    least_on_s: float = 3600.0


def problem(settings: ShutdownSettings, drain_s: float) -> str | None:
    """What is wrong with settings that are fine one by one; None where nothing is. `drain_s`: `delivery.drain_s`."""
    if settings.most_s < settings.delay_s:
        return f"most_s {settings.most_s:g} must not be below delay_s {settings.delay_s:g}"
    needed_s = settings.debounce_s + drain_s + STOP_S
    if 0 < settings.hold_up_s < needed_s:
        return (
            f"hold_up_s {settings.hold_up_s:g} is less than the {needed_s:g} s that a clean end needs "
            f"(debounce_s, delivery.drain_s and {STOP_S:g} s)"
        )
    return None


class Shutdown:
    """Decides by one look after the other.

    `fault`: one line where the wire cannot be right.
    """

    def __init__(self, settings: ShutdownSettings, *, now_s: float, drain_s: float) -> None:
        """Begin with the ignition taken to be on.

        Args:
            settings: when.
            now_s: monotonic.
            drain_s: how long the clean end may take.
        """
        self._settings = settings
        self._began_s = now_s
        longest_s = settings.hold_up_s - drain_s - STOP_S if settings.hold_up_s else math.inf
        self._delay_s = max(settings.debounce_s, min(settings.delay_s, longest_s))
        self._most_s = max(self._delay_s, min(settings.most_s, longest_s))
        self._seen_on = False
        self._off_s: float | None = None  # since when the wire says off
        self._voltage: tuple[float, float] | None = None  # low-passed, when
        self.fault: str | None = None

    def off_for_s(self, now_s: float) -> float | None:
        """How long the ignition has been off, debounced; None while it is on."""
        if self._off_s is None or now_s - self._off_s < self._settings.debounce_s:
            return None
        return now_s - self._off_s

    def update(
        self, now_s: float, ignition: bool | None, *, moving: bool, drained: bool, supply_v: float | None = None
    ) -> bool:
        """Take in a look; whether the computer is to be switched off now.

        Args:
            now_s: monotonic.
            ignition: what the wire says; None: it cannot be read, which changes nothing.
            moving: the vehicle drives, as far as anybody knows.
            drained: the depot has everything.
            supply_v: volts of the vehicle's supply; None: not known.
        """
        self._filter(now_s, supply_v)
        self.fault = None
        if ignition is None:
            self.fault = "the ignition input cannot be read: the computer is not switched off by it"
            self._off_s = None
            return False
        if ignition or moving:
            if not ignition:
                self.fault = "the ignition input says off while the vehicle drives: check its wire"
            self._seen_on = self._seen_on or ignition
            self._off_s = None
            return False
        if self._off_s is None:
            self._off_s = now_s
        off_s = now_s - self._off_s
        if not self._seen_on and now_s - self._began_s < self._settings.least_on_s:
            return False
        if off_s < self._delay_s:
            return False
        return drained or self._is_low() or off_s >= self._most_s

    def _filter(self, now_s: float, supply_v: float | None) -> None:
        if supply_v is None or not math.isfinite(supply_v):
            return
        if self._voltage is None:
            self._voltage = (supply_v, now_s)
            return
        before_v, then_s = self._voltage
        weight = 1 - math.exp(-max(0.0, now_s - then_s) / _VOLTAGE_S)
        self._voltage = (before_v + weight * (supply_v - before_v), now_s)

    def _is_low(self) -> bool:
        return self._voltage is not None and self._voltage[0] < self._settings.low_v
