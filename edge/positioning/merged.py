# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Several sensors as one source of positions: receiver, odometer, gyro, accelerometer, in order of time.

A gyro alone is no measurement that the estimator takes (`Odometry` carries distance and turn rate together), so a
source may hand out `TurnRate`; it is joined to the odometer here, as the mean rate since the odometer's last word.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from edge.types import Acceleration, Measurement, Odometry

#: A gyro's last word holds for so long where the odometer speaks more often than the gyro.
_RATE_HOLDS_S = 0.25


@dataclass(frozen=True)
class TurnRate:
    """A gyro's word: positive clockwise, to the right, as in `Odometry`."""

    time_s: float
    yaw_rate_dps: float


Sensed: TypeAlias = Measurement | TurnRate


class SensorSource(Protocol):
    """A `PositionSource` that may hand out turn rates as well."""

    def until(self, time_s: float) -> Sequence[Sensed]:
        """Everything up to `time_s` that was not handed out yet, in order of time. Never blocks."""

    def close(self) -> None:
        """Release the device. May be called twice."""


class MergedPositions:
    """A `PositionSource` made of others.

    `counts`: `late` (came after something later was handed out; left out, but for accelerations, whose order is their
    own), `second_odometer` (two odometers do not add up; the first that speaks is taken), `not_finite`.
    """

    def __init__(self, sources: Sequence[SensorSource], *, hold_s: float = 0.0) -> None:
        """Join them.

        Args:
            sources: all that a vehicle has; the receiver as `LatePositions` where its latency is known.
            hold_s: how long the newest are held back. A live receiver tells of a moment only after its latency, while
                the odometer's word of it is there at once: without waiting for that long every fix would be late.
        """
        self.counts: Counter[str] = Counter()
        self._sources = tuple(sources)
        self._hold_s = hold_s
        self._odometer: int | None = None
        self._handed_s = -math.inf
        self._rates: list[float] = []
        self._rate: TurnRate | None = None

    def until(self, time_s: float) -> Sequence[Measurement]:
        """Everything measured up to `time_s` less `hold_s` that has come in, in order of time. Never blocks."""
        end_s = time_s - self._hold_s
        found = [(item, i) for i, source in enumerate(self._sources) for item in source.until(end_s)]
        usable = [pair for pair in found if math.isfinite(pair[0].time_s)]
        if len(usable) < len(found):
            self.counts["not_finite"] += len(found) - len(usable)
        usable.sort(key=lambda pair: (pair[0].time_s, _rank(pair[0])))
        handed = (self._handed(item, i) for item, i in usable)
        return [item for item in handed if item is not None]

    def close(self) -> None:
        """Close all of them. May be called twice."""
        for source in self._sources:
            source.close()

    def _handed(self, item: Sensed, source: int) -> Measurement | None:
        if isinstance(item, TurnRate):
            if math.isfinite(item.yaw_rate_dps):
                self._rate = item
                self._rates.append(item.yaw_rate_dps)
                del self._rates[:-1000]  # no odometer speaks
            else:
                self.counts["not_finite"] += 1
            return None
        if isinstance(item, Acceleration):
            return item
        if item.time_s < self._handed_s:
            self.counts["late"] += 1
            return None
        if isinstance(item, Odometry):
            if self._odometer is None:
                self._odometer = source
            if source != self._odometer:
                self.counts["second_odometer"] += 1
                return None
            item = self._with_rate(item)
        self._handed_s = item.time_s
        return item

    def _with_rate(self, odometry: Odometry) -> Odometry:
        """The mean since the odometer's last word: what turned the vehicle on the way that this one adds."""
        rates, self._rates = self._rates, []
        if odometry.yaw_rate_dps is not None:
            return odometry
        if self._rate is None or odometry.time_s - self._rate.time_s > _RATE_HOLDS_S:
            return odometry
        return replace(odometry, yaw_rate_dps=sum(rates) / len(rates) if rates else self._rate.yaw_rate_dps)


def _rank(item: Sensed) -> int:
    """At one time: the gyro before the odometer that takes its rate, the odometer before the fix."""
    return 0 if isinstance(item, TurnRate) else 1 if isinstance(item, Odometry) else 2
