# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Looks at every vehicle from time to time: keeps a reading of its health and what it runs, raises and ends alarms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from depot.fleet import reading
from depot.fleet.alarms import DEPOT, Rule, Signal, State, signals, step
from depot.fleet.choices import bring_back
from depot.fleet.condition import Aim, age_s, values
from depot.fleet.config import FleetConfig
from depot.fleet.tables import alarm_states, alarms, readings
from depot.roads.projections import moment
from depot.store.database import Change, Database
from depot.store.tables import vehicles

#: A reading of health is kept once in so many seconds.
_EVERY_S = 60.0
_GAUGES = ("temperature_c", "disk_free_mb", "position_error_m", "speed_mps", "pace_share", "memory_peak_mb", "supply_v")
#: The depot's own signals; where there is no repository, none expires.
_OF_DEPOT = ("repository", "repository_keys")
_FOR_EVER_DAYS = 36_500.0


@dataclass(frozen=True)
class Aims:
    """What the roll-outs want. `depot`: values of the depot's own signals, where there is a repository."""

    aim: Aim | None = None
    depot: Mapping[str, float] = field(default_factory=dict)


class FleetWatch:
    """`run_once` is to be called every few seconds; several processes may have one each."""

    def __init__(
        self,
        database: Database,
        config: FleetConfig | None = None,
        aims: Callable[[Connection, str], Aims] = lambda _connection, _now_utc: Aims(),
    ) -> None:
        """`aims` reads what the roll-outs want, at a time of the depot's clock."""
        self._database = database
        self._config = config or FleetConfig()
        self._aims = aims
        self._signals = {signal.name: signal for signal in signals(self._config)}

    def run_once(self) -> int:
        """Look at all vehicles; gives how many alarms began or ended. Raises StoreError."""
        now_utc = self._database.now_utc()
        with self._database.changing() as change:
            # What the vehicles are now must be read after the lock: another process may have looked meanwhile.
            connection = change.connection
            bring_back(change)
            if reading.note_software(connection, now_utc):
                change.next()
            aims, rules = self._aims(connection, now_utc), reading.rules(connection, self._signals)
            looks: dict[str, dict[str, float | None]] = {
                DEPOT: {name: aims.depot.get(name, _FOR_EVER_DAYS) for name in _OF_DEPOT}
            }
            for state in reading.states(connection, self._config, now_utc, retired=True):
                if state.retired_utc is None:
                    looks[state.vehicle] = values(state, now_utc, aims.aim)
                else:
                    _end(change, state.vehicle, now_utc)
            changed = sum(self._look(change, name, found, rules, now_utc) for name, found in looks.items())
            _keep(connection, now_utc, self._config.readings_h)
        return changed

    def _look(
        self, change: Change, subject: str, found: Mapping[str, float | None], rules: dict[str, Rule], now_utc: str
    ) -> int:
        known = _states(change.connection, subject)
        changed = 0
        for name, value in found.items():
            state, alarm = known.get(name, (State(), None))
            after = step(state, rules[name], self._signals[name], value, now_utc)
            if alarm is not None and value is not None:
                _note(change.connection, alarm, value, self._signals[name])
            if after == state:
                continue
            if after.is_raised and alarm is None:
                alarm = _raise(change, subject, rules[name], after, value)
                changed += 1
            elif alarm is not None and not after.is_raised:
                ended = {"ended_utc": now_utc, "changed": change.next()}
                change.connection.execute(update(alarms).where(alarms.c.number == alarm).values(**ended))
                alarm, changed = None, changed + 1
            _put(change.connection, subject, name, after, alarm)
        return changed


def _end(change: Change, vehicle: str, now_utc: str) -> None:
    """Nobody waits for it any more: its alarms end, and where its rules stood is forgotten."""
    goes_on = (alarms.c.vehicle == vehicle) & alarms.c.ended_utc.is_(None)
    for number in change.connection.scalars(select(alarms.c.number).where(goes_on)).all():
        ended = {"ended_utc": now_utc, "changed": change.next()}
        change.connection.execute(update(alarms).where(alarms.c.number == number).values(**ended))
    change.connection.execute(delete(alarm_states).where(alarm_states.c.vehicle == vehicle))


def _states(connection: Connection, vehicle: str) -> dict[str, tuple[State, int | None]]:
    rows = connection.execute(select(alarm_states).where(alarm_states.c.vehicle == vehicle))
    return {row.rule: (State(row.phase, row.since_utc), row.alarm) for row in rows}


def _raise(change: Change, vehicle: str, rule: Rule, state: State, value: float | None) -> int:
    row: dict[str, Any] = {
        "changed": change.next(),
        "vehicle": vehicle,
        "rule": rule.name,
        "since_utc": state.since_utc,
        "raised_at": rule.raise_at,
        "value": value,
        "worst": value,
    }
    return int(change.connection.execute(insert(alarms).values(**row).returning(alarms.c.number)).scalar_one())


def _note(connection: Connection, alarm: int, value: float, signal: Signal) -> None:
    """An alarm that goes on: its value now, and the worst of all."""
    worse = alarms.c.worst < value if signal.bad == "above" else alarms.c.worst > value
    connection.execute(update(alarms).where(alarms.c.number == alarm, alarms.c.value != value).values(value=value))
    connection.execute(update(alarms).where(alarms.c.number == alarm, worse).values(worst=value))


def _put(connection: Connection, vehicle: str, rule: str, state: State, alarm: int | None) -> None:
    connection.execute(delete(alarm_states).where(alarm_states.c.vehicle == vehicle, alarm_states.c.rule == rule))
    if state.phase != "quiet":
        row = {"vehicle": vehicle, "rule": rule, "phase": state.phase, "since_utc": state.since_utc, "alarm": alarm}
        connection.execute(insert(alarm_states).values(**row))


def _keep(connection: Connection, now_utc: str, hours: int) -> None:
    """Keep what the newest health of each vehicle says, and forget what is old."""
    last = dict(
        connection.execute(select(readings.c.vehicle, func.max(readings.c.utc)).group_by(readings.c.vehicle)).all()
    )
    for row in connection.execute(select(vehicles).where(vehicles.c.health_utc.is_not(None))).all():
        age = age_s(last.get(row.name), row.health_utc)
        if row.name in last and (row.health_utc <= last[row.name] or (age is not None and age < _EVERY_S)):
            continue
        health = reading.health_of(row)
        assert health is not None
        connection.execute(
            insert(readings).values(
                vehicle=row.name,
                utc=row.health_utc,
                boot=health.time.boot,
                monotonic_s=health.time.monotonic_s,
                gauges=json.dumps({name: health.gauges[name] for name in _GAUGES if name in health.gauges}),
                frames=health.counters.get("frames_seen"),
                judged=health.counters.get("frames_judged"),
                throttlings=health.counters.get("throttlings"),
            )
        )
    now = moment(now_utc)
    if now is not None:
        oldest = (now - timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        connection.execute(delete(readings).where(readings.c.utc < oldest))
