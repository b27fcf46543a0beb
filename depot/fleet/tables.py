# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of the fleet: what `vehicles` does not hold, and alarms."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Integer, Table, Text

from depot.store.guards import append_only
from depot.store.tables import METADATA, Number

#: What the newest event of a vehicle says of its fixes and of the way that events take.
vehicle_facts = Table(
    "vehicle_facts",
    METADATA,
    Column("vehicle", Text, primary_key=True),
    Column("event_utc", Text),
    Column("received_utc", Text),
    Column("fix_method", Text),
    Column("fix_quality", Text),
    Column("fix_utc", Text),
    Column("time_quality", Text),
)

#: Reports of health in the last days, at most one a minute and vehicle.
readings = Table(
    "vehicle_readings",
    METADATA,
    Column("vehicle", Text, primary_key=True),
    Column("utc", Text, primary_key=True),  # the depot's clock
    Column("boot", Text, nullable=False),
    Column("monotonic_s", Double, nullable=False),
    Column("gauges", Text, nullable=False),  # JSON, by the names of `depot.fleet.condition`
    Column("frames", BigInteger),
    Column("judged", BigInteger),
    Column("throttlings", BigInteger),
)

#: Thresholds that people set; a rule without a row has its defaults.
alarm_rules = Table(
    "alarm_rules",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("raise_at", Double, nullable=False),
    Column("clear_at", Double, nullable=False),
    Column("for_s", Integer, nullable=False),
)

alarms = Table(
    "alarms",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("changed", BigInteger, nullable=False),
    Column("vehicle", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("since_utc", Text, nullable=False),
    Column("ended_utc", Text),  # NULL: it goes on
    Column("raised_at", Double, nullable=False),  # the threshold that held
    Column("value", Double, nullable=False),
    Column("worst", Double, nullable=False),
    Index("ix_alarms_ended_utc", "ended_utc"),
    Index("ix_alarms_vehicle", "vehicle"),
    sqlite_autoincrement=True,
)

#: Where each rule stands for a vehicle between two looks; without a row it is quiet.
alarm_states = Table(
    "alarm_states",
    METADATA,
    Column("vehicle", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("phase", Text, nullable=False),  # rising, raised, falling
    Column("since_utc", Text, nullable=False),
    Column("alarm", BigInteger),  # the number in `alarms`, where it is raised
)

#: What people decided about a vehicle; one without a row is in the group "fleet" and not retired.
vehicle_choices = Table(
    "vehicle_choices",
    METADATA,
    Column("vehicle", Text, primary_key=True),
    Column("group", Text, nullable=False),
    #: Out of alarms and roll-outs since then; ends by itself when the vehicle is heard again.
    Column("retired_utc", Text),
)

#: What each vehicle runs and what its updater is at: a row for each change, the newest one holds.
vehicle_software = Table(
    "vehicle_software",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("vehicle", Text, nullable=False),
    Column("noted_utc", Text, nullable=False),  # the depot's clock
    Column("release", Text),
    Column("release_since_utc", Text),
    Column("software", Text),
    Column("models", Text, nullable=False),  # JSON list: "street 0.3.0"
    #: As the vehicle's `Update` says; NULL: it has no updater, or is too old to tell.
    Column("update_release", Text),
    Column("update_state", Text),
    Column("update_reason", Text),
    Column("update_running", Text),
    Column("update_attempts", Integer),
    Column("update_utc", Text),  # the vehicle's clock
    Column("update_since_utc", Text),  # in this state since then
    Column("update_noted_utc", Text),  # the depot's clock when the updater's last word came
    Index("ix_vehicle_software_vehicle", "vehicle"),
    sqlite_autoincrement=True,
)
append_only(vehicle_software)
