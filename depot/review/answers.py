# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the routes answer, as types: the OpenAPI document is made from them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from depot.asking.reading import AskedOf, LaterPicture
from depot.cases.history import Duplicate, Entry, Look
from depot.cases.records import Case
from depot.config import PageConfig
from depot.describing import Language
from depot.handover.records import HandedOver
from depot.review.deciding import Offer
from messages.types import Observation


class Shown(Case, frozen=True, kw_only=True):
    """A case in a list. `picture`: SHA-256 of the best one; `picture_stored`: its bytes can be fetched."""

    defect_class: str = field(name="class")
    title: dict[Language, str]
    picture: str | None = None
    picture_stored: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """A page of the list. `sequence`: the changes up to which it is true."""

    cases: list[Shown]
    total: int
    sequence: int
    next: str | None = None


class Changes(Struct, frozen=True, kw_only=True):
    """What changed after the number asked for. Ask again after `sequence` while `more`."""

    sequence: int
    more: bool
    cases: list[Shown]
    #: Cases that are none any more: merged into others.
    gone: list[int]


class SeenOnce(Struct, frozen=True, kw_only=True, rename={"defect_class": "class"}):
    """One sighting. `event` is the id of the vehicle's message; a citizen's report has `report` instead."""

    number: int
    defect_class: str
    utc: str | None = None
    vehicle: str | None = None
    event: str | None = None
    report: str | None = None
    received_utc: str | None = None
    time_quality: str | None = None
    score: float | None = None
    grade: int | None = None
    severity_rule: str | None = None
    frames_seen: int | None = None
    lon: float | None = None
    lat: float | None = None
    error_m: float | None = None
    position_method: str | None = None
    position_quality: str | None = None
    revised: bool = False
    heading_deg: float | None = None
    speed_mps: float | None = None
    line: str | None = None
    track: str | None = None
    chainage_m: float | None = None
    length_m: float | None = None
    width_m: float | None = None
    size_error_m: float | None = None
    picture: str | None = None
    picture_stored: bool = False
    #: x1, y1, x2, y2 in pixels of the picture.
    box: tuple[float, float, float, float] | None = None
    model: str | None = None
    model_version: str | None = None
    model_sha256: str | None = None
    software: str | None = None
    calibration: str | None = None


class Photo(Struct, frozen=True, kw_only=True):
    """A picture of a case, by a vehicle, a citizen's report or a crew. `box`: x1, y1, x2, y2 in its pixels."""

    sha256: str
    kind: Literal["observation", "report", "repair"]
    stored: bool
    expired: bool
    utc: str | None = None
    vehicle: str | None = None
    width: int | None = None
    height: int | None = None
    box: tuple[float, float, float, float] | None = None
    anonymised_by: str | None = None


class Detail(Shown, frozen=True, kw_only=True):
    """All that is known of a case."""

    text: dict[Language, str]
    #: Newest first, at most 200; `sightings` says how many there are.
    seen: list[SeenOnce]
    #: Best first.
    pictures: list[Photo]
    looks: list[Look]
    #: Its place on passes after the order, from vehicles that were asked for a picture; newest first.
    after: list[LaterPicture]
    #: Vehicles that are asked for one now.
    asked: list[AskedOf]
    #: What these pictures speak for; a person decides. Only for one who may.
    proposes: Literal["repaired"] | None
    history: list[Entry]
    #: What the person who asks may do now.
    actions: list[Offer]
    duplicates: list[Duplicate]
    handed_over: list[HandedOver]
    observation: Observation | None = None


class Done(Struct, frozen=True, kw_only=True):
    """What became of one case of many. `detail`: why not."""

    number: int
    ok: bool
    detail: str | None = None


class DoneAll(Struct, frozen=True, kw_only=True):
    """What became of many cases."""

    results: list[Done]


class Split(Struct, frozen=True, kw_only=True):
    """`new`: the number of the case that was split off; `case`: the one that it came from."""

    new: int
    case: Detail


class Point(Struct, frozen=True, kw_only=True, tag="Point"):
    """GeoJSON."""

    coordinates: tuple[float, float]


class MapFacts(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"defect_class": "class"}):
    """A cluster of cases too near to each other to be shown one by one, or one case.

    A cluster has `count`, `open` (those that wait for a decision), `expand_zoom` (from which it falls apart) and
    `worst_grade`; a case has the others. What is not known is left out.
    """

    cluster: bool
    count: int | None = None
    open: int | None = None
    worst_grade: int | None = None
    expand_zoom: int | None = None
    number: int | None = None
    defect_class: str | None = None
    state: str | None = None
    grade: int | None = None
    error_m: float | None = None
    office: str | None = None
    title_de: str | None = None
    title_en: str | None = None


class MapFeature(Struct, frozen=True, kw_only=True, tag="Feature"):
    """GeoJSON."""

    geometry: Point
    properties: MapFacts


class Map(Struct, frozen=True, kw_only=True, tag="FeatureCollection"):
    """GeoJSON (RFC 7946); `total` cases are in its features."""

    total: int
    sequence: int
    features: list[MapFeature]


class Summary(Struct, frozen=True, kw_only=True):
    """Counts of everything, as of `as_of_utc`. `pending`: events that are stored and not yet among the cases."""

    as_of_utc: str
    sequence: int
    events: int
    pending: int
    failed: int
    observations: int
    cases: int
    cases_without_position: int
    pictures: int
    pictures_awaited: int
    coverage: int
    revisions: int
    revisions_waiting: int
    roughness: int
    vehicles: int
    classes: dict[str, int]
    refused: dict[str, int]


class Settings(PageConfig, frozen=True, kw_only=True):
    """What the page must know. `hands_over`: whether there is a system of the city's to file cases at."""

    hands_over: bool


class Health(Struct, frozen=True, kw_only=True):
    """How the depot is."""

    status: Literal["ok", "failed"]
    broker: str


class Problem(Struct, frozen=True, kw_only=True):
    """Why not: one line, or a list where a parameter is none."""

    detail: str | list[dict[str, Any]]
