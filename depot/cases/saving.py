# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Writes what a transaction has changed of cases and sightings, with all that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import delete, insert, or_, select, update

from depot.cases.board import Board, parts
from depot.cases.bulk import insertion, renewal, run_many
from depot.cases.cells import cells_of
from depot.cases.ports import Placing
from depot.cases.records import Case, row_of
from depot.cases.summing import Looked, summed
from depot.cases.tables import case_cells, later_pictures, looks
from depot.people import audit
from depot.store.database import Change
from depot.store.tables import cases, sightings

_SIGHTING_COLUMNS = frozenset(column.name for column in sightings.c if column.name != "number")
_RULE_SEEN = "rule:seen-again"
_RULE_JOINED = "rule:joining"
_PLACED_BY = ("lon", "lat", "line", "chainage_m", "defect_class", "surface", "grade", "length_m", "width_m")


def save(change: Change, board: Board, placing: Placing | None) -> dict[int, int]:
    """Write; the number of every touched case by the number that it had on the board.

    A case that is left without sightings goes into the one that took its last. `placing` None: nothing is placed anew.
    """
    board.load_whole(board.touched)
    looked = _looks(change, board)
    empty = [number for number in board.touched if not board.held[number]]
    full = sorted((number for number in board.touched if board.held[number]), key=abs)
    now = {number: _now(change, board, number, looked[number], placing) for number in full}
    numbers = _insert(change, [now[number] for number in full if number < 0])
    _update(change, [(board.stored[number], now[number]) for number in full if number > 0])
    numbers |= {number: number for number in full if number > 0}
    _save_sightings(change, board, numbers)
    for number in empty:
        if number > 0:
            _dissolve(change, board, number, numbers)
    return numbers


def _looks(change: Change, board: Board) -> Mapping[int, list[Looked]]:
    """Dated stretches past the touched cases, at least those since each was last seen."""
    found: dict[int, list[Looked]] = defaultdict(list)
    for part in parts([number for number in board.touched if number > 0]):
        statement = select(looks).join(cases, cases.c.number == looks.c.case).where(looks.c.case.in_(part))
        if not board.left:  # else a case may have lost its last sighting, and older looks count again
            statement = statement.where(or_(looks.c.utc > cases.c.last_seen_utc, cases.c.last_seen_utc.is_(None)))
        for row in change.connection.execute(statement):
            found[row.case].append(Looked(row.vehicle, row.boot, row.monotonic_s, row.utc))
    return found


def _now(change: Change, board: Board, number: int, looked: Sequence[Looked], placing: Placing | None) -> Case:
    before = board.stored.get(number, board.cases[number])
    case = summed(board.cases[number], board.held[number].values(), looked)
    if number < 0:
        case = replace(case, number=0, opened_utc=change.now_utc)
    if case.state == "repaired" and (case.last_seen_utc or "") > (case.decided_utc or "~"):
        case = _reopened(change, case)
    if placing is not None and (number < 0 or any(getattr(case, n) != getattr(before, n) for n in _PLACED_BY)):
        case = placed(change, case, placing)
    return case if case == before else replace(case, number=number, changed=change.next())


def _reopened(change: Change, case: Case) -> Case:
    audit.record(
        change.connection,
        utc=change.now_utc,
        who=_RULE_SEEN,
        action="reopen",
        kind="case",
        subject=case.number,
        before={"state": case.state},
        after={"state": "reopened", "seen_utc": case.last_seen_utc},
    )
    return replace(case, state="reopened", decided_utc=change.now_utc, decided_by=_RULE_SEEN)


def placed(change: Change, case: Case, placing: Placing) -> Case:
    """The case with its district, road and office; an office that a person chose stays."""
    at = placing.place(change.connection, case)
    return replace(
        case,
        district=at.district,
        road=at.road,
        road_class=at.road_class,
        office_proposed=at.office,
        office=at.office if case.office_by is None else case.office,
    )


def _insert(change: Change, new: Sequence[Case]) -> dict[int, int]:
    """Write new cases; the number of each by the one that it had."""
    if not new:
        return {}
    rows = [row_of(case) for case in new]
    for row in rows:
        del row["number"]
    statement = insert(cases).returning(cases.c.number, sort_by_parameter_order=True)
    given = change.connection.execute(statement, rows).scalars().all()
    cells = [{"cell": cell, "case": number} for case, number in zip(new, given, strict=True) for cell in _cells(case)]
    run_many(change.connection, insertion(case_cells), cells)
    return {case.number: number for case, number in zip(new, given, strict=True)}


def _cells(case: Case) -> list[str]:
    return cells_of(case.lon, case.lat, case.line, case.chainage_m)


def _update(change: Change, pairs: Sequence[tuple[Case, Case]]) -> None:
    rows = [(row_of(before), row_of(now)) for before, now in pairs if now != before]
    # An index whose columns are left alone costs nothing.
    columns = frozenset(name for before, now in rows for name, value in now.items() if before[name] != value)
    run_many(change.connection, renewal(cases, columns), [{**now, "this": now["number"]} for _, now in rows])
    moved = [now for before, now in pairs if _cells(now) != _cells(before)]
    for case in moved:
        change.connection.execute(delete(case_cells).where(case_cells.c.case == case.number))
    cells = [{"cell": cell, "case": case.number} for case in moved for cell in _cells(case)]
    run_many(change.connection, insertion(case_cells), cells)


def _save_sightings(change: Change, board: Board, numbers: Mapping[int, int]) -> None:
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for number in sorted(board.changed, key=abs):
        one = board.sightings[number]
        row = row_of(one)
        row["case"] = numbers.get(one.case, one.case)
        del row["number"]
        (new if number < 0 else old).append(row if number < 0 else {**row, "this": number})
    run_many(change.connection, insertion(sightings), new)
    run_many(change.connection, renewal(sightings, _SIGHTING_COLUMNS), old)


def _dissolve(change: Change, board: Board, number: int, numbers: Mapping[int, int]) -> None:
    """A case that has lost its last sighting becomes part of the one that has it now."""
    last = max((one for one, case in board.left.items() if case == number), default=None)
    into = None if last is None else numbers.get(board.sightings[last].case, board.sightings[last].case)
    case = board.cases[number]
    become_part(change, case, into, _RULE_JOINED)


def become_part(change: Change, case: Case, into: int | None, who: str) -> None:
    """Mark a case whose sightings were all taken over as merged, and record it."""
    values = {"state": "merged", "merged_into": into, "sightings": 0, "changed": change.next()}
    change.connection.execute(update(cases).where(cases.c.number == case.number).values(values))
    change.connection.execute(delete(case_cells).where(case_cells.c.case == case.number))
    change.connection.execute(delete(looks).where(looks.c.case == case.number))
    if into is not None:
        later = update(later_pictures).where(later_pictures.c.case == case.number)
        change.connection.execute(later.values(case=into))
    audit.record(
        change.connection,
        utc=change.now_utc,
        who=who,
        action="merge",
        kind="case",
        subject=case.number,
        before={"state": case.state},
        after={"state": "merged", "merged_into": into},
    )
