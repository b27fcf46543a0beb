# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How one judged message changes the SQLite tables, inside the transaction of its batch.

First cut: each observation opens a case of its own. Joining the observations of several passes to one case
is a later part; `_open_case` is the one place that it replaces.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import msgspec

from depot.intake import Accepted, Intake, Picture, Refused
from messages import envelope
from messages.types import Coverage, Health, Observation, Status

_TYPE_NAMES = {kind: name for name, kind in envelope.TYPES.items()}
#: Within one session: an unclean end is worse news than a birth, and a clean stop says more than a will.
_RANK = {"online": 0, "offline": 1, "stopped": 2}

_status_decoder = msgspec.json.Decoder(Status)
_health_decoder = msgspec.json.Decoder(Health)


@dataclass
class Writer:
    """Applies messages. `now_utc` is the depot's clock.

    `sequence` is the number of the last change. Each changed row takes the next one for itself, so that a reader
    who asks for "what changed after N" page by page misses nothing.
    """

    connection: sqlite3.Connection
    sequence: int
    now_utc: str

    def apply(self, item: Intake) -> None:
        """Store one item; what is there already stays as it is."""
        match item:
            case Picture():
                self._picture(item)
            case Refused():
                self._refused(item)
            case Accepted():
                self._event(item)

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    def _event(self, item: Accepted) -> None:
        data = item.event.data
        if isinstance(data, Status):
            self._status(item.vehicle, data)
            return
        self._seen(item.vehicle)
        if isinstance(data, Health):
            self._health(item.vehicle, data)
            return
        received = self._insert_event(item)
        if received is None:
            return
        if isinstance(data, Observation):
            self._open_case(received, data)
            place = None if data.position is None else (data.position.lon, data.position.lat)
        else:
            assert isinstance(data, Coverage)
            self._coverage(received, data)
            place = data.path[-1] if data.path else None
        if place is not None:
            self._position(item.vehicle, place, data.time.utc)

    def _insert_event(self, item: Accepted) -> int | None:
        """The number of a new event; None where it was stored before."""
        event = item.event
        row = self.connection.execute(
            "INSERT INTO events (source, id, type, received_utc, payload) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING RETURNING received",
            (event.source, event.id, _TYPE_NAMES[type(event.data)], self.now_utc, item.payload),
        ).fetchone()
        return None if row is None else int(row[0])

    def _open_case(self, received: int, observation: Observation) -> None:
        position = observation.position
        lon, lat = (None, None) if position is None else (position.lon, position.lat)
        number = self.connection.execute(
            "INSERT INTO cases (changed, state, class, sightings, best, lon, lat) VALUES (?, 'new', ?, 1, ?, ?, ?)",
            (self._next(), observation.defect_class, received, lon, lat),
        ).lastrowid
        if position is not None:
            self.connection.execute("INSERT INTO case_places VALUES (?, ?, ?, ?, ?)", (number, lon, lon, lat, lat))
        picture = None if observation.picture is None else observation.picture.sha256
        self.connection.execute("INSERT INTO observations VALUES (?, ?, ?)", (received, number, picture))

    def _coverage(self, received: int, coverage: Coverage) -> None:
        self.connection.execute("INSERT INTO coverage VALUES (?, ?)", (received, self._next()))
        if coverage.path:
            lons, lats = zip(*coverage.path, strict=True)
            self.connection.execute(
                "INSERT INTO coverage_places VALUES (?, ?, ?, ?, ?)",
                (received, min(lons), max(lons), min(lats), max(lats)),
            )

    def _picture(self, picture: Picture) -> None:
        self._seen(picture.vehicle)
        new = self.connection.execute(
            "INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (picture.sha256, picture.vehicle, len(picture.content), picture.width, picture.height, self.now_utc),
        )
        if new.rowcount == 0:
            return
        self._next()
        shown_in = self.connection.execute(
            "SELECT DISTINCT case_number FROM observations WHERE picture = ?", (picture.sha256,)
        ).fetchall()
        for (number,) in shown_in:
            self.connection.execute("UPDATE cases SET changed = ? WHERE number = ?", (self._next(), number))

    def _refused(self, refused: Refused) -> None:
        self._next()
        self.connection.execute(
            "INSERT INTO refused VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", (refused.reason,)
        )

    def _seen(self, vehicle: str) -> None:
        self.connection.execute(
            "INSERT INTO vehicles (name, seen_utc) VALUES (?, ?)"
            " ON CONFLICT DO UPDATE SET seen_utc = excluded.seen_utc",
            (vehicle, self.now_utc),
        )

    def _status(self, vehicle: str, status: Status) -> None:
        """Take over a status unless it is old: a retained message again, the late will of an earlier session."""
        row = self.connection.execute("SELECT status FROM vehicles WHERE name = ?", (vehicle,)).fetchone()
        known = None if row is None or row[0] is None else _status_decoder.decode(row[0])
        if known is not None and not self._is_news(vehicle, known, status):
            return
        self._next()
        self.connection.execute(
            "INSERT INTO vehicles (name, status) VALUES (?, ?) ON CONFLICT DO UPDATE SET status = excluded.status",
            (vehicle, msgspec.json.encode(status)),
        )
        self.connection.execute("INSERT INTO boots VALUES (?, ?) ON CONFLICT DO NOTHING", (vehicle, status.boot))
        if status.state != "offline":  # that one comes from the broker, not from the vehicle
            self._seen(vehicle)

    def _is_news(self, vehicle: str, known: Status, status: Status) -> bool:
        if status.boot == known.boot:
            return (status.session, _RANK[status.state]) > (known.session, _RANK[known.state])
        earlier = self.connection.execute("SELECT 1 FROM boots WHERE vehicle = ? AND boot = ?", (vehicle, status.boot))
        return earlier.fetchone() is None

    def _health(self, vehicle: str, health: Health) -> None:
        row = self.connection.execute("SELECT health FROM vehicles WHERE name = ?", (vehicle,)).fetchone()
        known = None if row[0] is None else _health_decoder.decode(row[0]).time
        if known is not None and known.boot == health.time.boot and known.monotonic_s > health.time.monotonic_s:
            return
        self._next()
        self.connection.execute("UPDATE vehicles SET health = ? WHERE name = ?", (msgspec.json.encode(health), vehicle))

    def _position(self, vehicle: str, place: tuple[float, float], utc: str | None) -> None:
        """The newest place wins; where one of the two times is unknown, the one that came last."""
        self.connection.execute(
            "UPDATE vehicles SET lon = ?, lat = ?, position_utc = ? WHERE name = ?"
            " AND (position_utc IS NULL OR ? IS NULL OR position_utc <= ?)",
            (*place, utc, vehicle, utc, utc),
        )
