# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The condition of every section of road, kept in memory and brought up to date by what changed.

A section has a grade where open cases lie on it, grade 1 where none does and it was looked at not long ago, and no
grade where nobody looked: not seen is not good.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from sqlalchemy import Connection, select

from depot.roads import looked
from depot.roads.condition import OPEN, RULE, Condition, Damage, condition
from depot.roads.network import Floats, RoadNetwork, Roads
from depot.roads.tables import road_states
from depot.store.tables import cases

DAY_S = 86_400

_COLUMNS = (
    "number", "changed", "state", "class", "surface", "lon", "lat", "heading_deg", "grade", "length_m", "width_m",
)  # fmt: skip

Box = tuple[float, float, float, float]


class RoadSection(Struct, frozen=True, kw_only=True):
    """A section. `grade` None: nobody looked. `cases`: open ones on it; `lines`: as a GeoJSON MultiLineString."""

    id: str
    road: str
    name: str | None
    road_class: str | None
    district: str | None
    from_m: float
    to_m: float
    grade: int | None
    rule: str
    damaged_share: float | None
    by: str | None
    worst: int | None
    cases: tuple[int, ...]
    confirmed: int
    looked_utc: str | None
    lines: list[list[list[float]]]


class SectionIndex:
    """May be asked from any thread. `valid_days`: for so long a look without a finding counts."""

    def __init__(self, roads: Roads, *, within_m: float = 25.0, valid_days: int = 180) -> None:
        self._roads = roads
        self._within_m = within_m
        self._valid_s = valid_days * DAY_S
        self._lock = threading.Lock()
        self._view: _View | None = None

    def find(
        self,
        connection: Connection,
        now_utc: str,
        *,
        box: Box | None = None,
        road: str | None = None,
        grade_min: int | None = None,
        limit: int = 1000,
        offset: int = 0,
    ) -> tuple[list[RoadSection], int]:
        """Sections and how many there are in all: the worst first, those that nobody looked at last.

        Args:
            connection: of `Database.reading`.
            now_utc: the depot's clock.
            box: west, south, east, north; of a section its middle counts.
            road: only those of the road with this id.
            grade_min: only those of this grade or worse.
            limit: at most so many.
            offset: after so many.
        """
        since_s = int(datetime.fromisoformat(now_utc.replace("Z", "+00:00")).timestamp()) - self._valid_s
        network = self._roads.current(connection)
        with self._lock:
            if self._view is None or self._view.network is not network:
                self._view = _View(network, self._within_m)
            view = self._view
            view.refresh(connection)
            grades = view.grades(since_s)
            chosen = view.choose(grades, box, road, grade_min)
            order = chosen[np.lexsort((chosen, -grades[chosen]))]
            return [view.section(int(n), int(grades[n])) for n in order[offset : offset + limit]], len(chosen)


class _View:
    """The sections of one network."""

    def __init__(self, network: RoadNetwork, within_m: float) -> None:
        self.network = network
        self._within_m = within_m
        self._first = looked.first_sections(network)
        counts = np.diff(self._first)
        self._owner = np.repeat(np.arange(len(counts)), counts)
        self._each_m = [road.length_m / count for road, count in zip(network.roads, counts.tolist(), strict=True)]
        self._middles = _middles(network, counts.tolist())
        self._valid_s = np.zeros(len(self._owner), dtype=np.int64)
        self._graded = np.zeros(len(self._owner), dtype=np.int64)
        self._conditions: dict[int, Condition] = {}
        self._on: dict[int, dict[int, Damage]] = defaultdict(dict)
        self._where: dict[int, int] = {}
        self._lines: dict[int, list[list[list[float]]]] = {}
        self._cases_changed = self._states_changed = -1

    def refresh(self, connection: Connection) -> None:
        """Take over what changed since."""
        wanted = select(*(cases.c[name] for name in _COLUMNS)).where(cases.c.changed > self._cases_changed)
        rows = connection.execute(wanted).mappings().all()
        if rows:
            self._take_cases(rows)
            self._cases_changed = max(row["changed"] for row in rows)
        states = connection.execute(select(road_states).where(road_states.c.changed > self._states_changed)).all()
        for row in states:
            number = self.network.number_of(row.road)
            times = looked.valid_times(row.state)
            if number is not None and len(times) == self._first[number + 1] - self._first[number]:
                self._valid_s[self._first[number] : self._first[number + 1]] = times
            self._states_changed = max(self._states_changed, row.changed)

    def _take_cases(self, rows: Sequence[Any]) -> None:
        stale = set()
        for row in rows:
            before = self._where.pop(row["number"], None)
            if before is not None:
                self._on[before].pop(row["number"], None)
                stale.add(before)
        here = [row for row in rows if row["state"] in OPEN and row["surface"] == "road" and row["lon"] is not None]
        if here:
            stale |= self._put(here)
        for section in stale:
            self._grade(section)

    def _put(self, rows: Sequence[Any]) -> set[int]:
        places = np.array([(row["lon"], row["lat"]) for row in rows], dtype=np.float64)
        headings = np.array([np.nan if row["heading_deg"] is None else row["heading_deg"] for row in rows])
        on = self.network.locate(places, headings, within_m=self._within_m)
        found = set()
        for row, number, chainage_m in zip(rows, on.road.tolist(), on.chainage_m.tolist(), strict=True):
            if number < 0:
                continue
            count = int(self._first[number + 1] - self._first[number])
            share = chainage_m / self.network.roads[number].length_m
            section = int(self._first[number]) + min(int(share * count), count - 1)
            self._on[section][row["number"]] = _damage(row)
            self._where[row["number"]] = section
            found.add(section)
        return found

    def _grade(self, section: int) -> None:
        damages = self._on.get(section)
        if not damages:
            self._on.pop(section, None)
            self._conditions.pop(section, None)
            self._graded[section] = 0
            return
        found = condition(tuple(damages.values()), self._each_m[self._owner[section]])
        self._conditions[section] = found
        self._graded[section] = found.grade

    def grades(self, since_s: int) -> npt.NDArray[np.int64]:
        """Of each section; 0: nobody looked."""
        return np.where(self._graded > 0, self._graded, (self._valid_s >= since_s) & (self._valid_s > 0))

    def choose(
        self, grades: npt.NDArray[np.int64], box: Box | None, road: str | None, grade_min: int | None
    ) -> npt.NDArray[np.int64]:
        """Numbers of the sections that are asked for."""
        keep = np.ones(len(grades), dtype=bool)
        if box is not None:
            west, south, east, north = box
            lon, lat = self._middles.T
            keep &= (lat >= south) & (lat <= north)
            keep &= (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
        if road is not None:
            number = self.network.number_of(road)
            keep[: self._first[number] if number is not None else None] = False
            keep[self._first[number + 1] if number is not None else 0 :] = False
        if grade_min is not None:
            keep &= grades >= grade_min
        return np.flatnonzero(keep)

    def section(self, number: int, grade: int) -> RoadSection:
        """A section as it is shown."""
        owner = int(self._owner[number])
        road, length_m = self.network.roads[owner], self._each_m[owner]
        from_m = (number - int(self._first[owner])) * length_m
        if number not in self._lines:
            self._lines[number] = self.network.part(owner, from_m, from_m + length_m)
        found, damages = self._conditions.get(number), self._on.get(number, {})
        seen_s = int(self._valid_s[number])
        return RoadSection(
            id=f"{road.id}:{number - int(self._first[owner])}",
            road=road.id,
            name=road.name,
            road_class=road.road_class,
            district=road.district,
            from_m=round(from_m, 1),
            to_m=round(from_m + length_m, 1),
            grade=grade or None,
            rule=RULE,
            damaged_share=None if not grade else 0.0 if found is None else found.damaged_share,
            by=None if not grade else "nothing" if found is None else found.by,
            worst=None if found is None else found.worst,
            cases=tuple(sorted(damages)),
            confirmed=sum(damage.state != "new" for damage in damages.values()),
            looked_utc=utc_text(seen_s) if seen_s else None,
            lines=self._lines[number],
        )


def utc_text(seconds: int) -> str:
    """Seconds since 1970 as messages write them."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")


def _damage(row: Any) -> Damage:
    return Damage(
        number=row["number"],
        defect_class=row["class"],
        state=row["state"],
        grade=row["grade"],
        length_m=row["length_m"],
        width_m=row["width_m"],
    )


def _middles(network: RoadNetwork, counts: Iterable[int]) -> Floats:
    """(N, 2) degrees: the middles of all sections."""
    found = [np.empty((0, 2))]
    for road, count in zip(network.roads, counts, strict=True):
        share = (np.arange(count) + 0.5) / count
        along, degrees = _whole(network, road.lines)
        at = share * along[-1]
        found.append(np.stack((np.interp(at, along, degrees[:, 0]), np.interp(at, along, degrees[:, 1])), axis=1))
    return np.concatenate(found)


def _whole(network: RoadNetwork, lines: Any) -> tuple[Floats, Floats]:
    """Chainage and places of a road's corners; from one line to the next nothing is rolled."""
    degrees = np.concatenate([np.array(line, dtype=np.float64) for line in lines])
    way = np.hypot(*np.diff(network.plane(degrees), axis=0).T)
    ends = np.cumsum([len(line) for line in lines])[:-1]
    way[ends - 1] = 0.0
    return np.concatenate(([0.0], np.cumsum(way))), degrees
