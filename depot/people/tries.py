# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How often a password may be tried: per name and per address, counted in the database for all processes.

A try is counted before the password is checked, so that many at once do not slip through; a good one is taken back.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from depot.people.config import PeopleConfig
from depot.people.moment import later
from depot.people.tables import login_tries

WINDOW = timedelta(minutes=15)


@dataclass(frozen=True)
class Tries:
    """The two counters of one try: of the name and of the address."""

    name: str
    address: str

    @classmethod
    def of(cls, name: str, address: str | None) -> Tries:
        """Counters of a name as typed and an IP address; an IPv6 customer has a whole /64."""
        return cls(_hash(f"name:{name}"), _hash(f"address:{_network(address or '')}"))

    def wait_s(self, connection: Connection, *, now_utc: str, people: PeopleConfig) -> int | None:
        """Count one try; seconds to wait where there were too many, None where it may be made."""
        waits = [
            _count(connection, self.name, people.tries_per_name, now_utc),
            _count(connection, self.address, people.tries_per_address, now_utc),
        ]
        return max((wait for wait in waits if wait is not None), default=None)

    def good(self, connection: Connection, *, now_utc: str) -> None:
        """The password was right: the name starts anew, the address has this one try back."""
        connection.execute(delete(login_tries).where(login_tries.c.key == self.name))
        connection.execute(
            update(login_tries).where(login_tries.c.key == self.address).values(tries=login_tries.c.tries - 1)
        )
        connection.execute(delete(login_tries).where(login_tries.c.since_utc <= later(now_utc, -WINDOW)))


def _count(connection: Connection, key: str, limit: int, now_utc: str) -> int | None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    over = login_tries.c.since_utc <= later(now_utc, -WINDOW)
    statement = (
        insert(login_tries)
        .values(key=key, since_utc=now_utc, tries=1)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "since_utc": case((over, now_utc), else_=login_tries.c.since_utc),
                "tries": case((over, 1), else_=login_tries.c.tries + 1),
            },
        )
        .returning(login_tries.c.tries, login_tries.c.since_utc)
    )
    row = connection.execute(statement).one()
    if row.tries <= limit:
        return None
    ends = datetime.fromisoformat(later(row.since_utc, WINDOW).replace("Z", "+00:00"))
    now = datetime.fromisoformat(now_utc.replace("Z", "+00:00"))
    return max(1, round((ends - now).total_seconds()))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
