# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What vehicles said about an observation beside itself: a better place, the time, a blow. It may have come first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, select

from depot.cases.board import parts
from depot.cases.records import Sighting, sighting_of
from depot.cases.tables import clocks, revisions, shocks
from depot.store.tables import events, sightings
from messages import envelope
from messages.envelope import Event
from messages.types import Clock, Revision

#: Source and id of an event; vehicle and boot.
Key = tuple[str, str]
_Data = TypeVar("_Data", Revision, Clock)


def read(payload: bytes) -> Event:
    """A stored event. PostgreSQL's text has no NUL, so where a vehicle wrote one, U+FFFD stands in its place.

    Raises:
        MessageError: it is none; ingest stores none such.
    """
    return envelope.decode(payload.replace(rb"\u0000", rb"\ufffd"))


def highest_revisions(connection: Connection, keys: Collection[Key]) -> dict[Key, tuple[int, Revision]]:
    """The revision that holds for each observation that has one, with its number in `events`.

    Of two of one number (a vehicle's mistake) it is the one with the greater id, so that the order of arrival never
    decides.
    """
    best: dict[Key, tuple[int, str, int]] = {}
    for part in parts(keys):
        statement = (
            select(revisions, events.c.id)
            .join(events, events.c.received == revisions.c.received)
            .where(revisions.c.observation.in_({name for _, name in part}))
        )
        for row in connection.execute(statement):
            key = row.source, row.observation
            best[key] = max(best.get(key, (0, "", 0)), (row.number, row.id, row.received))
    wanted = {received: key for key, (_, _, received) in best.items() if key in keys}
    return {wanted[received]: (received, data) for received, data in _read(connection, wanted, Revision)}


def best_clocks(connection: Connection, boots: Collection[Key]) -> dict[Key, Clock]:
    """The clock that holds for each boot (vehicle and boot) that has one."""
    best: dict[Key, tuple[int, int]] = {}
    for part in parts(boots):
        statement = select(clocks).where(clocks.c.boot.in_({boot for _, boot in part}))
        for row in connection.execute(statement):
            key = row.vehicle, row.boot
            best[key] = max(best.get(key, (0, 0)), (row.number, row.received))
    wanted = {received: key for key, (_, received) in best.items() if key in boots}
    return {wanted[received]: data for received, data in _read(connection, wanted, Clock)}


def hardest_shocks(connection: Connection, keys: Collection[Key]) -> dict[Key, float]:
    """The hardest blow at the place of each observation that has one, m/s^2."""
    found: dict[Key, float] = {}
    for part in parts(keys):
        statement = select(shocks).where(shocks.c.observation.in_({name for _, name in part}))
        for row in connection.execute(statement):
            key = row.source, row.observation
            found[key] = max(found.get(key, 0.0), row.peak_mps2)
    return {key: peak for key, peak in found.items() if key in keys}


def of_keys(keys: Collection[Key]) -> Iterator[ColumnElement[bool]]:
    """Conditions on `events`, each for some of the keys."""
    by_source: dict[str, list[str]] = defaultdict(list)
    for source, name in sorted(keys):
        by_source[source].append(name)
    for source, names in by_source.items():
        for part in parts(names):
            yield and_(events.c.source == source, events.c.id.in_(part))


def stored(connection: Connection, condition: ColumnElement[bool]) -> list[tuple[Sighting, Event]]:
    """Sightings with the events that they come from, by a condition on either."""
    joined = sightings.join(events, events.c.received == sightings.c.received)
    found = [sighting_of(row) for row in connection.execute(select(sightings).select_from(joined).where(condition))]
    payloads: dict[int, bytes] = {}
    for part in parts([one.received for one in found]):
        rows = connection.execute(select(events.c.received, events.c.payload).where(events.c.received.in_(part)))
        payloads.update((row.received, row.payload) for row in rows)
    return [(one, read(payloads[one.received])) for one in found if one.received is not None]


def _read(connection: Connection, received: Collection[int], kind: type[_Data]) -> Iterator[tuple[int, _Data]]:
    for part in parts(received):
        for row in connection.execute(select(events.c.received, events.c.payload).where(events.c.received.in_(part))):
            data = read(row.payload).data
            if isinstance(data, kind):
                yield row.received, data
