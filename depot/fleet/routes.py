# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Routes of the fleet: vehicles as they are now, alarms and their thresholds."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, TypeAlias

import msgspec
from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, insert

from depot.fleet import reading, software, software_routes
from depot.fleet.alarms import Rule, Signal, problem, signals
from depot.fleet.condition import VehicleState
from depot.fleet.config import FleetConfig
from depot.fleet.tables import alarm_rules
from depot.people import audit
from depot.people.guard import Person, allow
from depot.roads.answers import GEOJSON, Named, Word, described, json
from depot.roads.projections import moment
from depot.services import Services
from depot.store.database import Database

Viewer: TypeAlias = Annotated[Person, allow("fleet")]
_MOST_READINGS = 3000


class NewRule(BaseModel):
    """Thresholds of one rule."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=40)
    enabled: bool = True
    raise_at: float = Field(ge=-1e9, le=1e9, allow_inf_nan=False)
    clear_at: float = Field(ge=-1e9, le=1e9, allow_inf_nan=False)
    for_s: int = Field(default=0, ge=0, le=86_400)


class NewRules(BaseModel):
    """Rules to set; one that is not named goes back to its defaults."""

    model_config = ConfigDict(extra="forbid")
    rules: list[NewRule] = Field(max_length=50)


def router(services: Services, config: FleetConfig | None = None) -> APIRouter:
    """`/api/vehicles`, `/api/fleet`, `/api/alarms`."""
    config = config or FleetConfig()
    known = {signal.name: signal for signal in signals(config)}
    made = APIRouter(tags=["fleet"])
    _add_vehicles(made, services.database, config, known)
    software_routes.add(made, services.database, config)
    _add_alarms(made, services.database, known)
    _add_rules(made, services.database, known)
    return made


def _add_vehicles(made: APIRouter, database: Database, config: FleetConfig, known: dict[str, Signal]) -> None:
    @made.get("/api/vehicles", responses=described("vehicles as points", GEOJSON))
    def vehicles(
        _person: Viewer, retired: Annotated[bool, Query(description="with those that are retired")] = False
    ) -> Response:
        """Vehicles where they were last, with how they are. `alarms`: the rules that are raised."""
        with database.reading() as connection:
            found = reading.states(connection, config, database.now_utc(), retired=retired)
            raised = reading.alarms_of(connection, known, is_open=True, limit=10_000)
        by_vehicle: dict[str, list[str]] = {}
        for alarm in raised:
            by_vehicle.setdefault(alarm.vehicle, []).append(alarm.rule)
        features = [vehicle_feature(state, sorted(by_vehicle.get(state.vehicle, []))) for state in found]
        return json({"type": "FeatureCollection", "features": features}, GEOJSON)

    @made.get("/api/vehicles/{name}", responses=described("a vehicle", "application/json", 404))
    def vehicle(
        _person: Viewer, name: Named, hours: Annotated[int, Query(ge=1, le=720, description="of readings")] = 24
    ) -> Response:
        """A vehicle with its readings, newest first, its last alarms and changes of its software."""
        now_utc = database.now_utc()
        now = moment(now_utc)
        since_utc = "" if now is None else (now - timedelta(hours=hours)).isoformat(timespec="milliseconds")
        with database.reading() as connection:
            found = reading.states(connection, config, now_utc, name, retired=True)
            if not found:
                raise HTTPException(404, "no such vehicle")
            told = reading.history(connection, name, since_utc, _MOST_READINGS)
            raised = reading.alarms_of(connection, known, vehicle=name, limit=50)
            changes = software.history(connection, name, limit=50)
        readings = [{"utc": each.utc, "frames_seen": each.frames, **each.gauges} for each in told]
        return json({**msgspec.structs.asdict(found[0]), "readings": readings, "alarms": raised, "changes": changes})


def vehicle_feature(state: VehicleState, raised: list[str]) -> dict[str, Any]:
    """A vehicle as GeoJSON; its geometry is null where no place of it is known."""
    known = state.lon is not None and state.lat is not None
    properties = {name: value for name, value in msgspec.structs.asdict(state).items() if name not in ("lon", "lat")}
    return {
        "type": "Feature",
        "id": state.vehicle,
        "geometry": {"type": "Point", "coordinates": [state.lon, state.lat]} if known else None,
        "properties": {**properties, "alarms": raised},
    }


def _add_alarms(made: APIRouter, database: Database, known: dict[str, Signal]) -> None:
    @made.get("/api/alarms", responses=described("alarms", "application/json"))
    def alarms(
        _person: Viewer,
        is_open: Annotated[
            bool | None, Query(alias="open", description="true: those that go on; false: those that ended")
        ] = None,
        vehicle: Word | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Alarms, newest first."""
        with database.reading() as connection:
            found = reading.alarms_of(connection, known, is_open=is_open, vehicle=vehicle, limit=limit)
        return json({"alarms": found})


def _add_rules(made: APIRouter, database: Database, known: dict[str, Signal]) -> None:
    @made.get("/api/alarms/rules", responses=described("rules", "application/json"))
    def rules(_person: Viewer) -> Response:
        """Rules with their thresholds and what they begin with."""
        with database.reading() as connection:
            found = reading.rules(connection, known)
        return json({"rules": [_shown(rule, known[name]) for name, rule in found.items()]})

    @made.put("/api/alarms/rules", responses=described("rules", "application/json"))
    def set_rules(person: Annotated[Person, allow("manage")], wanted: NewRules) -> Response:
        """Set thresholds. `clear_at` must not lie beyond `raise_at`: between them an alarm neither begins nor ends."""
        told = [Rule(**rule.model_dump()) for rule in wanted.rules]
        wrong = problem(told, known)
        if wrong is not None:
            raise HTTPException(422, wrong)
        with database.changing() as change:
            before = reading.rules(change.connection, known)
            change.connection.execute(delete(alarm_rules))
            if told:
                change.connection.execute(insert(alarm_rules), [msgspec.structs.asdict(rule) for rule in told])
            after = reading.rules(change.connection, known)
            if after != before:
                audit.record(
                    change.connection,
                    utc=change.now_utc,
                    who=person.name,
                    action="set",
                    kind="alarms",
                    subject="rules",
                    before=list(before.values()),
                    after=list(after.values()),
                )
                change.next()
        return json({"rules": [_shown(rule, known[name]) for name, rule in after.items()]})


def _shown(rule: Rule, signal: Signal) -> dict[str, Any]:
    default = {"raise_at": signal.raise_at, "clear_at": signal.clear_at, "for_s": signal.for_s}
    title = {"de": signal.title_de, "en": signal.title_en}
    return {**msgspec.structs.asdict(rule), "unit": signal.unit, "bad": signal.bad, "title": title, "default": default}
