# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All routes of the hand-over."""

from __future__ import annotations

from fastapi import APIRouter

from depot.cases.ports import Placing
from depot.handover import exports, handing_over, ogc, open311_server, picture_links, sensorthings, webhook_routes
from depot.handover.collections import CaseCollection, Collection
from depot.handover.config import HandoverConfig
from depot.handover.road_collections import CoverageCollection, SectionCollection
from depot.roads.config import zone
from depot.roads.network import Roads
from depot.roads.sections import SectionIndex
from depot.routing.router import Router
from depot.services import Services


def router(
    services: Services,
    settings: HandoverConfig | None = None,
    roads: Roads | None = None,
    sections: SectionIndex | None = None,
    placing: Placing | None = None,
) -> APIRouter:
    """Exports, OGC API Features, SensorThings, Open311, webhooks.

    Args:
        services: shared by all parts.
        settings: other than those of `services.config`.
        roads: the network in memory, where others use it too.
        sections: the condition of its sections, likewise.
        placing: says where a reported case lies, likewise.

    Raises:
        ConfigError: the roads' time zone is not known.
    """
    settings = settings or services.config.handover
    about_roads, now_utc = services.config.roads, services.database.now_utc
    roads = roads or Roads()
    sections = sections or SectionIndex(roads, within_m=about_roads.within_m, valid_days=about_roads.look_valid_days)
    offered: list[Collection] = [
        CaseCollection(),
        CoverageCollection(roads, now_utc, zone(about_roads)),
        SectionCollection(roads, now_utc, sections),
    ]
    routes = APIRouter()
    routes.include_router(exports.router(services, settings))
    routes.include_router(ogc.router(services, settings, offered))
    routes.include_router(sensorthings.router(services, settings))
    links = picture_links.PictureLinks(services.database)
    placing = placing or Router(road_within_m=about_roads.within_m)
    # Before the rest of Open311, which wants a login.
    routes.include_router(picture_links.router(services, links))
    routes.include_router(open311_server.router(services, settings, placing, links))
    routes.include_router(handing_over.router(services, settings))
    routes.include_router(webhook_routes.router(services, settings))
    return routes
