# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a new database gets beside its tables: triggers and, on PostgreSQL, geometry for the city's own GIS.

Migrations write the same out for databases that are there already; a test compares the two.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import DDL, Connection, Table, event, text
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME;
END $$
"""
_GEOMETRY = (
    "ALTER TABLE cases ADD COLUMN geometry geometry(Point, 4326)"
    " GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)) STORED"
)


def append_only(table: Table) -> None:
    """Let the database itself refuse every change and deletion of the table's rows."""
    name = table.name
    for what in ("update", "delete"):
        _after_create(
            table,
            "sqlite",
            f"CREATE TRIGGER {name}_no_{what} BEFORE {what.upper()} ON {name}"
            f" BEGIN SELECT raise(ABORT, 'rows of {name} are only ever added'); END",
        )
    # %% because DDL() fills in a table's names by %.
    _after_create(table, "postgresql", _POSTGRESQL_FUNCTION.replace("%", "%%"))
    for what, each in (("update or delete", "ROW"), ("truncate", "STATEMENT")):
        _after_create(
            table,
            "postgresql",
            f"CREATE TRIGGER {name}_no_{what.replace(' ', '_')} BEFORE {what.upper()} ON {name}"
            f" FOR EACH {each} EXECUTE FUNCTION append_only()",
        )


def _after_create(table: Table, dialect: str, statement: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


def with_geometry(cases: Table) -> None:
    """Give the cases on PostgreSQL a column `geometry`, made from `lon` and `lat`, with its index, if PostGIS is there.

    The depot itself never reads it.
    """

    def make(_table: Table, connection: Connection, **_: Any) -> None:
        if connection.dialect.name == "postgresql" and has_postgis(connection):
            connection.execute(text(_GEOMETRY))
            connection.execute(text("CREATE INDEX ix_cases_geometry ON cases USING gist (geometry)"))

    event.listen(cases, "after_create", make)


def has_postgis(connection: Connection) -> bool:
    """Whether a PostgreSQL database has PostGIS, making it if the server has it and lets us."""
    if connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")):
        return True
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION postgis"))
    except DBAPIError as error:
        log.info("without PostGIS there is no column cases.geometry: %s", str(error.orig).partition("\n")[0])
        return False
    return True
