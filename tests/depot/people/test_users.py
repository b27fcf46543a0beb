# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Users, tokens and the record of changes, as an admin's page asks for them."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import select

from depot.people.tables import tokens, users


@pytest.fixture
def chef(house):
    house.user("chef", role="admin")
    browser = house.browser()
    assert browser.log_in("chef").status_code == 200
    return browser


def record(chef, query: str = "") -> list[tuple[str, str, str, str]]:
    changes = chef.get(f"/api/audit{query}").json()["changes"]
    return [(change["who"], change["action"], change["kind"], change["subject"]) for change in changes]


def test_a_new_user_gets_a_password_that_is_shown_once(house, chef):
    made = chef.post("/api/users", {"name": "ben", "title": "Ben Müller", "role": "dispatcher"})
    assert made.status_code == 201
    assert house.browser().log_in("ben", made.json()["password"]).json()["title"] == "Ben Müller"
    shown = chef.get("/api/users").json()["users"]
    assert [(user["name"], user["role"], user["has_password"]) for user in shown] == [
        ("ben", "dispatcher", True), ("chef", "admin", True),
    ]  # fmt: skip
    assert made.json()["password"] not in chef.get("/api/users").text
    assert "argon2" not in chef.get("/api/users").text


def test_names_are_unique_and_plain_and_no_machines(chef):
    body = {"name": "ben", "role": "viewer", "password": "ein langer Weg"}
    assert chef.post("/api/users", body).status_code == 201
    assert chef.post("/api/users", body).status_code == 409
    assert chef.post("/api/users", body | {"name": "lokal"}).status_code == 409
    for name in ("Ben", "rule:oidc", "token:x", "a b", "", "a" * 64, "\x00", "ben\n"):
        assert chef.post("/api/users", body | {"name": name}).status_code == 422, name
    for wrong in ({"role": "reporter"}, {"role": "god"}, {"title": "a\x00"}, {"password": "kurz"}, {"disabled": True}):
        assert chef.post("/api/users", body | {"name": "eva"} | wrong).status_code == 422, wrong
    assert chef.post("/api/users", body | {"name": "eva-die-erste", "password": "eva-die-erste"}).status_code == 409


def test_a_refused_user_is_not_there(house, chef):
    """Red if the password is looked at only after the row is written and committed."""
    chef.post("/api/users", {"name": "ben", "role": "viewer", "password": "kurz"})
    with house.database.reading() as connection:
        assert connection.scalars(select(users.c.name)).all() == ["chef"]


def test_the_last_admin_cannot_be_locked_out(house, chef):
    for change in ({"role": "viewer"}, {"disabled": True}):
        assert chef.ask("PATCH", "/api/users/chef", change).status_code == 409
    house.user("vize", role="admin")
    assert chef.ask("PATCH", "/api/users/chef", {"role": "viewer"}).status_code == 200
    assert chef.get("/api/users").status_code == 403, "with the next click"


def test_only_what_is_named_changes(house, chef):
    house.user("anna", role="reviewer")
    chef.ask("PATCH", "/api/users/anna", {"title": "Anna K."})
    changed = chef.ask("PATCH", "/api/users/anna", {"language": "en"}).json()
    assert (changed["title"], changed["role"], changed["language"], changed["disabled"]) == (
        "Anna K.", "reviewer", "en", False,
    )  # fmt: skip
    assert chef.ask("PATCH", "/api/users/anna", {"role": None}).status_code == 422
    assert chef.ask("PATCH", "/api/users/nobody", {"language": "en"}).status_code == 404


def test_a_password_set_by_an_admin_ends_the_sessions_of_the_user(house, chef):
    house.user("anna")
    anna = house.browser()
    anna.log_in("anna")
    password = chef.post("/api/users/anna/password", {}).json()["password"]
    assert anna.get("/may/read").status_code == 401
    assert house.browser().log_in("anna").status_code == 401
    assert house.browser().log_in("anna", password).status_code == 200
    assert chef.post("/api/users/anna/password", {"password": "ein anderer Weg"}).json() == {"password": None}
    assert chef.post("/api/users/nobody/password", {}).status_code == 404


def test_every_change_is_recorded_with_before_and_after_and_without_secrets(house, chef):
    chef.post("/api/users", {"name": "ben", "role": "viewer", "password": "ein langer Weg"})
    chef.ask("PATCH", "/api/users/ben", {"role": "reviewer"})
    chef.ask("PATCH", "/api/users/ben", {"role": "reviewer"})  # no change, no row
    chef.post("/api/users/ben/password", {"password": "ein anderer Weg"})
    text = chef.post("/api/tokens", {"name": "qgis", "role": "reader"}).json()["token"]
    chef.ask("DELETE", "/api/tokens/qgis")
    chef.ask("DELETE", "/api/tokens/qgis")  # no change, no row
    assert record(chef, "?who=chef") == [
        ("chef", "revoked", "token", "qgis"), ("chef", "added", "token", "qgis"), ("chef", "password", "user", "ben"),
        ("chef", "changed", "user", "ben"), ("chef", "added", "user", "ben"),
    ]  # fmt: skip
    all_of_it = chef.get("/api/audit").text
    assert not any(secret in all_of_it for secret in ("Weg", text, "argon2"))
    changed = chef.get("/api/audit?kind=user&subject=ben&limit=2").json()["changes"][1]
    assert (changed["before"]["role"], changed["after"]["role"]) == ("viewer", "reviewer")
    assert changed["utc"] == house.now_utc


def test_the_record_is_read_page_by_page_in_both_directions(house, chef):
    for n in range(5):
        chef.post("/api/tokens", {"name": f"t{n}", "role": "reader"})
    newest = chef.get("/api/audit?limit=2&kind=token").json()
    assert [change["subject"] for change in newest["changes"]] == ["t4", "t3"]
    older = chef.get(f"/api/audit?limit=2&kind=token&before={newest['next']}").json()
    assert [change["subject"] for change in older["changes"]] == ["t2", "t1"]
    forward = chef.get("/api/audit?limit=4&kind=token&after=0").json()
    assert [change["subject"] for change in forward["changes"]] == ["t0", "t1", "t2", "t3"]
    last = chef.get(f"/api/audit?limit=4&kind=token&after={forward['next']}").json()
    assert ([change["subject"] for change in last["changes"]], last["next"]) == (["t4"], None)


def test_the_record_takes_hostile_questions(chef):
    for query in ("limit=0", "limit=1001", "after=-1", f"after={2**70}", "kind=%00", "who=" + "x" * 101, "before=x"):
        assert chef.get(f"/api/audit?{query}").status_code == 422, query


def test_a_token_works_as_bearer_and_as_the_password_of_basic(house, chef):
    text = chef.post("/api/tokens", {"name": "qgis", "role": "reader", "days": 30}).json()["token"]
    basic = base64.b64encode(f"egal:{text}".encode()).decode()
    for header in (f"Bearer {text}", f"bearer  {text}", f"Basic {basic}"):
        answer = house.browser().get("/may/read", Authorization=header)
        assert answer.json() == {"name": "token:qgis", "role": "reader", "token": "qgis"}
    assert house.browser().get("/may/decide", Authorization=f"Bearer {text}").status_code == 403


def test_days_of_a_token_are_a_whole_number(chef):
    for days, status in ((30.0, 201), (30.5, 422), (True, 422), ("30", 422), (0, 422), (3661, 422), (1e300, 422)):
        body = {"name": f"t-{str(days).lower()}".replace("+", ""), "role": "reader", "days": days}
        assert chef.post("/api/tokens", body).status_code == status, days


def test_a_token_ends_when_revoked_and_when_too_old_and_keeps_its_name(house, chef):
    old = chef.post("/api/tokens", {"name": "old", "role": "reader", "days": 1}).json()["token"]
    gone = chef.post("/api/tokens", {"name": "gone", "role": "reader"}).json()["token"]
    assert chef.ask("DELETE", "/api/tokens/gone").status_code == 204
    assert chef.ask("DELETE", "/api/tokens/never").status_code == 404
    assert house.browser().get("/may/read", Authorization=f"Bearer {gone}").status_code == 401
    assert house.browser().get("/may/read", Authorization=f"Bearer {old}").status_code == 200
    house.wait(days=1)
    assert house.browser().get("/may/read", Authorization=f"Bearer {old}").status_code == 401
    chef.csrf = None
    chef.log_in("chef")
    assert chef.post("/api/tokens", {"name": "gone", "role": "reader"}).status_code == 409


def test_tokens_are_listed_without_their_text_and_with_their_last_use(house, chef):
    text = chef.post("/api/tokens", {"name": "qgis", "role": "reader"}).json()["token"]
    assert text.startswith("wgw_")
    house.browser().get("/may/read", Authorization=f"Bearer {text}")
    listed = chef.get("/api/tokens")
    assert text not in listed.text
    assert [(token["name"], token["used_utc"]) for token in listed.json()["tokens"]] == [("qgis", house.now_utc)]
    with house.database.reading() as connection:
        assert text not in str(connection.execute(select(tokens)).all())


def test_a_wrong_token_is_refused_even_with_a_good_cookie(house, chef):
    for header in ("Bearer wgw_nonsense", "Bearer", "Bearer ", "Basic !!!", "Basic " + "eA==", "Digest x", "ü", ""):
        answer = chef.get("/may/read", Authorization=header.encode("latin-1"))
        assert answer.status_code == 401, header


def test_a_machine_has_no_session_to_change(house, chef):
    text = chef.post("/api/tokens", {"name": "bot", "role": "admin"}).json()["token"]
    header = {"Authorization": f"Bearer {text}"}
    assert house.browser().get("/api/session", **header).json()["login"] == "token"
    assert house.browser().ask("PATCH", "/api/session", {"language": "en"}, **header).status_code == 409
    body = {"old": "x", "new": "ein langer Weg"}
    assert house.browser().post("/api/session/password", body, **header).status_code == 409
    assert house.browser().post("/api/logout", **header).status_code == 204
    assert house.browser().get("/api/session", **header).status_code == 200


def test_answers_about_people_stay_in_no_cache(chef):
    for path in ("/api/users", "/api/tokens", "/api/audit", "/api/session"):
        assert chef.get(path).headers["cache-control"] == "no-store"
