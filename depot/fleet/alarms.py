# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The rules of alarms and how one comes and goes. Nothing here touches the database.

An alarm begins where its value has been beyond `raise_at` for `for_s` seconds, and ends where it has been within
`clear_at` for as long. Between the two thresholds nothing changes, so a value that trembles raises one alarm, not a
hundred. A value that is not known (the vehicle is silent) changes nothing either: no news is neither good nor bad.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from depot.fleet.config import FleetConfig

Phase = Literal["quiet", "rising", "raised", "falling"]
#: Whose alarms those of the depot itself are: no vehicle has that name.
DEPOT = "depot"


@dataclass(frozen=True)
class Signal:
    """What a rule looks at. `bad`: on which side of the threshold a value is bad."""

    name: str
    unit: str
    bad: Literal["above", "below"]
    raise_at: float
    clear_at: float
    for_s: int
    title_de: str
    title_en: str


class Rule(Struct, frozen=True, kw_only=True):
    """Thresholds of one signal."""

    name: str
    enabled: bool
    raise_at: float
    clear_at: float
    for_s: int


@dataclass(frozen=True)
class State:
    """Where a rule stands for a vehicle, and since when."""

    phase: Phase = "quiet"
    since_utc: str | None = None

    @property
    def is_raised(self) -> bool:
        """Whether the alarm is on."""
        return self.phase in ("raised", "falling")


def signals(config: FleetConfig) -> tuple[Signal, ...]:
    """All that can be watched."""
    c = config
    return (
        Signal("offline", "s", "above", c.offline_s, c.offline_s / 5, 0, "meldet sich nicht", "is silent"),
        Signal(
            "position_age",
            "s",
            "above",
            c.position_age_s,
            c.position_age_s / 4,
            0,
            "fährt ohne Ort",
            "moves without a place",
        ),
        Signal(
            "position_error",
            "m",
            "above",
            c.position_error_m,
            c.position_error_m / 2,
            120,
            "Ort ungenau",
            "place uncertain",
        ),
        Signal("temperature", "°C", "above", c.temperature_c, c.temperature_c - 5, 60, "zu heiß", "too hot"),
        Signal("throttled", "", "below", 0.99, 1.0, 60, "wegen Hitze langsamer", "slowed down by heat"),
        Signal("disk", "MB", "below", c.disk_free_mb, 2 * c.disk_free_mb, 60, "Speicher knapp", "disk nearly full"),
        Signal(
            "queue_age", "s", "above", c.queue_age_s, c.queue_age_s / 6, 0, "Meldungen stauen sich", "events pile up"
        ),
        Signal(
            "frame_rate",
            "1/s",
            "below",
            c.frame_rate_fps,
            2 * c.frame_rate_fps,
            120,
            "zu wenige Bilder",
            "too few frames",
        ),
        Signal("lost", "", "above", 0.5, 0.5, 0, "Meldungen verloren", "events lost"),
        Signal("faults", "", "above", 0.5, 0.5, 120, "meldet Fehler", "reports faults"),
        *_of_updates(config),
    )


def _of_updates(config: FleetConfig) -> tuple[Signal, ...]:
    """What the vehicles' updaters say, and what the depot's own repository does (alarms of `DEPOT`)."""
    c = config
    return (
        Signal("update_failed", "", "above", 0.5, 0.5, 0, "Update gescheitert", "update failed"),
        Signal(
            "update_waits", "h", "above", c.update_waits_h, c.update_waits_h, 0,
            "Update wird nicht fertig", "update does not end",
        ),
        Signal(
            "update_behind", "d", "above", c.update_behind_days, c.update_behind_days, 0,
            "läuft mit altem Stand", "runs an old release",
        ),
        Signal(
            "repository", "d", "below", c.repository_days, c.repository_days, 0,
            "Update-Ablage wird nicht mehr aufgefrischt", "update repository is not kept fresh",
        ),
        Signal(
            "repository_keys", "d", "below", c.repository_keys_days, c.repository_keys_days, 0,
            "Unterschriften der Schlüssel im Tresor laufen ab", "signatures of the keys in the safe expire",
        ),
    )  # fmt: skip


def default_rule(signal: Signal) -> Rule:
    """The rule of a signal where nobody set one."""
    return Rule(name=signal.name, enabled=True, raise_at=signal.raise_at, clear_at=signal.clear_at, for_s=signal.for_s)


def problem(rules: Iterable[Rule], known: dict[str, Signal]) -> str | None:
    """What is wrong with rules that somebody sets; None where they can be."""
    names = set()
    for rule in rules:
        signal = known.get(rule.name)
        if signal is None:
            return f"rules: {rule.name[:40]!r} is not known; {', '.join(known)} are"
        if rule.name in names:
            return f"rules: {rule.name} stands twice"
        names.add(rule.name)
        if _beyond(signal, rule.clear_at, rule.raise_at):
            return (
                f"rules: {rule.name}: clear_at {rule.clear_at:g} must not lie {signal.bad} raise_at {rule.raise_at:g}"
            )
    return None


def step(state: State, rule: Rule, signal: Signal, value: float | None, now_utc: str) -> State:
    """The state after one look."""
    if not rule.enabled:
        return State()
    if value is None:
        return state
    bad, good = _beyond(signal, value, rule.raise_at), not _beyond(signal, value, rule.clear_at)
    if not state.is_raised:
        return _towards(state, "rising", "raised", rule.for_s, now_utc) if bad else State()
    if good:
        return _towards(state, "falling", "quiet", rule.for_s, now_utc)
    return state if state.phase == "raised" else replace(state, phase="raised")


def _beyond(signal: Signal, value: float, threshold: float) -> bool:
    return value > threshold if signal.bad == "above" else value < threshold


def _towards(state: State, waiting: Phase, reached: Phase, for_s: int, now_utc: str) -> State:
    since_utc = state.since_utc if state.phase == waiting and state.since_utc is not None else now_utc
    if _time(now_utc) - _time(since_utc) < timedelta(seconds=for_s):
        return State(waiting, since_utc)
    return State() if reached == "quiet" else State(reached, since_utc)


def _time(utc: str) -> datetime:
    return datetime.fromisoformat(utc.replace("Z", "+00:00"))
