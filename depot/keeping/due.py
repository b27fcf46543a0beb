# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures are to go: those of which every case that shows them has been closed for long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, false, or_, select

from depot.keeping.config import RetentionConfig
from depot.store.every_table import METADATA
from depot.store.tables import cases, pictures, sightings

#: Which tables say that a case shows a picture: their columns of case and picture.
_SHOWN = (
    (sightings.c.case, sightings.c.picture),
    (METADATA.tables["photos"].c.case, METADATA.tables["photos"].c.sha256),
    (METADATA.tables["later_pictures"].c.case, METADATA.tables["later_pictures"].c.picture),
)


@dataclass(frozen=True)
class Due:
    """A picture that is to go. `case`: one that shows it; None where none does. `rule`: why, for the record."""

    sha256: str
    bytes: int
    case: int | None
    rule: str


def find(
    connection: Connection, retention: RetentionConfig, *, now_utc: str, limit: int, only: Sequence[str] | None = None
) -> list[Due]:
    """At most about `limit` of them; `only`: look at none but these pictures."""
    found: dict[str, Due] = {}
    for due in (
        *_closed(connection, retention, now_utc, limit, only),
        *_unused(connection, retention, now_utc, limit, only),
    ):
        found.setdefault(due.sha256, due)
    return list(found.values())


def _closed(
    connection: Connection, retention: RetentionConfig, now_utc: str, limit: int, only: Sequence[str] | None
) -> Iterator[Due]:
    for case, picture in _SHOWN:
        statement = (
            select(pictures.c.sha256, pictures.c.bytes, cases.c.number, cases.c.state)
            .select_from(pictures)
            .join(case.table, picture == pictures.c.sha256)
            .join(cases, cases.c.number == case)
            .where(_kept(only), _is_over(cases, retention, now_utc))
            .where(*(~_shown_by_another(*place, retention, now_utc) for place in _SHOWN))
            .order_by(cases.c.number, pictures.c.sha256)
            .limit(limit)
        )
        for row in connection.execute(statement):
            days = _days(retention).get(row.state)
            rule = f"{row.state} for {days} days" if days else "merged into a case that is over"
            yield Due(row.sha256, row.bytes, row.number, rule)


def _unused(
    connection: Connection, retention: RetentionConfig, now_utc: str, limit: int, only: Sequence[str] | None
) -> Iterator[Due]:
    if retention.unused_days is None:
        return
    statement = (
        select(pictures.c.sha256, pictures.c.bytes)
        .where(_kept(only), pictures.c.received_utc < _before(now_utc, retention.unused_days))
        .where(*(~exists().where(picture == pictures.c.sha256).correlate(pictures) for _, picture in _SHOWN))
        .order_by(pictures.c.sha256)
        .limit(limit)
    )
    for row in connection.execute(statement):
        yield Due(row.sha256, row.bytes, None, f"in no case for {retention.unused_days} days")


def _kept(only: Sequence[str] | None) -> ColumnElement[bool]:
    still = pictures.c.expired_utc.is_(None)
    return still if only is None else and_(still, pictures.c.sha256.in_(only))


def _shown_by_another(
    case: ColumnElement[int], picture: ColumnElement[str], retention: RetentionConfig, now_utc: str
) -> ColumnElement[bool]:
    """Whether a case that is not over shows the picture as well."""
    others = cases.alias()
    shown = case.table.alias()
    return exists().where(
        shown.c[picture.name] == pictures.c.sha256,
        others.c.number == shown.c[case.name],
        ~_is_over(others, retention, now_utc),
    )


def _is_over(table: FromClause, retention: RetentionConfig, now_utc: str) -> ColumnElement[bool]:
    """Whether a case, or the one that it was merged into, is closed and has been as long as its state's rule asks."""
    into = cases.alias()
    merged = exists().where(into.c.number == table.c.merged_into, _is_closed(into, retention, now_utc))
    return or_(_is_closed(table, retention, now_utc), and_(table.c.state == "merged", merged))


def _is_closed(table: FromClause, retention: RetentionConfig, now_utc: str) -> ColumnElement[bool]:
    return or_(
        false(),
        *(and_(table.c.state == state, table.c.decided_utc < _before(now_utc, days))
          for state, days in _days(retention).items()),
    )  # fmt: skip


def _days(retention: RetentionConfig) -> dict[str, int]:
    days = {"rejected": retention.rejected_days, "repaired": retention.repaired_days}
    return {state: number for state, number in days.items() if number is not None}


def _before(now_utc: str, days: int) -> str:
    moment = datetime.fromisoformat(now_utc.replace("Z", "+00:00")) - timedelta(days=days)
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
