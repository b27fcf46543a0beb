# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the database itself forbids, geometry for the city's own GIS, the first number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from depot.store.guards import has_postgis

revision = "0002"
down_revision = "0001"

_APPEND_ONLY = ("audit", "inspections")


def upgrade() -> None:
    """From the one before."""
    op.execute("INSERT INTO meta (name, value) VALUES ('sequence', 0)")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA user_version = 100")
        for name in _APPEND_ONLY:
            _guard_in_sqlite(name)
        return
    op.execute(
        sa.text(
            "\nCREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
            "  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME;\nEND $$\n"
        )
    )
    for name in _APPEND_ONLY:
        _guard_in_postgresql(name)
    if has_postgis(op.get_bind()):
        op.execute(
            "ALTER TABLE cases ADD COLUMN geometry geometry(Point, 4326)"
            " GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)) STORED"
        )
        op.execute("CREATE INDEX ix_cases_geometry ON cases USING gist (geometry)")


def _guard_in_sqlite(name: str) -> None:
    for what in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {name}_no_{what} BEFORE {what.upper()} ON {name}"
            f" BEGIN SELECT raise(ABORT, 'rows of {name} are only ever added'); END"
        )


def _guard_in_postgresql(name: str) -> None:
    for what, each in (("update or delete", "ROW"), ("truncate", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {name}_no_{what.replace(' ', '_')} BEFORE {what.upper()} ON {name}"
            f" FOR EACH {each} EXECUTE FUNCTION append_only()"
        )
