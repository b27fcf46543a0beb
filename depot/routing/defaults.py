# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Offices and rules that a new database starts with, for a city like Duisburg.

There the Wirtschaftsbetriebe keep up the city's roads (dangerous spots within 48 hours, by their own word), the
transport company its tunnels, the federation the motorways. Which desk it is exactly, the city has to enter: these are
examples to begin with, without addresses. Districts are not in here: the city's own polygons are uploaded.
"""

from __future__ import annotations

from sqlalchemy import Connection

from depot.routing import keeping
from depot.routing.records import Office, Rule
from depot.store.database import Database

OFFICES = (
    Office(id="wbd-gefahrenstellen", name="Wirtschaftsbetriebe Duisburg, Straßenkontrolle (Gefahrenstellen)"),
    Office(id="wbd-strassen", name="Wirtschaftsbetriebe Duisburg, Straßenunterhaltung"),
    Office(id="wbd-bauwerke", name="Wirtschaftsbetriebe Duisburg, Brücken und Tunnel"),
    Office(id="dvg-tunnel", name="Duisburger Verkehrsgesellschaft, Stadtbahntunnel"),
    Office(id="autobahn", name="Autobahn GmbH des Bundes"),
)
RULES = (
    Rule(office="dvg-tunnel", name="Stadtbahntunnel", lines=("U79", "901", "903")),
    Rule(office="wbd-bauwerke", name="Tunnelschale ohne Stadtbahn", surface="lining"),
    Rule(office="autobahn", name="Autobahnen", road_classes=("motorway", "motorway_link")),
    Rule(office="wbd-gefahrenstellen", name="Schwere Schlaglöcher", classes=("pothole",), grade_min=4),
    Rule(office="wbd-strassen", name="Alles Übrige auf der Straße", surface="road"),
)


def seed(database: Database, start_with: str) -> bool:
    """Fill a database in which routing was never set; False where it was. Raises StoreError."""
    with database.changing() as change:
        return _seed(change.connection, start_with)


def _seed(connection: Connection, start_with: str) -> bool:
    if keeping.was_set(connection):
        return False
    if start_with == "duisburg":
        keeping.write_offices(connection, OFFICES)
        keeping.write_rules(connection, RULES)
    keeping.grow(connection)
    return True
