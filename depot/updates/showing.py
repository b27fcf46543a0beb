# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases and roll-outs as the page and the command line show them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from depot.fleet import reading
from depot.fleet.config import FleetConfig
from depot.store.tables import audit
from depot.updates.deciding import later, plan, standings
from depot.updates.keeping import load, members_of, rollout_of, vehicles_of, why_of
from depot.updates.records import Rollout
from depot.updates.repository import OFFLINE, ONLINE, Offer, bytes_of
from depot.updates.tables import rollouts

_MOST_CHANGES = 200


def repository(offer: Offer, now_utc: str) -> dict[str, Any]:
    """How the repository is."""
    return {
        "problem": offer.problem,
        "version": offer.version,
        "expires_utc": offer.expires_utc or {},
        "fresh_days": offer.days_left(ONLINE, now_utc),
        "keys_days": offer.days_left(OFFLINE, now_utc),
        "unreadable": offer.unreadable or {},
    }


def releases(connection: Connection, offer: Offer, config: FleetConfig, now_utc: str) -> list[dict[str, Any]]:
    """Releases, newest first, with how many vehicles run each. `new_bytes`: to load for who has the one before."""
    running = Counter(state.release for state in reading.states(connection, config, now_utc))
    before = {newer.id: older for newer, older in itertools.pairwise(offer.releases)}
    return [
        {
            "id": release.id,
            "number": release.number,
            "software": release.software,
            "models": [f"{model.name} {model.version}" for model in release.models],
            "boards": release.boards,
            "machines": sorted({f"{variant.machine}, Python {variant.python}" for variant in release.variants}),
            "notes": {"de": release.notes_de, "en": release.notes_en},
            "bytes": bytes_of(release),
            "new_bytes": bytes_of(release, before.get(release.id)),
            "vehicles": running[release.id],
        }
        for release in offer.releases
    ]


def every_rollout(
    connection: Connection, offer: Offer, config: FleetConfig, now_utc: str, limit: int
) -> list[dict[str, Any]]:
    """Roll-outs, newest first, without their vehicles."""
    rows = connection.execute(select(rollouts).order_by(rollouts.c.number.desc()).limit(limit)).all()
    return [_short(connection, row, offer, config, now_utc)[0] for row in rows]


def one_rollout(connection: Connection, number: int, offer: Offer, config: FleetConfig, now_utc: str) -> dict[str, Any]:
    """A roll-out with its vehicles, whom the next steps add, and its history. Raises RolloutError."""
    load(connection, number)
    row = connection.execute(select(rollouts).where(rollouts.c.number == number)).one()
    shown, rollout, fleet = _short(connection, row, offer, config, now_utc)
    members = members_of(connection, number)
    by_name = {vehicle.name: vehicle for vehicle in fleet}
    told = [
        {
            "vehicle": name,
            "group": by_name[name].group,
            "online": by_name[name].online,
            "step": members[name].step,
            "phase": found.phase,
            "text": found.text,
            "wished_utc": members[name].wished_utc,
            "attempts": members[name].attempts,
            "next_utc": members[name].next_utc if found.phase in ("waiting", "offered", "taken") else None,
        }
        for name, found in sorted(standings(rollout, fleet, members).items())
    ]
    ahead = plan(rollout, fleet, members)
    return {**shown, "vehicles": told, "plan": ahead, "history": _history(connection, number)}


def _short(
    connection: Connection, row: Any, offer: Offer, config: FleetConfig, now_utc: str
) -> tuple[dict[str, Any], Rollout, list[Any]]:
    rollout = rollout_of(row)
    fleet = vehicles_of(connection, rollout, offer, config, now_utc)
    stand = standings(rollout, fleet, members_of(connection, rollout.number))
    since_utc = rollout.complete_utc if rollout.state == "running" else None
    hold_s = rollout.steps[rollout.step].hold_h * 3600
    shown = {
        "number": rollout.number,
        "release": rollout.release,
        "state": rollout.state,
        "steps": rollout.steps,
        "step": rollout.step,
        "step_utc": rollout.step_utc,
        "complete_utc": rollout.complete_utc,
        "goes_on_utc": None if since_utc is None else later(since_utc, hold_s),
        "why": why_of(row),
        "created_utc": row.created_utc,
        "who": row.who,
        "fleet": len(fleet),
        "counts": dict(Counter(found.phase for found in stand.values())),
    }
    return shown, rollout, fleet


def _history(connection: Connection, number: int) -> list[dict[str, Any]]:
    wanted = select(audit).where(audit.c.kind == "rollout", audit.c.subject == str(number))
    rows = connection.execute(wanted.order_by(audit.c.number.desc()).limit(_MOST_CHANGES))
    return [{"utc": row.utc, "who": row.who, "action": row.action, "after": _decoded(row.after)} for row in rows]


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
