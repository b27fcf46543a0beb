# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What one transaction knows of the cases near its sightings, and what it has changed of them so far.

Cases and sightings that are new have negative numbers until `depot.cases.saving` writes them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from depot.cases.cells import along, around, cells_of
from depot.cases.matching import on_line, reach_m
from depot.cases.passes import PASS_S
from depot.cases.records import Case, Seen, Sighting, case_of, sighting_of
from depot.cases.tables import case_cells
from depot.store.tables import cases, sightings

#: Values in one IN (...): both databases take more, but their planners do not get better by it.
_MOST = 500
_Value = TypeVar("_Value")
Pass = tuple[str | None, str | None]


class Board:
    """The cases, the sightings and which belongs to which."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._new = itertools.count(-1, -1)
        #: All that were asked for, and as they are stored.
        self.cases: dict[int, Case] = {}
        self.stored: dict[int, Case] = {}
        self.sightings: dict[int, Sighting] = {}
        #: Sightings by case, of those that are known here as a whole.
        self.held: dict[int, dict[int, Sighting]] = {}
        self.by_pass: dict[Pass, dict[int, Sighting]] = defaultdict(dict)
        self._by_cell: dict[str, set[int]] = defaultdict(set)
        self._asked: set[str] = set()
        #: What has to be written: cases, sightings that are new or another than stored, and where those were before.
        self.touched: set[int] = set()
        self.changed: set[int] = set()
        self.left: dict[int, int] = {}

    def near(self, seen: Seen) -> list[int]:
        """Numbers of the cases in the cells about a sighting."""
        found = {number for cell in cells_about(seen) for number in self._by_cell[cell]}
        return sorted(found, key=abs)

    def load_near(self, seen: Iterable[Seen]) -> None:
        """Fetch the cases about sightings."""
        wanted = sorted({cell for one in seen for cell in cells_about(one)} - self._asked)
        self._asked.update(wanted)
        numbers: set[int] = set()
        for part in parts(wanted):
            statement = select(case_cells.c.cell, case_cells.c.case).where(case_cells.c.cell.in_(part))
            for cell, number in self._connection.execute(statement):
                self._by_cell[cell].add(number)
                numbers.add(number)
        self.load(numbers)

    def load(self, numbers: Iterable[int]) -> None:
        """Fetch cases."""
        for part in parts(sorted(set(numbers) - self.cases.keys())):
            for row in self._connection.execute(select(cases).where(cases.c.number.in_(part))):
                self.cases[row.number] = self.stored[row.number] = case_of(row)

    def load_whole(self, numbers: Iterable[int]) -> None:
        """Fetch cases with all of their sightings."""
        wanted = sorted(number for number in set(numbers) - self.held.keys() if number > 0)
        self.load(wanted)
        known = self._moved_here(wanted)
        for part in parts(wanted):
            self.held.update({number: {} for number in part})
            for one in self._fetch(sightings.c.case.in_(part)):
                if one.number not in self.left:
                    self.held[one.case][one.number] = self.sightings[one.number]
        for one in known:
            self.held[one.case][one.number] = one

    def load_passes(self, seen: Iterable[Seen]) -> None:
        """Fetch what the same vehicles saw within the passes that these sightings belong to."""
        spans: dict[tuple[str, str], tuple[float, float]] = {}
        for one in seen:
            if one.vehicle is not None and one.boot is not None and one.monotonic_s is not None:
                low, high = spans.get((one.vehicle, one.boot), (one.monotonic_s, one.monotonic_s))
                spans[one.vehicle, one.boot] = min(low, one.monotonic_s), max(high, one.monotonic_s)
        conditions = [
            and_(
                sightings.c.vehicle == vehicle,
                sightings.c.boot == boot,
                sightings.c.monotonic_s.between(low - PASS_S, high + PASS_S),
            )
            for (vehicle, boot), (low, high) in spans.items()
        ]
        for part in parts(conditions, 20):
            for one in self._fetch(or_(*part)):
                self.by_pass[one.vehicle, one.boot][one.number] = one

    def add(self, seen: Seen, case: int | None) -> Sighting:
        """A new sighting, of a case or (None) of a new one."""
        number = next(self._new)
        one = Sighting(number=number, case=self._open(seen) if case is None else case, **_fields(seen))
        self._put(one)
        return one

    def change(self, one: Sighting) -> None:
        """A sighting says something else than before, of the same case."""
        self._put(one)

    def move(self, one: Sighting, case: int | None) -> None:
        """A stored sighting is of another case, or (None) of a new one."""
        self.left.setdefault(one.number, one.case)
        self.touched.add(one.case)
        if one.case in self.held:
            self.held[one.case].pop(one.number, None)
        target = self._open(one) if case is None else case
        self._put(replace(one, case=target))

    def has_others(self, one: Sighting) -> bool:
        """Whether the case of a sighting has more than this one."""
        if one.case not in self.held:
            return True  # stored before, and this one is new
        return any(number != one.number for number in self.held[one.case])

    def rest(self, number: int, without: Collection[int]) -> list[Sighting]:
        """The sightings of a whole case but for some."""
        return [one for one in self.held[number].values() if one.number not in without]

    def _open(self, seen: Seen) -> int:
        number = next(self._new)
        self.cases[number] = Case(
            number=number,
            changed=0,
            state="new",
            defect_class=seen.defect_class,
            surface=seen.surface or "road",
            sightings=0,
            passes=0,
            vehicles=0,
            looks_without=0,
            opened_utc="",
            pinned=False,
            reports=0,
            lon=seen.lon,
            lat=seen.lat,
            error_m=seen.error_m,
            heading_deg=seen.heading_deg,
            line=seen.line,
            track=seen.track,
            chainage_m=seen.chainage_m,
            chainage_error_m=seen.chainage_error_m,
            side=seen.side,
            lining_clock=seen.lining_clock,
            length_m=seen.length_m,
            width_m=seen.width_m,
        )
        self.held[number] = {}
        for cell in cells_of(seen.lon, seen.lat, seen.line, seen.chainage_m):
            self._by_cell[cell].add(number)
        return number

    def _put(self, one: Sighting) -> None:
        self.sightings[one.number] = one
        self.changed.add(one.number)
        self.touched.add(one.case)
        if one.case in self.held:
            self.held[one.case][one.number] = one
        if one.vehicle is not None:
            self.by_pass[one.vehicle, one.boot][one.number] = one

    def _fetch(self, condition: ColumnElement[bool]) -> Iterator[Sighting]:
        """Stored sightings, as this transaction has changed them."""
        for row in self._connection.execute(select(sightings).where(condition)):
            known = self.sightings.get(row.number)
            if known is None:
                known = self.sightings[row.number] = sighting_of(row)
            yield known

    def _moved_here(self, numbers: Collection[int]) -> list[Sighting]:
        """What was added in this transaction to cases that were not whole then."""
        wanted = set(numbers)
        return [one for number in self.changed if (one := self.sightings[number]).case in wanted]


def cells_about(seen: Seen) -> Iterator[str]:
    """The cells in which the case of a sighting may lie."""
    if on_line(seen):
        assert seen.line is not None
        assert seen.chainage_m is not None
        reach = reach_m(seen)
        yield from along(seen.line, seen.chainage_m - reach, seen.chainage_m + reach)
    elif seen.lon is not None and seen.lat is not None:
        yield from around(seen.lon, seen.lat, reach_m(seen))


def _fields(seen: Seen) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in Seen.__struct_fields__}


def parts(values: Collection[_Value], size: int = _MOST) -> Iterator[Sequence[_Value]]:
    """The values in pieces that one IN (...) takes."""
    ordered = list(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
