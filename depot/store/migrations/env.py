# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs: the migrations, within the transaction that `depot.store.migration` has begun."""

from __future__ import annotations

from typing import Any

from alembic import context

from depot.store.every_table import METADATA


def _is_ours(_object: Any, name: str | None, kind: str, reflected: bool, _compared: Any) -> bool:
    """PostGIS brings a table of its own; the geometry stands in `depot.store.guards`."""
    return not (reflected and (kind == "table" or name in {"geometry", "ix_cases_geometry"}))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_object=_is_ours,
    render_as_batch=True,
)
context.run_migrations()
