# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All routes of roads."""

from __future__ import annotations

from fastapi import APIRouter

from depot.roads import condition_routes, coverage_routes
from depot.roads.config import RoadsConfig, zone
from depot.roads.coverage import Covered
from depot.roads.given import Given
from depot.roads.network import Roads
from depot.roads.sections import SectionIndex
from depot.services import Services


def router(
    services: Services,
    settings: RoadsConfig | None = None,
    roads: Roads | None = None,
    sections: SectionIndex | None = None,
) -> APIRouter:
    """What was looked at, the proof of it, roughness, condition of sections, tunnels, the network.

    `roads`, `sections`: in memory, where others use them too.

    Raises:
        ConfigError: the time zone is not known.
    """
    settings, roads = settings or RoadsConfig(), roads or Roads()
    sections = sections or SectionIndex(roads, within_m=settings.within_m, valid_days=settings.look_valid_days)
    given = Given(services.database, roads, zone(settings), sections, Covered(zone(settings)))
    made = APIRouter()
    made.include_router(coverage_routes.router(given))
    made.include_router(condition_routes.router(given))
    return made
