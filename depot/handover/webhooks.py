# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Webhooks: each new case and each change of one, told to other servers, signed, until they say that they have it.

The form is that of "Standard Webhooks": headers `webhook-id` (the same at every attempt), `webhook-timestamp` and
`webhook-signature` (`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, with dots between). A delivery may
come twice; its id tells. Kinds are `case.opened` and `case.` with the action of the record of changes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

import httpx
import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from depot.handover import times
from depot.handover.addresses import LookUp, look_up, pinned
from depot.handover.calling import NoAnswerError, NotSentError, call, new_client
from depot.handover.config import HandoverConfig
from depot.handover.exported import Wording, properties, read
from depot.handover.tables import webhook_deliveries, webhooks
from depot.store.database import Database
from depot.store.tables import audit, cases

_AT_ONCE = 200
_FIRST_WAIT_S, _LONGEST_WAIT_S = 10.0, 6 * 3600.0
#: So long nothing else is sent to a receiver that does not answer.
_SILENT_WAIT_S = 30.0
#: What is done with stays so long, for people to see.
_KEEP = timedelta(days=7)
_PREFIX = "whsec_"


def new_secret() -> str:
    """What deliveries are signed with."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def newest(connection: Connection) -> dict[str, int]:
    """Where a new webhook begins: it is told what comes from now on."""
    last_audit = select(func.max(audit.c.number)).where(audit.c.kind == "case")
    last_case = select(func.max(cases.c.number))
    return {
        "told_audit": connection.execute(last_audit).scalar() or 0,
        "told_case": connection.execute(last_case).scalar() or 0,
    }


def add_delivery(connection: Connection, webhook: int, *, name: str, kind: str, body: Any, now_utc: str) -> None:
    """Put one delivery into the outbox."""
    connection.execute(
        insert(webhook_deliveries).values(
            webhook=webhook,
            id=name,
            kind=kind,
            body=msgspec.json.encode(body).decode(),
            state="waiting",
            created_utc=now_utc,
            attempts=0,
            next_try_utc=now_utc,
        )
    )


class Webhooks:
    """A background worker; any number of them may run."""

    def __init__(
        self,
        database: Database,
        settings: HandoverConfig,
        client: httpx.Client | None = None,
        find: LookUp = look_up,
    ) -> None:
        self._database = database
        self._settings = settings.webhooks
        self._wording = Wording(base_url=(settings.public_url or "").rstrip("/"))
        self._client = client or new_client()
        self._find = find

    def run_once(self) -> int:
        """Write down what is new, send what is due; how many deliveries were tried. Raises StoreError."""
        with self._database.reading() as connection:
            active = connection.execute(select(webhooks).where(webhooks.c.active.is_(True))).all()
        for hook in active:
            while self._collect(hook.number) == _AT_ONCE:
                pass
        self._forget()
        tried, silent = 0, set()
        for row in self._due():
            if row.webhook in silent:
                continue
            tried += 1
            if not self._deliver(row):  # one that is down must not hold up the others
                silent.add(row.webhook)
                self._postpone(row.webhook)
        return tried

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def _collect(self, number: int) -> int:
        """Put what came since into the outbox, at most some; how much that was."""
        with self._database.writing() as connection:
            hook = connection.execute(select(webhooks).where(webhooks.c.number == number)).first()
            if hook is None:
                return 0
            opened, changed = _new_cases(connection, hook.told_case), _new_changes(connection, hook.told_audit)
            if not opened and not changed:
                return 0
            last_case = opened[-1] if opened else hook.told_case
            last_audit = changed[-1].number if changed else hook.told_audit
            moved = connection.execute(
                update(webhooks)
                .where(webhooks.c.number == number, webhooks.c.told_case == hook.told_case)
                .where(webhooks.c.told_audit == hook.told_audit)
                .values(told_case=last_case, told_audit=last_audit)
            )
            if moved.rowcount == 0:  # another process was first
                return 0
            for case in opened:
                self._add(connection, hook, name=f"case-{case}", action="opened", about={"case": case})
            for row in changed:
                about = {"case": int(row.subject), "utc": row.utc, "who": row.who}
                about |= {"before": _decoded(row.before), "after": _decoded(row.after)}
                self._add(connection, hook, name=f"change-{row.number}", action=row.action, about=about)
            return max(len(opened), len(changed))

    def _add(self, connection: Connection, hook: Row[Any], *, name: str, action: str, about: dict[str, Any]) -> None:
        kind = "case." + action.replace(" ", "_")
        if not {"*", kind} & set(msgspec.json.decode(hook.events)):
            return
        now_utc = self._database.now_utc()
        found = read(connection, [cases.c.number == about["case"]], limit=1)
        case = properties(found[0], self._wording) if found else None
        body = {"type": kind, "timestamp": about.get("utc", now_utc), "data": {**about, "case": case}}
        add_delivery(connection, hook.number, name=f"{hook.number}-{name}", kind=kind, body=body, now_utc=now_utc)

    def _due(self) -> list[Row[Any]]:
        wanted = (
            select(webhook_deliveries, webhooks.c.url, webhooks.c.secret)
            .join(webhooks, webhooks.c.number == webhook_deliveries.c.webhook)
            .where(webhooks.c.active.is_(True), webhook_deliveries.c.state == "waiting")
            .where(webhook_deliveries.c.next_try_utc <= self._database.now_utc())
            .order_by(webhook_deliveries.c.next_try_utc, webhook_deliveries.c.number)
            .limit(_AT_ONCE)
        )
        with self._database.reading() as connection:
            return list(connection.execute(wanted).all())

    def _deliver(self, row: Row[Any]) -> bool:
        """Try once; False: the receiver did not answer."""
        if not self._settle(row, after_s=4 * self._settings.timeout_s, attempts=row.attempts + 1):
            return True  # another process has it
        now = times.parse(self._database.now_utc())
        assert now is not None
        body, stamp = row.body.encode(), int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": row.id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(row.secret, row.id, stamp, body),
        }
        try:
            request = pinned(
                self._client, row.url, body=body, headers=headers, settings=self._settings, find=self._find
            )
            answer = call(self._client, request, timeout_s=self._settings.timeout_s)
        except (NotSentError, NoAnswerError) as error:
            self._again(row, str(error), None)
            return False
        if 200 <= answer.status < 300:
            self._settle(row, after_s=0, leased=True, state="delivered", answer=str(answer.status))
        elif answer.status == 410:  # "gone": the receiver wants no more
            self._settle(row, after_s=0, leased=True, state="failed", answer=answer.line())
            with self._database.writing() as connection:
                connection.execute(update(webhooks).where(webhooks.c.number == row.webhook).values(active=False))
        else:
            self._again(row, answer.line(), answer.wait_s())
        return True

    def _postpone(self, webhook: int) -> None:
        now_utc = self._database.now_utc()
        waiting = (webhook_deliveries.c.webhook == webhook) & (webhook_deliveries.c.state == "waiting")
        with self._database.writing() as connection:
            connection.execute(
                update(webhook_deliveries)
                .where(waiting, webhook_deliveries.c.next_try_utc <= now_utc)
                .values(next_try_utc=times.later(now_utc, _SILENT_WAIT_S))
            )

    def _again(self, row: Row[Any], line: str, wait_s: float | None) -> None:
        give_up_utc = times.later(row.created_utc, self._settings.give_up_after_h * 3600)
        if self._database.now_utc() >= give_up_utc:
            self._settle(row, after_s=0, leased=True, state="failed", answer=line)
            return
        wait_s = wait_s or min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(row.attempts, 20))
        self._settle(row, after_s=wait_s, leased=True, answer=line)

    def _settle(self, row: Row[Any], *, after_s: float, leased: bool = False, **values: Any) -> bool:
        """Write to a delivery. Unless it is ours already, only if nobody was at it since it was read."""
        own = webhook_deliveries.c.number == row.number
        condition = own if leased else own & (webhook_deliveries.c.next_try_utc == row.next_try_utc)
        with self._database.writing() as connection:
            next_try_utc = times.later(self._database.now_utc(), after_s)
            statement = update(webhook_deliveries).where(condition, webhook_deliveries.c.state == "waiting")
            return connection.execute(statement.values(next_try_utc=next_try_utc, **values)).rowcount == 1

    def _forget(self) -> None:
        before = times.later(self._database.now_utc(), -_KEEP.total_seconds())
        old = (webhook_deliveries.c.state != "waiting") & (webhook_deliveries.c.next_try_utc < before)
        with self._database.reading() as connection:
            if connection.execute(select(webhook_deliveries.c.number).where(old).limit(1)).first() is None:
                return
        with self._database.writing() as connection:
            connection.execute(delete(webhook_deliveries).where(old))


def _new_cases(connection: Connection, told: int) -> list[int]:
    wanted = select(cases.c.number).where(cases.c.number > told).order_by(cases.c.number).limit(_AT_ONCE)
    return list(connection.execute(wanted).scalars())


def _new_changes(connection: Connection, told: int) -> list[Row[Any]]:
    wanted = select(audit).where(audit.c.kind == "case", audit.c.number > told).order_by(audit.c.number)
    return list(connection.execute(wanted.limit(_AT_ONCE)).all())


def _decoded(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
