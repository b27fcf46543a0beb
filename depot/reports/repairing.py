# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes crews' pictures after a repair: what the crew marked is sharp, all else is a mosaic, people are refused.

A repaired spot shows no defect that a detector could find, so here a person of the city says what is to be seen.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select, update

from depot.people import audit
from depot.people.guard import Person
from depot.reports import photos, tables, words
from depot.reports.config import ReportsConfig
from depot.reports.detector import Detector, DetectorError
from depot.reports.judging import Box, Reason, judge_marked
from depot.reports.photos import Photo, photos_of
from depot.reports.taking import ReportError, digest_of
from depot.services import Pictures
from depot.store.database import Database
from depot.store.tables import cases


class PrivateError(Exception):
    """The picture shows what must not be kept."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(words.refused(reason)["en"])
        self.reason = reason


class Repairs:
    """May be used from any thread."""

    def __init__(self, database: Database, pictures: Pictures, detector: Detector, settings: ReportsConfig) -> None:
        self._database = database
        self._pictures = pictures
        self._detector = detector
        self._settings = settings

    def take(self, person: Person, case: int, photo: bytes, box: Box) -> tuple[Photo, bool]:
        """Add a picture to a case; and whether it is a new one. `box`: in shares of width and height.

        Raises:
            ReportError: there is no such case.
            PrivateError: the picture shows what must not be kept.
            UnreadableError, DetectorError: see `depot.reports.detector`.
            StoreError: it cannot be stored; send it again later.
        """
        digest = digest_of(msgspec.json.encode(box), photo)
        with self._database.reading() as connection:
            _check_case(connection, case)
            known = _known(connection, case, digest)
        if known is not None:
            return known, False
        verdict = judge_marked(self._detector.judge(photo, box), box, on_people=self._settings.on_people)
        if verdict.reason is not None:
            raise PrivateError(verdict.reason)
        if verdict.safe is None:
            raise DetectorError("the detector gave no picture of what was marked")
        self._pictures.keep(photos.name_of(verdict.safe), verdict.safe.jpeg)
        with self._database.changing() as change:
            _check_case(change.connection, case)
            known = _known(change.connection, case, digest)
            if known is not None:  # somebody was quicker with the same
                return known, False
            sha256 = photos.add(
                change, case=case, kind="repair", digest=digest, safe=verdict.safe, utc=change.now_utc, who=person.name
            )
            changed = change.next()
            change.connection.execute(update(cases).where(cases.c.number == case).values(changed=changed))
            audit.record(
                change.connection, utc=change.now_utc, who=person.name, action="picture", kind="case", subject=case,
                after={"picture": sha256},
            )  # fmt: skip
            known = _known(change.connection, case, digest)
        assert known is not None
        return known, True


def _check_case(connection: Connection, case: int) -> None:
    row = connection.execute(select(cases.c.state, cases.c.merged_into).where(cases.c.number == case)).first()
    if row is None:
        raise ReportError(404, f"there is no case {case}")
    if row.state == "merged":
        raise ReportError(409, f"case {case} was merged into {row.merged_into}; add the picture there")


def _known(connection: Connection, case: int, digest: str) -> Photo | None:
    p = tables.photos.c
    query = select(p.sha256).where(p.case == case, p.kind == "repair", p.digest == digest)
    sha256 = connection.execute(query).scalar()
    return next((photo for photo in photos_of(connection, case) if photo.sha256 == sha256), None)
