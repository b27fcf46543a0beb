# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Roll-outs and what became of each vehicle in them. What people and rules did with them stands in `audit`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from depot.store.tables import METADATA, Number

rollouts = Table(
    "rollouts",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("changed", BigInteger, nullable=False),
    Column("release", Text, nullable=False),
    Column("release_number", BigInteger, nullable=False),
    Column("steps", Text, nullable=False),  # JSON list of depot.updates.records.Step
    Column("state", Text, nullable=False),  # draft, running, paused, done, stopped
    Column("step", Integer, nullable=False),  # the one that it is at, from 0
    Column("created_utc", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("step_utc", Text),  # when that step began
    Column("complete_utc", Text),  # since when all that can be reached of it run the release
    Column("why", Text),  # why it was paused: JSON of depot.updates.records.Why
    Index("ix_rollouts_state", "state"),
    sqlite_autoincrement=True,
)

#: The vehicles that a roll-out has come to so far.
rollout_vehicles = Table(
    "rollout_vehicles",
    METADATA,
    Column("rollout", BigInteger, ForeignKey("rollouts.number"), primary_key=True),
    Column("vehicle", Text, primary_key=True),
    Column("step", Integer, nullable=False),
    Column("wished_utc", Text),  # when it was told first
    Column("attempts", Integer, nullable=False),
    Column("next_utc", Text),  # not to be told again before that
    Column("answer", Text),  # ok, refused
    Column("answer_text", Text),
    #: A person goes on without it: it neither holds anything up nor counts as failed.
    Column("excused", Boolean, nullable=False),
)
