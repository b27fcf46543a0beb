# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole application against its own description: whatever is asked, it answers what it says, and never a 5xx."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from depot.app import make_app
from depot.config import Config
from depot.people.config import PeopleConfig
from depot.services import Services
from depot.store.database import Database
from depot.store.migration import migrate
from tests.depot.handover.samples import PICTURE, Folder, add_case, add_sighting, add_vehicle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

#: More with WEGEWART_EXAMPLES=200.
EXAMPLES = int(os.environ.get("WEGEWART_EXAMPLES", "8"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
#: A live stream has no end.
HERE = {"Host": "127.0.0.1"}
ELSEWHERE = ("/api/events",)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The depot with some of everything; with people.login off whoever asks on this machine is an administrator."""
    folder: Path = tmp_path_factory.mktemp("depot")
    database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
    migrate(database)
    add_vehicle(database)
    for number in range(1, 5):
        add_case(database, number, state=("new", "confirmed", "ordered", "repaired")[number - 1])
        add_sighting(database, number, picture=PICTURE if number == 1 else None)
    services = Services(
        config=Config(people=PeopleConfig(login="off")),
        database=database,
        pictures=Folder(),
        link_state=lambda: "connected",
        stopping=lambda: True,
    )
    yield make_app(services)
    database.close()


def _said(error: BaseException) -> str:
    parts = getattr(error, "exceptions", ())
    return " | ".join(map(_said, parts)) if parts else f"{type(error).__name__}: {error}"


def _failures(operation: Any, mode: GenerationMode) -> str | None:
    """What the first example that fails shows; None: none did."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers=HERE)

    try:
        ask()
    except Unsatisfiable:  # what has no parameter cannot be asked wrongly
        return None
    except (Exception, FailureGroup) as error:  # noqa: BLE001 - every operation is asked, whatever one answers
        return f"{operation.label}: {' '.join(_said(error).split())[:900]}"
    return None


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_described(app: FastAPI, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HERE).exclude(path=list(ELSEWHERE))
    schema.config.base_url = "http://127.0.0.1"
    failures = [line for found in schema.get_all_operations() if (line := _failures(found.ok(), mode)) is not None]
    assert not failures, "\n\n".join(failures)


def test_every_route_says_what_it_answers_without_a_login(app: FastAPI) -> None:
    """A route that asks for a permission names 401."""
    document = app.openapi()
    public = {"/healthz", "/api/login", "/login/oidc", "/login/oidc/callback", "/api/settings"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path in public or path.startswith("/open311/v2/pictures/"):
                continue
            assert {"401"} <= set(operation["responses"]), f"{method} {path}"
