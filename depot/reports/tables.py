# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of reports. Of a photo only what `depot.reports.judging` lets through is ever stored."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from depot.store.tables import METADATA, Number

#: What a citizen sent, and what became of it. `digest` is over all that was sent: the same again is no second report.
reports = Table(
    "reports",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("who", Text, nullable=False),  # the user or token that handed it in
    Column("received_utc", Text, nullable=False),
    Column("utc", Text, nullable=False),  # when the photo was taken, by its sender
    Column("lon", Double, nullable=False),
    Column("lat", Double, nullable=False),
    Column("error_m", Double, nullable=False),
    Column("note", Text),
    Column("state", Text, nullable=False),  # accepted, refused
    #: Why refused, or why accepted without its picture: see `depot.reports.judging.Reason`.
    Column("reason", Text),
    Column("case", BigInteger, ForeignKey("cases.number")),
    Column("class", Text),
    Column("score", Double),
    Column("picture", Text),
    Index("ix_reports_case", "case"),
)

#: Pictures that came by a report or from a crew: what `depot.store.tables.events` says of the vehicles' pictures.
photos = Table(
    "photos",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("case", BigInteger, ForeignKey("cases.number"), nullable=False),
    Column("kind", Text, nullable=False),  # report, repair
    Column("digest", Text, nullable=False),  # of what was sent
    Column("sha256", Text, nullable=False),
    #: JSON, x1, y1, x2, y2 in pixels of the picture: what is sharp but for a margin.
    Column("box", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("anonymised", Text, nullable=False),  # JSON of `messages.types.Anonymised`
    Column("utc", Text, nullable=False),
    Column("who", Text, nullable=False),
    UniqueConstraint("case", "kind", "digest"),
    Index("ix_photos_sha256", "sha256"),
    sqlite_autoincrement=True,
)
