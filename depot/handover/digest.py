# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The daily digest: what is new, what waits, what got worse, as plain text in German or English; not its sending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from depot.cases.records import Case
from depot.describing import title
from depot.handover.exported import read
from depot.store.tables import cases

Language = Literal["de", "en"]
#: Lines of one part.
_MOST = 20

_WORDS: dict[str, tuple[str, str]] = {
    "subject": ("Wegewart: {new} neu, {waiting} warten", "Wegewart: {new} new, {waiting} waiting"),
    "hello": ("Stand der Schadensfälle am {day}, für: {offices}", "Cases of damage on {day}, for: {offices}"),
    "every": ("alle Stellen", "every office"),
    "new": ("Neu seit dem letzten Bericht", "New since the last message"),
    "reopened": ("Nach der Reparatur wieder gesehen", "Seen again after the repair"),
    "growing": ("Wird größer", "Growing"),
    "confirmed": ("Bestätigt, noch nicht beauftragt", "Confirmed, not ordered yet"),
    "more": ("... und {count} weitere", "... and {count} more"),
    "none": ("keine", "none"),
    "grade": ("Schwere {grade}", "grade {grade}"),
    "bye": (
        "Diese Nachricht kommt vom Wegewart. Wer sie bekommt, steht in seiner Einstellung handover.email.receivers.",
        "This message comes from Wegewart. Who gets it stands in its setting handover.email.receivers.",
    ),
}


class Digest(Struct, frozen=True, kw_only=True):
    """A message without its addresses."""

    subject: str
    text: str


class Part(Struct, frozen=True, kw_only=True):
    """Cases under one heading: the worst ones, and how many there are."""

    name: str
    count: int
    cases: list[Case]


def parts(connection: Connection, offices: Sequence[str], since_utc: str) -> list[Part]:
    """What the digest tells. `offices` empty: of all."""
    c = cases.c
    wanted: dict[str, list[ColumnElement[bool]]] = {
        "new": [c.state == "new", c.opened_utc >= since_utc],
        "reopened": [c.state == "reopened"],
        "growing": [c.trend == "growing", c.state.in_(["new", "reopened", "confirmed", "ordered"])],
        "confirmed": [c.state == "confirmed"],
    }
    only = [c.office.in_(list(offices))] if offices else []
    return [_part(connection, name, [*conditions, *only]) for name, conditions in wanted.items()]


def _part(connection: Connection, name: str, conditions: list[ColumnElement[bool]]) -> Part:
    count = connection.execute(select(func.count()).select_from(cases).where(*conditions)).scalar_one()
    worst = (
        select(cases.c.number)
        .where(*conditions)
        .order_by(func.coalesce(cases.c.grade, 0).desc(), cases.c.number.desc())
        .limit(_MOST)
    )
    numbers = list(connection.execute(worst).scalars())
    found = {
        exported.case.number: exported.case for exported in read(connection, [cases.c.number.in_(numbers)], limit=_MOST)
    }
    return Part(name=name, count=count, cases=[found[number] for number in numbers])


def write(found: Sequence[Part], language: Language, *, day: str, offices: Sequence[str], url: str | None) -> Digest:
    """The message. `url`: where the depot's page is."""
    at = 0 if language == "de" else 1
    words = {name: both[at] for name, both in _WORDS.items()}
    counts = {part.name: part.count for part in found}
    lines = [words["hello"].format(day=day, offices=", ".join(offices) or words["every"]), ""]
    for part in found:
        lines.append(f"{words[part.name]}: {part.count or words['none']}")
        lines += [_line(case, language, words, url) for case in part.cases]
        if part.count > len(part.cases):
            lines.append("  " + words["more"].format(count=part.count - len(part.cases)))
        lines.append("")
    lines += [words["bye"], ""]
    subject = words["subject"].format(new=counts.get("new", 0), waiting=counts.get("confirmed", 0))
    return Digest(subject=subject, text="\n".join(lines))


def _line(case: Case, language: Language, words: dict[str, str], url: str | None) -> str:
    grade = "" if case.grade is None else f" ({words['grade'].format(grade=case.grade)})"
    link = "" if url is None else f"\n    {url}/?queue=all&case={case.number}"
    return f"  {case.number}: {title(case, language)}{grade}{link}"
