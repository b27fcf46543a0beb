# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Merge and split by hand; what people joined or parted, the rules leave so."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from sqlalchemy import ColumnElement, and_, delete, select

from depot.cases.board import Board
from depot.cases.bulk import add_new
from depot.cases.ports import Placing
from depot.cases.records import Case
from depot.cases.saving import become_part, save
from depot.cases.tables import kept_apart, looks
from depot.people import audit
from depot.store.database import Change


class CannotJoinError(ValueError):
    """The cases are not such that this can be done; one line for the person who asked."""


def merge(change: Change, into: int, other: int, who: str, *, placing: Placing | None = None) -> None:
    """Put all sightings of `other` into `into`; `other` becomes `merged`. Recorded in the audit, for both.

    Raises:
        CannotJoinError: they are the same, one does not exist, or one is itself merged already.
    """
    if into == other:
        raise CannotJoinError(f"case {into} cannot be merged with itself")
    board = Board(change.connection)
    stays, goes = _open(board, into), _open(board, other)
    if stays.surface != goes.surface:
        raise CannotJoinError(f"case {into} is on the {stays.surface}, case {other} on the {goes.surface}")
    taken = sorted(board.held[other])
    board.cases[into] = replace(stays, pinned=True)
    board.touched.add(into)
    for number in taken:
        board.move(board.sightings[number], into)
    board.touched.discard(other)
    _move_looks(change, other, into)
    save(change, board, placing)
    become_part(change, goes, into, who)
    change.connection.execute(delete(kept_apart).where(_pair(into, other)))
    after = {"sightings": stays.sightings + len(taken), "merged": other, "taken": taken}
    _record(change, who, "merge", into, before={"sightings": stays.sightings}, after=after)


def split(change: Change, number: int, sightings: Sequence[int], who: str, *, placing: Placing | None = None) -> int:
    """Take sightings out of a case into a new one and give its number. Recorded in the audit, for both.

    Raises:
        CannotJoinError: the case does not exist or is merged, a sighting is not its own, or none would stay.
    """
    board = Board(change.connection)
    case = _open(board, number)
    wanted = sorted(set(sightings))
    if not wanted:
        raise CannotJoinError(f"case {number}: name the sightings that are another defect")
    for one in wanted:
        if one not in board.held[number]:
            raise CannotJoinError(f"case {number} has no sighting {one}")
    if len(wanted) == len(board.held[number]):
        raise CannotJoinError(f"case {number}: at least one sighting must stay")
    board.cases[number] = replace(case, pinned=True)
    first, *rest = (board.sightings[one] for one in wanted)
    board.move(first, None)
    target = board.sightings[first.number].case
    board.cases[target] = replace(board.cases[target], pinned=True)
    for other in rest:
        board.move(other, target)
    new = save(change, board, placing)[target]
    add_new(change.connection, kept_apart, [{"case": number, "other": new}])
    after = {"split": new, "taken": wanted}
    _record(change, who, "split", number, before={"sightings": case.sightings}, after=after)
    _record(change, who, "split", new, before=None, after={"split_from": number, "sightings": len(wanted)})
    return new


def _open(board: Board, number: int) -> Case:
    board.load_whole([number])
    case = board.cases.get(number)
    if case is None:
        raise CannotJoinError(f"there is no case {number}")
    if case.state == "merged":
        raise CannotJoinError(f"case {number} was merged into case {case.merged_into}")
    return case


def _pair(a: int, b: int) -> ColumnElement[bool]:
    return and_(kept_apart.c.case == min(a, b), kept_apart.c.other == max(a, b))


def _move_looks(change: Change, other: int, into: int) -> None:
    """Passes that looked at the one looked at the other."""
    columns = [column for column in looks.c if column.name != "case"]
    rows = change.connection.execute(select(*columns).where(looks.c.case == other)).mappings().all()
    if rows:
        add_new(change.connection, looks, [{**row, "case": into} for row in rows])


def _record(change: Change, who: str, action: str, number: int, *, before: object, after: object) -> None:
    audit.record(
        change.connection,
        utc=change.now_utc,
        who=who,
        action=action,
        kind="case",
        subject=number,
        before=before,
        after=after,
    )
