# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What somebody reported by Open311 becomes a sighting without a picture, in the case that it shows or in a new one."""

from __future__ import annotations

import hashlib

import msgspec
from sqlalchemy import insert, select

from depot.cases.joining import join_report
from depot.cases.ports import Placing
from depot.cases.records import Seen
from depot.reports.tables import reports
from depot.store.database import Change

#: One standard deviation of a place that somebody tapped on a map.
_ERROR_M = 10.0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What of a request is kept. `who`: the user or token that handed it in."""

    code: str
    lon: float
    lat: float
    description: str
    who: str

    @property
    def digest(self) -> str:
        """The same for the same report."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


def keep(change: Change, report: Report, placing: Placing) -> int:
    """Keep a report; the number of its case. The same report again is no second one."""
    name = f"open311-{report.digest[:40]}"
    known = change.connection.execute(select(reports.c.case).where(reports.c.id == name)).scalar()
    if known is not None:
        return int(known)
    seen = Seen(
        defect_class=report.code,
        report=name,
        utc=change.now_utc,
        lon=report.lon,
        lat=report.lat,
        error_m=_ERROR_M,
    )
    number = join_report(change, seen, placing)
    row = {"id": name, "digest": report.digest, "who": report.who, "received_utc": change.now_utc}
    place = {"utc": change.now_utc, "lon": report.lon, "lat": report.lat, "error_m": _ERROR_M}
    what = {"note": report.description or None, "state": "accepted", "case": number, "class": report.code}
    change.connection.execute(insert(reports).values({**row, **place, **what}))
    return number
