# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A case and its sightings as records, named like the columns of `depot.store.tables`."""

from __future__ import annotations

from typing import Any, Literal, cast

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Row

State = Literal["new", "confirmed", "rejected", "ordered", "repaired", "reopened", "merged"]
Trend = Literal["growing", "steady", "shrinking"]
Side = Literal["left", "middle", "right"]


class Case(Struct, frozen=True, kw_only=True):
    """One physical defect as the depot knows it. Units stand in the names; times are RFC 3339 UTC."""

    number: int
    changed: int
    state: State
    defect_class: str
    surface: Literal["road", "lining"]
    sightings: int
    passes: int
    vehicles: int
    looks_without: int
    opened_utc: str
    pinned: bool
    reports: int
    lon: float | None = None
    lat: float | None = None
    error_m: float | None = None
    heading_deg: float | None = None
    line: str | None = None
    track: str | None = None
    chainage_m: float | None = None
    chainage_error_m: float | None = None
    side: Side | None = None
    lining_clock: float | None = None
    best: int | None = None
    vehicle: str | None = None
    score: float | None = None
    grade: int | None = None
    length_m: float | None = None
    width_m: float | None = None
    size_error_m: float | None = None
    trend: Trend | None = None
    shock_mps2: float | None = None
    first_seen_utc: str | None = None
    last_seen_utc: str | None = None
    last_look_utc: str | None = None
    district: str | None = None
    road: str | None = None
    road_class: str | None = None
    office_proposed: str | None = None
    office: str | None = None
    office_by: str | None = None
    decided_utc: str | None = None
    decided_by: str | None = None
    reject_reason: str | None = None
    note: str | None = None
    merged_into: int | None = None
    #: Where a person said what it is: who, and what its sightings say.
    class_by: str | None = None
    class_seen: str | None = None


class Seen(Struct, frozen=True, kw_only=True):
    """One observation (`received`) or one citizen's report (`report`), of whatever case."""

    defect_class: str
    received: int | None = None
    report: str | None = None
    vehicle: str | None = None
    boot: str | None = None
    score: float | None = None
    utc: str | None = None
    lon: float | None = None
    lat: float | None = None
    error_m: float | None = None
    heading_deg: float | None = None
    line: str | None = None
    chainage_m: float | None = None
    length_m: float | None = None
    width_m: float | None = None
    size_error_m: float | None = None
    grade: int | None = None
    picture: str | None = None
    revision: int | None = None
    surface: Literal["road", "lining"] | None = None  # None: on the road
    track: str | None = None
    chainage_error_m: float | None = None
    side: Side | None = None
    lining_clock: float | None = None
    monotonic_s: float | None = None
    shock_mps2: float | None = None


class Sighting(Seen, frozen=True, kw_only=True):
    """That, as part of its case."""

    number: int
    case: int


def case_of(row: Row[Any]) -> Case:
    """A row of all columns of `cases`."""
    return Case(**_attributes(row))


def sighting_of(row: Row[Any]) -> Sighting:
    """A row of all columns of `sightings`."""
    return Sighting(**_attributes(row))


def row_of(record: Case | Sighting) -> dict[str, Any]:
    """The columns of a record."""
    values = asdict(record)
    values["class"] = values.pop("defect_class")
    return values


def _attributes(row: Row[Any]) -> dict[str, Any]:
    values = cast("dict[str, Any]", dict(row._mapping))  # noqa: SLF001 - its public name, in spite of the underscore
    values["defect_class"] = values.pop("class")
    return values
