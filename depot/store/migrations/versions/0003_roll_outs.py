# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What vehicles run, their groups, roll-outs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From the one before."""
    op.create_table(
        "rollouts",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("release", sa.Text(), nullable=False),
        sa.Column("release_number", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("step_utc", sa.Text(), nullable=True),
        sa.Column("complete_utc", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_rollouts")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("rollouts", schema=None) as batch_op:
        batch_op.create_index("ix_rollouts_state", ["state"], unique=False)

    op.create_table(
        "vehicle_choices",
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("retired_utc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_vehicle_choices")),
    )
    op.create_table(
        "vehicle_software",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("noted_utc", sa.Text(), nullable=False),
        sa.Column("release", sa.Text(), nullable=True),
        sa.Column("release_since_utc", sa.Text(), nullable=True),
        sa.Column("software", sa.Text(), nullable=True),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("update_release", sa.Text(), nullable=True),
        sa.Column("update_state", sa.Text(), nullable=True),
        sa.Column("update_reason", sa.Text(), nullable=True),
        sa.Column("update_running", sa.Text(), nullable=True),
        sa.Column("update_attempts", sa.Integer(), nullable=True),
        sa.Column("update_utc", sa.Text(), nullable=True),
        sa.Column("update_since_utc", sa.Text(), nullable=True),
        sa.Column("update_noted_utc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_vehicle_software")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("vehicle_software", schema=None) as batch_op:
        batch_op.create_index("ix_vehicle_software_vehicle", ["vehicle"], unique=False)

    op.create_table(
        "rollout_vehicles",
        sa.Column("rollout", sa.BigInteger(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("wished_utc", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_utc", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_text", sa.Text(), nullable=True),
        sa.Column("excused", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["rollout"], ["rollouts.number"], name=op.f("fk_rollout_vehicles_rollout")),
        sa.PrimaryKeyConstraint("rollout", "vehicle", name=op.f("pk_rollout_vehicles")),
    )
    _guard()


def _guard() -> None:
    """Rows of the history are only ever added; the function is that of 0002."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER vehicle_software_no_{what} BEFORE {what.upper()} ON vehicle_software"
                " BEGIN SELECT raise(ABORT, 'rows of vehicle_software are only ever added'); END"
            )
        return
    for what, each in (("update or delete", "ROW"), ("truncate", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER vehicle_software_no_{what.replace(' ', '_')} BEFORE {what.upper()} ON vehicle_software"
            f" FOR EACH {each} EXECUTE FUNCTION append_only()"
        )
