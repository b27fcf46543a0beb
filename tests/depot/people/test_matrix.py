# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may ask what: every route of the whole depot with every role. A new route is to be entered here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from depot.app import make_app
from depot.config import Config
from depot.people import tokens, users
from depot.people.config import PeopleConfig
from depot.people.roles import PERMISSIONS
from depot.services import Services
from depot.store.database import Database
from depot.store.migration import migrate
from depot.store.pictures import PictureFolder
from tests.depot.people.house import PASSWORD, Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC = """
    GET /  GET /coverage  GET /condition  GET /vehicles  GET /admin  GET /login
    GET /static/{path:path}  GET /vendor/maplibre-gl/{path:path}  GET /vendor/letters/{path:path}
    GET /api/openapi.json  GET /healthz  GET /updates/{path:path}
    GET /api/login  POST /api/login  GET /login/oidc  GET /login/oidc/callback
"""
#: A link that the depot signs for the city's endpoint is its own permission.
SIGNED = "GET /open311/v2/pictures/{sha256}.jpg"
ANYONE_LOGGED_IN = "POST /api/logout  GET /api/session  PATCH /api/session  POST /api/session/password"
GUARDED = {
    "read": """
        GET /api/cases  GET /api/counts  GET /api/map  GET /api/cases/{number}  GET /api/events  GET /api/changes
        GET /pictures/{sha256}.jpg  GET /api/summary  GET /api/settings
        GET /api/coverage  GET /api/roughness  GET /api/coverage/roads  GET /api/coverage/roads.geojson
        GET /api/coverage/roads.csv  GET /api/coverage/proof  GET /api/coverage/proof.csv
        GET /api/sections  GET /api/tunnels  GET /api/tunnels/{line}  GET /api/roads
        GET /api/offices  GET /api/rules  GET /api/areas  GET /api/routing/quality
        GET /api/cases.geojson  GET /api/cases.csv  GET /api/cases.kml  GET /api/cases.gpkg
        GET /ogc  GET /ogc/conformance  GET /ogc/collections  GET /ogc/collections/{name}
        GET /ogc/collections/{name}/items  GET /ogc/collections/{name}/items/{item}
        GET /sensorthings/v1.1  GET /sensorthings/v1.1/{path:path}
    """,
    "decide": """
        POST /api/cases/{number}/actions  POST /api/cases/{number}/undo  POST /api/actions
        POST /api/cases/{number}/merge  POST /api/cases/{number}/split
    """,
    "dispatch": """
        PUT /api/offices  PUT /api/rules  POST /api/rules/try  PUT /api/areas  POST /api/cases/{number}/handover
        POST /api/cases/{number}/picture
    """,
    "fleet": """
        GET /api/vehicles  GET /api/vehicles/{name}  GET /api/alarms  GET /api/alarms/rules
        GET /api/fleet/software  GET /api/fleet/software.csv  GET /api/fleet/changes
        GET /api/releases  GET /api/rollouts  GET /api/rollouts/{number}
    """,
    "report": """
        POST /api/reports  GET /api/reports/{id}
        GET /open311/v2/discovery.{form}  GET /open311/v2/services.{form}  GET /open311/v2/services/{code}.{form}
        GET /open311/v2/requests.{form}  GET /open311/v2/requests/{number}.{form}  POST /open311/v2/requests.{form}
    """,
    "audit": "GET /api/audit  GET /api/coverage/proof/check",
    "manage": """
        GET /api/users  POST /api/users  PATCH /api/users/{name}  POST /api/users/{name}/password
        GET /api/tokens  POST /api/tokens  DELETE /api/tokens/{name}
        PUT /api/roads  PUT /api/alarms/rules  PATCH /api/vehicles/{name}
        POST /api/rollouts  POST /api/rollouts/{number}/actions  POST /api/rollouts/{number}/vehicles/{name}
        GET /api/webhooks  POST /api/webhooks  PATCH /api/webhooks/{number}  DELETE /api/webhooks/{number}
        POST /api/webhooks/{number}/test  GET /api/webhooks/{number}/deliveries
    """,
}
#: What stands in the place of a path's names: what no depot has.
VALUES = {
    "sha256": "0" * 64, "number": "999999", "form": "json", "path:path": "Things", "item": "1", "code": "pothole",
    "id": "0" * 32,
}  # fmt: skip


def routes_of(text: str) -> list[str]:
    return re.findall(r"[A-Z]+ \S+", text)


TABLE: dict[str, str] = {
    **dict.fromkeys(routes_of(PUBLIC), "public"),
    SIGNED: "signed",
    **dict.fromkeys(routes_of(ANYONE_LOGGED_IN), "anyone"),
    **{route: permission for permission, text in GUARDED.items() for route in routes_of(text)},
}


def declared(routes: list[Any]) -> Iterator[tuple[str, str]]:
    """Every route of the application with what its guard asks for: a permission, "anyone", or "none"."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from declared(inner.routes)
            continue
        guards = _guards(route.dependant) if hasattr(route, "dependant") else []
        for method in route.methods or {"GET"}:
            if method not in {"HEAD", "OPTIONS"}:
                yield f"{method} {route.path}", (guards or ["none"])[0] or "anyone"


def _guards(dependant: Any) -> list[str | None]:
    here = [each.call.permission for each in dependant.dependencies if hasattr(each.call, "permission")]
    return here + [found for each in dependant.dependencies for found in _guards(each)]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    database = Database(f"sqlite:///{folder / 'depot.sqlite'}")
    migrate(database)
    services = Services(
        config=Config(people=PeopleConfig(tries_per_address=100_000)),
        database=database,
        pictures=PictureFolder(folder / "pictures"),
        link_state=lambda: "connected",
        stopping=lambda: True,  # a live stream ends at once
    )
    made = make_app(services)
    made.state.database = database
    yield made
    database.close()


@pytest.fixture(scope="module")
def texts(app):
    """A token of each role."""
    with app.state.database.changing() as change:
        return {role: tokens.add(change, who="test", name=role, role=role) for role in PERMISSIONS}


def ask(app, route: str, **headers: str) -> int:
    method, path = route.split(" ")
    path = re.sub(r"\{(.*?)\}", lambda name: VALUES.get(name[1], "nobody"), path)
    browser = Browser(app, address="192.0.2.1", base_url="http://depot.test")
    if path.startswith("/open311") and method == "POST":  # there a token may also stand in the form
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return browser.ask(method, path, **headers).status_code


def test_the_table_names_every_route_and_what_it_asks_for(app):
    found = dict(declared(app.routes))
    asked = {route: {"public": "none", "signed": "none"}.get(wanted, wanted) for route, wanted in TABLE.items()}
    assert found == asked


def test_the_api_description_hides_no_route_from_the_table(app):
    described = {
        f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods
    }  # fmt: skip
    assert described <= {route.replace(":path", "") for route in TABLE}


@pytest.mark.parametrize("role", sorted(PERMISSIONS))
def test_each_role_may_do_what_the_table_says_and_nothing_else(app, texts, role):
    wrong = []
    for route, wanted in TABLE.items():
        status = ask(app, route, Authorization=f"Bearer {texts[role]}")
        allowed = wanted in {"public", "anyone"} or wanted in PERMISSIONS[role]
        if (wanted != "signed" and (status == 403) == allowed) or (status == 401 and route != "POST /api/login"):
            wrong.append((route, status))
        assert status < 500, route
    assert wrong == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wgw_nobody"}, {"Cookie": "wegewart=nobody"}],
    ids=["nothing", "token", "cookie"],
)
def test_without_a_login_only_what_is_public_answers(app, headers):
    wrong = []
    for route, wanted in TABLE.items():
        status = ask(app, route, **headers)
        if wanted not in {"public", "signed"} and status != 401:
            wrong.append((route, status))
    assert wrong == []


def test_a_signed_link_without_its_signature_shows_nothing(app):
    assert ask(app, SIGNED) in {401, 403, 404, 422}


@pytest.fixture
def chef(app, cheap_passwords):
    with app.state.database.changing() as change:
        if users.find(change.connection, "chef") is None:
            users.add(change, who="test", name="chef", title="", role="admin", password=PASSWORD)
        users.set_password(change, "chef", PASSWORD, who="test")
    browser = Browser(app, address="192.0.2.1", base_url="http://depot.test")
    assert browser.log_in("chef").status_code == 200
    return browser


def test_no_route_that_changes_anything_takes_a_cookie_alone(app, chef):
    """The admin's cookie, as another site's page would send it."""
    chef.csrf = None
    wrong = []
    for route in TABLE:
        method, path = route.split(" ")
        if method != "GET":
            path = re.sub(r"\{(.*?)\}", lambda name: VALUES.get(name[1], "nobody"), path)
            both = ({}, {"Origin": "https://evil.test", "X-CSRF-Token": "x"})
            wrong += [(route, headers) for headers in both if chef.ask(method, path, **headers).status_code != 403]
    assert wrong == []


def test_a_get_changes_nothing(app, texts):
    """Red if a GET takes the lock on the sequence of changes, or writes into the record."""
    before = app.state.database.sequence()
    for route in TABLE:
        if route.startswith("GET"):
            ask(app, route, Authorization=f"Bearer {texts['admin']}")
    assert app.state.database.sequence() == before


def test_errors_are_one_line_of_json_even_for_what_no_text_can_hold(app, chef):
    for body in (
        '{"name": "\\ud800", "password": "x", "\\ud800": 1}',
        "\ud800",
        "[" * 5000,
        "{",
        '{"name": 7}',
        "null",
    ):
        answer = chef.ask("POST", "/api/users", None, content=body)
        assert answer.status_code in {400, 422}, body
        assert set(answer.json()) == {"detail"}
        assert "\n" not in answer.json()["detail"]


def test_a_refused_password_is_not_sent_back(chef):
    body = {"name": "Otto", "role": "viewer", "password": "my own secret way", "more": "my other secret"}
    answer = chef.post("/api/users", body)
    assert answer.status_code == 422
    assert "secret" not in answer.text
