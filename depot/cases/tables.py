# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables that only the joining of cases and the projector use."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Index, Integer, Table, Text

from depot.store.tables import METADATA

#: Which cases lie in which square of the ground or piece of a line (`depot.cases.cells`): the index of the joining.
case_cells = Table(
    "case_cells",
    METADATA,
    Column("cell", Text, primary_key=True),
    Column("case", BigInteger, ForeignKey("cases.number"), primary_key=True),
    Index("ix_case_cells_case", "case"),
)

#: Cases that people parted (the lower number first): never offered as duplicates again.
kept_apart = Table(
    "kept_apart",
    METADATA,
    Column("case", BigInteger, ForeignKey("cases.number"), primary_key=True),
    Column("other", BigInteger, ForeignKey("cases.number"), primary_key=True),
)

#: Better places that vehicles told; of one observation the highest number holds. It may come before the observation.
revisions = Table(
    "revisions",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("observation", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Index("ix_revisions_observation", "observation"),
)

#: What vehicles said of UTC once they knew it; of one boot the highest number holds. It may come before what it dates.
clocks = Table(
    "clocks",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("vehicle", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Index("ix_clocks_vehicle_boot", "vehicle", "boot"),
)

#: Events that came without UTC.
undated = Table(
    "undated",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("vehicle", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Index("ix_undated_vehicle_boot", "vehicle", "boot"),
)

#: Blows to the wheels at a place where the camera had seen a defect; they, too, may come before it.
shocks = Table(
    "shocks",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("observation", Text, nullable=False),
    Column("peak_mps2", Double, nullable=False),
    Index("ix_shocks_observation", "observation"),
)

#: Valid passes over a case's place, whether it was seen on them or not: one row a case and stretch.
looks = Table(
    "looks",
    METADATA,
    Column("case", BigInteger, ForeignKey("cases.number"), primary_key=True),
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True),
    Column("vehicle", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("monotonic_s", Double, nullable=False),  # the end of the stretch
    Column("utc", Text),  # NULL: not dated yet
    Index("ix_looks_received", "received"),
)

#: Events that tripped a mistake of ours; they stay in `events` and can be tried again after an update.
failed = Table(
    "failed",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("utc", Text, nullable=False),
    Column("error", Text, nullable=False),
)

#: Pictures that vehicles are asked for, one row for each command (`depot.asking`).
asked_pictures = Table(
    "asked_pictures",
    METADATA,
    Column("id", Text, primary_key=True),  # of the command
    Column("case", BigInteger, ForeignKey("cases.number"), nullable=False),
    Column("vehicle", Text, nullable=False),
    #: open: the vehicle does not know yet; told; refused; answered; withdrawn: it is to forget; over.
    Column("state", Text, nullable=False),
    Column("asked_utc", Text, nullable=False),
    Column("until_utc", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_utc", Text, nullable=False),  # not to be sent before that
    Column("told_utc", Text),
    Column("answer_text", Text),  # why it was refused
    Index("ix_asked_pictures_case", "case"),
    Index("ix_asked_pictures_state_vehicle", "state", "vehicle"),
)

#: What came of them: what a vehicle saw at a case's place on a later pass, with its picture.
later_pictures = Table(
    "later_pictures",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("case", BigInteger, ForeignKey("cases.number"), nullable=False),
    Column("asked", Text, nullable=False, unique=True),  # the command's id: one picture for each
    Column("vehicle", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("monotonic_s", Double, nullable=False),
    Column("utc", Text, nullable=False),
    Column("picture", Text, nullable=False),
    Column("found", Text, nullable=False),  # JSON list of classes that the model saw there
    Index("ix_later_pictures_case", "case"),
    Index("ix_later_pictures_picture", "picture"),
)
