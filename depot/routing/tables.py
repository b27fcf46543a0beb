# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of routing. Their state has one number, `ROUTING` in `meta`, that grows with each change."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, Table, Text

from depot.store.tables import METADATA

#: Rows of `meta`: the state of offices, rules and areas; the states of routing and of roads that all cases were last
#: placed by, and how far that has come.
ROUTING, PLACED_ROUTING, PLACED_ROADS, PLACED_UP_TO = "routing", "placed_routing", "placed_roads", "placed_up_to"

offices = Table(
    "offices",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("active", Boolean, nullable=False),
)

#: The first rule that holds proposes its office.
rules = Table(
    "rules",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("rule", Text, nullable=False),  # JSON of `depot.routing.records.Rule`
)

#: Districts, and other areas that rules name. `geometry`: GeoJSON, a MultiPolygon in WGS 84.
areas = Table(
    "areas",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # district, area
    Column("geometry", Text, nullable=False),
)
