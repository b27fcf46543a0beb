# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts sightings into the cases that they show, or opens new ones.

What a vehicle saw some seconds before is looked at again together with what is new: with more of a pass its shift is
known better, and the first sighting of a pass may turn out to be of the neighbour. Cases that people joined or parted
(`pinned`) keep what they have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlalchemy import select

from depot.cases.board import Board
from depot.cases.matching import compare, match, on_line
from depot.cases.passes import PASS_S, is_same_pass
from depot.cases.ports import Placing
from depot.cases.records import Case, Seen, Sighting
from depot.cases.saving import save
from depot.cases.summing import in_order, place
from depot.store.database import Change
from depot.store.tables import sightings

#: So much of a pass is compared as a whole; longer, and the error of the position is another.
_TOGETHER_S = 20.0
#: What was seen so long before or after is looked at again.
_AGAIN_S = 10.0


def join_report(change: Change, seen: Seen, placing: Placing) -> int:
    """Put a citizen's report (`seen.report` is set) into the case that it shows, or open one; give its number.

    Idempotent by `seen.report`: what is joined already stays where it is.
    """
    there = select(sightings.c.case).where(sightings.c.report == seen.report)
    number = change.connection.execute(there).scalar()
    if number is not None:
        return int(number)
    board = Board(change.connection)
    (one,) = join(board, [seen])
    return save(change, board, placing)[one.case]


def join(board: Board, fresh: Sequence[Seen], moved: Sequence[Sighting] = ()) -> list[Sighting]:
    """Join new sightings, and stored ones (`moved`, as they are now) whose place has become another.

    Gives the new ones as they are on the board; what has to be written stands there.
    """
    for one in moved:
        board.change(one)
    board.load_passes([*fresh, *moved])
    chunks = list(_chunks(fresh, moved))
    again = [one for chunk in chunks for one in _others(board, chunk, _AGAIN_S)]
    board.load_near([*fresh, *moved, *again])
    pinned = {number for number, case in board.cases.items() if case.pinned}
    board.load_whole(pinned | {one.case for one in [*moved, *again]})
    return [one for chunk in chunks for one in _join_chunk(board, chunk)]


def _chunks(fresh: Sequence[Seen], moved: Sequence[Sighting]) -> Iterator[list[Seen]]:
    """Sightings of one pass that are near in time, in the order in which they came."""
    groups: dict[object, list[Seen]] = defaultdict(list)
    for index, seen in enumerate([*fresh, *moved]):
        known = seen.vehicle is not None and seen.boot is not None and seen.monotonic_s is not None
        groups[(seen.vehicle, seen.boot, on_line(seen)) if known else index].append(seen)
    for group in groups.values():
        group.sort(key=_time)
        chunk: list[Seen] = []
        for seen in group:
            if chunk and _time(seen) - _time(chunk[0]) > _TOGETHER_S:
                yield chunk
                chunk = []
            chunk.append(seen)
        yield chunk


def _time(seen: Seen) -> float:
    return seen.monotonic_s or 0.0


def _join_chunk(board: Board, chunk: list[Seen]) -> list[Sighting]:
    again = [one for one in _others(board, chunk, _AGAIN_S) if on_line(one) == on_line(chunk[0])]
    stored = [one for one in chunk if isinstance(one, Sighting)]
    free = {one.number for one in [*stored, *again] if _may_leave(board, one)}
    items = [one for one in [*chunk, *again] if not isinstance(one, Sighting) or one.number in free]
    blocking = [one for one in [*stored, *_others(board, chunk, PASS_S)] if one.number not in free]
    targets = _targets(board, items, free, blocking)
    added = []
    for one, target in zip(items, targets, strict=True):
        if not isinstance(one, Sighting):
            added.append(board.add(one, target))
        elif target is not None and target != one.case:
            board.move(one, target)
        elif target is None and board.has_others(one):
            board.move(one, None)
    return added


def _others(board: Board, chunk: Sequence[Seen], within_s: float) -> list[Sighting]:
    """What else was seen on this pass, up to so long before and after."""
    first, last = chunk[0], chunk[-1]
    if first.vehicle is None or first.boot is None or first.monotonic_s is None:
        return []
    mine = {one.number for one in chunk if isinstance(one, Sighting)}
    low, high = _time(first) - within_s, _time(last) + within_s
    known = board.by_pass[first.vehicle, first.boot].values()
    return [one for one in known if low <= _time(one) <= high and one.number not in mine]


def _may_leave(board: Board, one: Sighting) -> bool:
    """Whether the rules may take a sighting out of its case."""
    case = board.cases[one.case]
    if case.pinned:
        return False
    return board.has_others(one) or is_untouched(case)


def is_untouched(case: Case) -> bool:
    """Whether no person has dealt with a case yet."""
    return case.state == "new" and case.decided_utc is None and case.office_by is None and case.note is None


def _targets(board: Board, items: Sequence[Seen], free: set[int], blocking: Sequence[Sighting]) -> list[int | None]:
    """The case of each item; None: one of its own."""
    marks: list[_Mark] = []
    of_case: dict[int, range] = {}
    candidates = []
    for one in items:
        mine: list[int] = []
        for number in board.near(one):
            if number not in of_case:
                of_case[number] = range(len(marks), len(marks) + len(new := _marks(board, number, free, blocking)))
                marks += new
            mine += [i for i in of_case[number] if not any(is_same_pass(one, other) for other in marks[i].blocking)]
        candidates.append(mine)
    found = match(items, [mark.at for mark in marks], candidates=candidates)
    return [None if index is None else marks[index].case for index in found]


@dataclass(frozen=True)
class _Mark:
    """A place that stands for a case, and what fixed sightings of the pass in question are there already."""

    case: int
    at: Case
    blocking: Sequence[Sighting]


def _marks(board: Board, number: int, free: set[int], blocking: Sequence[Sighting]) -> list[_Mark]:
    """Where a case was seen, without the sightings that are being asked for; nothing where no other is left."""
    case = board.cases[number]
    if case.state == "merged":
        return []
    here = [one for one in blocking if one.case == number]
    if number not in board.held:
        return [_Mark(number, case, here)]
    rest = board.rest(number, free)
    if case.pinned:
        return [
            _Mark(number, replace(case, **place(in_order(part))), [one for one in here if one in part])
            for part in parts_of(rest)
        ]
    return [_Mark(number, replace(case, **place(in_order(rest))), here)] if rest else []


def parts_of(seen: Sequence[Sighting]) -> list[list[Sighting]]:
    """The defects that people have joined to one case: as many as a vehicle has kept apart on one pass."""
    together = max(([other for other in seen if is_same_pass(one, other)] for one in seen), key=len, default=[])
    if len(together) < 2:
        return [list(seen)] if seen else []
    parts: dict[int, list[Sighting]] = {one.number: [one] for one in together}
    for one in seen:
        if one.number not in parts:
            pairs = [(pair.distance_m, first.number) for first in together if (pair := compare(one, first))]
            parts[min(pairs, default=(0.0, together[0].number))[1]].append(one)
    return list(parts.values())
