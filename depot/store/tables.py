# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables that more than one part of the depot uses. What one part alone uses stands in its own `tables.py`.

`events` is what was acknowledged, as it came; cases, coverage and all else that is shown is derived from it by the
projector (`depot.cases`, `depot.roads`), and people's decisions, which stand in `audit`. Times are RFC 3339 text in
UTC with Z, so that they sort. `changed` is a number of `Database.changing`.
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
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from depot.store.guards import append_only, with_geometry

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
#: SQLite counts up only a plain INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")

meta = Table("meta", METADATA, Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False))

events = Table(
    "events",
    METADATA,
    Column("received", Number, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("received_utc", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    UniqueConstraint("source", "id"),
    sqlite_autoincrement=True,
)

#: Events that the projector has not seen yet. Not "above the last one": transactions commit out of order.
pending = Table(
    "pending",
    METADATA,
    Column("received", Number, ForeignKey("events.received"), primary_key=True, autoincrement=False),
)

pictures = Table(
    "pictures",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("vehicle", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("received_utc", Text, nullable=False),
    #: When retention took the bytes away; the row stays and says so.
    Column("expired_utc", Text),
)

vehicles = Table(
    "vehicles",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("seen_utc", Text),
    Column("status", LargeBinary),
    Column("health", LargeBinary),
    Column("health_utc", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("position_utc", Text),
)

cases = Table(
    "cases",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("changed", BigInteger, nullable=False),
    #: new, confirmed, rejected, ordered, repaired, reopened; merged: `merged_into` says where it went.
    Column("state", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("surface", Text, nullable=False),
    Column("lon", Double),
    Column("lat", Double),
    Column("error_m", Double),
    Column("heading_deg", Double),
    Column("line", Text),
    Column("track", Text),
    Column("chainage_m", Double),
    Column("chainage_error_m", Double),
    Column("side", Text),
    Column("lining_clock", Double),
    #: What is seen in it: joined from its sightings.
    Column("best", BigInteger, ForeignKey("events.received"), nullable=True),
    Column("sightings", Integer, nullable=False),
    Column("passes", Integer, nullable=False),
    Column("vehicles", Integer, nullable=False),
    Column("vehicle", Text),  # that of the best sighting
    Column("score", Double),
    Column("grade", Integer),
    Column("length_m", Double),
    Column("width_m", Double),
    Column("size_error_m", Double),
    #: growing, steady or shrinking; NULL while too few sightings have a size.
    Column("trend", Text),
    Column("shock_mps2", Double),
    Column("first_seen_utc", Text),
    Column("last_seen_utc", Text),
    #: Valid passes over the place since it was last seen, and when the last of them was.
    Column("looks_without", Integer, nullable=False, default=0),
    Column("last_look_utc", Text),
    Column("opened_utc", Text, nullable=False),
    #: Where it is and who is to act: `depot.routing`.
    Column("district", Text),
    Column("road", Text),
    Column("road_class", Text),
    Column("office_proposed", Text),
    Column("office", Text),  # the one that holds: proposed, or chosen by a person
    Column("office_by", Text),  # who chose it; NULL: it is the proposal
    #: What people decided.
    Column("decided_utc", Text),
    Column("decided_by", Text),
    Column("reject_reason", Text),
    Column("note", Text),
    Column("merged_into", BigInteger, ForeignKey("cases.number")),
    Column("class_by", Text),  # who said what it is; NULL: `class` is what its sightings say
    Column("class_seen", Text),  # what they say, where somebody said otherwise
    #: Joined by hand (merge, split): the joining of sightings leaves it as it is.
    Column("pinned", Boolean, nullable=False, default=False),
    Column("reports", Integer, nullable=False, default=0),  # citizens' reports that it holds
    Index("ix_cases_changed", "changed"),
    Index("ix_cases_state_class", "state", "class"),
    Index("ix_cases_lat_lon", "lat", "lon"),
    Index("ix_cases_line_chainage_m", "line", "chainage_m"),
    Index("ix_cases_best", "best"),
    Index("ix_cases_merged_into", "merged_into"),
    sqlite_autoincrement=True,
)
with_geometry(cases)

#: One sighting of a case: an observation of a vehicle, or a citizen's report (`received` is NULL then).
sightings = Table(
    "sightings",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("case", BigInteger, ForeignKey("cases.number"), nullable=False),
    Column("received", BigInteger, ForeignKey("events.received"), unique=True),
    Column("report", Text, unique=True),
    Column("vehicle", Text),
    #: Where the same vehicle saw it twice on one pass (an interrupted track), the pass is one.
    Column("boot", Text),
    Column("class", Text, nullable=False),
    Column("score", Double),
    Column("utc", Text),  # NULL: not dated yet
    Column("lon", Double),
    Column("lat", Double),
    Column("error_m", Double),
    Column("heading_deg", Double),
    Column("line", Text),
    Column("chainage_m", Double),
    Column("length_m", Double),
    Column("width_m", Double),
    Column("size_error_m", Double),
    Column("grade", Integer),
    Column("picture", Text),
    #: The event of the revision that holds; NULL: it lies where it said itself.
    Column("revision", BigInteger, ForeignKey("events.received")),
    #: NULL: on the road.
    Column("surface", Text),
    Column("track", Text),
    Column("chainage_error_m", Double),
    Column("side", Text),
    Column("lining_clock", Double),  # as seen in the direction of growing chainage, where that is known
    Column("monotonic_s", Double),  # within the boot
    Column("shock_mps2", Double),  # the hardest blow that the wheels felt there
    Index("ix_sightings_case", "case"),
    Index("ix_sightings_picture", "picture"),
    Index("ix_sightings_vehicle_boot_monotonic_s", "vehicle", "boot", "monotonic_s"),
    sqlite_autoincrement=True,
)

#: Every change that a person or a rule made, append-only (a trigger forbids the rest).
audit = Table(
    "audit",
    METADATA,
    Column("number", Number, primary_key=True, autoincrement=True),
    Column("utc", Text, nullable=False),
    Column("who", Text, nullable=False),  # a user's name, or "rule:<name>"
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),  # what sort of thing: case, user, rule, setting ...
    Column("subject", Text, nullable=False),  # which one
    Column("before", Text),  # JSON
    Column("after", Text),  # JSON
    #: The last change before this one: who has seen a later one of the subject has seen this one, too.
    Column("sequence", BigInteger),
    Index("ix_audit_kind_subject", "kind", "subject"),
    sqlite_autoincrement=True,
)
append_only(audit)

refused = Table(
    "refused", METADATA, Column("reason", Text, primary_key=True), Column("count", BigInteger, nullable=False)
)
