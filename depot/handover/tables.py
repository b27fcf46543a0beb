# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What was handed over, to whom, and what is still to be: outboxes that survive a restart."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from depot.store.tables import METADATA, Number

#: A case filed at a city's Open311 endpoint. One row a case and endpoint, made before the first attempt.
handovers = Table(
    "handovers",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("case", BigInteger, ForeignKey("cases.number"), nullable=False),
    Column("endpoint", Text, nullable=False),
    #: In the request's text, so that one whose answer was lost is found again.
    Column("reference", Text, nullable=False, unique=True),
    #: waiting, sending (it may have arrived), token (accepted, its number comes later), accepted,
    #: refused (by the endpoint), unclear (a person must look)
    Column("state", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),  # for what was sent without an answer
    Column("first_try_utc", Text),
    Column("next_try_utc", Text, nullable=False),
    Column("token", Text),
    Column("request", Text),  # the endpoint's service_request_id
    Column("status", Text),  # what the endpoint last said: open, closed
    Column("status_notes", Text),
    Column("status_utc", Text),
    Column("error", Text),
    UniqueConstraint("case", "endpoint"),
    Index("ix_handovers_state_next_try_utc", "state", "next_try_utc"),
    sqlite_autoincrement=True,
)

#: Made by ourselves at first use: what links without a login are signed with.
handover_keys = Table(
    "handover_keys", METADATA, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)

webhooks = Table(
    "webhooks",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", Text, nullable=False),  # JSON list of kinds; "*" is all
    Column("active", Boolean, nullable=False),
    Column("created_utc", Text, nullable=False),
    #: Up to where it has been told: audit.number, cases.number.
    Column("told_audit", BigInteger, nullable=False),
    Column("told_case", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

webhook_deliveries = Table(
    "webhook_deliveries",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("webhook", BigInteger, ForeignKey("webhooks.number", ondelete="CASCADE"), nullable=False),
    #: The same at every attempt: the receiver can tell a second one.
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),  # waiting, delivered, failed
    Column("created_utc", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try_utc", Text, nullable=False),
    Column("answer", Text),  # one line: what came back last
    Index("ix_webhook_deliveries_state_next_try_utc", "state", "next_try_utc"),
    Index("ix_webhook_deliveries_webhook", "webhook"),
    sqlite_autoincrement=True,
)

#: One digest a receiver and day.
digests = Table(
    "digests",
    METADATA,
    Column("receiver", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("state", Text, nullable=False),  # waiting, sent, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try_utc", Text, nullable=False),
    Column("error", Text),
)
