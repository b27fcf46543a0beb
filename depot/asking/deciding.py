# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures are wanted, and of which vehicles they are asked. Pure: it knows no database and no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from depot.asking.config import AskingConfig
from depot.cases.records import Case
from depot.people.moment import later as shifted
from messages.types import AskedPlace, LinePosition

#: A wish is renewed before its end by so much, so that a vehicle always knows it.
_RENEW_BEFORE = timedelta(days=4)
#: A vehicle that refused (it may only not have known the time) is not asked for the same place again so soon.
_REFUSED_FOR = timedelta(days=1)
#: What is shown around the middle of a defect: its half and this, within these bounds, metres.
_AROUND_M, _LEAST_M, _MOST_M = 0.2, 0.4, 1.5
#: Where a case does not say how well its place is known, metres.
_UNKNOWN_M = 2.0

State = Literal["open", "told", "refused", "answered", "withdrawn", "over"]
#: The vehicle knows of it, or will.
ACTIVE: tuple[State, ...] = ("open", "told")


@dataclass(frozen=True)
class Asked:
    """One row of `asked_pictures`."""

    id: str
    vehicle: str
    state: State
    asked_utc: str
    until_utc: str
    attempts: int = 0


@dataclass(frozen=True)
class Later:
    """A picture from a later pass. `is_seen`: the defect was seen on that pass."""

    utc: str
    is_seen: bool


@dataclass(frozen=True)
class Situation:
    """A case with all that decides. `ordered_utc`: None where nobody ordered. `passing`: vehicles, the latest first."""

    case: Case
    ordered_utc: str | None
    later: Sequence[Later]
    asked: Sequence[Asked]
    passing: Sequence[str]


@dataclass(frozen=True)
class Plan:
    """What changes for one case: vehicles to be asked, and rows (by id) that get another state."""

    ask: tuple[str, ...] = ()
    withdraw: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ask or self.withdraw or self.over)


def place_of(case: Case) -> AskedPlace | None:
    """What a vehicle is told of a case's place; None where that is not enough to find it."""
    line = None
    if case.line is not None and case.chainage_m is not None:
        error = _UNKNOWN_M if case.chainage_error_m is None else case.chainage_error_m
        line = LinePosition(line=case.line, chainage_m=case.chainage_m, error_m=error, track=case.track)
    on_earth = case.lon is not None and case.lat is not None
    if (case.surface == "lining" and (line is None or case.lining_clock is None)) or not (on_earth or line):
        return None
    half = max(case.length_m or 0.0, case.width_m or 0.0) / 2
    return AskedPlace(
        radius_m=round(min(max(half + _AROUND_M, _LEAST_M), _MOST_M), 2),
        surface=case.surface,
        lon=case.lon if on_earth else None,
        lat=case.lat if on_earth else None,
        error_m=_UNKNOWN_M if case.error_m is None else case.error_m,
        line=line,
        clock=None if case.lining_clock is None else case.lining_clock % 12,
        heading_deg=case.heading_deg,
    )


def shows_repair(case: Case, ordered_utc: str | None, later: Sequence[Later]) -> Later | None:
    """The latest picture since the order, where nothing was seen on its pass; None where that is not so."""
    since = ordered_utc or case.decided_utc or ""
    newest = max((one for one in later if one.utc > since), key=lambda one: one.utc, default=None)
    return None if newest is None or newest.is_seen or (case.last_seen_utc or "") > newest.utc else newest


def is_wanted(now: Situation, now_utc: str, config: AskingConfig) -> bool:
    """Whether a picture of this case's place is wanted now."""
    case, decided = now.case, now.case.decided_utc or ""
    if not config.pictures or case.state not in ("ordered", "repaired") or place_of(case) is None:
        return False
    if shows_repair(case, now.ordered_utc, now.later) is not None:
        return False
    newest = max((one.utc for one in now.later), default="")
    if case.state == "repaired":
        return newest <= decided and decided > shifted(now_utc, -timedelta(days=config.repaired_days))
    return newest <= shifted(now_utc, -timedelta(hours=config.again_hours))


def decide(now: Situation, load: Counter[str], now_utc: str, config: AskingConfig) -> Plan:
    """What is to be done about a case. `load`: places that each vehicle is asked for; it is counted on."""
    unsettled = [one for one in now.asked if one.state in (*ACTIVE, "withdrawn")]
    over = [one.id for one in unsettled if one.until_utc <= now_utc]
    active = [one for one in unsettled if one.state in ACTIVE and one.id not in over]
    # Counted anew below, if they stay or are renewed.
    load.subtract(one.vehicle for one in unsettled if one.state in ACTIVE)
    if not is_wanted(now, now_utc, config):
        never_sent = [one.id for one in active if one.state == "open" and not one.attempts]
        return Plan((), tuple(one.id for one in active if one.id not in never_sent), (*over, *never_sent))
    lasting, shy = shifted(now_utc, _RENEW_BEFORE), shifted(now_utc, -_REFUSED_FOR)
    kept = {one.vehicle for one in active if one.until_utc > lasting}
    refused = {one.vehicle for one in now.asked if one.state == "refused" and one.asked_utc > shy}
    load.update(kept)
    free = [name for name in now.passing if name not in kept | refused and load[name] < config.places]
    ask = free[: max(config.vehicles - len(kept), 0)]
    load.update(ask)
    # Near its end and not renewed, because its vehicle has enough to look for: it stays till then.
    load.update(one.vehicle for one in active if one.vehicle not in kept and one.vehicle not in ask)
    replaced = [one.id for one in unsettled if one.vehicle in ask and one.id not in over]
    return Plan(tuple(ask), (), (*over, *replaced))
