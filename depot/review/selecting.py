# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter of `depot.review.filters` on columns in memory, the orders of the list, and counts. Pure."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from depot.review.columns import Columns, seconds
from depot.review.filters import Bbox, CaseFilter, number_of, seen_after, spellings

Order = Literal["urgency", "newest", "oldest", "grade", "near"]
#: One step of the grade in the order by grade: above any key of urgency.
_GRADE = 2.0**44
_EARTH_M = 6_371_008.8


class Mark(NamedTuple):
    """The last case of a page: its key in the order, and its number."""

    key: float
    number: int


class Counts(Struct, frozen=True, kw_only=True):
    """How many cases a filter finds, by what they are; "" is those that have none of it."""

    total: int
    states: dict[str, int]
    classes: dict[str, int]
    offices: dict[str, int]
    districts: dict[str, int]
    grades: dict[str, int]


def matching(columns: Columns, wanted: CaseFilter, now_utc: str) -> NDArray[np.bool_]:
    """Which cases the filter finds. Shape (size,)."""
    size = columns.size
    found = _states(columns, wanted)
    for name, words in (("class", wanted.classes), ("trend", wanted.trends)):
        if words:
            found &= columns.vocabulary[name].chosen(set(words).__contains__)[columns.words[name][:size]]
    for name, word in (("road", wanted.road), ("surface", wanted.surface)):
        if word is not None:
            found &= columns.vocabulary[name].chosen(word.__eq__)[columns.words[name][:size]]
    for name, words in (("district", wanted.districts), ("office", wanted.offices), ("line", wanted.lines)):
        if words:
            chosen = columns.vocabulary[name].chosen(set(words).__contains__, none="" in words)
            found &= chosen[columns.words[name][:size]]
    if wanted.vehicles:
        found &= columns.seen_by(wanted.vehicles)
    _bound(columns, wanted, now_utc, found)
    if wanted.bbox is not None:
        found &= within(columns, wanted.bbox)
    if wanted.place is not None:
        known = ~(np.isnan(columns.floats["lon"][:size]) | np.isnan(columns.floats["lat"][:size]))
        found &= known if wanted.place == "map" else ~known
    if wanted.q is not None:
        found &= _named(columns, wanted.q)
    return found


def _states(columns: Columns, wanted: CaseFilter) -> NDArray[np.bool_]:
    if wanted.states:
        chosen = columns.states.chosen(set(wanted.states).__contains__)
    else:
        chosen = columns.states.chosen("merged".__ne__)
    found: NDArray[np.bool_] = chosen[columns.state[: columns.size]]
    return found


def _bound(columns: Columns, wanted: CaseFilter, now_utc: str, found: NDArray[np.bool_]) -> None:
    """Leave out of `found` what lies below a bound, or has no such figure."""
    size = columns.size
    if wanted.grade_min is not None:
        found &= columns.counts["grade"][:size] >= wanted.grade_min
    if wanted.looks_min is not None:
        found &= columns.counts["looks_without"][:size] >= wanted.looks_min
    if wanted.score_min is not None:
        found &= columns.floats["score"][:size] >= wanted.score_min
    for name, since in (("first_seen_utc", wanted.since), ("last_seen_utc", seen_after(wanted, now_utc))):
        if since is not None:
            found &= columns.floats[name][:size] >= seconds([since])[0]


def within(columns: Columns, area: Bbox) -> NDArray[np.bool_]:
    """Which cases lie in the box. Shape (size,)."""
    lon, lat = columns.floats["lon"][: columns.size], columns.floats["lat"][: columns.size]
    rows = (lat >= area.south) & (lat <= area.north)
    if area.west > area.east:
        return rows & ((lon >= area.west) | (lon <= area.east))
    return rows & (lon >= area.west) & (lon <= area.east)


def _named(columns: Columns, q: str) -> NDArray[np.bool_]:
    parts = {_ascii_lower(spelling) for spelling in spellings(q)}
    chosen = columns.vocabulary["road"].chosen(lambda road: any(part in _ascii_lower(road) for part in parts))
    found: NDArray[np.bool_] = chosen[columns.words["road"][: columns.size]]
    number = number_of(q)
    if number is not None and number < columns.size:
        found[number] = True
    return found


def _ascii_lower(text: str) -> str:
    """As the databases do it."""
    return "".join(char.lower() if char.isascii() else char for char in text)


def keys(columns: Columns, order: Order, near: tuple[float, float] | None) -> NDArray[np.float64]:
    """What the list is sorted by, smallest first; equal ones by number. Shape (size,), never NaN.

    Args:
        columns: the cases.
        order: which.
        near: longitude and latitude that "near" measures from; None leaves its cases in the order of their numbers.
    """
    size = columns.size
    if order == "near":
        found = np.zeros(size) if near is None else _distances_m(columns, *near)
    elif order == "grade":
        found = (5 - columns.counts["grade"][:size]) * _GRADE + columns.floats["urgency"][:size]
    elif order == "urgency":
        found = columns.floats["urgency"][:size]
    else:
        first, opened = columns.floats["first_seen_utc"][:size], columns.floats["opened_utc"][:size]
        since = np.where(np.isnan(first), opened, first)
        found = since if order == "oldest" else -since
    return np.where(np.isnan(found), np.inf, found)


def _distances_m(columns: Columns, lon: float, lat: float) -> NDArray[np.float64]:
    east = (columns.floats["lon"][: columns.size] - lon + 180) % 360 - 180
    north = columns.floats["lat"][: columns.size] - lat
    metres: NDArray[np.float64] = np.hypot(east * math.cos(math.radians(lat)), north) * (math.pi / 180 * _EARTH_M)
    return metres


def page(
    found: NDArray[np.bool_], key: NDArray[np.float64], *, after: Mark | None, limit: int
) -> tuple[list[int], Mark | None]:
    """The next case numbers in order, and where the page after them goes on; None: there is none."""
    rest = found.copy()
    if after is not None:
        rest &= key >= after.key
        rest &= (key > after.key) | (np.arange(len(key)) > after.number)
    numbers = np.flatnonzero(rest)
    if len(numbers) > limit:  # all that can be on the page: those not above the key at its end
        numbers = numbers[key[numbers] <= np.partition(key[numbers], limit)[limit]]
    ordered = numbers[np.lexsort((numbers, key[numbers]))]
    chosen = ordered[:limit]
    more = len(ordered) > limit
    return chosen.tolist(), Mark(float(key[chosen[-1]]), int(chosen[-1])) if more else None


def count(columns: Columns, found: NDArray[np.bool_]) -> Counts:
    """Count what a filter found."""
    rows = np.flatnonzero(found)

    def by_word(name: str) -> dict[str, int]:
        return _tally(columns.words[name][rows], columns.vocabulary[name].words)

    grades = np.bincount(columns.counts["grade"][rows], minlength=1)
    return Counts(
        total=len(rows),
        states=_tally(columns.state[rows], columns.states.words),
        classes=by_word("class"),
        offices=by_word("office"),
        districts=by_word("district"),
        grades={str(grade or ""): int(number) for grade, number in enumerate(grades) if number},
    )


def _tally(codes: NDArray[np.integer], words: list[str]) -> dict[str, int]:
    numbers = np.bincount(codes, minlength=1).tolist()
    return {word: number for word, number in zip(["", *words], numbers, strict=False) if number}
