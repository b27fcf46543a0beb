# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What became of true defects: exactly one observation, several, none; how far off each lies, how well measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.geometry.chain import Run, Seen, off
from benchmarks.geometry.sensors import Readings
from benchmarks.geometry.things import Thing

#: An observation that lies farther from its defect, beyond the receiver's error, sends the crew to nothing.
PHANTOM_M = 3.0
#: Looks at so many metres ahead are those whose size is asked for.
MEASURED_M = (5.0, 12.0)
#: Radius that holds 95 % of a two-dimensional normal error, in standard deviations of one direction.
RADIUS_95 = 2.45


@dataclass(frozen=True)
class Placed:
    """One observation beside its defect. `error_m`: whole; `beyond_m`: without the receiver's own error."""

    thing: Thing
    seen: Seen
    error_m: float
    beyond_m: float
    stated_m: float

    @property
    def size_error(self) -> tuple[float, float] | None:
        """Errors of the longer and the shorter extent as shares of the longer; None where no look was near enough."""
        size = self.seen.observation.size
        if size is None or not any(MEASURED_M[0] <= r <= MEASURED_M[1] for r in self.seen.ranges_m):
            return None
        along = abs(size.length_m - self.thing.length_m) / self.thing.longer_m
        across = abs(size.width_m - self.thing.width_m) / self.thing.longer_m
        return (along, across) if self.thing.length_m >= self.thing.width_m else (across, along)


@dataclass(frozen=True)
class Verdict:
    """What became of a drive's defects. `clear`: in clear view of it, `once`: of these with exactly one observation."""

    clear: tuple[Thing, ...]
    once: tuple[Thing, ...]
    placed: tuple[Placed, ...]
    repeated: int
    phantoms: int

    @property
    def lost(self) -> list[Thing]:
        """In clear view, but not exactly one observation."""
        return [thing for thing in self.clear if thing not in self.once]


def judge(run: Run, things: Sequence[Thing], clear: Sequence[Thing], said: Readings) -> Verdict:
    """Compare a run with the truth.

    An observation is a phantom where half of its looks or more show something else than the rest, where it has no
    place, or where its place is `PHANTOM_M` off beyond the receiver's error.
    """
    by_name = {thing.id: thing for thing in things}
    placed: list[Placed] = []
    phantoms = 0
    owners: Counter[str] = Counter()
    for seen in run.seen:
        beside = beside_truth(seen, by_name[seen.owner], said)
        if beside is None or seen.mixed >= 0.5 or beside.beyond_m > PHANTOM_M:
            phantoms += 1
            continue
        owners[seen.owner] += 1
        placed.append(beside)
    once = tuple(thing for thing in clear if owners[thing.id] == 1)
    return Verdict(tuple(clear), once, tuple(placed), sum(n - 1 for n in owners.values()), phantoms)


def beside_truth(seen: Seen, thing: Thing, said: Readings) -> Placed | None:
    """One observation beside its defect; None where it has no place."""
    position = seen.observation.position
    if position is None:
        return None
    east, north = off(position, thing.east_m, thing.north_m)
    receiver = said.receiver_error(seen.times)
    beyond = math.hypot(east - receiver[0], north - receiver[1])
    return Placed(thing, seen, math.hypot(east, north), beyond, position.error_m)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed; not a number where there are none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
