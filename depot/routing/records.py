# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Offices, rules and areas, as the API takes and gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field
from shapely import Geometry

Kind = Literal["district", "area"]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="lower-case letters, digits, - and _")]
#: One line of text; no control characters.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Words = Annotated[tuple[Line, ...], Field(max_length=500)]


@dataclass(frozen=True, kw_only=True)
class Office:
    """Who acts. One that is not active keeps its cases but gets no new ones."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    id: Id
    name: Line
    email: Annotated[str | None, Field(max_length=254, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$")] = None
    active: bool = True


@dataclass(frozen=True, kw_only=True)
class Rule:
    """All conditions that are given must hold; an empty list is no condition. The first rule that holds proposes.

    A case without a grade meets no `grade_min`, one without a place lies in no area.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    office: Id
    name: Annotated[str, Field(max_length=200, pattern=PRINTABLE, description="why, for the depot's people")] = ""
    classes: Words = field(default=())
    surface: Literal["road", "lining"] | None = None
    grade_min: Annotated[int | None, Field(ge=1, le=5)] = None
    areas: Annotated[Words, Field(description="ids of areas; it lies in one of them")] = field(default=())
    road_classes: Words = field(default=())
    lines: Words = field(default=())


@dataclass(frozen=True)
class Area:
    """A district or another area: polygons in degrees (lon, lat)."""

    id: str
    name: str
    kind: Kind
    geometry: Geometry
