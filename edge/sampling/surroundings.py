# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Street or tunnel? It decides which model judges, and what a picture must show to be judged.

Who knows best speaks: a known line (its file says where tunnels are), else a geofence around a place that is known,
else the sky: no fix for a while and dark above means tunnel, fixes again (or light for longer than any platform)
mean street. Where nobody knows, nothing changes.

It never flaps: a word of line or geofence counts once it has held for some way or time, those of the sky are runs
by themselves, and after a change the next one comes after 20 m and 3 s at the earliest. An underpass is over before
its darkness has lasted long enough.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge.sampling.geofence import Geofence
from edge.sampling.quality import Limits
from edge.types import Picture, Pose, Surroundings

#: Whole pictures of lit tunnels have a 90th percentile of 69 to 81: two thirds of that is still the same tunnel.
_TUNNEL_MIN_BRIGHT = 45.0


@dataclass(frozen=True)
class SurroundingsSettings:
    """When a word counts.

    hold_m, hold_s: so far, or so long, a geofence must say the same; a line is sharper: only `hold_line_m` or
        its own error.
    rest_m, rest_s: so far and so long nothing changes after a change.
    max_error_m: a position known worse says nothing about a geofence.
    no_sky_m, no_sky_s: without fixes for so far and so long the sky counts as gone; sky_s: with fixes, as back.
    dark_below: `brightness` of a tunnel, for `dark_frames` frames and `dark_m`. Real and simulated tunnels have 78
        to 116, streets by day 131 to 194. light_from, light_m: the other way round, longer than a platform is.
    """

    hold_m: float = 20.0
    hold_line_m: float = 5.0
    hold_s: float = 2.0
    rest_m: float = 20.0
    rest_s: float = 3.0
    max_error_m: float = 25.0
    no_sky_m: float = 40.0
    no_sky_s: float = 3.0
    sky_s: float = 2.0
    dark_below: float = 120.0
    dark_frames: int = 5
    dark_m: float = 10.0
    light_from: float = 130.0
    light_m: float = 150.0


@dataclass
class _Run:
    """Since when something has been so, without a break."""

    start: Pose | None = None
    frames: int = 0

    def note(self, pose: Pose, *, is_so: bool) -> None:
        if not is_so:
            self.start, self.frames = None, 0
            return
        self.start, self.frames = self.start or pose, self.frames + 1

    def lasts_s(self, pose: Pose) -> float:
        return 0.0 if self.start is None else pose.time_s - self.start.time_s

    def lasts_m(self, pose: Pose) -> float:
        return 0.0 if self.start is None else pose.distance_m - self.start.distance_m


class SurroundingsWatch:
    """Says street or tunnel for each frame, in order of time. `counts`: changes by what caused them."""

    def __init__(
        self,
        geofence: Geofence | None = None,
        *,
        settings: SurroundingsSettings | None = None,
        start: Surroundings = "street",
    ) -> None:
        self.now: Surroundings = start
        self.counts: Counter[str] = Counter()
        self._geofence = geofence
        self._settings = settings or SurroundingsSettings()
        self._last: Pose | None = None
        self._changed: Pose | None = None
        self._sky, self._no_sky, self._dark, self._light, self._other = (_Run() for _ in range(5))

    def update(self, pose: Pose, bright: float | None = None) -> Surroundings:
        """Take a frame's pose and, where it was measured, `brightness` of its picture."""
        if self._last is not None and (
            pose.time_s < self._last.time_s or pose.distance_m < self._last.distance_m - self._settings.rest_m
        ):
            # The estimator or the recording started anew.
            self._changed = None
            for run in (self._sky, self._no_sky, self._dark, self._light, self._other):
                run.note(pose, is_so=False)
        self._last = pose
        self._watch_sky(pose, bright)
        said, why, ready = self._word(pose)
        self._other.note(pose, is_so=said is not None and said != self.now)
        if said is not None and said != self.now and ready and self._has_rested(pose):
            self.now, self._changed = said, pose
            self._other.note(pose, is_so=False)
            self.counts[f"{said}_by_{why}"] += 1
        return self.now

    def _watch_sky(self, pose: Pose, bright: float | None) -> None:
        self._sky.note(pose, is_so=pose.method == "gnss")
        self._no_sky.note(pose, is_so=pose.method != "gnss")
        if bright is not None:
            self._dark.note(pose, is_so=bright < self._settings.dark_below)
            self._light.note(pose, is_so=bright >= self._settings.light_from)

    def _word(self, pose: Pose) -> tuple[Surroundings | None, str, bool]:
        """What the one who knows best says, who that is, and whether it has held for long enough."""
        settings = self._settings
        held_s, held_m = self._other.lasts_s(pose), self._other.lasts_m(pose)
        if pose.line is not None:
            ready = held_s >= settings.hold_s or held_m >= max(settings.hold_line_m, pose.line.error_m)
            return ("tunnel" if pose.line.in_tunnel else "street"), "line", ready
        said = self._geofence_says(pose)
        if said is not None:
            return said, "geofence", held_s >= settings.hold_s or held_m >= settings.hold_m
        if self._sky.lasts_s(pose) > settings.sky_s:
            return "street", "fixes", True
        if self._light.lasts_m(pose) >= settings.light_m:
            return "street", "light", True
        no_sky = self._no_sky.lasts_s(pose) > settings.no_sky_s and self._no_sky.lasts_m(pose) >= settings.no_sky_m
        dark = self._dark.frames >= settings.dark_frames and self._dark.lasts_m(pose) >= settings.dark_m
        return ("tunnel" if no_sky and dark else None), "darkness", True

    def _geofence_says(self, pose: Pose) -> Surroundings | None:
        if self._geofence is None or pose.lon is None or pose.lat is None or pose.error_m is None:
            return None
        return self._geofence.at(pose.lon, pose.lat) if pose.error_m <= self._settings.max_error_m else None

    def _has_rested(self, pose: Pose) -> bool:
        if self._changed is None:
            return True
        return (
            pose.time_s - self._changed.time_s >= self._settings.rest_s
            and pose.distance_m - self._changed.distance_m >= self._settings.rest_m
        )


def brightness(picture: Picture) -> float:
    """How bright it is above (height x width x 3 BGR, 8 bit): the 90th percentile of grey in the upper third, 0..255.

    There the sky is, or a ceiling. The road part says less: exposure brings a lit tunnel's road up to a street's.
    """
    step = max(1, picture.shape[1] // 160)
    part = np.ascontiguousarray(picture[: max(1, picture.shape[0] // 3) : step, ::step])
    return float(np.percentile(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), 90))


def limits_for(surroundings: Surroundings, street: Limits | None = None) -> Limits:
    """What a picture must show to be judged there. In a tunnel all of it is lining, lamps included."""
    limits = street or Limits()
    if surroundings == "street":
        return limits
    return replace(limits, top=0.0, bottom=1.0, min_bright=_TUNNEL_MIN_BRIGHT)
