# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What SensorThings shows: vehicles as Things, what they saw as Observations, cases as the places of interest.

Ids are ours: a vehicle's name, a sighting's number, a case's number. A sighting that is not dated yet is not shown,
since an Observation must say its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Row, Select, and_, literal, select, true

from depot.describing import class_name
from depot.handover.odata import Field
from depot.store.tables import cases, events, sightings, vehicles

_CATEGORY = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation"
_GEOJSON = "application/geo+json"
_SUFFIX = ".defects"
_CAMERA, _DEFECT = "camera", "defect"


class Link(Struct, frozen=True):
    """A way from one entity to others; `where` says which of `target`, for a row of the first."""

    target: str
    many: bool
    where: Callable[[Row[Any]], ColumnElement[bool]]


class EntitySet(Struct, frozen=True, kw_only=True):
    """A collection: how it is read, written, asked and left. `key` is labelled `id` in `rows`."""

    name: str
    rows: Select[Any]
    key: ColumnElement[Any]
    number_key: bool = False
    write: Callable[[Row[Any]], dict[str, Any]]
    fields: Mapping[str, Field]
    links: Mapping[str, Link]


def _text(column: ColumnElement[Any]) -> Field:
    return Field(column, "text")


def _number(column: ColumnElement[Any]) -> Field:
    return Field(column, "number")


def _time(column: ColumnElement[Any]) -> Field:
    return Field(column, "time")


def _point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]}


_placed = and_(vehicles.c.lon.is_not(None), vehicles.c.lat.is_not(None), vehicles.c.position_utc.is_not(None))
_shown = and_(sightings.c.vehicle.is_not(None), sightings.c.utc.is_not(None))
_stream: ColumnElement[str] = vehicles.c.name + _SUFFIX
_one = select(literal(1).label("one")).subquery("one")


def _many(target: str, where: Callable[[Row[Any]], ColumnElement[bool]]) -> Link:
    return Link(target, many=True, where=where)


def _single(target: str, where: Callable[[Row[Any]], ColumnElement[bool]]) -> Link:
    return Link(target, many=False, where=where)


def _same(column: Column[Any]) -> Callable[[Row[Any]], ColumnElement[bool]]:
    return lambda row: column == row.id


THINGS = EntitySet(
    name="Things",
    rows=select(vehicles.c.name.label("id"), vehicles.c.seen_utc),
    key=vehicles.c.name,
    write=lambda row: {
        "name": row.id,
        "description": "A city vehicle that looks for defects of roads and tunnels.",
        "properties": {"seen_utc": row.seen_utc},
    },
    fields={
        "id": _text(vehicles.c.name),
        "name": _text(vehicles.c.name),
        "properties/seen_utc": _time(vehicles.c.seen_utc),
    },
    links={
        "Locations": _many("Locations", _same(vehicles.c.name)),
        "HistoricalLocations": _many("HistoricalLocations", _same(vehicles.c.name)),
        "Datastreams": _many("Datastreams", _same(vehicles.c.name)),
    },
)
LOCATIONS = EntitySet(
    name="Locations",
    rows=select(vehicles.c.name.label("id"), vehicles.c.lon, vehicles.c.lat).where(_placed),
    key=vehicles.c.name,
    write=lambda row: {
        "name": row.id,
        "description": "Where the vehicle was last.",
        "encodingType": _GEOJSON,
        "location": _point(row.lon, row.lat),
    },
    fields={"id": _text(vehicles.c.name), "name": _text(vehicles.c.name)},
    links={
        "Things": _many("Things", _same(vehicles.c.name)),
        "HistoricalLocations": _many("HistoricalLocations", _same(vehicles.c.name)),
    },
)
HISTORICAL_LOCATIONS = EntitySet(
    name="HistoricalLocations",
    rows=select(vehicles.c.name.label("id"), vehicles.c.position_utc).where(_placed),
    key=vehicles.c.name,
    write=lambda row: {"time": row.position_utc},
    fields={"id": _text(vehicles.c.name), "time": _time(vehicles.c.position_utc)},
    links={
        "Thing": _single("Things", _same(vehicles.c.name)),
        "Locations": _many("Locations", _same(vehicles.c.name)),
    },
)
DATASTREAMS = EntitySet(
    name="Datastreams",
    rows=select(_stream.label("id"), vehicles.c.name.label("vehicle")),
    key=_stream,
    write=lambda row: {
        "name": f"Defects seen by {row.vehicle}",
        "description": "The class of each defect that the vehicle saw on a pass.",
        "observationType": _CATEGORY,
        "unitOfMeasurement": {"name": None, "symbol": None, "definition": None},
    },
    fields={"id": _text(_stream), "Thing/id": _text(vehicles.c.name), "Thing/name": _text(vehicles.c.name)},
    links={
        "Thing": _single("Things", lambda row: vehicles.c.name == row.vehicle),
        "Sensor": _single("Sensors", lambda _row: true()),
        "ObservedProperty": _single("ObservedProperties", lambda _row: true()),
        "Observations": _many("Observations", lambda row: sightings.c.vehicle == row.vehicle),
    },
)
SENSORS = EntitySet(
    name="Sensors",
    rows=select(literal(_CAMERA).label("id")).select_from(_one),
    key=literal(_CAMERA),
    write=lambda _row: {
        "name": "Camera of a vehicle",
        "description": "A camera with a model that finds defects; each Observation names the vehicle's own.",
        "encodingType": "text/plain",
        "metadata": "",
    },
    fields={},
    links={"Datastreams": _many("Datastreams", lambda _row: true())},
)
OBSERVED_PROPERTIES = EntitySet(
    name="ObservedProperties",
    rows=select(literal(_DEFECT).label("id")).select_from(_one),
    key=literal(_DEFECT),
    write=lambda _row: {
        "name": "Class of defect",
        "definition": "urn:wegewart:defect",
        "description": "What sort of defect was seen, e.g. pothole.",
    },
    fields={},
    links={"Datastreams": _many("Datastreams", lambda _row: true())},
)
_PARAMETERS = (
    "score", "grade", "lon", "lat", "error_m", "heading_deg", "line", "chainage_m", "length_m", "width_m",
    "size_error_m",
)  # fmt: skip
OBSERVATIONS = EntitySet(
    name="Observations",
    rows=select(
        sightings.c.number.label("id"),
        sightings.c.case,
        sightings.c.vehicle,
        sightings.c["class"].label("result"),
        sightings.c.utc,
        events.c.received_utc,
        *(sightings.c[name] for name in _PARAMETERS),
    )
    .select_from(sightings.outerjoin(events, events.c.received == sightings.c.received))
    .where(_shown),
    key=sightings.c.number,
    number_key=True,
    write=lambda row: {
        "phenomenonTime": row.utc,
        "resultTime": row.received_utc,
        "result": row.result,
        "parameters": {name: row._mapping[name] for name in _PARAMETERS},  # noqa: SLF001 - its public name
    },
    fields={
        "id": _number(sightings.c.number),
        "phenomenonTime": _time(sightings.c.utc),
        "resultTime": _time(events.c.received_utc),
        "result": _text(sightings.c["class"]),
        "parameters/score": _number(sightings.c.score),
        "parameters/grade": _number(sightings.c.grade),
        "parameters/line": _text(sightings.c.line),
        "parameters/chainage_m": _number(sightings.c.chainage_m),
        "Datastream/id": _text(sightings.c.vehicle + _SUFFIX),
        "Datastream/Thing/id": _text(sightings.c.vehicle),
        "FeatureOfInterest/id": _number(sightings.c.case),
    },
    links={
        "Datastream": _single("Datastreams", lambda row: vehicles.c.name == row.vehicle),
        "FeatureOfInterest": _single("FeaturesOfInterest", lambda row: cases.c.number == row.case),
    },
)


def _place(row: Row[Any]) -> dict[str, Any]:
    known = row.lon is not None and row.lat is not None
    if known:
        return _point(row.lon, row.lat)
    return {"type": "Feature", "geometry": None, "properties": {"line": row.line, "chainage_m": row.chainage_m}}


FEATURES_OF_INTEREST = EntitySet(
    name="FeaturesOfInterest",
    rows=select(
        cases.c.number.label("id"), cases.c["class"].label("kind"), cases.c.state, cases.c.lon, cases.c.lat,
        cases.c.road, cases.c.line, cases.c.chainage_m, cases.c.grade,
    ).where(cases.c.state != "merged"),
    key=cases.c.number,
    number_key=True,
    write=lambda row: {
        "name": f"Case {row.id}",
        "description": ", ".join(filter(None, [class_name(row.kind, "en"), row.road or row.line])),
        "encodingType": _GEOJSON,
        "feature": _place(row),
        "properties": {"class": row.kind, "state": row.state, "grade": row.grade},
    },
    fields={
        "id": _number(cases.c.number),
        "properties/class": _text(cases.c["class"]),
        "properties/state": _text(cases.c.state),
        "properties/grade": _number(cases.c.grade),
    },
    links={"Observations": _many("Observations", lambda row: sightings.c.case == row.id)},
)  # fmt: skip
ENTITY_SETS: Mapping[str, EntitySet] = {
    entities.name: entities
    for entities in (
        THINGS, LOCATIONS, HISTORICAL_LOCATIONS, DATASTREAMS, SENSORS, OBSERVED_PROPERTIES, OBSERVATIONS,
        FEATURES_OF_INTEREST,
    )
}  # fmt: skip
