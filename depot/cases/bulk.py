# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Many rows in one statement, without the work that SQLAlchemy would do for each of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Insert, Table, Update, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect

Row = Mapping[str, Any]


@functools.cache
def insertion(table: Table) -> Insert:
    """Inserts all columns but the number, which the database gives."""
    return insert(table).values({column.name: bindparam(column.name) for column in table.c if column.name != "number"})


@functools.lru_cache(maxsize=64)
def renewal(table: Table, columns: frozenset[str]) -> Update:
    """Updates some columns of the row with the number `this`."""
    values: dict[str, Any] = {name: bindparam(name) for name in sorted(columns)}
    return update(table).where(table.c.number == bindparam("this")).values(values)


def run_many(connection: Connection, statement: Insert | Update, rows: Sequence[Row]) -> None:
    """Run a statement of plain values (no defaults, no types that need converting) for each row."""
    if not rows:
        return
    sql, names = _compiled(statement, connection.dialect)
    if names is None:
        connection.exec_driver_sql(sql, list(rows))
    else:
        connection.exec_driver_sql(sql, [tuple(row[name] for name in names) for row in rows])


@functools.lru_cache(maxsize=64)
def _compiled(statement: Insert | Update, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    compiled = statement.compile(dialect=dialect)
    return str(compiled), tuple(compiled.positiontup or ()) if compiled.positional else None


def add_new(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert what is not there yet."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), [dict(row) for row in rows])
