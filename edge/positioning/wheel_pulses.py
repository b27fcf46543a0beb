# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Wheel pulses on a GPIO line: the kernel stamps every edge by its monotonic clock, we count them.

Through libgpiod 2 (package gpiod, LGPL-2.1-or-later), which is loaded only where a vehicle has such a line. Pulses
that the kernel's queue lost are known from its sequence numbers and counted into the distance, so it stays right.
"""

from __future__ import annotations

import importlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from edge.errors import ConfigError
from edge.positioning.live import LivePositions
from edge.positioning.speed_odometer import Total
from edge.types import Odometry

#: An odometer's word every so often, rolling or not: standing still is news as well.
_EVERY_S = 0.05
#: 1,024 edges are 5 s at 200 pulses a second.
_KERNEL_QUEUE = 1024


@dataclass(frozen=True)
class PulseLine:
    """Which lines of which chip.

    `metres_per_pulse`: way for one counted edge. `direction_line`: active while the vehicle rolls backwards; not set:
    always forward. `bias`: the resistor inside the chip; `debounce_us`: shorter edges are noise of the contact.
    """

    chip: str
    line: int
    metres_per_pulse: float
    edges: Literal["rising", "falling", "both"] = "rising"
    bias: Literal["as_is", "pull_up", "pull_down", "disabled"] = "pull_up"
    debounce_us: int = 0
    direction_line: int | None = None
    direction_active_low: bool = False


def open_wheel_pulses(line: PulseLine) -> LivePositions[Odometry]:
    """An odometer from wheel pulses.

    Raises:
        ConfigError: gpiod is not installed.
    """
    load_gpiod()
    total = Total()
    return LivePositions(
        connect=lambda counts: PulseReader(request_line(line), line, counts, total=total),
        name=f"wheel pulses on {line.chip} line {line.line}",
    )


class PulseReader:
    """One requested line. Counts `pulses_lost`: edges that the kernel could not keep, but did number."""

    def __init__(
        self,
        request: Any,
        line: PulseLine,
        counts: Counter[str],
        *,
        total: Total | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request, self._line, self._counts, self._clock = request, line, counts, clock
        self._total = total or Total()
        self._numbered = 0
        self._said_s = clock()

    def read(self) -> Sequence[Odometry]:
        """Distance at the last edge within about 50 ms, or at their end where there was none.

        Raises:
            OSError: the chip is gone.
        """
        until_s, edge_s = self._clock() + _EVERY_S, None
        while (left_s := until_s - self._clock()) > 0 and self._request.wait_edge_events(left_s):
            events = self._request.read_edge_events()
            if events:
                self._count(events)
                edge_s = events[-1].timestamp_ns / 1e9
        # At an edge the distance is exact; in between it is up to one pulse short. An edge may reach us late.
        self._said_s = max(self._said_s, self._clock() if edge_s is None else edge_s)
        return [Odometry(self._said_s, self._total.metres)]

    def close(self) -> None:
        """Release the line."""
        self._request.release()

    def _count(self, events: Sequence[Any]) -> None:
        newest = events[-1].line_seqno
        pulses, self._numbered = newest - self._numbered, newest
        if pulses > len(events):
            self._counts["pulses_lost"] += pulses - len(events)
        backwards = self._line.direction_line is not None and bool(self._request.get_value(self._line.direction_line))
        self._total.metres += (-pulses if backwards else pulses) * self._line.metres_per_pulse


def request_line(line: PulseLine) -> Any:
    """Ask the kernel for the lines; gives gpiod's request.

    Raises:
        OSError: there is no such chip or line, or another program holds it.
    """
    gpiod = load_gpiod()
    lines = gpiod.line
    settings = gpiod.LineSettings(
        direction=lines.Direction.INPUT,
        edge_detection=lines.Edge[line.edges.upper()],
        bias=lines.Bias[line.bias.upper()],
        debounce_period=timedelta(microseconds=line.debounce_us),
        event_clock=lines.Clock.MONOTONIC,
    )
    wanted = {line.line: settings}
    if line.direction_line is not None:
        wanted[line.direction_line] = gpiod.LineSettings(
            direction=lines.Direction.INPUT,
            bias=lines.Bias[line.bias.upper()],
            active_low=line.direction_active_low,
        )
    return gpiod.request_lines(line.chip, consumer="wegewart", config=wanted, event_buffer_size=_KERNEL_QUEUE)


def load_gpiod() -> Any:
    """The library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module("gpiod")
    except ImportError:
        raise ConfigError("wheel pulses need gpiod, which is not installed; pip install 'wegewart[gpio]'") from None
