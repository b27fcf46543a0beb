# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What Alembic runs: the migrations, within the transaction that `depot.store.migration` has begun."""

from __future__ import annotations

from alembic import context

from depot.store.every_table import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
