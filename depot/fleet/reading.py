# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles and alarms as the tables hold them."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, func, select

from depot.fleet import software
from depot.fleet.alarms import Rule, Signal, default_rule
from depot.fleet.choices import Choice, choices
from depot.fleet.condition import Reading, VehicleState, state_of
from depot.fleet.config import FleetConfig
from depot.fleet.tables import alarm_rules, alarms, readings, vehicle_facts
from depot.store.tables import vehicles
from messages.types import Health, Status

#: Readings of a vehicle that its rates are taken from.
_FEW = 3
_status_decoder = msgspec.json.Decoder(Status)
_health_decoder = msgspec.json.Decoder(Health)


class Alarm(Struct, frozen=True, kw_only=True):
    """An alarm; `ended_utc` None: it goes on. `title`: what is wrong, in German and English."""

    number: int
    vehicle: str
    rule: str
    since_utc: str
    ended_utc: str | None
    raised_at: float
    value: float
    worst: float
    unit: str
    title: dict[str, str]


def states(
    connection: Connection, config: FleetConfig, now_utc: str, name: str | None = None, *, retired: bool = False
) -> list[VehicleState]:
    """All vehicles, or the one of this name, by name; those that are retired only where they are asked for."""
    wanted = select(vehicles).order_by(vehicles.c.name)
    rows = connection.execute(wanted if name is None else wanted.where(vehicles.c.name == name)).all()
    facts = {row.vehicle: row for row in connection.execute(select(vehicle_facts))}
    newest, chosen, known = _newest(connection), choices(connection), software.newest(connection)
    found = []
    for row in rows:
        choice, status, health = chosen.get(row.name, Choice()), status_of(row), health_of(row)
        if choice.retired_utc is not None and not retired:
            continue
        runs = software.heard(known.get(row.name), row.name, status, health, now_utc)
        found.append(
            state_of(
                row, status, health, facts=facts.get(row.name), readings=newest[row.name], runs=runs, choice=choice,
                now_utc=now_utc, online_s=config.online_s,
            )
        )  # fmt: skip
    return found


def note_software(connection: Connection, now_utc: str) -> int:
    """Write down what has changed of what the vehicles run; gives how many rows that made."""
    known = software.newest(connection)
    rows = connection.execute(select(vehicles).order_by(vehicles.c.name)).all()
    heard = [software.heard(known.get(row.name), row.name, status_of(row), health_of(row), now_utc) for row in rows]
    # One that has said nothing of itself yet has no software to write down.
    news = [
        one for one in heard if one is not known.get(one.vehicle) and (one.software is not None or one.update_state)
    ]
    software.note(connection, news)
    return len(news)


def status_of(row: Any) -> Status | None:
    """The status of a row of `vehicles`."""
    return None if row.status is None else _status_decoder.decode(row.status)


def health_of(row: Any) -> Health | None:
    """The health of a row of `vehicles`."""
    return None if row.health is None else _health_decoder.decode(row.health)


def _newest(connection: Connection) -> dict[str, list[Reading]]:
    place = func.row_number().over(partition_by=readings.c.vehicle, order_by=readings.c.utc.desc()).label("place")
    ranked = select(readings, place).subquery()
    found: dict[str, list[Reading]] = defaultdict(list)
    for row in connection.execute(select(ranked).where(ranked.c.place <= _FEW).order_by(ranked.c.place)):
        found[row.vehicle].append(reading_of(row))
    return found


def reading_of(row: Any) -> Reading:
    """A row of `vehicle_readings`."""
    return Reading(
        utc=row.utc,
        boot=row.boot,
        monotonic_s=row.monotonic_s,
        frames=row.frames,
        judged=row.judged,
        throttlings=row.throttlings,
        gauges=json.loads(row.gauges),
    )


def history(connection: Connection, vehicle: str, since_utc: str, limit: int) -> list[Reading]:
    """Readings of a vehicle, newest first."""
    wanted = select(readings).where(readings.c.vehicle == vehicle, readings.c.utc >= since_utc)
    return [reading_of(row) for row in connection.execute(wanted.order_by(readings.c.utc.desc()).limit(limit))]


def rules(connection: Connection, known: dict[str, Signal]) -> dict[str, Rule]:
    """Every signal's rule: as somebody set it, else as it begins."""
    told = {row.name: Rule(**row._mapping) for row in connection.execute(select(alarm_rules))}  # noqa: SLF001
    return {name: told.get(name, default_rule(signal)) for name, signal in known.items()}


def alarms_of(
    connection: Connection,
    known: dict[str, Signal],
    *,
    is_open: bool | None = None,
    vehicle: str | None = None,
    limit: int = 100,
) -> list[Alarm]:
    """Alarms, newest first."""
    wanted = select(alarms).order_by(alarms.c.since_utc.desc(), alarms.c.number.desc()).limit(limit)
    if is_open is not None:
        wanted = wanted.where(alarms.c.ended_utc.is_(None) if is_open else alarms.c.ended_utc.is_not(None))
    if vehicle is not None:
        wanted = wanted.where(alarms.c.vehicle == vehicle)
    return [_alarm(row, known.get(row.rule)) for row in connection.execute(wanted)]


def _alarm(row: Any, signal: Signal | None) -> Alarm:
    return Alarm(
        number=row.number,
        vehicle=row.vehicle,
        rule=row.rule,
        since_utc=row.since_utc,
        ended_utc=row.ended_utc,
        raised_at=row.raised_at,
        value=row.value,
        worst=row.worst,
        unit="" if signal is None else signal.unit,
        title={"de": row.rule, "en": row.rule} if signal is None else {"de": signal.title_de, "en": signal.title_en},
    )
