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

from depot.intake import Accepted, Chunk, Intake, Picture, Refused
from depot.revising import corrected
from depot.store import partial
from messages import envelope
from messages.types import Clock, Coverage, Health, Observation, Revision, Roughness, Status

_TYPE_NAMES = {kind: name for name, kind in envelope.TYPES.items()}
#: Within one session: an unclean end is worse news than a birth, and a clean stop says more than a will.
_RANK = {"online": 0, "offline": 1, "stopped": 2}

#: An observation with the revision that it has and the highest that there is. Of two of one number (a vehicle's
#: mistake) it is the one with the greater id, so that the order of arrival never decides.
_HIGHEST = """
SELECT o.received, o.revision, r.received, seen.payload, better.payload
FROM events seen
JOIN observations o ON o.received = seen.received
JOIN revisions r ON r.source = seen.source AND r.observation = seen.id
JOIN events better ON better.received = r.received
WHERE seen.source = ? AND seen.id = ?
ORDER BY r.number DESC, better.id DESC LIMIT 1
"""

#: What shows something of a boot that came undated.
_SHOWN = "SELECT rowid FROM {table} WHERE {event} IN (SELECT received FROM undated WHERE source = ? AND boot = ?)"

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
            case Chunk():
                self._seen(item.vehicle)
                partial.put(self.connection, item)
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
        source = item.event.source
        match data:
            case Observation(position=position):
                self._open_case(received, data)
                self._correct(source, item.event.id)
                place = None if position is None else (position.lon, position.lat)
                self._position(item.vehicle, place, data.time.utc)
            case Revision():
                self._revision(received, source, data)
            case Coverage(path=path):
                self._coverage(received, data)
                self._position(item.vehicle, path[-1] if path else None, data.time.utc)
            case Roughness():
                self._roughness(received, source, data)
            case Clock():
                self._clock(received, source, data)
        if isinstance(data, Observation | Coverage | Roughness) and data.time.utc is None:
            self.connection.execute("INSERT INTO undated VALUES (?, ?, ?)", (received, source, data.time.boot))

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
        self.connection.execute(
            "INSERT INTO observations (received, case_number, picture) VALUES (?, ?, ?)", (received, number, picture)
        )

    def _revision(self, received: int, source: str, revision: Revision) -> None:
        self.connection.execute(
            "INSERT INTO revisions VALUES (?, ?, ?, ?)", (received, source, revision.observation, revision.number)
        )
        self._next()
        self._correct(source, revision.observation)

    def _correct(self, source: str, observation: str) -> None:
        """Put an observation where its highest revision says, if both are there. Only its own vehicle can move it."""
        row = self.connection.execute(_HIGHEST, (source, observation)).fetchone()
        if row is None or row[1] == row[2]:
            return
        received, _, revision, *payloads = row
        seen, better = (envelope.decode(payload).data for payload in payloads)
        assert isinstance(seen, Observation)
        assert isinstance(better, Revision)
        self.connection.execute("UPDATE observations SET revision = ? WHERE received = ?", (revision, received))
        self._move_case(received, corrected(seen, better))

    def _move_case(self, best: int, seen: Observation) -> None:
        position = seen.position
        lon, lat = (None, None) if position is None else (position.lon, position.lat)
        moved = self.connection.execute(
            "UPDATE cases SET changed = ?, lon = ?, lat = ? WHERE best = ? RETURNING number",
            (self._next(), lon, lat, best),
        ).fetchall()
        for (number,) in moved:
            self.connection.execute("DELETE FROM case_places WHERE number = ?", (number,))
            if position is not None:
                self.connection.execute("INSERT INTO case_places VALUES (?, ?, ?, ?, ?)", (number, lon, lon, lat, lat))

    def _coverage(self, received: int, coverage: Coverage) -> None:
        self.connection.execute("INSERT INTO coverage VALUES (?, ?)", (received, self._next()))
        if coverage.path:
            lons, lats = zip(*coverage.path, strict=True)
            self.connection.execute(
                "INSERT INTO coverage_places VALUES (?, ?, ?, ?, ?)",
                (received, min(lons), max(lons), min(lats), max(lats)),
            )

    def _roughness(self, received: int, source: str, roughness: Roughness) -> None:
        if roughness.sections or roughness.shocks:
            self.connection.execute("INSERT INTO roughness VALUES (?, ?)", (received, self._next()))
        for shock in roughness.shocks:
            if shock.observation is None:
                continue
            self.connection.execute(
                "INSERT INTO shocks VALUES (?, ?, ?, ?)", (received, source, shock.observation, shock.peak_mps2)
            )
            self.connection.execute(
                "UPDATE cases SET changed = ? WHERE best = (SELECT received FROM events WHERE source = ? AND id = ?)",
                (self._next(), source, shock.observation),
            )

    def _clock(self, received: int, source: str, clock: Clock) -> None:
        """What came undated in this boot is shown with its date from now on."""
        boot = (source, clock.time.boot)
        self.connection.execute("INSERT INTO clocks VALUES (?, ?, ?, ?)", (received, *boot, clock.number))
        for table, event in (("cases", "best"), ("coverage", "received"), ("roughness", "received")):
            shown = self.connection.execute(_SHOWN.format(table=table, event=event), boot).fetchall()
            for (row,) in shown:
                self.connection.execute(f"UPDATE {table} SET changed = ? WHERE rowid = ?", (self._next(), row))  # noqa: S608

    def _picture(self, picture: Picture) -> None:
        self._seen(picture.vehicle)
        partial.drop(self.connection, picture.sha256)
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
        if refused.id is not None and refused.vehicle is not None:
            partial.drop(self.connection, refused.id, refused.vehicle)
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

    def _position(self, vehicle: str, place: tuple[float, float] | None, utc: str | None) -> None:
        """The newest place wins; where one of the two times is unknown, the one that came last."""
        if place is None:
            return
        self.connection.execute(
            "UPDATE vehicles SET lon = ?, lat = ?, position_utc = ? WHERE name = ?"
            " AND (position_utc IS NULL OR ? IS NULL OR position_utc <= ?)",
            (*place, utc, vehicle, utc, utc),
        )
