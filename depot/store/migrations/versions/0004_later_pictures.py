# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that vehicles are asked for, and what came of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From the one before."""
    op.create_table(
        "asked_pictures",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_utc", sa.Text(), nullable=False),
        sa.Column("until_utc", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_utc", sa.Text(), nullable=False),
        sa.Column("told_utc", sa.Text(), nullable=True),
        sa.Column("answer_text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_asked_pictures_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked_pictures")),
    )
    with op.batch_alter_table("asked_pictures", schema=None) as batch_op:
        batch_op.create_index("ix_asked_pictures_case", ["case"], unique=False)
        batch_op.create_index("ix_asked_pictures_state_vehicle", ["state", "vehicle"], unique=False)

    op.create_table(
        "later_pictures",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_later_pictures_case")),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_later_pictures_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_later_pictures")),
        sa.UniqueConstraint("asked", name=op.f("uq_later_pictures_asked")),
    )
    with op.batch_alter_table("later_pictures", schema=None) as batch_op:
        batch_op.create_index("ix_later_pictures_case", ["case"], unique=False)
        batch_op.create_index("ix_later_pictures_picture", ["picture"], unique=False)
