# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All routes of the hand-over."""

from __future__ import annotations

from fastapi import APIRouter

from depot.handover import exports, ogc, sensorthings
from depot.handover.config import HandoverConfig
from depot.services import Services


def router(services: Services, settings: HandoverConfig | None = None) -> APIRouter:
    """Exports, OGC API Features, SensorThings, Open311, webhooks."""
    settings = settings or services.config.handover
    routes = APIRouter()
    for part in (exports, ogc, sensorthings):
        routes.include_router(part.router(services, settings))
    return routes
