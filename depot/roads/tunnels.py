# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Tunnels and other lines with a chainage: what was looked at, what is open, and marks to propose to the inspector."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, and_, case, func, select

from depot.roads.condition import MARKS_RULE, OPEN, Damage, Marks, marks
from depot.roads.tables import stretches
from depot.store.tables import cases

SECTION_M = 20.0
#: Where a line's chainage is known to a kilometre or worse, a stretch says nothing of single sections.
_MOST_SECTIONS = 5000
_MOST_STRETCHES = 20_000
_ENOUGH = 0.5


class Line(Struct, frozen=True, kw_only=True):
    """A line that vehicles know. `cases`: open ones; `looked_utc`: when a part of its lining was last judged."""

    line: str
    tracks: tuple[str, ...]
    from_m: float | None
    to_m: float | None
    cases: int
    looked_utc: str | None


class Proposal(Struct, frozen=True, kw_only=True, rename={"defect_class": "class"}):
    """Marks for one defect: a proposal, to be confirmed by an inspector."""

    case: int
    defect_class: str
    state: str
    grade: int | None
    chainage_m: float
    chainage_error_m: float | None
    lining_clock: float | None
    proposed: Marks


class LineSection(Struct, frozen=True, kw_only=True):
    """About 20 m of a line's track. `proposed`: of each mark the highest of its defects, None where there is none."""

    track: str | None
    from_m: float
    to_m: float
    looked_utc: str | None
    not_judged_utc: str | None
    not_judged_reason: str | None
    proposed: Marks | None
    defects: tuple[Proposal, ...]


class Tunnel(Struct, frozen=True, kw_only=True):
    """A line with its sections. `status` says what the marks are worth."""

    line: str
    rule: str
    status: str
    sections: tuple[LineSection, ...]
    #: Open cases on the line whose chainage is not known.
    without_chainage: int


STATUS = "proposed by rule from pictures; to be confirmed by an inspector; no result of an inspection to DIN 1076"


def lines(connection: Connection) -> list[Line]:
    """Lines that cases or stretches name."""
    far, near = (
        func.max(case((stretches.c.from_m > stretches.c.to_m, stretches.c.from_m), else_=stretches.c.to_m)),
        func.min(case((stretches.c.from_m < stretches.c.to_m, stretches.c.from_m), else_=stretches.c.to_m)),
    )
    judged = func.max(case((and_(stretches.c.valid, stretches.c.surface == "lining"), stretches.c.utc)))
    rode = select(stretches.c.line, stretches.c.track, near.label("near"), far.label("far"), judged.label("judged"))
    found: dict[str, list[Any]] = defaultdict(list)
    by_track = (stretches.c.line, stretches.c.track)
    for row in connection.execute(rode.where(stretches.c.line > "").group_by(*by_track)):
        found[row.line].append(row)
    counted = (
        select(cases.c.line, cases.c.track, func.min(cases.c.chainage_m).label("near"),
               func.max(cases.c.chainage_m).label("far"), func.count().label("open_cases"))
        .where(cases.c.line > "", cases.c.state.in_(OPEN))
        .group_by(cases.c.line, cases.c.track)
    )  # fmt: skip
    numbers: dict[str, int] = defaultdict(int)
    for row in connection.execute(counted):
        found[row.line].append(row)
        numbers[row.line] += row.open_cases
    return [_line(name, rows, numbers[name]) for name, rows in sorted(found.items())]


def _line(name: str, rows: list[Any], count: int) -> Line:
    return Line(
        line=name,
        tracks=tuple(sorted({row.track for row in rows if row.track is not None})),
        from_m=min((row.near for row in rows if row.near is not None), default=None),
        to_m=max((row.far for row in rows if row.far is not None), default=None),
        cases=count,
        looked_utc=max((row.judged for row in rows if getattr(row, "judged", None)), default=None),
    )


def tunnel(connection: Connection, line: str) -> Tunnel | None:
    """The sections of a line that were looked at or have open cases; None where nobody knows the line."""
    wanted = select(cases).where(cases.c.line == line, cases.c.state.in_(OPEN)).order_by(cases.c.number)
    open_cases = connection.execute(wanted).all()
    newest = select(stretches).where(stretches.c.line == line).order_by(stretches.c.received.desc())
    ridden = connection.execute(newest.limit(_MOST_STRETCHES)).all()
    if not open_cases and not ridden:
        return None
    made: dict[tuple[str, int], _Section] = defaultdict(_Section)
    for ride in ridden:
        if ride.surface == "lining":
            for index in _sections(ride.from_m, ride.to_m):
                made[ride.track or "", index].look(ride)
    without = 0
    for row in open_cases:
        if row.chainage_m is None:
            without += 1
            continue
        proposal = _proposal(row)
        if proposal is not None:
            made[row.track or "", math.floor(row.chainage_m / SECTION_M)].defects.append(proposal)
    found = tuple(part.shown(track or None, index) for (track, index), part in sorted(made.items()))
    return Tunnel(line=line, rule=MARKS_RULE, status=STATUS, sections=found, without_chainage=without)


def _sections(from_m: float, to_m: float) -> Iterator[int]:
    """Sections that a stretch lies along at least half of."""
    low, high = min(from_m, to_m), max(from_m, to_m)
    first = math.floor(low / SECTION_M)
    for index in range(first, min(math.floor(high / SECTION_M) + 1, first + _MOST_SECTIONS)):
        along_m = min(high, (index + 1) * SECTION_M) - max(low, index * SECTION_M)
        if along_m >= _ENOUGH * SECTION_M:
            yield index


class _Section:
    """A section while it is put together."""

    def __init__(self) -> None:
        self.defects: list[Proposal] = []
        self.looked_utc: str | None = None
        self.tried: tuple[str, str] | None = None

    def look(self, ride: Row[Any]) -> None:
        if ride.utc is None:
            return
        if ride.valid:
            self.looked_utc = max(self.looked_utc or "", ride.utc)
        else:
            self.tried = max(self.tried or ("", ""), (ride.utc, ride.reason or "unknown"))

    def shown(self, track: str | None, index: int) -> LineSection:
        # Of a look in vain only that is told which no good look has followed.
        tried = self.tried if self.tried is not None and self.tried[0] > (self.looked_utc or "") else None
        return LineSection(
            track=track,
            from_m=index * SECTION_M,
            to_m=(index + 1) * SECTION_M,
            looked_utc=self.looked_utc,
            not_judged_utc=None if tried is None else tried[0],
            not_judged_reason=None if tried is None else tried[1],
            proposed=_highest([proposal.proposed for proposal in self.defects]),
            defects=tuple(sorted(self.defects, key=lambda proposal: (proposal.chainage_m, proposal.case))),
        )


def _proposal(row: Row[Any]) -> Proposal | None:
    values = row._mapping  # noqa: SLF001 - its public name
    damage = Damage(
        number=row.number,
        defect_class=values["class"],
        state=row.state,
        grade=row.grade,
        length_m=row.length_m,
        width_m=row.width_m,
        lining_clock=row.lining_clock,
    )
    proposed = marks(damage) if row.surface == "lining" else None
    if proposed is None:
        return None
    return Proposal(
        case=row.number,
        defect_class=damage.defect_class,
        state=row.state,
        grade=row.grade,
        chainage_m=row.chainage_m,
        chainage_error_m=row.chainage_error_m,
        lining_clock=row.lining_clock,
        proposed=proposed,
    )


def _highest(proposed: list[Marks]) -> Marks | None:
    if not proposed:
        return None

    def most(values: Iterable[int | None]) -> int | None:
        return max((value for value in values if value is not None), default=None)

    return Marks(
        S=most(each.S for each in proposed), V=most(each.V for each in proposed), D=most(each.D for each in proposed)
    )
