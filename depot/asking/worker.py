# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks vehicles for later pictures: decides and writes down, then tells those that are online.

What is wanted stands in the database before anything is sent, so any number of processes may do this. A vehicle that
does not answer is told again under the same id; it carries one id out once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import msgspec
from sqlalchemy import Connection, func, insert, or_, select, update

from depot.asking.config import AskingConfig
from depot.asking.deciding import ACTIVE, Plan, decide, place_of
from depot.asking.reading import situations
from depot.cases.board import parts
from depot.cases.records import Case, case_of
from depot.cases.tables import asked_pictures
from depot.commanding import Errand, new_id, run_errands
from depot.config import BrokerConfig
from depot.errors import BrokerError, CommandError, ConfigError
from depot.people.moment import later as shifted
from depot.store.database import Change, Database
from depot.store.tables import cases, vehicles
from messages.types import Command, Reply, Status

_log = logging.getLogger(__name__)

#: How often to look.
EVERY_S = 60.0
#: So long vehicles may take to answer.
_WAIT_S = 15.0
#: A vehicle takes ten commands at once and one every six seconds after that; others want to tell it something, too.
_AT_ONCE = 6
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
#: A vehicle that was not heard of for longer is asked for nothing.
_ALIVE = timedelta(days=30)
_status_decoder = msgspec.json.Decoder(Status)

#: Sends commands; the replies that came, by id. Raises BrokerError, CommandError, ConfigError.
Send = Callable[[Sequence[Errand]], dict[str, Reply]]


class Asking:
    """A background worker; any number of them may run."""

    def __init__(self, database: Database, config: AskingConfig, send: Send) -> None:
        self._database = database
        self._config = config
        self._send = send
        self._said = ""

    def run_once(self) -> None:
        """Decide for all cases concerned and tell who is to know. Raises StoreError.

        It says nothing of what it did: doing it again at once would be more than vehicles take.
        """
        self._decide()
        self._tell()

    def _decide(self) -> None:
        with self._database.reading() as connection:
            concerned = [number for number, plan in self._plans(connection, None, self._database.now_utc()) if plan]
        for part in parts(concerned):
            with self._database.changing() as change:
                for number, plan in self._plans(change.connection, part, change.now_utc):
                    _write(change, number, plan, self._config)

    def _plans(self, connection: Connection, only: Sequence[int] | None, now_utc: str) -> list[tuple[int, Plan]]:
        """What is to be done about the cases concerned, the longest decided first."""
        c = cases.c
        bound = select(asked_pictures.c.case).where(asked_pictures.c.state.in_((*ACTIVE, "withdrawn")))
        since = shifted(now_utc, -timedelta(days=self._config.repaired_days))
        wanted = or_(c.state == "ordered", (c.state == "repaired") & (c.decided_utc > since))
        query = select(cases).where(or_(wanted if self._config.pictures else c.number < 0, c.number.in_(bound)))
        if only is not None:
            query = query.where(c.number.in_(only))
        found = [case_of(row) for row in connection.execute(query.order_by(c.decided_utc, c.number))]
        alive = frozenset(
            connection.scalars(select(vehicles.c.name).where(vehicles.c.seen_utc > shifted(now_utc, -_ALIVE)))
        )
        load = _load(connection)
        return [
            (one.case.number, decide(one, load, now_utc, self._config))
            for some in parts(found)
            for one in situations(connection, some, alive=alive)
        ]

    def _tell(self) -> None:
        with self._database.reading() as connection:
            if not _due(connection, self._database.now_utc()):
                return  # without the lock that all changes wait for
        with self._database.changing() as change:
            errands = _claim(change)
        if not errands:
            return
        try:
            replies = self._send(errands)
        except (BrokerError, CommandError, ConfigError) as error:
            if str(error) != self._said:  # one line for each reason, not for each attempt
                self._said = str(error)
                _log.warning("no vehicle could be asked for a picture, trying again: %s", error)
            return
        self._said = ""
        with self._database.writing() as connection:
            for errand in errands:
                if errand.id in replies:
                    _note(connection, errand, replies[errand.id], self._database.now_utc())


def worker(database: Database, config: AskingConfig, broker: BrokerConfig) -> Asking:
    """The worker of a depot."""
    return Asking(database, config, partial(run_errands, broker, wait_s=_WAIT_S))


def _load(connection: Connection) -> Counter[str]:
    a = asked_pictures.c
    query = select(a.vehicle, func.count().label("places")).where(a.state.in_(ACTIVE)).group_by(a.vehicle)
    return Counter({row.vehicle: row.places for row in connection.execute(query)})


def _write(change: Change, number: int, plan: Plan, config: AskingConfig) -> None:
    a, now = asked_pictures.c, change.now_utc
    for state, ids in (("over", plan.over), ("withdrawn", plan.withdraw)):
        if ids:
            values = {"state": state, "attempts": 0, "next_utc": now}
            change.connection.execute(update(asked_pictures).where(a.id.in_(ids)).values(**values))
    until = shifted(now, timedelta(days=config.for_days))
    rows = [
        {"id": new_id(), "case": number, "vehicle": vehicle, "state": "open", "asked_utc": now, "until_utc": until,
         "attempts": 0, "next_utc": now}
        for vehicle in plan.ask
    ]  # fmt: skip
    if rows:
        change.connection.execute(insert(asked_pictures), rows)


def _due(connection: Connection, now_utc: str) -> list[tuple[str, str, Case, str, str, int]]:
    """What is to be told: id, vehicle, case, state, end, attempts; of vehicles that are online, some each."""
    a = asked_pictures.c
    waiting = a.state.in_(("open", "withdrawn")) & (a.next_utc <= now_utc) & (a.until_utc > now_utc)
    query = (
        select(asked_pictures, vehicles.c.status)
        .join(vehicles, vehicles.c.name == a.vehicle)
        .where(waiting, vehicles.c.status.is_not(None))
        .order_by(a.next_utc, a.id)
    )
    chosen, taken = [], Counter[str]()
    for row in connection.execute(query):
        if taken[row.vehicle] < _AT_ONCE and _status_decoder.decode(row.status).state == "online":
            taken[row.vehicle] += 1
            chosen.append(row)
    known: dict[int, Case] = {}
    for part in parts([row.case for row in chosen]):
        known |= {row.number: case_of(row) for row in connection.execute(select(cases).where(cases.c.number.in_(part)))}
    return [(row.id, row.vehicle, known[row.case], row.state, row.until_utc, row.attempts) for row in chosen]


def _claim(change: Change) -> list[Errand]:
    """Take what is due, so that no other process tells it as well; the next attempt comes later and later."""
    errands = []
    for identity, vehicle, case, state, until_utc, attempts in _due(change.connection, change.now_utc):
        pause = min(_FIRST_PAUSE * 2 ** min(attempts, 20), _LONGEST_PAUSE)
        change.connection.execute(
            update(asked_pictures)
            .where(asked_pictures.c.id == identity)
            .values(attempts=attempts + 1, next_utc=shifted(change.now_utc, pause))
        )
        place = place_of(case) if state == "open" else None
        command = Command(action="look", case=str(case.number), place=place, until=until_utc)
        errands.append(Errand(vehicle, identity if place is not None else f"{identity}-withdrawn", command))
    return errands


def _note(connection: Connection, errand: Errand, reply: Reply, now_utc: str) -> None:
    """What a vehicle said, unless things have changed meanwhile (its picture may have come already)."""
    text = "".join(char if char.isprintable() else "?" for char in reply.text)[:300]
    before = "open" if errand.command.place is not None else "withdrawn"
    if before == "withdrawn":
        values = {"state": "over"} if reply.ok else {}
    else:
        values = {"state": "told", "told_utc": now_utc} if reply.ok else {"state": "refused", "answer_text": text}
    this = asked_pictures.c.id == errand.id.removesuffix("-withdrawn")
    if values:
        connection.execute(update(asked_pictures).where(this, asked_pictures.c.state == before).values(**values))
