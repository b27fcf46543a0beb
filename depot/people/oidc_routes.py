# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""To the identity provider and back. Whoever comes back with a known group becomes, or stays, a user."""

from __future__ import annotations

import html
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import delete, insert

from depot.people import sessions
from depot.people.answers import TEXTS, faults, json_fault
from depot.people.config import PeopleConfig
from depot.people.entering import is_secure, set_cookie
from depot.people.errors import PeopleError
from depot.people.moment import later
from depot.people.oidc import Provider
from depot.people.oidc_users import enter
from depot.people.secret import key_of, new_secret, same
from depot.people.sessions import VISIT
from depot.people.tables import oidc_visits
from depot.secret_file import first_line
from depot.services import Services
from depot.store.database import Database

#: A path of ours and nothing that a browser takes for another site.
_NEXT = r"^/([A-Za-z0-9_.~#?&=%+-][A-Za-z0-9_.~#?&=%+/-]*)?$"
_PATH = "/login/oidc"


def router(services: Services) -> APIRouter:
    """`/login/oidc` and `/login/oidc/callback`.

    Raises:
        ConfigError: the file with our secret cannot be read.
    """
    made = APIRouter(tags=["session"])
    database, people = services.database, services.config.people
    provider = _provider(people)

    @made.get(_PATH, status_code=303, response_class=RedirectResponse, responses=faults(404, 422, 502))
    def leave(
        request: Request, after: Annotated[str, Query(alias="next", max_length=500, pattern=_NEXT)] = "/"
    ) -> Response:
        """Send the browser to the identity provider; `next`: where it goes after the login."""
        if provider is None:
            raise HTTPException(404, "there is no login by an identity provider here")
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        try:
            address = provider.address(state=state, nonce=nonce, verifier=verifier)
        except PeopleError as error:
            raise HTTPException(error.status, str(error)) from None
        with database.writing() as connection:
            connection.execute(
                insert(oidc_visits).values(
                    key=key_of(state), nonce=nonce, verifier=verifier, next=after, created_utc=database.now_utc()
                )
            )
        response = RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})
        # Lax: the browser comes back from another site. It shows that the same browser comes back that we sent.
        response.set_cookie(
            _visit_cookie(request, people), state, max_age=int(VISIT.total_seconds()), path="/", httponly=True,
            samesite="lax", secure=is_secure(request.scope, people),
        )  # fmt: skip
        return response

    @made.get(f"{_PATH}/callback", response_class=HTMLResponse, responses=_pages(400, 403, 404, 502) | json_fault(422))
    def come_back(
        request: Request,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=4000)] = "",
        error: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Response:
        """Where the identity provider sends the browser back to."""
        if provider is None:
            return _page(404, "there is no login by an identity provider here")
        cookie = request.cookies.get(_visit_cookie(request, people), "")
        try:
            secret, after = _come_back(database, people, provider, cookie=cookie, state=state, code=code, error=error)
        except PeopleError as problem:
            return _page(problem.status, str(problem))
        response = _page(200, "", onward=after)
        secure = is_secure(request.scope, people)
        set_cookie(response, secret, secure=secure)
        response.delete_cookie(
            _visit_cookie(request, people), path="/", secure=secure, httponly=True, samesite="lax"
        )  # fmt: skip
        return response

    return made


def _pages(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"text/html": {}}, "description": TEXTS[status]} for status in statuses}


def _come_back(
    database: Database,
    people: PeopleConfig,
    provider: Provider,
    *,
    cookie: str,
    state: str,
    code: str,
    error: str | None,
) -> tuple[str, str]:
    """Secret of the new session, and where to go. Raises PeopleError."""
    if not state or not same(cookie, state):
        raise PeopleError("this login was not begun in this browser, or took too long; begin anew", status=400)
    with database.writing() as connection:  # whatever comes of it: a state serves once
        visit = connection.execute(
            delete(oidc_visits)
            .where(oidc_visits.c.key == key_of(state), oidc_visits.c.created_utc > later(database.now_utc(), -VISIT))
            .returning(oidc_visits.c.nonce, oidc_visits.c.verifier, oidc_visits.c.next)
        ).first()
    if visit is None:
        raise PeopleError("this login took too long or was used already; begin anew", status=400)
    if error is not None or not code:
        raise PeopleError(f"the identity provider did not let you in: {error or 'no code'}", status=403)
    claims = provider.claims(code=code, nonce=visit.nonce, verifier=visit.verifier)
    role = provider.role(claims)
    if role is None:
        raise PeopleError("your groups at the identity provider have no role here; ask your IT for one", status=403)
    with database.changing() as change:
        name = enter(change, claims, role, name_claim=people.oidc.name_claim)
        return sessions.begin(change.connection, name, by="oidc", now_utc=change.now_utc, people=people), visit.next


def _provider(people: PeopleConfig) -> Provider | None:
    if people.login != "oidc":
        return None
    file = people.oidc.client_secret_file
    return Provider(
        people.oidc,
        redirect_uri=f"{(people.public_url or '').rstrip('/')}{_PATH}/callback",
        secret=None if file is None else first_line(file, key="people.oidc.client_secret_file"),
    )


def _visit_cookie(request: Request, people: PeopleConfig) -> str:
    return "__Host-wegewart-visit" if is_secure(request.scope, people) else "wegewart-visit"


def _page(status: int, problem: str, *, onward: str = "/") -> HTMLResponse:
    """A page that goes on by itself: a redirect would still count as coming from the provider, without the cookie."""
    refresh = "" if problem else f'<meta http-equiv="refresh" content="0;url={html.escape(onward)}">'
    text = f"Anmeldung nicht möglich / login failed: {html.escape(problem)}" if problem else ""
    return HTMLResponse(
        f'<!doctype html><html lang="de"><meta charset="utf-8"><title>Wegewart</title>{refresh}'
        f'<p>{text}</p><p><a href="{html.escape(onward)}">Weiter / continue</a></p></html>',
        status,
        headers={"Cache-Control": "no-store"},
    )
