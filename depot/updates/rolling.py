# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Carries roll-outs out: looks at the vehicles, decides, writes down, and only then tells them.

What is decided stands in the database before anything is sent, so any number of processes may do this, and one that
dies is followed by another: at worst a vehicle hears the same wish again, which changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection, select, update

from depot.commanding import send_commands
from depot.config import BrokerConfig
from depot.errors import BrokerError, CommandError, ConfigError
from depot.fleet.condition import Aim
from depot.fleet.config import FleetConfig
from depot.fleet.watching import Aims
from depot.store.database import Change, Database
from depot.updates.deciding import Decision, answered, decide
from depot.updates.keeping import members_of, record, rollout_of, save_members, vehicles_of
from depot.updates.records import Member, Rollout
from depot.updates.repository import OFFLINE, ONLINE, Repository
from depot.updates.tables import rollout_vehicles, rollouts
from messages.types import Command, Reply

#: So long a vehicle may take to answer; a longer wait holds the others up.
_WAIT_S = 20.0
_WHO = "rule:roll-out"
_log = logging.getLogger(__name__)
#: Sends a command to each of several vehicles; the replies that came. Raises BrokerError, CommandError, ConfigError.
Send = Callable[[Mapping[str, Command]], dict[str, Reply]]


class RollOuts:
    """A background worker; any number of them may run."""

    def __init__(self, database: Database, repository: Repository, fleet: FleetConfig, send: Send) -> None:
        self._database = database
        self._repository = repository
        self._fleet = fleet
        self._send = send
        self._said = ""

    def run_once(self) -> int:
        """Decide for each roll-out that runs, and tell who is due; how many vehicles answered. Raises StoreError."""
        with self._database.reading() as connection:
            running = connection.scalars(select(rollouts.c.number).where(rollouts.c.state == "running")).all()
        return sum(self._roll(number) for number in running)

    def _roll(self, number: int) -> int:
        offer = self._repository.offer()
        with self._database.changing() as change:
            row = change.connection.execute(select(rollouts).where(rollouts.c.number == number)).one()
            before = rollout_of(row)
            decision = decide(
                before,
                vehicles_of(change.connection, before, offer, self._fleet, change.now_utc),
                members_of(change.connection, number),
                change.now_utc,
                hindrance=offer.hindrance(before.release, change.now_utc),
            )
            _write(change, before, decision)
        return self._tell(decision.rollout, decision.wishes)

    def _tell(self, rollout: Rollout, wishes: Sequence[Member]) -> int:
        if not wishes:
            return 0
        command = Command(action="update", value=rollout.release)
        try:
            replies = self._send({member.vehicle: command for member in wishes})
        except (BrokerError, CommandError, ConfigError) as error:
            if str(error) != self._said:  # one line for each reason, not for each attempt
                self._said = str(error)
                _log.warning("roll-out %d: nobody could be told, trying again: %s", rollout.number, error)
            return 0
        self._said = ""
        now_utc = self._database.now_utc()
        with self._database.writing() as connection:
            for member in wishes:
                if member.vehicle in replies:
                    _note(connection, rollout.number, _answered(member, replies[member.vehicle], now_utc))
        return len(replies)


def worker(database: Database, repository: Repository, fleet: FleetConfig, broker: BrokerConfig) -> RollOuts:
    """The worker of a depot."""
    return RollOuts(database, repository, fleet, partial(send_commands, broker, wait_s=_WAIT_S))


def _write(change: Change, before: Rollout, decision: Decision) -> None:
    after = decision.rollout
    claimed = {member.vehicle: member for member in (*decision.joined, *decision.wishes)}
    save_members(change.connection, before.number, claimed.values())
    if after == before and not claimed:
        return
    values = {
        "state": after.state, "step": after.step, "step_utc": after.step_utc, "complete_utc": after.complete_utc,
        "changed": change.next(),
    }  # fmt: skip
    if decision.why is not None:
        values["why"] = msgspec.json.encode(decision.why).decode()
    change.connection.execute(update(rollouts).where(rollouts.c.number == before.number).values(**values))
    if after.step != before.step:
        record(change, before.number, who=_WHO, action="step", before={"step": before.step}, after={"step": after.step})
    if after.state != before.state:
        told = {"state": after.state} if decision.why is None else {"state": after.state, "why": decision.why}
        action = "pause" if after.state == "paused" else after.state
        record(change, before.number, who=_WHO, action=action, before={"state": before.state}, after=told)


def _answered(member: Member, reply: Reply, now_utc: str) -> Member:
    text = "".join(char if char.isprintable() else "?" for char in reply.text)
    return answered(member, now_utc, ok=reply.ok, text=text)


def _note(connection: Connection, number: int, member: Member) -> None:
    """Unless somebody has told it anew meanwhile."""
    key = (rollout_vehicles.c.rollout == number) & (rollout_vehicles.c.vehicle == member.vehicle)
    values = {"answer": member.answer, "answer_text": member.answer_text, "next_utc": member.next_utc}
    connection.execute(
        update(rollout_vehicles).where(key, rollout_vehicles.c.attempts == member.attempts).values(**values)
    )


def aims(repository: Repository) -> Callable[[Connection, str], Aims]:
    """What `FleetWatch` asks: the release that all are to run, and how long the repository's metadata holds."""

    def asked(connection: Connection, now_utc: str) -> Aims:
        offer = repository.offer()
        days = {
            name: left
            for name, roles in (("repository", ONLINE), ("repository_keys", OFFLINE))
            if (left := offer.days_left(roles, now_utc)) is not None
        }
        return Aims(_aim(connection, repository), days)

    return asked


def _aim(connection: Connection, repository: Repository) -> Aim | None:
    """That of the newest roll-out that has come to its last step, since it came there."""
    wanted = select(rollouts).where(rollouts.c.state.in_(("running", "paused", "done")))
    for row in connection.execute(wanted.order_by(rollouts.c.number.desc())):
        rollout = rollout_of(row)
        if rollout.is_at_last and rollout.step_utc is not None:
            newer = {one.id for one in repository.offer().releases if one.number > row.release_number}
            return Aim(rollout.release, rollout.step_utc, frozenset(newer))
    return None
