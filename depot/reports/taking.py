# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes citizens' reports: judged, stripped of what is private, joined into a case.

A report is known by the id that its sender gave it. The same again is answered with what became of it the first time;
the same id for something else is refused. Bytes are kept before the transaction that names them, so what is named is
there; what a crash leaves behind is an anonymised picture without a name.
"""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, Row, func, insert, select

from depot.cases.joining import join_report
from depot.cases.ports import Placing
from depot.cases.records import Seen, case_of
from depot.describing import Language, describe_both
from depot.people import audit
from depot.people.guard import Person
from depot.reports import photos, tables, words
from depot.reports.config import ReportsConfig
from depot.reports.detector import Detector
from depot.reports.judging import Reason, Verdict, judge_report
from depot.services import Pictures
from depot.store.database import Change, Database
from depot.store.tables import cases, sightings

#: A radius within which 68 or 95 of 100 lie, in standard deviations along one direction.
_RADIUS_68, _RADIUS_95 = 1.51, 2.45
#: A sender's clock may be so far ahead.
_AHEAD = timedelta(minutes=10)
_OLDEST = timedelta(days=90)
_METRES_PER_DEGREE = 111_195.0
#: A case that is none any more, or not yet again.
_GONE = ("rejected", "repaired", "merged")


class ReportError(Exception):
    """What is wrong with what was sent; `status` as in HTTP, the text is one line."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class Sent(Struct, frozen=True, kw_only=True):
    """What a citizen says. `accuracy_m`: radius within which the place lies with 68 %, as phones tell it."""

    id: str
    lon: float
    lat: float
    accuracy_m: float | None = None
    utc: str | None = None
    defect_class: str | None = None
    note: str | None = None


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of it. `state`: "refused", or that of the case now; `merged`: the case was there before.

    `text`: of a refused report why, else the case in words; `answer`: what to tell the citizen.
    """

    report: str
    state: str
    reason: Reason | None
    case: int | None
    merged: bool
    defect_class: str | None = field(name="class")
    office: str | None
    picture: str | None
    received_utc: str
    note: str | None
    text: dict[Language, str]
    answer: dict[Language, str]


class Reports:
    """May be used from any thread."""

    def __init__(
        self, database: Database, pictures: Pictures, detector: Detector, placing: Placing, settings: ReportsConfig
    ) -> None:
        self._database = database
        self._pictures = pictures
        self._detector = detector
        self._placing = placing
        self._settings = settings

    def take(self, person: Person, sent: Sent, photo: bytes | None) -> tuple[Outcome, bool]:
        """Take a report; and whether it is a new one.

        Raises:
            ReportError: the id is another report's, or a value makes no sense.
            UnreadableError, DetectorError: see `depot.reports.detector`.
            StoreError: it cannot be stored; send it again later.
        """
        digest = digest_of(msgspec.json.encode(sent), photo)
        with self._database.reading() as connection:
            known = _row(connection, sent.id)
            if known is not None:
                return _again(connection, known, person, digest), False
        utc = _taken(sent.utc, self._database.now_utc())
        verdict = self._judge(sent, photo)
        if verdict.safe is not None:
            self._pictures.keep(photos.name_of(verdict.safe), verdict.safe.jpeg)
        with self._database.changing() as change:
            known = _row(change.connection, sent.id)
            if known is not None:  # somebody was quicker with the same
                return _again(change.connection, known, person, digest), False
            self._store(change, person, sent, verdict, utc=utc, digest=digest)
            return _outcome(change.connection, _row(change.connection, sent.id)), True

    def outcome(self, person: Person, report: str) -> Outcome | None:
        """What became of a report; None: there is none that this person may ask for. Raises StoreError."""
        with self._database.reading() as connection:
            row = _row(connection, report)
            if row is None or not (row.who == person.name or person.may("read")):
                return None
            return _outcome(connection, row)

    def _judge(self, sent: Sent, photo: bytes | None) -> Verdict:
        if photo is None:
            return Verdict(refused=False, reason="none")
        judged = self._detector.judge(photo)
        return judge_report(judged, expected=sent.defect_class, on_people=self._settings.on_people)

    def _store(self, change: Change, person: Person, sent: Sent, verdict: Verdict, *, utc: str, digest: str) -> None:
        error_m = (sent.accuracy_m or self._settings.accuracy_m) / _RADIUS_68
        label = verdict.defect_class or sent.defect_class or _class_nearby(change.connection, sent, error_m)
        sha256 = None if verdict.safe is None else photos.name_of(verdict.safe)
        case = None
        if not verdict.refused:
            seen = Seen(
                defect_class=label, report=sent.id, score=verdict.score, utc=utc, lon=sent.lon, lat=sent.lat,
                error_m=error_m, picture=sha256, surface="road",
            )  # fmt: skip
            case = join_report(change, seen, self._placing)
            audit.record(
                change.connection, utc=change.now_utc, who=person.name, action="report", kind="case", subject=case,
                after={"report": sent.id},
            )  # fmt: skip
        if case is not None and verdict.safe is not None:
            photos.add(change, case=case, kind="report", digest=digest, safe=verdict.safe, utc=utc, who=person.name)
        change.connection.execute(
            insert(tables.reports).values(
                {
                    "id": sent.id, "digest": digest, "who": person.name, "received_utc": change.now_utc, "utc": utc,
                    "lon": sent.lon, "lat": sent.lat, "error_m": error_m, "note": sent.note,
                    "state": "refused" if verdict.refused else "accepted", "reason": verdict.reason, "case": case,
                    "class": None if verdict.refused else label, "score": verdict.score, "picture": sha256,
                }
            )
        )  # fmt: skip


def digest_of(said: bytes, photo: bytes | None) -> str:
    """Differs where what was sent does."""
    return hashlib.sha256(hashlib.sha256(said).digest() + hashlib.sha256(photo or b"").digest()).hexdigest()


def _taken(utc: str | None, now_utc: str) -> str:
    """When the photo was taken, as messages write it; now where its sender does not say. Raises ReportError."""
    if utc is None:
        return now_utc
    now = datetime.fromisoformat(now_utc.replace("Z", "+00:00"))
    try:
        taken = datetime.fromisoformat(utc.replace("Z", "+00:00"))
        off = now - taken
    except (ValueError, OverflowError, TypeError):  # TypeError: without a time zone
        raise ReportError(422, "utc: a time with its zone is wanted, e.g. 2026-05-04T09:30:00Z") from None
    if off < -_AHEAD:
        raise ReportError(422, "utc: lies in the future")
    if off > _OLDEST:
        raise ReportError(422, f"utc: older than {_OLDEST.days} days; what does it look like today?")
    return taken.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _class_nearby(connection: Connection, sent: Sent, error_m: float) -> str:
    """Where neither the photo nor its sender says what it is: that of the nearest case that it may well be."""
    reach_m = _RADIUS_95 * error_m + 5.0
    north = reach_m / _METRES_PER_DEGREE
    east = north / max(math.cos(math.radians(sent.lat)), 0.01)
    c = cases.c
    found = connection.execute(
        select(c["class"], c.lon, c.lat).where(
            c.lat.between(sent.lat - north, sent.lat + north),
            c.lon.between(sent.lon - east, sent.lon + east),
            c.surface == "road",
            c.state.not_in(_GONE),
        )
    ).all()
    if not found:
        return "unclear"
    return str(min(found, key=lambda row: math.hypot((row[1] - sent.lon) / east, (row[2] - sent.lat) / north))[0])


def _row(connection: Connection, report: str) -> Row[Any] | None:
    return connection.execute(select(tables.reports).where(tables.reports.c.id == report)).first()


def _again(connection: Connection, row: Row[Any], person: Person, digest: str) -> Outcome:
    if row.digest != digest or row.who != person.name:
        raise ReportError(409, f"id: there is another report {row.id}; give each report an id of its own")
    return _outcome(connection, row)


def _outcome(connection: Connection, row: Row[Any] | None) -> Outcome:
    assert row is not None
    label = row._mapping["class"]  # noqa: SLF001 - its public name
    reason: Reason | None = row.reason or (None if row.picture else "none")
    common = {
        "report": row.id,
        "reason": reason,
        "defect_class": label,
        "picture": row.picture,
        "received_utc": row.received_utc,
        "note": row.note,
    }
    if row.case is None:
        why = words.refused(row.reason)
        return Outcome(
            **common, state="refused", case=None, merged=False, office=None, text=why,
            answer=why,
        )  # fmt: skip
    mine = connection.execute(select(sightings.c.number, sightings.c.case).where(sightings.c.report == row.id)).one()
    found = case_of(connection.execute(select(cases).where(cases.c.number == mine.case)).one())
    first = connection.execute(select(func.min(sightings.c.number)).where(sightings.c.case == mine.case)).scalar_one()
    return Outcome(
        **common, state=found.state, case=found.number, merged=first != mine.number, office=found.office,
        text=describe_both(found), answer=words.accepted(found.number, reason),
    )  # fmt: skip
