# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of roads: the network that the city gave, and what vehicles looked at.

`roads` comes from an import. `boot_clocks`, `stretches`, `rides`, `road_states` and `road_days` are derived from events
and can be made anew from them at any time. `inspections` is the proof: rows are only ever added (a trigger forbids the
rest), each with a digest over itself and the one before.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from depot.store.guards import append_only
from depot.store.tables import METADATA, Number

#: Row of `meta` that counts the imports; what was matched with an earlier network is matched again.
NETWORK = "roads"

roads = Table(
    "roads",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text),
    Column("class", Text),
    Column("district", Text),
    Column("length_m", Double, nullable=False),
    #: JSON, the coordinates of a GeoJSON MultiLineString in WGS 84; chainage runs along them in this order.
    Column("lines", Text, nullable=False),
)

#: What dates the undated of a boot; the highest number holds.
boot_clocks = Table(
    "boot_clocks",
    METADATA,
    Column("vehicle", Text, primary_key=True),
    Column("boot", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("monotonic_s", Double, nullable=False),
    Column("utc", Text, nullable=False),
)

#: In `stretches.matched`: it is not laid on the roads yet.
WAITS = -1

#: One message of coverage. `matched`: the network that it was laid on, or `WAITS`; NULL: it has no date.
stretches = Table(
    "stretches",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("changed", BigInteger, nullable=False),
    Column("vehicle", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("monotonic_s", Double, nullable=False),
    Column("own_utc", Boolean, nullable=False),  # it said its time itself
    Column("utc", Text),
    Column("received_utc", Text, nullable=False),
    Column("valid", Boolean, nullable=False),
    Column("reason", Text),
    Column("surface", Text, nullable=False),
    Column("length_m", Double, nullable=False),
    Column("line", Text),
    Column("track", Text),
    Column("from_m", Double),
    Column("to_m", Double),
    Column("matched", BigInteger),
    Index("ix_stretches_changed", "changed"),
    Index("ix_stretches_matched", "matched"),
    Index("ix_stretches_line", "line"),
    Index("ix_stretches_vehicle_boot", "vehicle", "boot"),
)

#: One message of roughness.
rides = Table(
    "rides",
    METADATA,
    Column("received", BigInteger, ForeignKey("events.received"), primary_key=True, autoincrement=False),
    Column("changed", BigInteger, nullable=False),
    Column("vehicle", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("monotonic_s", Double, nullable=False),
    Column("own_utc", Boolean, nullable=False),
    Column("utc", Text),
    Index("ix_rides_changed", "changed"),
    Index("ix_rides_vehicle_boot", "vehicle", "boot"),
)

#: What is known of each section of a road now: when it was last seen, when last in vain and why (`depot.roads.looked`).
road_states = Table(
    "road_states",
    METADATA,
    Column("road", Text, primary_key=True),
    Column("changed", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

#: What one day brought for a road; `sealed`: as it stands in `inspections`.
road_days = Table(
    "road_days",
    METADATA,
    Column("road", Text, primary_key=True),
    Column("day", Text, primary_key=True),  # of the city's calendar
    Column("state", LargeBinary, nullable=False),
    Column("vehicles", Text, nullable=False),  # JSON, sorted
    Column("looks", Integer, nullable=False),
    Column("first_utc", Text, nullable=False),
    Column("last_utc", Text, nullable=False),
    Column("sealed", Boolean, nullable=False),
    Index("ix_road_days_sealed_day", "sealed", "day"),
)

#: The proof of inspection. A correction is a new row with the next `revision`. `line`: the row as it stands in the
#: file of the proof (`depot.roads.proof`), which `digest` covers; the other columns are for searching.
inspections = Table(
    "inspections",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("road", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    #: SHA-256 of what the row says apart from its revision and time: equal, nothing new is to be written.
    Column("content", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("digest", Text, nullable=False),
    UniqueConstraint("road", "day", "revision"),
    Index("ix_inspections_day", "day"),
)
append_only(inspections)
