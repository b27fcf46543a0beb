# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A small city of straight streets, and what vehicles tell of it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import insert

from depot.cases.ports import Projection, StoredEvent
from depot.roads.importing import Feature, Mapping, Replaced, build, replace_roads
from depot.roads.network import metres_per_degree
from depot.store.database import Database
from depot.store.tables import events
from messages import envelope
from messages.types import Coverage, Message, Time

LON, LAT = 6.76, 51.43
_EAST, _NORTH = metres_per_degree(LAT)
_ids = itertools.count(1)


def at(east_m: float, north_m: float) -> tuple[float, float]:
    """Metres from the city's corner to lon, lat."""
    return LON + east_m / _EAST, LAT + north_m / _NORTH


def street(name: str | None, *places: tuple[float, float], ident: str | None = None, **fields: Any) -> Feature:
    line = [list(at(*place)) for place in places]
    return Feature(ident, {"name": name, "highway": "residential", **fields}, [line])


#: 400 m to the east, 300 m to the north from its middle, and a motorway far off.
CITY = (
    street("Langstraße", (0, 0), (200, 0), (400, 0), ident="way/1", district="Mitte"),
    street("Querweg", (200, -100), (200, 200), ident="way/2", district="Mitte"),
    street("Fernstraße", (5000, 0), (5000, 1000), ident="way/3", highway="trunk"),
)


def import_roads(database: Database, features: Sequence[Feature] = CITY, **mapping: Any) -> Replaced:
    with database.changing() as change:
        return replace_roads(change, build(features, Mapping(**mapping)), "test")


def looked_at(
    *places: tuple[float, float], utc: str | None = "2026-05-04T09:30:00Z", boot: str = "b1", **changes: Any
) -> Coverage:
    made = Coverage(
        path=tuple(at(*place) for place in places),
        length_m=100.0,
        frames_judged=40,
        valid=changes.get("reason") is None,
        time=Time(boot=boot, monotonic_s=100.0, quality="unset" if utc is None else "gnss", utc=utc),
    )
    return msgspec.structs.replace(made, **changes)


def store(
    database: Database, *messages: Message, vehicle: str = "sweeper-1", received_utc: str | None = None
) -> list[StoredEvent]:
    """Put messages into `events`, as ingest does; gives what the projector hands on."""
    found = []
    utc = received_utc or database.now_utc()
    with database.writing() as connection:
        for message in messages:
            event = envelope.Event(id=f"b1-{next(_ids):08d}", source=envelope.source_of(vehicle), data=message)  # type: ignore[arg-type]
            row = {
                "source": event.source,
                "id": event.id,
                "type": f"wegewart.{envelope.kind_of(message)}.v1",
                "received_utc": utc,
                "payload": envelope.encode(event),
            }
            received = connection.execute(insert(events).values(**row).returning(events.c.received)).scalar_one()
            found.append(StoredEvent(received=received, received_utc=utc, event=event))
    return found


def project(database: Database, projection: Projection, stored: Sequence[StoredEvent]) -> None:
    with database.changing() as change:
        projection.project(change, stored)


def geojson(*features: Feature) -> bytes:
    made = [
        {
            "type": "Feature",
            "id": feature.id,
            "properties": feature.fields,
            "geometry": {"type": "MultiLineString", "coordinates": feature.lines},
        }
        for feature in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": made}).encode()
