# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that came by reports and from crews, beside those of the vehicles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, insert, select

from depot.reports import tables
from depot.reports.judging import Box, Safe
from depot.store.database import Change
from depot.store.tables import cases, pictures, sightings

Kind = Literal["report", "repair"]
#: In place of a vehicle's name in `pictures`; no vehicle can be called so.
_SENDER: dict[Kind, str] = {"report": "report:citizen", "repair": "report:crew"}


class Photo(Struct, frozen=True, kw_only=True):
    """One picture of a case. `box`: in its pixels; `expired`: retention took the bytes away."""

    sha256: str
    kind: Kind
    box: Box
    width: int
    height: int
    utc: str
    who: str
    expired: bool


def add(change: Change, *, case: int, kind: Kind, digest: str, safe: Safe, utc: str, who: str) -> str:
    """Put it on record; its bytes must have been kept before. Gives its name."""
    sha256 = name_of(safe)
    connection = change.connection
    if connection.execute(select(pictures.c.sha256).where(pictures.c.sha256 == sha256)).first() is None:
        connection.execute(
            insert(pictures).values(
                sha256=sha256, vehicle=_SENDER[kind], bytes=len(safe.jpeg), width=safe.width, height=safe.height,
                received_utc=change.now_utc,
            )
        )  # fmt: skip
    connection.execute(
        insert(tables.photos).values(
            case=case, kind=kind, digest=digest, sha256=sha256, box=msgspec.json.encode(safe.box).decode(),
            width=safe.width, height=safe.height, anonymised=msgspec.json.encode(safe.anonymised).decode(),
            utc=utc, who=who,
        )
    )  # fmt: skip
    return sha256


def photos_of(connection: Connection, case: int) -> list[Photo]:
    """Those of a case, newest first: of the reports that it holds now, and of crews at it or at what it took over."""
    p = tables.photos.c
    held = select(sightings.c.picture).where(sightings.c.case == case, sightings.c.report.is_not(None))
    numbers = [case, *_taken_over(connection, case)]
    query = (
        select(tables.photos, pictures.c.expired_utc)
        .join(pictures, pictures.c.sha256 == p.sha256)
        .where(((p.kind == "report") & p.sha256.in_(held)) | ((p.kind == "repair") & p.case.in_(numbers)))
        .order_by(p.utc.desc(), p.number.desc())
    )
    return [
        Photo(
            sha256=row.sha256, kind=row.kind, box=msgspec.json.decode(row.box, type=Box), width=row.width,
            height=row.height, utc=row.utc, who=row.who, expired=row.expired_utc is not None,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def name_of(safe: Safe) -> str:
    """The name of its bytes."""
    return hashlib.sha256(safe.jpeg).hexdigest()


def _taken_over(connection: Connection, case: int) -> Iterator[int]:
    into, known = [case], {case}
    while into:
        found = connection.execute(select(cases.c.number).where(cases.c.merged_into.in_(into))).scalars().all()
        into = [number for number in found if number not in known]
        known.update(into)
        yield from into
