# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Logging in, staying in, being let out; and those who try to get in otherwise."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from depot.people import secret, sessions, tables, users
from depot.people.config import PeopleConfig
from depot.people.tries import Tries
from depot.people.users import UserChange
from tests.depot.people.house import PASSWORD, House


def test_a_login_gives_a_cookie_that_scripts_and_other_sites_cannot_use(house):
    house.user("anna")
    answer = house.browser().log_in("anna")
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 200
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie, "plain http on the loopback"
    assert answer.json() | {"csrf": ""} == {
        "name": "anna", "title": "Anna", "role": "reviewer", "language": "de", "login": "password", "csrf": "",
        "permissions": ["decide", "fleet", "read", "report"],
    }  # fmt: skip


def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(house):
    house.user("anna")
    browser = house.browser(base_url="https://depot.test")
    cookie = browser.log_in("anna").headers["set-cookie"]
    assert cookie.startswith("__Host-wegewart=")
    assert "Secure" in cookie
    assert browser.get("/may/read").status_code == 200


def test_a_proxy_that_took_the_s_away_changes_nothing_about_that(database, cheap_passwords):
    house = House(database, PeopleConfig(public_url="https://depot.test"))
    house.user("anna")
    assert house.browser().log_in("anna").headers["set-cookie"].startswith("__Host-wegewart=")


def test_the_name_may_be_typed_in_capitals(house):
    house.user("anna")
    assert house.browser().log_in(" Anna ").status_code == 200


def test_an_umlaut_is_the_same_however_the_keyboard_writes_it(house):
    house.user("anna", password="grüne Straße am See")
    assert house.browser().log_in("anna", "gru\u0308ne Straße am See").status_code == 200


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(house):
    house.user("anna")
    for name in ("anna", "nobody", "x' OR 1=1 --", "\x00", "ä" * 200):
        answer = house.browser().log_in(name, "not the right one")
        assert (answer.status_code, answer.json()) == (401, {"detail": "name or password is wrong"}), name


def test_an_unknown_name_costs_the_same_work_as_a_known_one(house, monkeypatch):
    house.user("anna")
    checked = []
    hasher = secret._HASHER

    class Watched:
        def verify(self, kept, password):
            checked.append(kept)
            return hasher.verify(kept, password)

    monkeypatch.setattr(secret, "_HASHER", Watched())
    for name in ("anna", "nobody"):
        house.browser().log_in(name, "not the right one")
    assert len(checked) == 2
    assert all(kept.startswith("$argon2id$") for kept in checked), "anything else would be refused without work"


def test_passwords_are_kept_as_argon2id_with_the_work_that_its_standard_asks_for():
    kept = secret.hash_password(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert secret.check_password(PASSWORD, kept)
    assert not secret.check_password(PASSWORD + "!", kept)
    assert not secret.check_password(PASSWORD, None)


def test_a_password_kept_with_less_work_is_kept_anew_at_the_next_login(house, monkeypatch):
    house.user("anna")
    monkeypatch.setattr(secret, "_HASHER", type(secret._HASHER)(time_cost=2, memory_cost=16, parallelism=1))
    assert house.browser().log_in("anna").status_code == 200
    with house.database.reading() as connection:
        assert "m=16,t=2" in connection.execute(select(tables.users.c.password)).scalar_one()
    assert house.browser().log_in("anna").status_code == 200


def test_after_too_many_tries_even_the_right_password_waits(house):
    house.user("anna")
    answers = [house.browser(address=f"192.0.2.{n}").log_in("anna", "wrong wrong wrong") for n in range(10)]
    assert {answer.status_code for answer in answers} == {401}
    house.wait(minutes=5)
    waits = house.browser().log_in("anna")
    assert waits.status_code == 429
    assert waits.headers["retry-after"] == "600"
    house.wait(minutes=10)
    assert house.browser().log_in("anna").status_code == 200


def test_one_address_cannot_try_many_names(database, cheap_passwords):
    house = House(database, PeopleConfig(tries_per_address=5))
    house.user("anna")
    for n in range(5):
        assert house.browser(address="2001:db8::1").log_in(f"name{n}", "wrong wrong wrong").status_code == 401
    assert house.browser(address="2001:db8::2").log_in("anna").status_code == 429, "its neighbour in the same /64"
    assert house.browser(address="2001:db8:1::2").log_in("anna").status_code == 200


def test_good_logins_use_up_no_tries(database, cheap_passwords):
    house = House(database, PeopleConfig(tries_per_address=3, tries_per_name=3))
    house.user("anna")
    assert {house.browser().log_in("anna").status_code for _ in range(8)} == {200}


def test_tries_at_the_same_moment_do_not_slip_through(database):
    """Red if the try is counted only after the password was checked, or read and written in two steps."""
    people = PeopleConfig(tries_per_name=5)
    allowed, lock = [], threading.Lock()

    def one() -> None:
        with database.writing() as connection:
            wait = Tries.of("anna", "192.0.2.1").wait_s(connection, now_utc="2026-11-22T08:00:00.000Z", people=people)
        with lock:
            allowed.append(wait is None)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 5


def test_what_was_typed_as_a_name_is_not_kept(house):
    house.browser().log_in("my password by mistake", "anna")
    with house.database.reading() as connection:
        assert "mistake" not in str(connection.execute(select(tables.login_tries)).all())


def test_a_session_ends_when_unused_and_after_a_day_of_work_in_any_case(house):
    house.user("anna")
    browser = house.browser()
    browser.log_in("anna")
    for _ in range(11):
        house.wait(hours=1)
        assert browser.get("/may/read").status_code == 200
    house.wait(hours=1, seconds=1)
    assert browser.get("/may/read").status_code == 401, "12 hours"
    browser.csrf = None
    browser.log_in("anna")
    house.wait(minutes=121)
    assert browser.get("/may/read").status_code == 401, "unused"


def test_logging_out_ends_the_session_and_not_only_the_cookie(house):
    house.user("anna")
    browser = house.browser()
    browser.log_in("anna")
    kept = dict(browser.cookies)
    assert browser.post("/api/logout").status_code == 204
    assert "wegewart" not in browser.cookies
    browser.cookies.update(kept)
    assert browser.get("/api/session").status_code == 401


def test_the_database_holds_no_cookie(house):
    house.user("anna")
    browser = house.browser()
    browser.log_in("anna")
    with house.database.reading() as connection:
        assert browser.cookies["wegewart"] not in str(connection.execute(select(tables.sessions)).all())


def test_a_new_login_does_not_go_on_with_the_old_session(house):
    house.user("anna")
    browser = house.browser()
    browser.log_in("anna")
    old = browser.cookies["wegewart"]
    browser.log_in("anna")
    assert browser.cookies["wegewart"] != old
    browser.cookies.set("wegewart", old)
    browser.cookies = type(browser.cookies)({"wegewart": old})
    assert browser.get("/may/read").status_code == 401


def test_a_disabled_user_is_out_at_once(house):
    house.user("chef", role="admin")
    house.user("anna")
    anna, chef = house.browser(), house.browser()
    anna.log_in("anna")
    chef.log_in("chef")
    assert chef.ask("PATCH", "/api/users/anna", {"disabled": True}).status_code == 200
    assert anna.get("/may/read").status_code == 401
    assert house.browser().log_in("anna").status_code == 401


def test_a_session_that_began_at_the_moment_of_disabling_is_nobodys(house):
    house.user("anna")
    with house.database.changing() as change:
        users.alter(change, "anna", UserChange(disabled=True), who="test")
        secret = sessions.begin(change.connection, "anna", by="password", now_utc=house.now_utc, people=house.people)
    browser = house.browser()
    browser.cookies.set("wegewart", secret)
    assert browser.get("/may/read").status_code == 401


def test_a_new_role_counts_with_the_next_click(house):
    house.user("chef", role="admin")
    house.user("anna")
    anna, chef = house.browser(), house.browser()
    anna.log_in("anna")
    chef.log_in("chef")
    assert anna.get("/may/audit").status_code == 403
    chef.ask("PATCH", "/api/users/anna", {"role": "dispatcher"})
    assert anna.get("/may/audit").status_code == 200


STRANGE = [
    {"X-CSRF-Token": ""},
    {"X-CSRF-Token": "f" * 64},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def test_another_site_cannot_change_anything_with_our_cookie(house):
    house.user("anna")
    browser = house.browser()
    browser.log_in("anna")
    for headers in STRANGE:
        assert browser.post("/may/decide", **headers).status_code == 403, headers
    assert (
        browser.post("/may/decide", Origin="http://depot.test", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200
    )


def test_another_site_cannot_log_anybody_in(house):
    house.user("anna")
    body = {"name": "anna", "password": PASSWORD}
    assert house.browser().post("/api/login", body, Origin="https://evil.test").status_code == 403


def test_the_csrf_token_of_one_session_is_none_of_another(house):
    house.user("anna")
    one, other = house.browser(), house.browser()
    one.log_in("anna")
    other.log_in("anna")
    assert one.post("/may/decide", **{"X-CSRF-Token": other.csrf}).status_code == 403


def test_without_a_login_nothing_is_shown(house):
    answer = house.browser().get("/may/read")
    assert (answer.status_code, answer.json()) == (401, {"detail": "log in first"})
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert house.browser().get("/api/session").status_code == 401


def test_a_garbled_cookie_is_nobodys(house):
    for cookie in ['wegewart="', "wegewart=;;;=", "wegewart=ü", "=", "wegewart=" + "x" * 5000]:
        assert house.browser().get("/may/read", Cookie=cookie.encode("latin-1")).status_code == 401, cookie


def test_the_login_page_says_what_there_is_and_how_to_get_the_first_user(house):
    said = house.browser().get("/api/login").json()
    assert said["methods"] == ["password"]
    assert "wegewart-depot user add" in said["notice"]
    house.user("anna")
    assert house.browser().get("/api/login").json()["notice"] is None


def test_one_changes_ones_own_password_and_is_out_everywhere_else(house):
    house.user("anna")
    here, there = house.browser(), house.browser()
    here.log_in("anna")
    there.log_in("anna")
    path = "/api/session/password"
    assert here.post(path, {"old": "not mine at all", "new": "ein neuer Weg!"}).status_code == 422
    assert here.post(path, {"old": PASSWORD, "new": "kurz"}).status_code == 422
    assert here.post(path, {"old": PASSWORD, "new": "ein neuer Weg!"}).status_code == 204
    assert here.get("/may/read").status_code == 200
    assert there.get("/may/read").status_code == 401
    assert house.browser().log_in("anna").status_code == 401
    assert house.browser().log_in("anna", "ein neuer Weg!").status_code == 200


def test_one_chooses_ones_language(house):
    house.user("anna")
    browser = house.browser()
    browser.log_in("anna")
    assert browser.ask("PATCH", "/api/session", {"language": "en"}).json()["language"] == "en"
    assert browser.get("/api/session").json()["language"] == "en"
    assert browser.ask("PATCH", "/api/session", {"language": "fr"}).status_code == 422


class TestWithoutLogin:
    @pytest.fixture
    def house(self, database):
        return House(database, PeopleConfig(login="off"))

    def test_everybody_on_this_machine_is_admin(self, house):
        for url in ("http://127.0.0.1:8420", "http://localhost:8420", "http://[::1]:8420"):
            session = house.browser(base_url=url).get("/api/session").json()
            assert (session["name"], session["role"], session["login"]) == ("lokal", "admin", "off")
            assert house.browser(base_url=url).post("/may/manage").status_code == 200

    def test_a_web_page_cannot_reach_it_by_a_name_of_its_own(self, house):
        assert house.browser(base_url="http://evil.test").get("/may/read").status_code == 403

    def test_nor_change_anything(self, house):
        browser = house.browser(base_url="http://127.0.0.1:8420")
        assert browser.post("/may/decide", Origin="https://evil.test").status_code == 403

    def test_there_is_nothing_to_log_in_with(self, house):
        browser = house.browser(base_url="http://127.0.0.1:8420")
        assert browser.get("/api/login").json()["methods"] == []
        assert browser.log_in("anna").status_code == 404
