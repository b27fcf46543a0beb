# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A person can say what a case is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """From the one before."""
    op.add_column("cases", sa.Column("class_by", sa.Text(), nullable=True))
    op.add_column("cases", sa.Column("class_seen", sa.Text(), nullable=True))
