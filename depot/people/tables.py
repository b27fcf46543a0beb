# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Users, their sessions, tokens of machines, and what guards the login: of secrets only their hashes."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from depot.store.tables import METADATA

users = Table(
    "users",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("title", Text, nullable=False),  # how a person is called on the page
    Column("role", Text, nullable=False),
    Column("language", Text),  # NULL: that of the page
    Column("password", Text),  # argon2id; NULL: this user has none (OIDC)
    #: Who it is at the identity provider.
    Column("issuer", Text),
    Column("subject", Text),
    Column("disabled", Boolean, nullable=False),
    Column("created_utc", Text, nullable=False),
    Column("login_utc", Text),
    UniqueConstraint("issuer", "subject"),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("key", Text, primary_key=True),  # SHA-256 of the cookie
    Column("user", Text, ForeignKey("users.name"), nullable=False),
    Column("login", Text, nullable=False),  # password or oidc
    Column("created_utc", Text, nullable=False),
    Column("used_utc", Text, nullable=False),  # to the minute
    Index("ix_sessions_user", "user"),
)

tokens = Table(
    "tokens",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),  # SHA-256 of the token
    Column("created_utc", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_utc", Text),
    Column("used_utc", Text),  # to the hour
    Column("revoked_utc", Text),
)

#: Tries to log in that were not (yet) good, per name and per address.
login_tries = Table(
    "login_tries",
    METADATA,
    Column("key", Text, primary_key=True),  # a hash: people type passwords where the name belongs
    Column("since_utc", Text, nullable=False),
    Column("tries", Integer, nullable=False),
)

#: People who were sent to the identity provider and are not back yet.
oidc_visits = Table(
    "oidc_visits",
    METADATA,
    Column("key", Text, primary_key=True),  # SHA-256 of the state
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("next", Text, nullable=False),
    Column("created_utc", Text, nullable=False),
)
