# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Offices, rules and areas in the database."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import shapely
from sqlalchemy import Connection, delete, insert, select, update

from depot.routing import tables
from depot.routing.records import Area, Office, Rule
from depot.store.tables import meta


def read_offices(connection: Connection) -> tuple[Office, ...]:
    """In the depot's order."""
    rows = connection.execute(select(tables.offices).order_by(tables.offices.c.position))
    return tuple(Office(id=row.id, name=row.name, email=row.email, active=row.active) for row in rows)


def write_offices(connection: Connection, offices: Sequence[Office]) -> None:
    """These instead of all others."""
    connection.execute(delete(tables.offices))
    values = [
        {"id": o.id, "position": number, "name": o.name, "email": o.email, "active": o.active}
        for number, o in enumerate(offices)
    ]
    if values:
        connection.execute(insert(tables.offices), values)


def read_rules(connection: Connection) -> tuple[Rule, ...]:
    """In the order in which they are asked."""
    rows = connection.execute(select(tables.rules.c.rule).order_by(tables.rules.c.position)).scalars()
    return tuple(msgspec.json.decode(row, type=Rule) for row in rows)


def write_rules(connection: Connection, rules: Sequence[Rule]) -> None:
    """These instead of all others."""
    connection.execute(delete(tables.rules))
    values = [{"position": number, "rule": msgspec.json.encode(rule).decode()} for number, rule in enumerate(rules)]
    if values:
        connection.execute(insert(tables.rules), values)


def read_areas(connection: Connection) -> tuple[Area, ...]:
    """By id."""
    rows = connection.execute(select(tables.areas).order_by(tables.areas.c.id))
    return tuple(Area(row.id, row.name, row.kind, shapely.from_geojson(row.geometry)) for row in rows)


def write_areas(connection: Connection, areas: Sequence[Area]) -> None:
    """These instead of all others."""
    connection.execute(delete(tables.areas))
    values = [
        {"id": area.id, "name": area.name, "kind": area.kind, "geometry": shapely.to_geojson(area.geometry)}
        for area in areas
    ]
    if values:
        connection.execute(insert(tables.areas), values)


def version(connection: Connection) -> int:
    """The state of offices, rules and areas."""
    return number(connection, tables.ROUTING)


def was_set(connection: Connection) -> bool:
    """Whether anything was ever written, be it by `depot.routing.defaults`."""
    return connection.execute(select(meta.c.value).where(meta.c.name == tables.ROUTING)).first() is not None


def grow(connection: Connection) -> int:
    """The number of the next state; to be called with each change."""
    grown = version(connection) + 1
    set_number(connection, tables.ROUTING, grown)
    return grown


def number(connection: Connection, name: str) -> int:
    """A row of `meta`; 0 where there is none yet."""
    found: int | None = connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
    return found or 0


def set_number(connection: Connection, name: str, value: int) -> None:
    """Write a row of `meta`, within a transaction of `Database.changing`."""
    if connection.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount == 0:
        connection.execute(insert(meta).values(name=name, value=value))
