# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Open311 GeoReport v2 in its two forms, XML and JSON, and our cases in its words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from fastapi import Response

from depot.cases.records import Case, State
from depot.describing import class_name, describe
from depot.describing.words import clean
from depot.handover.text_files import xml_text

Form = Literal["xml", "json"]
Language = Literal["de", "en"]
#: What citizens report as.
CLASSES = (
    "unclear", "pothole", "longitudinal_crack", "transverse_crack", "alligator_crack", "crack", "spalling",
    "water_leakage", "efflorescence", "exposed_rebar", "corrosion",
)  # fmt: skip
CLOSED: tuple[State, ...] = ("repaired", "rejected")
_NOTES: dict[State, tuple[str, str]] = {
    "new": ("Gemeldet, noch nicht geprüft", "Reported, not checked yet"),
    "confirmed": ("Geprüft und bestätigt", "Checked and confirmed"),
    "ordered": ("Reparatur beauftragt", "Repair ordered"),
    "repaired": ("Repariert", "Repaired"),
    "rejected": ("Geprüft, kein Handlungsbedarf", "Checked, nothing to be done"),
    "reopened": ("Nach der Reparatur wieder gesehen", "Seen again after the repair"),
}


def services_of(language: Language) -> list[dict[str, Any]]:
    """One service for each class of defect."""
    group = "Straßenschäden" if language == "de" else "Road damage"
    return [
        {
            "service_code": code,
            "service_name": class_name(code, language),
            "description": class_name(code, language),
            "metadata": False,
            "type": "realtime",
            "keywords": "",
            "group": group,
        }
        for code in CLASSES
    ]


def request_of(
    case: Case, language: Language, *, name: int, updated_utc: str | None, media_url: str | None
) -> dict[str, Any]:
    """A case as a service request; `name` is the number that was asked for, which may be that of a merged one."""
    notes = _NOTES.get(case.state)
    return {
        "service_request_id": str(name),
        "status": "closed" if case.state in CLOSED else "open",
        "status_notes": None if notes is None else notes[0 if language == "de" else 1],
        "service_name": class_name(case.defect_class, language),
        "service_code": case.defect_class,
        "description": describe(case, language),
        "agency_responsible": case.office,
        "service_notice": None,
        "requested_datetime": case.opened_utc,
        "updated_datetime": updated_utc or case.opened_utc,
        "expected_datetime": None,
        "address": ", ".join(filter(None, [clean(case.road), clean(case.district)])) or None,
        "address_id": None,
        "zipcode": None,
        "lat": case.lat,
        "long": case.lon,
        "media_url": media_url,
    }


def answer(form: Form, outer: str, inner: str, rows: Sequence[dict[str, Any]], *, status: int = 200) -> Response:
    """A list of flat records in the form that was asked for; what is not known is null, or an empty element."""
    if form == "json":
        return Response(msgspec.json.encode(rows), status, media_type="application/json")
    records = "".join(f"<{inner}>{_elements(row)}</{inner}>" for row in rows)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{outer}>{records}</{outer}>\n'
    return Response(text, status, media_type="text/xml")


def error(form: Form, status: int, line: str) -> Response:
    """An error as the standard has it."""
    return answer(form, "errors", "error", [{"code": status, "description": line}], status=status)


def _elements(row: dict[str, Any]) -> str:
    return "".join(f"<{name}>{_plain(value)}</{name}>" for name, value in row.items())


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return xml_text(str(value).lower() if isinstance(value, bool) else str(value))
