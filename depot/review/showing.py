# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads cases as the page shows them: in lists, and one with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Row, Select, and_, select

from depot.asking.deciding import Later, shows_repair
from depot.asking.reading import LaterPicture, asked_of, later_of, ordered_utc
from depot.cases.history import history, looks, possible_duplicates
from depot.cases.records import Case, Sighting, case_of
from depot.describing import describe_both, title_both
from depot.handover.records import handed_over
from depot.people.guard import Person
from depot.reports import photos as sent
from depot.review import acting
from depot.review.answers import Detail, Photo, SeenOnce, Shown
from depot.review.deciding import Offer, offers
from depot.revising import corrected
from depot.store.tables import cases, events, pictures, sightings
from messages import envelope
from messages.types import Observation, Revision

_MAX_SEEN = 200
_MAX_PICTURES = 50


class _Looked(NamedTuple):
    """A sighting with what its message and its picture say."""

    sighting: Sighting
    observation: Observation | None
    event: str | None
    received_utc: str | None
    stored: bool
    expired: bool
    width: int | None
    height: int | None


def shown(connection: Connection, numbers: Sequence[int]) -> list[Shown]:
    """These cases as a list shows them, in this order; numbers that are no case are left out."""
    at = {case.number: case for case in shown_by(connection, select(cases).where(cases.c.number.in_(numbers)))}
    return [at[number] for number in numbers if number in at]


def shown_by(connection: Connection, query: Select[Any]) -> list[Shown]:
    """Cases of a query on all columns of `cases`, as a list shows them."""
    found = [case_of(row) for row in connection.execute(query)]
    photos = _best_pictures(connection, found)
    return [_shown(case, *photos.get(case.number, (None, False))) for case in found]


def _shown(case: Case, picture: str | None, stored: bool) -> Shown:
    return Shown(**asdict(case), title=title_both(case), picture=picture, picture_stored=stored)


def _best_pictures(connection: Connection, found: Sequence[Case]) -> dict[int, tuple[str, bool]]:
    """By case, the picture of its best sighting (that of a citizen's report where no vehicle saw it)."""
    seen = [case.best for case in found if case.best is not None]
    reported = [case.number for case in found if case.best is None]
    query = (
        select(sightings.c.case, sightings.c.picture, pictures.c.sha256, pictures.c.expired_utc)
        .outerjoin_from(sightings, pictures, pictures.c.sha256 == sightings.c.picture)
        .where(sightings.c.picture.is_not(None))
        .order_by(sightings.c.number.desc())
    )
    rows: list[Row[Any]] = []
    if seen:
        rows += connection.execute(query.where(sightings.c.received.in_(seen)))
    if reported:
        rows += connection.execute(query.where(sightings.c.case.in_(reported)))
    return {row.case: (row.picture, row.sha256 is not None and row.expired_utc is None) for row in rows}


def detail(connection: Connection, number: int, person: Person) -> Detail:
    """All that is known of a case. Raises RefusedError 404."""
    case = acting.existing(connection, number)
    looked = _looked(connection, case)
    best = next((each for each in looked if _is_best(each.sighting, case)), None)
    handed_in = {photo.sha256: photo for photo in sent.photos_of(connection, number)}
    photos = _photos(looked, case, handed_in)
    later = later_of(connection, number)
    newest = sorted(looked, key=lambda each: (each.sighting.utc or "", each.sighting.number), reverse=True)
    front = (photos[0].sha256, photos[0].stored) if photos else (None, False)
    return Detail(
        **asdict(_shown(case, *front)),
        text=describe_both(case, sightings=[each.sighting for each in looked]),
        seen=[_seen(each, handed_in) for each in newest[:_MAX_SEEN]],
        pictures=photos,
        looks=looks(connection, number),
        after=later,
        asked=asked_of(connection, number),
        proposes=_proposed(connection, case, later, person),
        history=history(connection, number),
        actions=_offers(connection, case, person),
        duplicates=[] if case.state == "merged" else possible_duplicates(connection, number),
        handed_over=handed_over(connection, number),
        observation=None if best is None else best.observation,
    )


def _is_best(sighting: Sighting, case: Case) -> bool:
    return sighting.received is not None and sighting.received == case.best


def _offers(connection: Connection, case: Case, person: Person) -> list[Offer]:
    found = offers(case, person)
    last = acting.last_decision(connection, case.number)
    if last is not None and acting.is_undoable(case, last, person):
        found.append("undo")
    return found


def _proposed(
    connection: Connection, case: Case, later: Sequence[LaterPicture], person: Person
) -> Literal["repaired"] | None:
    """Where the latest picture since the order shows nothing any more; confirming it is a person's."""
    if case.state != "ordered" or "repaired" not in offers(case, person):
        return None
    since = ordered_utc(connection, [case.number]).get(case.number)
    shown = shows_repair(case, since, [Later(one.utc, one.seen) for one in later])
    return None if shown is None else "repaired"


def _looked(connection: Connection, case: Case) -> list[_Looked]:
    """The newest sightings, and the best one even if it is older."""
    revision = events.alias("revision")
    query = (
        select(
            sightings,
            events.c.id,
            events.c.received_utc,
            events.c.payload,
            revision.c.payload.label("revised"),
            pictures.c.sha256,
            pictures.c.expired_utc,
            pictures.c.width.label("picture_width"),
            pictures.c.height.label("picture_height"),
        )
        .select_from(sightings)
        .outerjoin(events, events.c.received == sightings.c.received)
        .outerjoin(revision, revision.c.received == sightings.c.revision)
        .outerjoin(pictures, pictures.c.sha256 == sightings.c.picture)
    )
    newest = query.where(sightings.c.case == case.number)
    rows = list(
        connection.execute(
            newest.order_by(sightings.c.utc.desc().nulls_last(), sightings.c.number.desc()).limit(_MAX_SEEN)
        )
    )
    if case.best is not None and len(rows) == _MAX_SEEN:
        of_best = query.where(and_(sightings.c.received == case.best, sightings.c.case == case.number))
        rows += [row for row in connection.execute(of_best) if row.number not in {each.number for each in rows}]
    return [_look_at(row) for row in rows]


def _look_at(row: Row[Any]) -> _Looked:
    number_of_columns = len(sightings.c)
    names = dict(zip((column.name for column in sightings.c), row[:number_of_columns], strict=True))
    names["defect_class"] = names.pop("class")
    sighting = Sighting(**names)
    return _Looked(
        sighting=sighting,
        observation=_observed(row.payload, row.revised, sighting.utc),
        event=row.id,
        received_utc=row.received_utc,
        stored=row.sha256 is not None and row.expired_utc is None,
        expired=row.expired_utc is not None,
        width=row.picture_width,
        height=row.picture_height,
    )


def _observed(payload: bytes | None, revised: bytes | None, utc: str | None) -> Observation | None:
    """The message as its later revision and clock correct it."""
    if payload is None:
        return None
    seen = envelope.decode(payload).data
    better = None if revised is None else envelope.decode(revised).data
    assert isinstance(seen, Observation)
    assert isinstance(better, Revision | None)
    return corrected(replace(seen, time=replace(seen.time, utc=seen.time.utc or utc)), better)


def _seen(looked: _Looked, handed_in: Mapping[str, sent.Photo]) -> SeenOnce:
    own = looked.sighting
    reported = handed_in.get(own.picture or "")
    same = {name: getattr(own, name) for name in SeenOnce.__struct_fields__ if name in Sighting.__struct_fields__}
    return SeenOnce(
        **same,
        event=looked.event,
        received_utc=looked.received_utc,
        picture_stored=looked.stored,
        revised=own.revision is not None,
        **_told(looked.observation) or {"box": None if reported is None else reported.box},
    )


def _told(seen: Observation | None) -> dict[str, Any]:
    """What only the message says."""
    if seen is None:
        return {}
    return {
        "time_quality": seen.time.quality,
        "severity_rule": None if seen.severity is None else seen.severity.rule,
        "frames_seen": seen.frames_seen,
        "position_method": None if seen.position is None else seen.position.method,
        "position_quality": None if seen.position is None else seen.position.quality,
        "speed_mps": seen.speed_mps,
        "box": None if seen.picture is None else seen.picture.box,
        "model": seen.model.name,
        "model_version": seen.model.version,
        "model_sha256": seen.model.sha256,
        "software": seen.software,
        "calibration": seen.calibration,
    }


def _photos(looked: Sequence[_Looked], case: Case, handed_in: Mapping[str, sent.Photo]) -> list[Photo]:
    """Best first: that of the best sighting, then the surest, then what crews handed in. Each once."""
    ordered = sorted(looked, key=lambda each: (not _is_best(each.sighting, case), -(each.sighting.score or 0.0)))
    found: dict[str, Photo] = {}
    for each in ordered:
        sha256 = each.sighting.picture
        if sha256 is not None and sha256 not in found:
            reported = handed_in.get(sha256)
            found[sha256] = _taken(sha256, each) if reported is None else _handed_in(reported)
    crews = [_handed_in(photo) for photo in handed_in.values() if photo.kind == "repair"]
    return [*list(found.values())[:_MAX_PICTURES], *crews[:_MAX_PICTURES]]


def _taken(sha256: str, looked: _Looked) -> Photo:
    told = looked.observation.picture if looked.observation is not None else None
    return Photo(
        sha256=sha256,
        kind="observation",
        stored=looked.stored,
        expired=looked.expired,
        utc=looked.sighting.utc,
        vehicle=looked.sighting.vehicle,
        width=looked.width if told is None else told.width,
        height=looked.height if told is None else told.height,
        box=None if told is None else told.box,
        anonymised_by=None if told is None else told.anonymised.method,
    )


def _handed_in(photo: sent.Photo) -> Photo:
    return Photo(
        sha256=photo.sha256,
        kind=photo.kind,
        stored=not photo.expired,
        expired=photo.expired,
        utc=photo.utc,
        width=photo.width,
        height=photo.height,
        box=photo.box,
    )
