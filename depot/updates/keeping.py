# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Roll-outs in the database: what people may do with them, each recorded, and how they are read and written down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, insert, select, update

from depot.fleet import reading
from depot.fleet.choices import GROUP_PATTERN
from depot.fleet.config import FleetConfig
from depot.fleet.tables import alarms
from depot.people import audit
from depot.store.database import Change
from depot.store.upserting import upsert
from depot.updates.deciding import plan, standings
from depot.updates.records import BAD, Member, Rollout, RolloutError, State, Step, Vehicle, Why
from depot.updates.repository import Offer
from depot.updates.tables import rollout_vehicles, rollouts

Action = Literal["start", "pause", "resume", "stop"]
_AFTER: dict[Action, tuple[frozenset[State], State]] = {
    "start": (frozenset({"draft"}), "running"),
    "pause": (frozenset({"running"}), "paused"),
    "resume": (frozenset({"paused"}), "running"),
    "stop": (frozenset({"draft", "running", "paused"}), "stopped"),
}
_MOST_STEPS = 20
_steps = msgspec.json.Decoder(tuple[Step, ...])
_why = msgspec.json.Decoder(Why)


def make(change: Change, offer: Offer, *, release: str, steps: Sequence[Step], who: str) -> int:
    """A draft of a roll-out; gives its number. Raises RolloutError."""
    found = offer.release(release)
    if found is None:
        raise RolloutError(offer.problem or f"the repository has no release {release[:60]}", status=422)
    wrong = _problem(steps)
    if wrong is not None:
        raise RolloutError(wrong, status=422)
    row = {
        "changed": change.next(), "release": release, "release_number": found.number,
        "steps": msgspec.json.encode(steps).decode(), "state": "draft", "step": 0, "created_utc": change.now_utc,
        "who": who,
    }  # fmt: skip
    number = int(change.connection.execute(insert(rollouts).values(**row).returning(rollouts.c.number)).scalar_one())
    record(change, number, who=who, action="made", after={"release": release, "steps": steps})
    return number


def _problem(steps: Sequence[Step]) -> str | None:
    if not 1 <= len(steps) <= _MOST_STEPS:
        return f"steps: 1 to {_MOST_STEPS} are wanted"
    for place, step in enumerate(steps, 1):
        if (step.group is None) == (step.share is None):
            return f"step {place}: a group or a share is wanted, one of them"
        if step.group is not None and re.fullmatch(GROUP_PATTERN, step.group) is None:
            return f"step {place}: {step.group[:40]!r} is no group: lower-case letters, digits and hyphens"
        if step.share is not None and not 0 < step.share <= 1:
            return f"step {place}: a share lies above 0 and is at most 1 (100 %)"
        if not 0 <= step.hold_h <= 8760 or not 0 <= step.most_failed <= 1:
            return f"step {place}: hold_h is 0 to 8760 hours, most_failed 0 to 1"
    shares = [step.share for step in steps if step.share is not None]
    if shares != sorted(set(shares)):
        return "steps: each share must be larger than the one before"
    return None


def act(
    change: Change, number: int, action: Action, *, who: str, offer: Offer, config: FleetConfig, retry: bool = False
) -> None:
    """Start, pause, resume or stop. `retry`: who failed is told once more; else it goes on without them.

    Raises:
        RolloutError: there is none, or its state does not allow this.
    """
    row = _row(change.connection, number)
    allowed, after = _AFTER[action]
    if row.state not in allowed:
        raise RolloutError(f"roll-out {number} is {row.state}: {action} is not possible")
    if after == "running":
        _check(change.connection, row, offer, change.now_utc)
    if action == "start":
        _check_groups(change, number, offer, config)
    if action == "resume":
        _excuse_failed(change, number, offer, config, retry=retry)
    values: dict[str, Any] = {"state": after, "changed": change.next(), "why": None}
    if action == "start":
        values |= {"step_utc": change.now_utc, "complete_utc": None}
    if action == "pause":
        values["why"] = msgspec.json.encode(Why(reason="person", text=who)).decode()
    change.connection.execute(update(rollouts).where(rollouts.c.number == number).values(**values))
    told = {"state": after, "retry": retry} if action == "resume" else {"state": after}
    record(change, number, who=who, action=action, before={"state": row.state}, after=told)


def _check(connection: Connection, row: Any, offer: Offer, now_utc: str) -> None:
    """Whether it may run now. Two at once would pull vehicles to and fro."""
    other = connection.scalar(
        select(rollouts.c.number).where(rollouts.c.state == "running", rollouts.c.number != row.number)
    )
    if other is not None:
        raise RolloutError(f"roll-out {other} is running: pause or stop it first")
    hindrance = offer.hindrance(row.release, now_utc)
    if hindrance is not None:
        raise RolloutError(hindrance)


def _check_groups(change: Change, number: int, offer: Offer, config: FleetConfig) -> None:
    rollout = load(change.connection, number)
    fleet = vehicles_of(change.connection, rollout, offer, config, change.now_utc)
    known = {vehicle.group for vehicle in fleet}
    for step in rollout.steps:
        if step.group is not None and step.group not in known:
            raise RolloutError(f"no vehicle in service is in the group {step.group}: its step would test nothing")
    if not any(plan(rollout, fleet)):
        raise RolloutError("there is no vehicle in service")


def _excuse_failed(change: Change, number: int, offer: Offer, config: FleetConfig, *, retry: bool) -> None:
    rollout = load(change.connection, number)
    known = members_of(change.connection, number)
    fleet = vehicles_of(change.connection, rollout, offer, config, change.now_utc)
    failed = [name for name, found in standings(rollout, fleet, known).items() if found.phase in BAD]
    save_members(change.connection, number, [_after_failure(known[name], retry=retry) for name in failed])


def _after_failure(member: Member, *, retry: bool) -> Member:
    return Member(member.vehicle, member.step) if retry else replace(member, excused=True)


def set_member(change: Change, number: int, vehicle: str, action: Literal["excuse", "offer"], *, who: str) -> None:
    """Go on without one vehicle (`excuse`), or tell it anew (`offer`). Raises RolloutError."""
    row = _row(change.connection, number)
    member = members_of(change.connection, number).get(vehicle)
    if member is None:
        raise RolloutError(f"roll-out {number} has not come to {vehicle[:63]}", status=404)
    if row.state not in {"running", "paused"}:
        raise RolloutError(f"roll-out {number} is {row.state}: {action} is not possible")
    save_members(change.connection, number, [_after_failure(member, retry=action == "offer")])
    change.connection.execute(update(rollouts).where(rollouts.c.number == number).values(changed=change.next()))
    record(change, number, who=who, action=action, after={"vehicle": vehicle})


def record(change: Change, number: int, *, who: str, action: str, **values: Any) -> None:
    """A line of the roll-out's history."""
    audit.record(
        change.connection, utc=change.now_utc, who=who, action=action, kind="rollout", subject=number, **values
    )


# -- reading and writing ----------------------------------------------------------------------------------------


def _row(connection: Connection, number: int) -> Any:
    row = connection.execute(select(rollouts).where(rollouts.c.number == number)).first()
    if row is None:
        raise RolloutError(f"there is no roll-out {number}", status=404)
    return row


def load(connection: Connection, number: int) -> Rollout:
    """One roll-out. Raises RolloutError."""
    return rollout_of(_row(connection, number))


def rollout_of(row: Any) -> Rollout:
    """A row of `rollouts`."""
    steps = _steps.decode(row.steps)
    return Rollout(row.number, row.release, steps, row.state, row.step, row.step_utc, row.complete_utc)


def why_of(row: Any) -> Why | None:
    """Why it stands still."""
    return None if row.why is None else _why.decode(row.why)


def members_of(connection: Connection, number: int) -> dict[str, Member]:
    """Those that a roll-out has come to, by name."""
    rows = connection.execute(select(rollout_vehicles).where(rollout_vehicles.c.rollout == number))
    return {
        row.vehicle: Member(
            row.vehicle, row.step, row.wished_utc, row.attempts, row.next_utc, row.answer, row.answer_text, row.excused
        )
        for row in rows
    }


def save_members(connection: Connection, number: int, members: Iterable[Member]) -> None:
    """Write members down as they are now."""
    for member in members:
        values = asdict(member)
        row = upsert(connection, rollout_vehicles).values(rollout=number, **values)
        key = [rollout_vehicles.c.rollout, rollout_vehicles.c.vehicle]
        connection.execute(row.on_conflict_do_update(index_elements=key, set_=values))


def vehicles_of(
    connection: Connection, rollout: Rollout, offer: Offer, config: FleetConfig, now_utc: str
) -> list[Vehicle]:
    """The vehicles in service, as the roll-out sees them."""
    number = offer.number(rollout.release)
    raised: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(alarms).where(alarms.c.ended_utc.is_(None))):
        raised.setdefault(row.vehicle, {})[row.rule] = row.since_utc
    found = []
    for state in reading.states(connection, config, now_utc):
        runs = offer.number(state.release)
        found.append(
            Vehicle(
                name=state.vehicle,
                group=state.group,
                online=state.online,
                release=state.release,
                update_release=state.update_release,
                update_state=state.update_state,
                update_reason=state.update_reason or "",
                update_noted_utc=state.update_noted_utc or "",
                is_newer=runs is not None and number is not None and runs > number,
                alarms=raised.get(state.vehicle, {}),
            )
        )
    return found
