# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:  # noqa: PLR0915 - one line for each table
    """From the one before."""
    op.create_table(
        "alarm_rules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("raise_at", sa.Double(), nullable=False),
        sa.Column("clear_at", sa.Double(), nullable=False),
        sa.Column("for_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_alarm_rules")),
    )
    op.create_table(
        "alarm_states",
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("since_utc", sa.Text(), nullable=False),
        sa.Column("alarm", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("vehicle", "rule", name=op.f("pk_alarm_states")),
    )
    op.create_table(
        "alarms",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("since_utc", sa.Text(), nullable=False),
        sa.Column("ended_utc", sa.Text(), nullable=True),
        sa.Column("raised_at", sa.Double(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("worst", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alarms")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alarms", schema=None) as batch_op:
        batch_op.create_index("ix_alarms_ended_utc", ["ended_utc"], unique=False)
        batch_op.create_index("ix_alarms_vehicle", ["vehicle"], unique=False)

    op.create_table(
        "areas",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("geometry", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_areas")),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_kind_subject", ["kind", "subject"], unique=False)

    op.create_table(
        "boot_clocks",
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "boot", name=op.f("pk_boot_clocks")),
    )
    op.create_table(
        "boots",
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "boot", name=op.f("pk_boots")),
    )
    op.create_table(
        "digests",
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_utc", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("receiver", "day", name=op.f("pk_digests")),
    )
    op.create_table(
        "events",
        sa.Column("received", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("received_utc", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_events")),
        sa.UniqueConstraint("source", "id", name=op.f("uq_events_source_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "handover_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_handover_keys")),
    )
    op.create_table(
        "inspections",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_inspections")),
        sa.UniqueConstraint("road", "day", "revision", name=op.f("uq_inspections_road_day_revision")),
    )
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.create_index("ix_inspections_day", ["day"], unique=False)

    op.create_table(
        "login_tries",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since_utc", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_tries")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "news",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_news")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "offices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offices")),
    )
    op.create_table(
        "oidc_visits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("next", sa.Text(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_oidc_visits")),
    )
    op.create_table(
        "partial",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("touched", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_partial")),
        sa.UniqueConstraint("vehicle", "sha256", "bytes", name=op.f("uq_partial_vehicle_sha256_bytes")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("partial", schema=None) as batch_op:
        batch_op.create_index("ix_partial_sha256", ["sha256"], unique=False)
        batch_op.create_index("ix_partial_touched", ["touched"], unique=False)

    op.create_table(
        "pictures",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("received_utc", sa.Text(), nullable=False),
        sa.Column("expired_utc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_pictures")),
    )
    op.create_table(
        "refused",
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_refused")),
    )
    op.create_table(
        "removals",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_removals")),
    )
    op.create_table(
        "road_days",
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("vehicles", sa.Text(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("first_utc", sa.Text(), nullable=False),
        sa.Column("last_utc", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("road", "day", name=op.f("pk_road_days")),
    )
    with op.batch_alter_table("road_days", schema=None) as batch_op:
        batch_op.create_index("ix_road_days_sealed_day", ["sealed", "day"], unique=False)

    op.create_table(
        "road_states",
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("road", name=op.f("pk_road_states")),
    )
    op.create_table(
        "roads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roads")),
    )
    op.create_table(
        "rules",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_rules")),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_utc", sa.Text(), nullable=True),
        sa.Column("used_utc", sa.Text(), nullable=True),
        sa.Column("revoked_utc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tokens")),
        sa.UniqueConstraint("key", name=op.f("uq_tokens_key")),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("login_utc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_users")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_users_issuer_subject")),
    )
    op.create_table(
        "vehicle_facts",
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("event_utc", sa.Text(), nullable=True),
        sa.Column("received_utc", sa.Text(), nullable=True),
        sa.Column("fix_method", sa.Text(), nullable=True),
        sa.Column("fix_quality", sa.Text(), nullable=True),
        sa.Column("fix_utc", sa.Text(), nullable=True),
        sa.Column("time_quality", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_vehicle_facts")),
    )
    op.create_table(
        "vehicle_readings",
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("gauges", sa.Text(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=True),
        sa.Column("judged", sa.BigInteger(), nullable=True),
        sa.Column("throttlings", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("vehicle", "utc", name=op.f("pk_vehicle_readings")),
    )
    op.create_table(
        "vehicles",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_utc", sa.Text(), nullable=True),
        sa.Column("status", sa.LargeBinary(), nullable=True),
        sa.Column("health", sa.LargeBinary(), nullable=True),
        sa.Column("health_utc", sa.Text(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("position_utc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_vehicles")),
    )
    op.create_table(
        "webhooks",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("told_audit", sa.BigInteger(), nullable=False),
        sa.Column("told_case", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_webhooks")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "cases",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("error_m", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("chainage_m", sa.Double(), nullable=True),
        sa.Column("chainage_error_m", sa.Double(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("lining_clock", sa.Double(), nullable=True),
        sa.Column("best", sa.BigInteger(), nullable=True),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("passes", sa.Integer(), nullable=False),
        sa.Column("vehicles", sa.Integer(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=True),
        sa.Column("width_m", sa.Double(), nullable=True),
        sa.Column("size_error_m", sa.Double(), nullable=True),
        sa.Column("trend", sa.Text(), nullable=True),
        sa.Column("shock_mps2", sa.Double(), nullable=True),
        sa.Column("first_seen_utc", sa.Text(), nullable=True),
        sa.Column("last_seen_utc", sa.Text(), nullable=True),
        sa.Column("looks_without", sa.Integer(), nullable=False),
        sa.Column("last_look_utc", sa.Text(), nullable=True),
        sa.Column("opened_utc", sa.Text(), nullable=False),
        sa.Column("district", sa.Text(), nullable=True),
        sa.Column("road", sa.Text(), nullable=True),
        sa.Column("road_class", sa.Text(), nullable=True),
        sa.Column("office_proposed", sa.Text(), nullable=True),
        sa.Column("office", sa.Text(), nullable=True),
        sa.Column("office_by", sa.Text(), nullable=True),
        sa.Column("decided_utc", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reject_reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["best"], ["events.received"], name=op.f("fk_cases_best")),
        sa.ForeignKeyConstraint(["merged_into"], ["cases.number"], name=op.f("fk_cases_merged_into")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_cases")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_best", ["best"], unique=False)
        batch_op.create_index("ix_cases_changed", ["changed"], unique=False)
        batch_op.create_index("ix_cases_lat_lon", ["lat", "lon"], unique=False)
        batch_op.create_index("ix_cases_line_chainage_m", ["line", "chainage_m"], unique=False)
        batch_op.create_index("ix_cases_merged_into", ["merged_into"], unique=False)
        batch_op.create_index("ix_cases_state_class", ["state", "class"], unique=False)

    op.create_table(
        "chunk",
        sa.Column("partial", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["partial"], ["partial.number"], name=op.f("fk_chunk_partial"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("partial", "number", name=op.f("pk_chunk")),
    )
    op.create_table(
        "clocks",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_clocks_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_clocks")),
    )
    with op.batch_alter_table("clocks", schema=None) as batch_op:
        batch_op.create_index("ix_clocks_vehicle_boot", ["vehicle", "boot"], unique=False)

    op.create_table(
        "failed",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_failed_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_failed")),
    )
    op.create_table(
        "pending",
        sa.Column(
            "received", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_pending_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_pending")),
    )
    op.create_table(
        "revisions",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_revisions_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_revisions")),
    )
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.create_index("ix_revisions_observation", ["observation"], unique=False)

    op.create_table(
        "rides",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("own_utc", sa.Boolean(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_rides_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_rides")),
    )
    with op.batch_alter_table("rides", schema=None) as batch_op:
        batch_op.create_index("ix_rides_changed", ["changed"], unique=False)
        batch_op.create_index("ix_rides_vehicle_boot", ["vehicle", "boot"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("used_utc", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user"], ["users.name"], name=op.f("fk_sessions_user")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_user", ["user"], unique=False)

    op.create_table(
        "shocks",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("peak_mps2", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_shocks_received")),
        sa.PrimaryKeyConstraint("received", "number", name=op.f("pk_shocks")),
    )
    with op.batch_alter_table("shocks", schema=None) as batch_op:
        batch_op.create_index("ix_shocks_observation", ["observation"], unique=False)

    op.create_table(
        "stretches",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("own_utc", sa.Boolean(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=True),
        sa.Column("received_utc", sa.Text(), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("from_m", sa.Double(), nullable=True),
        sa.Column("to_m", sa.Double(), nullable=True),
        sa.Column("matched", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_stretches_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_stretches")),
    )
    with op.batch_alter_table("stretches", schema=None) as batch_op:
        batch_op.create_index("ix_stretches_changed", ["changed"], unique=False)
        batch_op.create_index("ix_stretches_line", ["line"], unique=False)
        batch_op.create_index("ix_stretches_matched", ["matched"], unique=False)
        batch_op.create_index("ix_stretches_vehicle_boot", ["vehicle", "boot"], unique=False)

    op.create_table(
        "undated",
        sa.Column("received", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_undated_received")),
        sa.PrimaryKeyConstraint("received", name=op.f("pk_undated")),
    )
    with op.batch_alter_table("undated", schema=None) as batch_op:
        batch_op.create_index("ix_undated_vehicle_boot", ["vehicle", "boot"], unique=False)

    op.create_table(
        "webhook_deliveries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("webhook", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_utc", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhooks.number"], name=op.f("fk_webhook_deliveries_webhook"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("id", name=op.f("uq_webhook_deliveries_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("webhook_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_webhook_deliveries_state_next_try_utc", ["state", "next_try_utc"], unique=False)
        batch_op.create_index("ix_webhook_deliveries_webhook", ["webhook"], unique=False)

    op.create_table(
        "case_cells",
        sa.Column("cell", sa.Text(), nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_case_cells_case")),
        sa.PrimaryKeyConstraint("cell", "case", name=op.f("pk_case_cells")),
    )
    with op.batch_alter_table("case_cells", schema=None) as batch_op:
        batch_op.create_index("ix_case_cells_case", ["case"], unique=False)

    op.create_table(
        "handovers",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("first_try_utc", sa.Text(), nullable=True),
        sa.Column("next_try_utc", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("status_notes", sa.Text(), nullable=True),
        sa.Column("status_utc", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_handovers_case")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_handovers")),
        sa.UniqueConstraint("case", "endpoint", name=op.f("uq_handovers_case_endpoint")),
        sa.UniqueConstraint("reference", name=op.f("uq_handovers_reference")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("handovers", schema=None) as batch_op:
        batch_op.create_index("ix_handovers_state_next_try_utc", ["state", "next_try_utc"], unique=False)

    op.create_table(
        "kept_apart",
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("other", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_kept_apart_case")),
        sa.ForeignKeyConstraint(["other"], ["cases.number"], name=op.f("fk_kept_apart_other")),
        sa.PrimaryKeyConstraint("case", "other", name=op.f("pk_kept_apart")),
    )
    op.create_table(
        "looks",
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("vehicle", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("monotonic_s", sa.Double(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_looks_case")),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_looks_received")),
        sa.PrimaryKeyConstraint("case", "received", name=op.f("pk_looks")),
    )
    with op.batch_alter_table("looks", schema=None) as batch_op:
        batch_op.create_index("ix_looks_received", ["received"], unique=False)

    op.create_table(
        "photos",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("box", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("anonymised", sa.Text(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_photos_case")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_photos")),
        sa.UniqueConstraint("case", "kind", "digest", name=op.f("uq_photos_case_kind_digest")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("photos", schema=None) as batch_op:
        batch_op.create_index("ix_photos_sha256", ["sha256"], unique=False)

    op.create_table(
        "reports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("received_utc", sa.Text(), nullable=False),
        sa.Column("utc", sa.Text(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("error_m", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("case", sa.BigInteger(), nullable=True),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("picture", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_reports_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index("ix_reports_case", ["case"], unique=False)

    op.create_table(
        "sightings",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("vehicle", sa.Text(), nullable=True),
        sa.Column("boot", sa.Text(), nullable=True),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("utc", sa.Text(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("error_m", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.Column("line", sa.Text(), nullable=True),
        sa.Column("chainage_m", sa.Double(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=True),
        sa.Column("width_m", sa.Double(), nullable=True),
        sa.Column("size_error_m", sa.Double(), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("picture", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("surface", sa.Text(), nullable=True),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("chainage_error_m", sa.Double(), nullable=True),
        sa.Column("side", sa.Text(), nullable=True),
        sa.Column("lining_clock", sa.Double(), nullable=True),
        sa.Column("monotonic_s", sa.Double(), nullable=True),
        sa.Column("shock_mps2", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["case"], ["cases.number"], name=op.f("fk_sightings_case")),
        sa.ForeignKeyConstraint(["received"], ["events.received"], name=op.f("fk_sightings_received")),
        sa.ForeignKeyConstraint(["revision"], ["events.received"], name=op.f("fk_sightings_revision")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_sightings")),
        sa.UniqueConstraint("received", name=op.f("uq_sightings_received")),
        sa.UniqueConstraint("report", name=op.f("uq_sightings_report")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sightings", schema=None) as batch_op:
        batch_op.create_index("ix_sightings_case", ["case"], unique=False)
        batch_op.create_index("ix_sightings_picture", ["picture"], unique=False)
        batch_op.create_index("ix_sightings_vehicle_boot_monotonic_s", ["vehicle", "boot", "monotonic_s"], unique=False)
