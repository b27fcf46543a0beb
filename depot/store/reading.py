# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the SQLite store asks its tables, and how rows become records."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from depot.dating import dated
from depot.revising import corrected
from depot.store.port import Bbox, Case, CaseQuery, Ride, Stretch, Vehicle
from messages import envelope
from messages.types import Clock, Coverage, Health, Observation, Revision, Roughness, Status

#: The clock that dates an event which came without UTC; of two of one number the one with the greater id.
_CLOCK = """
  (SELECT told.payload FROM undated u JOIN clocks k ON k.source = u.source AND k.boot = u.boot
   JOIN events told ON told.received = k.received
   WHERE u.received = e.received ORDER BY k.number DESC, told.id DESC LIMIT 1)
"""

CASES = f"""
SELECT c.number, c.changed, c.state, c.sightings, e.received_utc, e.payload, p.sha256 IS NOT NULL, r.payload,
  (SELECT max(s.peak_mps2) FROM shocks s WHERE s.source = e.source AND s.observation = e.id),
  {_CLOCK}
FROM cases c
JOIN events e ON e.received = c.best
JOIN observations o ON o.received = c.best
LEFT JOIN events r ON r.received = o.revision
LEFT JOIN pictures p ON p.sha256 = o.picture
"""  # noqa: S608

STRETCHES = f"""
SELECT e.received, changed, payload, {_CLOCK}
FROM coverage JOIN events e USING (received) WHERE changed > ? ORDER BY changed, e.received LIMIT ?
"""  # noqa: S608
RIDES = STRETCHES.replace("FROM coverage", "FROM roughness")

COUNTS = """
SELECT
  (SELECT value FROM meta WHERE name = 'sequence'),
  (SELECT count(*) FROM events),
  (SELECT count(*) FROM observations),
  (SELECT count(*) FROM cases),
  (SELECT count(*) FROM cases WHERE lon IS NULL),
  (SELECT count(*) FROM pictures),
  (SELECT count(DISTINCT picture) FROM observations WHERE picture NOT IN (SELECT sha256 FROM pictures)),
  (SELECT count(*) FROM coverage),
  (SELECT count(*) FROM revisions),
  (SELECT count(*) FROM revisions r WHERE NOT EXISTS (
    SELECT 1 FROM events e JOIN observations USING (received) WHERE e.source = r.source AND e.id = r.observation)),
  (SELECT count(*) FROM roughness),
  (SELECT count(*) FROM vehicles)
"""

_status_decoder = msgspec.json.Decoder(Status)
_health_decoder = msgspec.json.Decoder(Health)


def conditions(query: CaseQuery) -> tuple[list[str], list[Any]]:
    """The conditions of a query on `CASES`, and their values."""
    wheres: list[str] = []
    values: list[Any] = []
    if query.bbox is not None:
        where, places = _within(query.bbox)
        wheres.append(where)
        values += places
    if query.classes:
        wheres.append(f"c.class IN ({', '.join('?' * len(query.classes))})")
        values += query.classes
    if query.after is not None:
        wheres.append("c.changed > ?")
        values.append(query.after)
    return wheres, values


def _within(box: Bbox) -> tuple[str, list[float]]:
    """The tree keeps 32-bit floats, rounded outwards: it finds the candidates, the columns decide."""
    if box.west > box.east:
        west, west_values = _within(box._replace(east=180.0))
        east, east_values = _within(box._replace(west=-180.0))
        return f"({west} OR {east})", west_values + east_values
    where = (
        "(c.number IN (SELECT number FROM case_places WHERE east >= ? AND west <= ? AND north >= ? AND south <= ?)"
        " AND c.lon BETWEEN ? AND ? AND c.lat BETWEEN ? AND ?)"
    )
    return where, [box.west, box.east, box.south, box.north, box.west, box.east, box.south, box.north]


def case(row: tuple[Any, ...]) -> Case:
    """A row of `CASES`."""
    number, changed, state, sightings, received_utc, payload, picture_stored, revised, shock_mps2, clock = row
    event = envelope.decode(payload)
    revision = None if revised is None else envelope.decode(revised).data
    assert isinstance(event.data, Observation)
    assert isinstance(revision, Revision | None)
    seen = corrected(event.data, revision)
    return Case(
        number=number,
        changed=changed,
        state=state,
        sightings=sightings,
        vehicle=event.vehicle,
        event=event.id,
        received_utc=received_utc,
        observation=replace(seen, time=dated(seen.time, _clock(clock))),
        picture_stored=bool(picture_stored),
        revision=0 if revision is None else revision.number,
        first_position=event.data.position,
        shock_mps2=shock_mps2,
    )


def stretch(row: tuple[Any, ...]) -> Stretch:
    """A row of number, changed, payload of a coverage and of its clock."""
    number, changed, payload, clock = row
    event = envelope.decode(payload)
    assert isinstance(event.data, Coverage)
    seen = replace(event.data, time=dated(event.data.time, _clock(clock)))
    return Stretch(number=number, changed=changed, vehicle=event.vehicle, coverage=seen)


def ride(row: tuple[Any, ...]) -> Ride:
    """A row of number, changed, payload of a roughness and of its clock."""
    number, changed, payload, clock = row
    event = envelope.decode(payload)
    assert isinstance(event.data, Roughness)
    felt = replace(event.data, time=dated(event.data.time, _clock(clock)))
    return Ride(number=number, changed=changed, vehicle=event.vehicle, roughness=felt)


def _clock(payload: bytes | None) -> Clock | None:
    """The clock of a row."""
    data = None if payload is None else envelope.decode(payload).data
    assert isinstance(data, Clock | None)
    return data


def vehicle(row: tuple[Any, ...]) -> Vehicle:
    """A row of the columns of `Vehicle` as they stand in the table."""
    name, seen_utc, status, health, lon, lat, position_utc = row
    known = None if status is None else _status_decoder.decode(status)
    return Vehicle(
        name=name,
        state="unknown" if known is None else known.state,
        seen_utc=seen_utc,
        software=None if known is None else known.software,
        calibration=None if known is None else known.calibration,
        models=() if known is None else known.models,
        health=None if health is None else _health_decoder.decode(health),
        lon=lon,
        lat=lat,
        position_utc=position_utc,
    )
