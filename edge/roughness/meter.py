# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The roughness stage: samples and poses in, stretches of about a hundred metres out.

A shock is a mark, never a defect on its own: manholes, speed bumps and tram rails shake a vehicle as well.

Samples and poses each come in order of time; a sample waits for the pose that tells where it was measured, and may come
some seconds after it. Nothing that arrives raises: what cannot be used is left out and counted in `counts`:

* of the sensor: `not_finite`, `out_of_range`, `time_backwards`, `imu_gap`, `saturated`, `slow_sensor`, `stuck`,
  `wrong_axis`;
* of the way: `pose_gap` (times without a pose), `pose_backwards`, `no_pose` (samples that waited too long), `bad_note`.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

from edge.roughness.blows import BlowFinder
from edge.roughness.marks import Marks, OdomRectangle
from edge.roughness.sections import Section, SectionLog
from edge.roughness.sensor import Motion, Sensor
from edge.roughness.settings import RoughnessSettings
from edge.roughness.shocks import Shock, ShockPairs, line_position, position
from edge.roughness.way import Way
from edge.types import Acceleration, Pose
from messages.types import RoughSection
from messages.types import Shock as ShockMessage

#: Samples that wait for a pose: 10 s at 200 Hz.
_WAITING = 2000
#: What one message may carry.
_MOST = 100


@dataclass(frozen=True)
class RoughStretch:
    """What was felt on about a hundred metres; times of its first and last sample or shock."""

    start_s: float
    end_s: float
    sections: tuple[RoughSection, ...]
    shocks: tuple[ShockMessage, ...]


class RoughnessMeter:
    """Not for several threads at once."""

    def __init__(self, settings: RoughnessSettings | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._settings = settings = settings or RoughnessSettings()
        self._sensor = Sensor(settings, self.counts)
        self._way = Way()
        self._sections = SectionLog(settings, self._way)
        self._blows = BlowFinder(settings)
        self._pairs = ShockPairs(settings, self._way)
        self._marks = Marks(settings)
        self._waiting: deque[Motion] = deque(maxlen=_WAITING)
        self._is_stuck = False
        self._felt: list[tuple[float, float, Section | Shock]] = []  # way, time
        self._start: tuple[float, float] | None = None  # way, time where the open stretch begins
        self._ready: list[RoughStretch] = []

    def add(self, acceleration: Acceleration) -> None:
        """Take a sample."""
        motion = self._sensor.take(acceleration)
        if motion is None:
            return
        if len(self._waiting) == _WAITING:
            self.counts["no_pose"] += 1
        self._waiting.append(motion)

    def note(self, event_id: str, label: str, place: OdomRectangle) -> None:
        """An observation was confirmed; `place`: middle x, y, half length, half width in the odometer frame, metres."""
        if not all(map(math.isfinite, place)) or min(place[2:]) < 0:
            self.counts["bad_note"] += 1
        elif label in self._settings.confirming:
            self._marks.note(event_id, place)

    def move(self, pose: Pose) -> None:
        """Take the next pose and judge the samples up to its time."""
        newest = self._way.last
        if newest is not None and pose.time_s <= newest.pose.time_s:
            self.counts["pose_backwards"] += 1
            return
        if not self._way.add(pose) and newest is not None:
            self.counts["pose_gap"] += 1
        while self._waiting and self._waiting[0].time_s <= pose.time_s:
            self._judge(self._waiting.popleft())
        self._close()

    def take(self) -> list[RoughStretch]:
        """The stretches finished since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def flush(self) -> None:
        """The drive is over: finish what is open. `take` then gives it."""
        self._keep_shocks(math.inf, math.inf)
        self._broken()
        self._finish(math.inf)

    def _judge(self, motion: Motion) -> None:
        rolled = self._way.rolled(motion.time_s)
        if rolled is None:
            self._broken()
            return
        way_m, speed = rolled
        moving = speed >= self._settings.min_speed_mps
        stuck = motion.stuck and moving  # a coarse sensor may well say the same all the time while standing
        if stuck and not self._is_stuck:
            self.counts["stuck"] += 1
        self._is_stuck = stuck
        self._keep_shocks(way_m, motion.time_s)
        if not (moving and motion.usable):
            self._broken()
            return
        section = self._sections.add(motion, way_m, speed)
        if section is not None:
            self._keep(section.start_way_m, motion.time_s, section)
        blow = self._blows.add(motion.blow_mps2, motion.time_s, way_m, speed)
        if blow is not None:
            self._pairs.add(blow)

    def _broken(self) -> None:
        self._sections.broken()
        self._blows.broken()

    def _keep_shocks(self, way_m: float, time_s: float) -> None:
        for shock in self._pairs.due(way_m, time_s):
            self._keep(shock.spot.way_m, shock.spot.pose.time_s, shock)

    def _keep(self, way_m: float, time_s: float, felt: Section | Shock) -> None:
        if self._start is None:
            self._start = (way_m, time_s)
        self._felt.append((way_m, time_s, felt))

    def _close(self) -> None:
        """Finish the open stretch once it is long or old enough and late observations have had their time."""
        now = self._way.last
        if self._start is None or now is None:
            return
        start_m, start_s = self._start
        end_m = start_m + self._settings.stretch_m
        if now.way_m >= end_m + self._settings.wait_m or len(self._felt) >= _MOST:
            self._finish(end_m)
        elif now.pose.time_s >= start_s + self._settings.stretch_s:
            self._finish(math.inf)

    def _finish(self, end_m: float) -> None:
        felt = [item for item in self._felt if item[0] < end_m]
        self._felt = [item for item in self._felt if item[0] >= end_m]
        self._start = self._felt[0][:2] if self._felt else None
        if not felt:
            return
        self._ready.append(
            RoughStretch(
                start_s=min(time_s for _, time_s, _ in felt),
                end_s=max(time_s for _, time_s, _ in felt),
                sections=tuple(item.message for _, _, item in felt if isinstance(item, Section)),
                shocks=tuple(self._message(item) for _, _, item in felt if isinstance(item, Shock)),
            )
        )

    def _message(self, shock: Shock) -> ShockMessage:
        return ShockMessage(
            peak_mps2=round(shock.peak_mps2, 2),
            speed_mps=round(shock.spot.speed_mps, 2),
            monotonic_s=round(shock.spot.pose.time_s, 3),
            position=position(shock, self._settings),
            line=line_position(shock),
            observation=self._marks.seen_at(shock),
        )
