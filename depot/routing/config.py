# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The settings `[routing]`. Offices, rules and areas are kept in the database, where the depot edits them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from depot.sections import Section


class RoutingConfig(Section, frozen=True):
    """Who is to act."""

    start_with: Annotated[
        Literal["duisburg", "nothing"],
        Meta(description="offices and rules of a new database; later changes are made on the page"),
    ] = "duisburg"
    road_within_m: Annotated[
        float, Meta(ge=1, le=200, description="metres that a case may lie from the line of the road it belongs to")
    ] = 25.0
