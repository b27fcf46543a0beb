# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables that taking in needs besides the shared ones."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from depot.store.tables import METADATA, Number

#: Which boots a vehicle has had: the last will of an earlier one says nothing about today.
boots = Table("boots", METADATA, Column("vehicle", Text, primary_key=True), Column("boot", Text, primary_key=True))

#: Pictures that have come in part. `touched` rises with every chunk: the longest untouched one gives way.
partial = Table(
    "partial",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("vehicle", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("touched", BigInteger, nullable=False),
    UniqueConstraint("vehicle", "sha256", "bytes"),
    Index("ix_partial_sha256", "sha256"),
    Index("ix_partial_touched", "touched"),
    sqlite_autoincrement=True,
)

chunk = Table(
    "chunk",
    METADATA,
    Column("partial", BigInteger, ForeignKey("partial.number", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

#: What has come that is no event and yet is shown: a picture, a vehicle's state, a refusal. `depot.store.news` numbers
#: these changes afterwards, so that taking in never waits for those who change what is shown.
news = Table(
    "news",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # picture, vehicle, refused
    Column("subject", Text, nullable=False),  # which one
    sqlite_autoincrement=True,
)
