# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The review API: lists, map, counts, one case, decisions, live changes, pictures."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from depot.cases.ports import Placing
from depot.errors import StoreError
from depot.review import decision_routes, list_routes, live_routes, state_routes
from depot.review.index import CaseIndex
from depot.review.summing import Summing
from depot.services import Services


def router(services: Services, placing: Placing | None = None) -> APIRouter:
    """All routes of this package. `placing`: says where a case lies that was merged or split by hand."""
    index = CaseIndex(services.database)
    summing = Summing(services.database, index)

    def warm() -> None:
        try:
            summing.current()
        except StoreError:
            return  # whoever asks first is told

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # So that the first person does not wait for 100,000 cases to be read.
        threading.Thread(target=warm, name="index", daemon=True).start()
        yield

    made = APIRouter(lifespan=lifespan, tags=["review"])
    list_routes.add(made, services, index)
    decision_routes.add(made, services, placing)
    live_routes.add(made, services)
    state_routes.add(made, services, summing)
    return made
