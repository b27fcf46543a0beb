# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Notes which cases a vehicle has looked at in passing, whether it saw them or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from depot.cases.board import parts
from depot.cases.bulk import add_new
from depot.cases.cells import along, beside
from depot.cases.looking import BESIDE_M, looked_at
from depot.cases.ports import StoredEvent
from depot.cases.recalling import best_clocks
from depot.cases.records import Case, case_of
from depot.cases.tables import case_cells, looks, undated
from depot.dating import dated
from depot.store.database import Change
from depot.store.tables import cases
from messages.types import Clock, Coverage, Time


def note_looks(change: Change, events: Sequence[StoredEvent]) -> set[int]:
    """Note the cases that the valid stretches among the events pass; their numbers."""
    stretches = [
        (one, one.event.data) for one in events if isinstance(one.event.data, Coverage) and one.event.data.valid
    ]
    if not stretches:
        return set()
    cells = [_cells(coverage) for _, coverage in stretches]
    known = _known(change.connection, set().union(*cells))
    boots = {(one.event.vehicle, coverage.time.boot) for one, coverage in stretches if coverage.time.utc is None}
    told = best_clocks(change.connection, boots)
    rows = []
    for (one, coverage), about in zip(stretches, cells, strict=True):
        time = dated(coverage.time, told.get((one.event.vehicle, coverage.time.boot)))
        near = {case.number: case for cell in about for case in known[cell]}
        rows += [
            {
                "case": number,
                "received": one.received,
                "vehicle": one.event.vehicle,
                "boot": time.boot,
                "monotonic_s": time.monotonic_s,
                "utc": time.utc,
            }
            for number, case in sorted(near.items())
            if case.state != "rejected" and looked_at(coverage, case)
        ]
    if rows:
        add_new(change.connection, looks, rows)
    return {int(str(row["case"])) for row in rows}


def date_looks(change: Change, events: Sequence[StoredEvent]) -> set[int]:
    """Date looks of boots whose clock is told now; the numbers of their cases."""
    boots = {(one.event.vehicle, one.event.data.time.boot) for one in events if isinstance(one.event.data, Clock)}
    told = best_clocks(change.connection, boots)
    found: set[int] = set()
    for (vehicle, boot), clock in told.items():
        late = select(undated.c.received).where(undated.c.vehicle == vehicle, undated.c.boot == boot)
        for row in change.connection.execute(select(looks).where(looks.c.received.in_(late))).all():
            time = dated(Time(boot=boot, monotonic_s=row.monotonic_s, quality="unset"), clock)
            this = looks.c.received == row.received, looks.c.case == row.case
            change.connection.execute(update(looks).where(*this).values(utc=time.utc))
            found.add(row.case)
    return found


def _cells(coverage: Coverage) -> set[str]:
    found = beside(coverage.path, BESIDE_M)
    if coverage.line is not None:
        span = coverage.line
        found.update(along(span.line, *sorted((span.from_m, span.to_m))))
    return found


def _known(connection: Connection, cells: set[str]) -> dict[str, list[Case]]:
    wanted = sorted(cells)
    lies: list[tuple[str, int]] = []
    for part in parts(wanted):
        statement = select(case_cells.c.cell, case_cells.c.case).where(case_cells.c.cell.in_(part))
        lies += [(row.cell, row.case) for row in connection.execute(statement)]
    known: dict[int, Case] = {}
    for some in parts(sorted({number for _, number in lies})):
        known |= {row.number: case_of(row) for row in connection.execute(select(cases).where(cases.c.number.in_(some)))}
    found: dict[str, list[Case]] = defaultdict(list)
    for cell, number in lies:
        found[cell].append(known[number])
    return found
