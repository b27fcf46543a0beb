# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All routes about people."""

from __future__ import annotations

from fastapi import APIRouter

from depot.people import oidc_routes, session_routes, user_routes
from depot.services import Services


def router(services: Services) -> APIRouter:
    """Sessions, users, tokens, record of changes, and the way to the identity provider."""
    made = APIRouter()
    made.include_router(session_routes.router(services))
    made.include_router(user_routes.router(services))
    made.include_router(oidc_routes.router(services))
    return made
