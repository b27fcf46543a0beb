# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How a vehicle is, in named values, from its status, its health and its events. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from depot.fleet.choices import Choice
from depot.fleet.software import Software
from depot.roads.projections import moment
from messages.types import Health, Status

#: Readings nearer than this give no rate.
_SHORTEST_S = 15.0
#: A report of health is news for so long, seconds.
_FRESH_S = 600.0
_MOVING_MPS = 1.0
#: Where events wait for longer, the last place says nothing of the fixes.
_QUICK_S = 60.0
#: What the gauge `fix_quality` counts.
_FIX_QUALITIES = ("dead_reckoning", "autonomous", "differential", "rtk_float", "rtk_fixed")


@dataclass(frozen=True)
class Aim:
    """The release that all vehicles are to run since `since_utc`; `newer`: releases that count as later than it."""

    release: str
    since_utc: str
    newer: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reading:
    """A report of health that is kept for a while."""

    utc: str
    boot: str
    monotonic_s: float
    frames: int | None
    judged: int | None
    throttlings: int | None
    gauges: dict[str, float]


class VehicleState(Struct, frozen=True, kw_only=True):
    """A vehicle now; None: not known. `*_age_s`, `silent_s`: by the depot's clock.

    `queue_age_s`: so long the oldest event waits there, or at most so long where the vehicle does not tell; 0: none
    waits. `throttled`: it looks less often, or its processor slowed itself down since the reading before.
    `last_error`: the first of its faults. `release`, `update_*`: see `depot.fleet.software`. `system_*`: what the
    update of its operating system is at. `retired_utc`: nobody waits for it any more.
    """

    vehicle: str
    state: Literal["online", "stopped", "offline", "unknown"]
    online: bool
    seen_utc: str | None
    silent_s: float | None
    lon: float | None
    lat: float | None
    position_utc: str | None
    position_age_s: float | None
    position_error_m: float | None
    fix_method: str | None
    fix_quality: str | None
    time_quality: str | None
    speed_mps: float | None
    temperature_c: float | None
    throttled: bool | None
    pace_share: float | None
    disk_free_mb: float | None
    memory_peak_mb: float | None
    supply_v: float | None
    events_pending: int | None
    pictures_pending: int | None
    queue_age_s: float | None
    events_lost: int | None
    frame_rate_fps: float | None
    judged_rate_fps: float | None
    health_utc: str | None
    health_age_s: float | None
    software: str | None
    calibration: str | None
    models: tuple[str, ...]
    release: str | None
    release_since_utc: str | None
    update_release: str | None
    update_state: str | None
    update_reason: str | None
    update_attempts: int | None
    update_since_utc: str | None
    update_noted_utc: str | None
    system_version: str | None
    system_state: str | None
    system_reason: str | None
    group: str
    retired_utc: str | None
    last_error: str | None
    faults: tuple[str, ...]
    counters: dict[str, int]
    gauges: dict[str, float]


def state_of(
    row: Any, status: Status | None, health: Health | None, *, facts: Any, readings: Sequence[Reading],
    runs: Software, choice: Choice, now_utc: str, online_s: float,
) -> VehicleState:  # fmt: skip
    """The state of a vehicle.

    Args:
        row: of the table `vehicles`.
        status: its newest.
        health: its newest.
        facts: row of `vehicle_facts`, or None.
        readings: those kept of it, newest first.
        runs: its software, with what it says now.
        choice: what people decided about it.
        now_utc: the depot's clock.
        online_s: after so many seconds without a word it counts as away.
    """
    gauges = {} if health is None else health.gauges
    counters = {} if health is None else health.counters
    silent_s = age_s(row.seen_utc, now_utc)
    state = "unknown" if status is None else status.state
    before = None if health is None else _before(health, readings)
    faults = () if health is None else health.faults
    system = None if health is None else health.system
    return VehicleState(
        vehicle=row.name,
        state=state,
        online=state in ("online", "unknown") and silent_s is not None and silent_s <= online_s,
        seen_utc=row.seen_utc,
        silent_s=silent_s,
        lon=row.lon,
        lat=row.lat,
        position_utc=row.position_utc,
        position_age_s=age_s(row.position_utc, now_utc),
        position_error_m=gauges.get("position_error_m"),
        fix_method=None if facts is None else facts.fix_method,
        fix_quality=_fix_quality(gauges, facts),
        time_quality=_time_quality(health, facts),
        speed_mps=gauges.get("speed_mps"),
        temperature_c=gauges.get("temperature_c"),
        throttled=_throttled(gauges, counters, before),
        pace_share=gauges.get("pace_share"),
        disk_free_mb=gauges.get("disk_free_mb"),
        memory_peak_mb=gauges.get("memory_peak_mb"),
        supply_v=gauges.get("supply_v"),
        events_pending=counters.get("events_pending"),
        pictures_pending=counters.get("pictures_pending"),
        queue_age_s=gauges.get("queue_age_s", _queue_age_s(counters, facts, now_utc)),
        events_lost=counters.get("outbox_lost"),
        frame_rate_fps=_rate(health, "frames_seen", before, None if before is None else before.frames),
        judged_rate_fps=_rate(health, "frames_judged", before, None if before is None else before.judged),
        health_utc=row.health_utc,
        health_age_s=age_s(row.health_utc, now_utc),
        software=None if status is None else status.software,
        calibration=None if status is None else status.calibration,
        models=runs.models,
        release=runs.release,
        release_since_utc=runs.release_since_utc,
        update_release=runs.update_release,
        update_state=runs.update_state,
        update_reason=runs.update_reason,
        update_attempts=runs.update_attempts,
        update_since_utc=runs.update_since_utc,
        update_noted_utc=runs.update_noted_utc,
        system_version=None if system is None else system.version or None,
        system_state=None if system is None else system.state,
        system_reason=None if system is None else system.reason or None,
        group=choice.group,
        retired_utc=choice.retired_utc,
        last_error=faults[0] if faults else None,
        faults=faults,
        counters=counters,
        gauges=gauges,
    )


def age_s(utc: str | None, now_utc: str) -> float | None:
    """Seconds since then, never below 0."""
    then, now = moment(utc), moment(now_utc)
    return None if then is None or now is None else round(max((now - then).total_seconds(), 0.0), 1)


def _before(health: Health, readings: Sequence[Reading]) -> Reading | None:
    """The newest reading of the same run that lies far enough back."""
    for reading in readings:
        if reading.boot == health.time.boot and health.time.monotonic_s - reading.monotonic_s >= _SHORTEST_S:
            return reading
    return None


def _rate(health: Health | None, counter: str, before: Reading | None, count: int | None) -> float | None:
    if health is None or before is None or count is None or counter not in health.counters:
        return None
    more = health.counters[counter] - count
    return round(more / (health.time.monotonic_s - before.monotonic_s), 2) if more >= 0 else None


def _throttled(gauges: dict[str, float], counters: dict[str, int], before: Reading | None) -> bool | None:
    if "pace_share" not in gauges:
        return None
    known = None if before is None else before.throttlings
    return gauges["pace_share"] < 1.0 or (known is not None and counters.get("throttlings", 0) > known)


def _queue_age_s(counters: dict[str, int], facts: Any, now_utc: str) -> float | None:
    """A vehicle sends its oldest event first: what still waits is newer than the newest that came."""
    pending = counters.get("events_pending")
    if not pending:
        return None if pending is None else 0.0
    return None if facts is None else age_s(facts.event_utc, now_utc)


def _fix_quality(gauges: dict[str, float], facts: Any) -> str | None:
    """As the receiver says now, where the vehicle tells; else as it was at the newest observation."""
    told = gauges.get("fix_quality", -1.0)
    if told in range(len(_FIX_QUALITIES)):
        return _FIX_QUALITIES[int(told)]
    return None if facts is None else facts.fix_quality


def _time_quality(health: Health | None, facts: Any) -> str | None:
    if health is not None:
        return health.time.quality
    return None if facts is None else facts.time_quality


def values(state: VehicleState, now_utc: str, aim: Aim | None = None) -> dict[str, float | None]:
    """What each signal of `depot.fleet.alarms` is now; None where nothing new is known."""
    fresh = state.health_age_s is not None and state.health_age_s <= _FRESH_S and state.state != "stopped"
    moving = state.speed_mps is not None and state.speed_mps > _MOVING_MPS
    known: dict[str, float | None] = {
        "position_age": state.position_age_s if moving and (state.queue_age_s or 0.0) < _QUICK_S else 0.0,
        "position_error": state.position_error_m,
        "temperature": state.temperature_c,
        "throttled": state.pace_share,
        "disk": state.disk_free_mb,
        "queue_age": state.queue_age_s,
        "frame_rate": state.frame_rate_fps,
        "lost": state.events_lost,
        "faults": float(len(state.faults)),
    }
    found = {name: value if fresh else None for name, value in known.items()}
    # One that has said goodbye is not silent. What its updater said last holds, whether it is heard or not.
    silent_s = 0.0 if state.state == "stopped" else state.silent_s
    return {"offline": silent_s, **found, **_of_updates(state, now_utc, aim)}


def _of_updates(state: VehicleState, now_utc: str, aim: Aim | None) -> dict[str, float | None]:
    waits = state.update_state in ("staged", "pending")
    waiting_s = age_s(state.update_since_utc, now_utc) if waits else None
    is_behind = aim is not None and state.release not in {None, aim.release, *aim.newer}
    behind_s = age_s(aim.since_utc, now_utc) if aim is not None and is_behind else None
    return {
        "update_failed": float(state.update_state == "failed"),
        "update_waits": (waiting_s or 0.0) / 3600,
        "update_behind": (behind_s or 0.0) / 86_400,
    }
