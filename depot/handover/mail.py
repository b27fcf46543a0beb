# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Sends the digest, once a day to each receiver. A restart sends none twice, save one whose sending it interrupted.

Such a second one has the same Message-ID, by which mail programs know it for the same.
"""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from depot.errors import ConfigError
from depot.handover import digest, times
from depot.handover.config import EmailConfig, HandoverConfig, zone
from depot.handover.tables import digests
from depot.secret_file import first_line
from depot.store.database import Database
from settings import SettingsError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WAIT_S, _MOST_TRIES = 300.0, 20
Send = Callable[[EmailMessage], None]


class Digests:
    """A background worker; any number of them may run."""

    def __init__(self, database: Database, settings: HandoverConfig, send: Send | None = None) -> None:
        """Raises ConfigError: no server is set, its password cannot be read, or the time zone is unknown."""
        self._database = database
        self._settings = settings.email
        self._url = None if settings.public_url is None else settings.public_url.rstrip("/")
        try:
            self._zone = zone(self._settings.time_zone)
        except SettingsError as error:
            raise ConfigError(f"handover.email.time_zone: {error}") from None
        self._send = send or smtp(self._settings)

    def run_once(self) -> int:
        """Send what is due; how many. Raises StoreError."""
        now = times.parse(self._database.now_utc())
        assert now is not None
        local = now.astimezone(self._zone)
        if local.hour < self._settings.hour or _DAYS[local.weekday()] not in self._settings.days:
            return 0
        return sum(self._tell(receiver, offices, local) for receiver, offices in self._settings.receivers.items())

    def _tell(self, receiver: str, offices: tuple[str, ...], local: datetime) -> bool:
        day = f"{local:%Y-%m-%d}"
        attempt = self._take(receiver, day)
        if attempt is None:
            return False
        since_utc = times.write(local - timedelta(days=self._days_back(local)))
        with self._database.reading() as connection:
            found = digest.parts(connection, offices, since_utc)
        written = digest.write(found, self._settings.language, day=day, offices=offices, url=self._url)
        try:
            self._send(self._message(written, receiver, local))
        except (OSError, smtplib.SMTPException) as error:
            line = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            self._note(receiver, day, "failed" if attempt >= _MOST_TRIES else "waiting", line)
            return False
        self._note(receiver, day, "sent", None)
        return True

    def _days_back(self, local: datetime) -> int:
        """Days since the last digest: on a Monday over the week-end."""
        for back in range(1, 8):
            if _DAYS[(local - timedelta(days=back)).weekday()] in self._settings.days:
                return back
        return 7

    def _take(self, receiver: str, day: str) -> int | None:
        """The number of this attempt; None: it is not due, or another process has it."""
        now_utc = self._database.now_utc()
        again_utc = times.later(now_utc, max(_WAIT_S, 4 * self._settings.timeout_s))
        mine = (digests.c.receiver == receiver) & (digests.c.day == day)
        with self._database.reading() as connection:
            row = connection.execute(select(digests).where(mine)).first()
        if row is None:
            with suppress(IntegrityError), self._database.writing() as connection:
                values = {"state": "waiting", "attempts": 1, "next_try_utc": again_utc}
                connection.execute(insert(digests).values(receiver=receiver, day=day, **values))
                return 1
            return None
        if row.state != "waiting" or row.next_try_utc > now_utc:
            return None
        with self._database.writing() as connection:
            taken = connection.execute(
                update(digests)
                .where(mine, digests.c.next_try_utc == row.next_try_utc, digests.c.state == "waiting")
                .values(attempts=row.attempts + 1, next_try_utc=again_utc)
            )
            return row.attempts + 1 if taken.rowcount == 1 else None

    def _note(self, receiver: str, day: str, state: str, error: str | None) -> None:
        with self._database.writing() as connection:
            _write(connection, receiver, day, state, error)

    def _message(self, written: digest.Digest, receiver: str, local: datetime) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = receiver
        message["Subject"] = written.subject
        message["Date"] = format_datetime(local)
        name = hashlib.sha256(f"{receiver} {local:%Y-%m-%d}".encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{name}@{self._settings.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = self._settings.language
        message.set_content(written.text)
        return message


def _write(connection: Connection, receiver: str, day: str, state: str, error: str | None) -> None:
    mine = (digests.c.receiver == receiver) & (digests.c.day == day)
    connection.execute(update(digests).where(mine).values(state=state, error=error))


def smtp(settings: EmailConfig) -> Send:
    """Sends by the server of the settings; certificates are checked. Raises ConfigError."""
    if settings.host is None:
        raise ConfigError("handover.email.host: is not set")
    host, file = settings.host, settings.password_file
    password = None if file is None else first_line(file, key="handover.email.password_file")

    def send(message: EmailMessage) -> None:
        with _connect(settings, host) as server:
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.username is not None and password is not None:
                server.login(settings.username, password)
            server.send_message(message)

    return send


def _connect(settings: EmailConfig, host: str) -> smtplib.SMTP:
    if settings.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, settings.port, timeout=settings.timeout_s, context=context)
    return smtplib.SMTP(host, settings.port, timeout=settings.timeout_s)
