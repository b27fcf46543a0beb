# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""After a change of rules, areas or roads: all cases are placed anew, and open ones get the office now proposed.

An office that a person chose stays, and so does that of a case whose repair is ordered or done. How far it has come
stands in the database: a process that ends in between goes on where it was.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, bindparam, insert, select, update

from depot.cases.ports import Placed
from depot.cases.records import Case, case_of
from depot.routing import keeping, tables
from depot.routing.areas import AreaIndex
from depot.routing.deciding import Facts, first_rule
from depot.routing.records import Rule
from depot.routing.router import Plan, Router, degrees
from depot.store.database import Change, Database
from depot.store.tables import audit, cases

#: States in which the rules may still change the office.
OPEN = ("new", "confirmed", "reopened")
_WHO = "rule:routing"
#: Cases in one transaction: others who want to write wait for it.
_BATCH = 2_000
#: In place of the last case's number: all are placed.
_DONE = -1


@dataclass(frozen=True)
class Move:
    """So many cases would change hands. `example`: the number of one of them."""

    before: str | None
    after: str | None
    count: int
    example: int


@dataclass(frozen=True)
class Trial:
    """What other rules would do to the open cases. `chosen`: those whose office a person chose; they stay."""

    open: int
    chosen: int
    changed: int
    without_office: int
    moves: tuple[Move, ...]
    #: For each rule, in how many of the open cases it would be the one.
    held: tuple[int, ...]


class Reproposer:
    """A worker: `run_once` does one batch, `run_for` as many as there is time for. Safe if several run."""

    def __init__(self, database: Database, router: Router) -> None:
        self._database = database
        self._router = router

    def run_once(self) -> int:
        """Place a batch of cases anew; 0 where all are placed by the newest state. Raises StoreError."""
        with self._database.changing() as change:
            plan = self._router.plan(change.connection)
            after = _begin(change.connection, plan)
            if after is None:
                return 0
            batch = _batch(change.connection, after)
            if not batch:
                keeping.set_number(change.connection, tables.PLACED_UP_TO, _DONE)
                return 0
            _write(change, batch, plan.place(batch))
            keeping.set_number(change.connection, tables.PLACED_UP_TO, batch[-1].number)
            return len(batch)

    def run_for(self, within_s: float = math.inf) -> tuple[int, bool]:
        """Batch after batch for so long: how many cases were placed, and whether all are. Raises StoreError."""
        started_s, total = time.monotonic(), 0
        while placed := self.run_once():
            total += placed
            if time.monotonic() - started_s > within_s:
                return total, False
        return total, True


def try_rules(connection: Connection, areas: AreaIndex, rules: Sequence[Rule]) -> Trial:
    """What `rules` would do now, with roads as the cases have them. Changes nothing."""
    c = cases.c
    asked = select(
        c.number, c["class"], c.surface, c.grade, c.road_class, c.line, c.lon, c.lat, c.office, c.office_by
    )  # fmt: skip
    found = connection.execute(asked.where(c.state.in_(OPEN))).all()
    moves: Counter[tuple[str | None, str | None]] = Counter()
    examples: dict[tuple[str | None, str | None], int] = {}
    held = [0] * len(rules)
    chosen = without = 0
    for row, inside in zip(found, _areas_of(found, areas, rules), strict=True):
        facts = Facts(row[1], row.surface, row.grade, inside, row.road_class, row.line)
        rule = first_rule(rules, facts)
        office = None if rule is None else rules[rule].office
        without += rule is None
        if rule is not None:
            held[rule] += 1
        if row.office_by is not None:
            chosen += 1
        elif row.office != office:
            moves[row.office, office] += 1
            examples.setdefault((row.office, office), row.number)
    told = tuple(Move(*pair, count, examples[pair]) for pair, count in moves.most_common(100))
    return Trial(len(found), chosen, moves.total(), without, told, tuple(held))


def _areas_of(rows: Sequence[Any], areas: AreaIndex, rules: Sequence[Rule]) -> Iterator[Collection[str]]:
    """For each row the areas that it lies in, of those that any rule names."""
    named = {area for rule in rules for area in rule.areas}
    index = AreaIndex([area for area in areas.areas if area.id in named])
    if not index.areas or not rows:
        return ([] for _ in rows)
    lon_lat = np.array([(degrees(row.lon), degrees(row.lat)) for row in rows])
    return ([area.id for area in found] for found in index.holding(lon_lat))


def _batch(connection: Connection, after: int) -> list[Case]:
    query = select(cases).where(cases.c.number > after, cases.c.state != "merged")
    return [case_of(row) for row in connection.execute(query.order_by(cases.c.number).limit(_BATCH))]


def _begin(connection: Connection, plan: Plan) -> int | None:
    """The number of the last case that is placed by this plan; None: all are. A newer plan begins anew."""
    placed_by = tuple(keeping.number(connection, name) for name in (tables.PLACED_ROUTING, tables.PLACED_ROADS))
    up_to = keeping.number(connection, tables.PLACED_UP_TO)
    if placed_by == (plan.version, plan.roads.version):
        return None if up_to == _DONE else up_to
    keeping.set_number(connection, tables.PLACED_ROUTING, plan.version)
    keeping.set_number(connection, tables.PLACED_ROADS, plan.roads.version)
    return 0


def _write(change: Change, batch: Sequence[Case], placed: Sequence[Placed]) -> None:
    moved: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    names = ("district", "road", "road_class", "office_proposed", "office")
    for case, place in zip(batch, placed, strict=True):
        is_free = case.state in OPEN and case.office_by is None
        before = (case.district, case.road, case.road_class, case.office_proposed, case.office)
        offices = (place.office, place.office) if is_free else before[3:]
        after = (place.district, place.road, place.road_class, *offices)
        if after == before:
            continue
        moved.append({"of": case.number, "changed": change.next(), **dict(zip(names, after, strict=True))})
        if case.office != after[4]:
            told.append(_audit(change, case, after[4]))
    if moved:
        columns: dict[str, Any] = {name: bindparam(name) for name in ("changed", *names)}
        change.connection.execute(update(cases).where(cases.c.number == bindparam("of")).values(columns), moved)
    if told:
        change.connection.execute(insert(audit), told)


def _audit(change: Change, case: Case, office: str | None) -> dict[str, Any]:
    """As `depot.people.audit.record` writes it; here for many at once."""
    return {
        "utc": change.now_utc,
        "who": _WHO,
        "action": "propose",
        "kind": "case",
        "subject": str(case.number),
        "before": msgspec.json.encode({"office": case.office}).decode(),
        "after": msgspec.json.encode({"office": office}).decode(),
    }
