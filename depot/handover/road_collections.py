# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Roads as OGC API Features: when each was looked at, and the indicative grade of each section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from sqlalchemy import Connection

from depot.handover.collections import Extent, Items, Wanted
from depot.handover.exported import Wording
from depot.review.filters import Bbox
from depot.roads import features
from depot.roads.coverage import Period, RoadCoverage, roads_covered
from depot.roads.network import RoadNetwork, Roads
from depot.roads.sections import SectionIndex

#: Before the first vehicle.
_EVER = "2000-01-01"
#: Sections of 20 m that one road may have.
_MOST_SECTIONS = 100_000


def _extent(network: RoadNetwork) -> Extent:
    points = [point for road in network.roads for line in road.lines for point in line]
    if not points:
        return Extent()
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    return Extent(bbox=Bbox(min(lons), min(lats), max(lons), max(lats)))


class _OnRoads:
    """The network and its extent, which is reckoned once for each import."""

    def __init__(self, roads: Roads, now_utc: Callable[[], str]) -> None:
        self._roads = roads
        self._now_utc = now_utc
        self._spans: tuple[RoadNetwork, Extent] | None = None

    def extent(self, connection: Connection) -> Extent:
        """The box of all roads."""
        network = self._roads.current(connection)
        spans = self._spans
        if spans is None or spans[0] is not network:
            spans = self._spans = (network, _extent(network))
        return spans[1]


class CoverageCollection(_OnRoads):
    """Roads with what was looked at; `datetime` says in which days (the city's calendar)."""

    name: ClassVar = "coverage"
    title: ClassVar = "Coverage of roads"
    description: ClassVar = (
        "One feature for each road: when vehicles last looked at it, how much of it, and why not more. `datetime`"
        " chooses the days that are asked about; without it: ever."
    )
    filters: ClassVar[tuple[str, ...]] = ("name", "road_class", "district")

    def __init__(self, roads: Roads, now_utc: Callable[[], str], zone: ZoneInfo) -> None:
        super().__init__(roads, now_utc)
        self._zone = zone

    def items(self, connection: Connection, wanted: Wanted, _wording: Wording) -> Items:
        """A page in the order of the network."""
        network = self._roads.current(connection)
        inside = network.inside(wanted.bbox)
        period = Period(
            from_day=_EVER if wanted.since is None else f"{wanted.since.astimezone(self._zone):%Y-%m-%d}",
            to_day=None if wanted.until is None else f"{wanted.until.astimezone(self._zone):%Y-%m-%d}",
        )
        found = [
            (number, road)
            for number, road in enumerate(self._covered(connection, network, period))
            if number in inside and all(getattr(road, name) == value for name, value in wanted.properties.items())
        ]
        page = found[wanted.offset : wanted.offset + wanted.limit]
        shown = [features.road_feature(road, network.roads[number].lines) for number, road in page]
        return Items(matched=len(found), features=shown)

    def item(self, connection: Connection, name: str, _wording: Wording) -> dict[str, Any] | None:
        """The road with that id."""
        network = self._roads.current(connection)
        number = network.number_of(name)
        if number is None:
            return None
        covered = self._covered(connection, network, Period(from_day=_EVER, to_day=None))
        return features.road_feature(covered[number], network.roads[number].lines)

    def _covered(self, connection: Connection, network: RoadNetwork, period: Period) -> list[RoadCoverage]:
        return roads_covered(connection, network, period, self._now_utc(), self._zone)


class SectionCollection(_OnRoads):
    """Sections of about 20 m as they are now; `datetime` does not restrict them."""

    name: ClassVar = "sections"
    title: ClassVar = "Condition of sections"
    description: ClassVar = (
        "Sections of about 20 m with an indicative grade 1 to 5 by a written rule, the worst first; no value of a"
        " condition survey (ZEB). They show the present."
    )
    filters: ClassVar[tuple[str, ...]] = ("road", "grade_min")

    def __init__(self, roads: Roads, now_utc: Callable[[], str], sections: SectionIndex) -> None:
        super().__init__(roads, now_utc)
        self._sections = sections

    def items(self, connection: Connection, wanted: Wanted, _wording: Wording) -> Items:
        """A page, the worst first."""
        found, total = self._sections.find(
            connection,
            self._now_utc(),
            box=wanted.bbox,
            road=wanted.properties.get("road"),
            grade_min=_grade(wanted.properties.get("grade_min")),
            limit=wanted.limit,
            offset=wanted.offset,
        )
        return Items(matched=total, features=[features.section_feature(section) for section in found])

    def item(self, connection: Connection, name: str, _wording: Wording) -> dict[str, Any] | None:
        """The section with that id: the road's, a colon and its number."""
        road = name.rpartition(":")[0]
        found, _ = self._sections.find(connection, self._now_utc(), road=road, limit=_MOST_SECTIONS)
        return next((features.section_feature(section) for section in found if section.id == name), None)


def _grade(text: str | None) -> int | None:
    if text is None:
        return None
    if text not in {"1", "2", "3", "4", "5"}:
        raise HTTPException(400, "grade_min: 1 to 5")
    return int(text)
