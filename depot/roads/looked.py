# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which sections of a road were looked at: a byte for each section of a day, two times and a reason for all days.

A road is cut into equal sections of about 20 m. A section counts as looked at where one stretch lies along at least
half of it, valid or with the reason why it could not be judged. All joining here gives the same result in any order,
so that what comes late, or again after a new import of roads, changes nothing but what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from depot.roads.network import Floats, Integers, RoadNetwork

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


def first_sections(network: RoadNetwork) -> Integers:
    """(N + 1,) where all sections of all roads stand in one row: the first of each road, and the number of all."""
    counts = [section_count(road.length_m) for road in network.roads]
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


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
    real = np.flatnonzero((lengths > 0.0) & (lengths <= _JUMP_M))
    counts = np.ceil(lengths[real] / _STEP_M).astype(np.int64)
    piece = np.repeat(real, counts)  # of each step, the piece of the path that it lies on
    nth = np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts)
    each = np.repeat(counts, counts)
    share = ((nth + 0.5) / each)[:, None]
    places = degrees[piece] + share * (degrees[piece + 1] - degrees[piece])
    headings = np.degrees(np.arctan2(way[piece, 0], way[piece, 1])) % 360.0
    return places, headings, lengths[piece] / each


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


def since(state: bytes, from_s: int) -> Bytes:
    """Codes of the time from `from_s` on, by what `road_states` says of one road, or of many one after the other."""
    known = np.frombuffer(state, dtype=_STATE)
    codes = np.where(known["tried_s"] >= from_s, known["code"], UNSEEN).astype(np.uint8)
    codes[(known["valid_s"] >= from_s) & (known["valid_s"] > 0)] = VALID
    return codes


def valid_times(state: bytes) -> Integers:
    """Of each section, when it was last judged, seconds since 1970; 0: never."""
    times: Integers = np.frombuffer(state, dtype=_STATE)["valid_s"]
    return times


def sized(state: bytes | None, sections: int) -> bytes:
    """A state of so many sections: an empty one where there is none, or one of another number."""
    length = sections * _STATE.itemsize
    return state if state is not None and len(state) == length else bytes(length)


def valid_share(codes: Bytes) -> float:
    """Of a road's length."""
    return float((codes == VALID).mean())


def not_judged_m(codes: Bytes, length_m: float) -> dict[str, float]:
    """Metres of a road that were passed and not judged, by reason."""
    each_m = length_m / len(codes)
    return {REASONS[code - _FIRST_REASON]: round(float(n) * each_m, 1) for code, n in _vain(codes)}


def _vain(codes: Bytes) -> list[tuple[int, int]]:
    counts = np.bincount(codes, minlength=_FIRST_REASON)
    return [(code, int(counts[code])) for code in range(_FIRST_REASON, len(counts)) if counts[code]]


def by_road(codes: Bytes, first: Integers) -> tuple[Integers, dict[str, Integers]]:
    """Of each road the number of valid sections, and of those not judged by reason.

    Args:
        codes: of all sections of all roads.
        first: as `first_sections` gives it, of one road at least.
    """
    reasons = {
        REASONS[code - _FIRST_REASON]: np.add.reduceat(codes == code, first[:-1], dtype=np.int64)
        for code, _ in _vain(codes)
    }
    return np.add.reduceat(codes == VALID, first[:-1], dtype=np.int64), reasons


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
