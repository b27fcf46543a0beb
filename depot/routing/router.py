# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Says of a case its district, its road, and the office that the rules propose."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine
from sqlalchemy.engine import Transaction

from depot.cases.ports import Placed, Placing
from depot.cases.records import Case
from depot.roads.network import RoadNetwork, Roads
from depot.routing import keeping
from depot.routing.areas import AreaIndex
from depot.routing.deciding import Facts, first_rule
from depot.routing.records import Area, Rule


@dataclass(frozen=True)
class Plan:
    """One state of rules, areas and roads."""

    version: int
    rules: tuple[Rule, ...]
    areas: AreaIndex
    roads: RoadNetwork
    road_within_m: float = 25.0

    def place(self, cases: Sequence[Case]) -> list[Placed]:
        """Where each lies and who is to act. Pure."""
        lon_lat = np.array([(degrees(case.lon), degrees(case.lat)) for case in cases]).reshape(-1, 2)
        headings = np.array([degrees(case.heading_deg) for case in cases])
        # A tunnel runs under the street whose name is not its place.
        on_road = np.array([case.line is None and case.surface == "road" for case in cases], dtype=bool)
        known = on_road & np.isfinite(lon_lat).all(axis=1)
        roads = np.full(len(cases), -1)
        if known.any():
            roads[known] = self.roads.locate(lon_lat[known], headings[known], within_m=self.road_within_m).road
        return [
            self._placed(case, areas, int(road))
            for case, areas, road in zip(cases, self.areas.holding(lon_lat), roads, strict=True)
        ]

    def _placed(self, case: Case, areas: list[Area], road_number: int) -> Placed:
        road = None if road_number < 0 else self.roads.roads[road_number]
        district = next((area.name for area in areas if area.kind == "district"), None)
        facts = Facts(
            defect_class=case.defect_class,
            surface=case.surface,
            grade=case.grade,
            areas=[area.id for area in areas],
            road_class=None if road is None else road.road_class,
            line=case.line,
        )
        rule = first_rule(self.rules, facts)
        return Placed(
            district=district or (None if road is None else road.district),
            road=None if road is None else road.name,
            road_class=facts.road_class,
            office=None if rule is None else self.rules[rule].office,
        )


#: A city's network is large: all routers of one database share it.
_ROADS: weakref.WeakKeyDictionary[Engine, Roads] = weakref.WeakKeyDictionary()


class Router(Placing):
    """The newest plan, read anew where offices, rules, areas or roads have changed. May be asked from any thread."""

    def __init__(self, *, road_within_m: float = 25.0) -> None:
        self._road_within_m = road_within_m
        #: With the transaction that it was last found to be the newest in: within it nobody else's change is seen.
        self._known: tuple[Plan, weakref.ref[Transaction] | None] | None = None

    def place(self, connection: Connection, case: Case) -> Placed:
        """See `Placing`."""
        return self.plan(connection).place([case])[0]

    def plan(self, connection: Connection) -> Plan:
        """The plan as this connection sees it. Raises StoreError (by the connection)."""
        transaction = connection.get_transaction()
        plan, asked = self._known or (None, None)
        if plan is not None and asked is not None and asked() is transaction:
            return plan
        roads = _ROADS.setdefault(connection.engine, Roads()).current(connection)
        version = keeping.version(connection)
        if plan is None or (plan.version, plan.roads.version) != (version, roads.version):
            areas = AreaIndex(keeping.read_areas(connection))
            plan = Plan(version, keeping.read_rules(connection), areas, roads, self._road_within_m)
        self._known = plan, None if transaction is None else weakref.ref(transaction)
        return plan


def degrees(value: float | None) -> float:
    """NaN where it is not known."""
    return math.nan if value is None else value
