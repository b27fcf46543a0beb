# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which sections of a road were looked at: a byte for each section of a day, two times and a reason for all days.

A road is cut into equal sections of about 20 m. A section counts as looked at where one stretch lies along at least
half of it, valid or with the reason why it could not be judged. All joining here gives the same result in any order,
so that what comes late, or again after a new import of roads, changes nothing but what it says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from depot.roads.network import Floats, RoadNetwork

Bytes = npt.NDArray[np.uint8]

SECTION_M = 20.0
#: Codes of a section in a day. The better the news, the lower the code: the lowest holds, 0 is "not passed".
UNSEEN, VALID = 0, 1
REASONS = ("too_fast", "dark", "overexposed", "blurred", "blocked", "bad_frame", "no_model", "no_fix", "unknown")
_FIRST_REASON = 2
#: A section is looked at where a stretch lies along this share of it.
_ENOUGH = 0.5
#: A stretch's path is followed in steps of this, metres.
_STEP_M = 4.0
#: Parts of a path that are farther from the next one are no way on a road, metres.
_JUMP_M = 200.0

_STATE = np.dtype([("valid_s", "<i8"), ("tried_s", "<i8"), ("code", "u1")])


def section_count(length_m: float) -> int:
    """Sections of a road."""
    return max(1, round(length_m / SECTION_M))


def code_of(reason: str | None, *, valid: bool) -> int:
    """The code of a stretch."""
    if valid:
        return VALID
    return _FIRST_REASON + REASONS.index(reason if reason in REASONS else "unknown")


def lay(network: RoadNetwork, path: Sequence[tuple[float, float]], *, within_m: float) -> dict[int, Bytes]:
    """Lay a stretch on the roads: by index of the road, 1 for each section that it lies along, else 0."""
    places, headings, lengths = _follow(network, path)
    if not len(places):
        return {}
    on = network.locate(places, headings, within_m=within_m)
    found: dict[int, Bytes] = {}
    for number in np.unique(on.road[on.road >= 0]).tolist():
        here = on.road == number
        road_m = network.roads[number].length_m
        count = section_count(road_m)
        section = np.clip((on.chainage_m[here] / road_m * count).astype(np.int64), 0, count - 1)
        along_m = np.bincount(section, weights=lengths[here], minlength=count)
        seen = (along_m >= _ENOUGH * road_m / count).astype(np.uint8)
        if seen.any():
            found[number] = seen
    return found


def _follow(network: RoadNetwork, path: Sequence[tuple[float, float]]) -> tuple[Floats, Floats, Floats]:
    """Middles of short steps along a path: (N, 2) degrees, (N,) heading in degrees, (N,) length in metres."""
    degrees = np.array(path, dtype=np.float64).reshape(-1, 2)
    way = np.diff(network.plane(degrees), axis=0)
    lengths = np.hypot(way[:, 0], way[:, 1])
    places, headings, steps = [], [], []
    for number in np.flatnonzero((lengths > 0.0) & (lengths <= _JUMP_M)).tolist():
        count = math.ceil(lengths[number] / _STEP_M)
        share = (np.arange(count) + 0.5)[:, None] / count
        places.append(degrees[number] + share * (degrees[number + 1] - degrees[number]))
        headings.append(np.full(count, math.degrees(math.atan2(*way[number])) % 360.0))
        steps.append(np.full(count, lengths[number] / count))
    if not places:
        return np.empty((0, 2)), np.empty(0), np.empty(0)
    return np.concatenate(places), np.concatenate(headings), np.concatenate(steps)


def join_day(before: bytes | None, seen: Bytes, code: int) -> bytes:
    """A day's codes with one stretch more. A day that was cut into another number of sections begins anew."""
    known = np.zeros(len(seen), dtype=np.uint8)
    if before is not None and len(before) == len(seen):
        known = np.frombuffer(before, dtype=np.uint8).copy()
    better = (seen == 1) & ((known == UNSEEN) | (known > code))
    known[better] = code
    return known.tobytes()


def join_state(before: bytes | None, seen: Bytes, code: int, utc_s: int) -> bytes:
    """What is known of a road's sections with one stretch more."""
    known = np.zeros(len(seen), dtype=_STATE)
    if before is not None and len(before) == len(seen) * _STATE.itemsize:
        known = np.frombuffer(before, dtype=_STATE).copy()
    here = seen == 1
    if code == VALID:
        known["valid_s"][here] = np.maximum(known["valid_s"][here], utc_s)
        return known.tobytes()
    newer = here & ((known["tried_s"] < utc_s) | ((known["tried_s"] == utc_s) & (known["code"] < code)))
    known["tried_s"][newer] = utc_s
    known["code"][newer] = code
    return known.tobytes()


@dataclass(frozen=True)
class Looked:
    """A road in a time: codes of its sections, and when a part of it was last judged, seconds since 1970."""

    codes: Bytes
    last_s: int | None

    @property
    def valid_share(self) -> float:
        """Of the road's length."""
        return float((self.codes == VALID).mean())

    def not_judged(self, length_m: float) -> dict[str, float]:
        """Metres that were passed and not judged, by reason."""
        each_m = length_m / len(self.codes)
        counts = np.bincount(self.codes, minlength=_FIRST_REASON + len(REASONS))[_FIRST_REASON:]
        return {reason: round(float(n) * each_m, 1) for reason, n in zip(REASONS, counts, strict=True) if n}


def since(state: bytes, from_s: int) -> Looked:
    """What `road_states` says of the time from `from_s` on."""
    known = np.frombuffer(state, dtype=_STATE)
    codes = np.where(known["tried_s"] >= from_s, known["code"], UNSEEN).astype(np.uint8)
    codes[(known["valid_s"] >= from_s) & (known["valid_s"] > 0)] = VALID
    last_s = int(known["valid_s"].max())
    return Looked(codes, last_s or None)


def valid_times(state: bytes) -> npt.NDArray[np.int64]:
    """Of each section, when it was last judged, seconds since 1970; 0: never."""
    times: npt.NDArray[np.int64] = np.frombuffer(state, dtype=_STATE)["valid_s"]
    return times


def days(states: Iterable[bytes]) -> Bytes | None:
    """Codes of several days together; None where there is none."""
    joined: Bytes | None = None
    for state in states:
        codes: Bytes = np.frombuffer(state, dtype=np.uint8)
        if joined is None or len(joined) != len(codes):
            joined = codes.copy()
            continue
        better = (codes != UNSEEN) & ((joined == UNSEEN) | (codes < joined))
        joined[better] = codes[better]
    return joined
