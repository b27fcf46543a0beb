# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Login at a real identity provider, and at one that lies."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import update

from depot.people.config import OidcConfig, PeopleConfig, problem
from depot.people.errors import PeopleError
from depot.people.oidc import Provider
from depot.people.tables import oidc_visits
from tests.depot.people.house import House
from tests.depot.people.identity import SECRET, Identity, identity

HOME = "http://depot.test"
CALLBACK = f"{HOME}/login/oidc/callback"
ROLES = {"lesen": "viewer", "pruefen": "reviewer", "leiten": "admin"}


@pytest.fixture(scope="module")
def provider():
    with identity(CALLBACK) as running:
        yield running


@pytest.fixture
def house(database, cheap_passwords, provider, tmp_path):
    return open_house(database, provider, tmp_path)


def open_house(database, provider: Identity, folder, **more) -> House:
    secret = folder / "secret"
    secret.write_text(f"{SECRET}\n")
    oidc = OidcConfig(issuer=provider.issuer, client_id="wegewart", client_secret_file=secret, roles=ROLES)
    return House(database, PeopleConfig(login="oidc", public_url=HOME, oidc=oidc, **more))


def leave(browser, after: str = "/") -> str:
    answer = browser.get(f"/login/oidc?next={after}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def come_back(browser, provider: Identity, login: str, after: str = "/") -> httpx.Response:
    back = provider.log_in(leave(browser, after), login, home=HOME)
    answer = browser.get(back.removeprefix(HOME))
    if answer.status_code == 200:
        browser.csrf = browser.get("/api/session").json()["csrf"]
    return answer


@pytest.mark.integration
class TestAtARealProvider:
    def test_whoever_has_a_known_group_gets_in_with_the_highest_role(self, house, provider):
        browser = house.browser()
        answer = come_back(browser, provider, "anna-lesen+pruefen+kantine", "/coverage?x=1")
        assert re.search(r'http-equiv="refresh" content="0;url=(.*?)"', answer.text)[1] == "/coverage?x=1"
        session = browser.get("/api/session").json()
        assert (session["name"], session["title"], session["role"], session["login"]) == (
            "anna", "anna aus der Stadt", "reviewer", "oidc",
        )  # fmt: skip
        assert browser.post("/may/decide").status_code == 200
        assert browser.post("/may/decide", **{"X-CSRF-Token": "x"}).status_code == 403

    def test_it_is_the_same_user_with_the_role_of_today(self, house, provider):
        for login, role in (("anna-leiten", "admin"), ("anna-lesen", "viewer")):
            browser = house.browser()
            come_back(browser, provider, login)
            assert browser.get("/api/session").json()["role"] == role
        chef = house.browser()
        come_back(chef, provider, "chef-leiten")
        assert [user["name"] for user in chef.get("/api/users").json()["users"]] == ["anna", "chef"]
        who = [(change["who"], change["action"]) for change in chef.get("/api/audit?subject=anna").json()["changes"]]
        assert who == [("rule:oidc", "changed"), ("rule:oidc", "added")]

    def test_without_a_known_group_nobody_gets_in(self, house, provider):
        browser = house.browser()
        answer = come_back(browser, provider, "otto-kantine")
        assert answer.status_code == 403
        assert "have no role here" in answer.text
        assert browser.get("/api/session").status_code == 401

    def test_a_name_that_a_local_user_has_is_not_taken_over(self, house, provider):
        house.user("anna", role="admin")
        browser = house.browser()
        come_back(browser, provider, "anna-lesen")
        session = browser.get("/api/session").json()
        assert session["name"].startswith("anna-")
        assert session["role"] == "viewer"

    def test_a_disabled_user_stays_out(self, house, provider):
        come_back(house.browser(), provider, "anna-lesen")
        chef = house.browser()
        come_back(chef, provider, "chef-leiten")
        assert chef.ask("PATCH", "/api/users/anna", {"disabled": True}).status_code == 200
        assert come_back(house.browser(), provider, "anna-lesen").status_code == 403

    def test_the_way_back_works_once_and_only_in_the_browser_that_left(self, house, provider):
        anna, other = house.browser(), house.browser()
        back = provider.log_in(leave(anna), "anna-lesen", home=HOME).removeprefix(HOME)
        leave(other)
        assert other.get(back).status_code == 400
        assert house.browser().get(back).status_code == 400
        visit = dict(anna.cookies)
        assert anna.get(back).status_code == 200
        anna.cookies.update(visit)
        assert anna.get(back).status_code == 400

    def test_the_way_back_does_not_stay_open(self, house, provider):
        browser = house.browser()
        back = provider.log_in(leave(browser), "anna-lesen", home=HOME).removeprefix(HOME)
        house.wait(minutes=10, seconds=1)
        assert browser.get(back).status_code == 400

    @pytest.mark.parametrize(("column", "what"), [("verifier", "invalid_grant"), ("nonce", "nonce")])
    def test_pkce_and_nonce_are_asked_for(self, house, provider, column, what):
        browser = house.browser()
        back = provider.log_in(leave(browser), "anna-lesen", home=HOME).removeprefix(HOME)
        with house.database.writing() as connection:
            connection.execute(update(oidc_visits).values({column: "another-one-than-at-the-start-of-the-visit-x"}))
        answer = browser.get(back)
        assert answer.status_code == 502
        assert what in answer.text

    def test_who_says_no_at_the_provider_is_told_so(self, house, provider):
        browser = house.browser()
        state = re.search(r"[?&]state=([^&]+)", leave(browser))[1]
        answer = browser.get(f"/login/oidc/callback?state={state}&error=access_denied")
        assert answer.status_code == 403
        assert "access_denied" in answer.text

    def test_a_provider_that_is_down_is_one_line_and_comes_back(self, database, tmp_path):
        with identity(CALLBACK) as provider:
            house = open_house(database, provider, tmp_path)
            provider.stop()
            answer = house.browser().get("/login/oidc")
            assert answer.status_code == 502
            assert "cannot be reached" in answer.json()["detail"]
            provider.start()
            assert come_back(house.browser(), provider, "anna-lesen").status_code == 200

    def test_groups_may_come_from_userinfo(self, database, tmp_path):
        with identity(CALLBACK, claims_in_id_token=False) as provider:
            house = open_house(database, provider, tmp_path)
            browser = house.browser()
            assert come_back(browser, provider, "anna-pruefen").status_code == 200
            assert browser.get("/api/session").json()["role"] == "reviewer"

    def test_a_wrong_secret_of_ours_is_one_line(self, database, provider, tmp_path):
        (tmp_path / "wrong").mkdir()
        house = open_house(database, provider, tmp_path)
        (tmp_path / "secret").write_text("wrong\n")
        house = House(database, house.people)
        answer = come_back(house.browser(), provider, "anna-lesen")
        assert answer.status_code == 502
        assert "invalid_client" in answer.text

    def test_passwords_only_where_they_are_wanted_too(self, database, cheap_passwords, provider, tmp_path):
        house = open_house(database, provider, tmp_path)
        house.user("anna")
        assert house.browser().get("/api/login").json()["methods"] == ["oidc"]
        assert house.browser().log_in("anna").status_code == 404
        house = open_house(database, provider, tmp_path, passwords_too=True)
        assert house.browser().get("/api/login").json()["methods"] == ["oidc", "password"]
        assert house.browser().log_in("anna").status_code == 200

    def test_nobody_is_sent_on_to_another_site(self, house):
        for bad in ("//evil.test", "https://evil.test", "/\\evil.test", "/\t/evil.test", '/"><script>', "evil", ""):
            assert house.browser().get(f"/login/oidc?next={quote(bad)}").status_code == 422, bad


def test_without_oidc_there_is_no_such_way(database):
    house = House(database)
    assert house.browser().get("/login/oidc").status_code == 404
    assert house.browser().get("/login/oidc/callback?state=x&code=y").status_code == 404


class Liar:
    """A provider whose answers are made by the test."""

    issuer = "https://id.test"

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.claims = {
            "iss": self.issuer, "aud": "wegewart", "sub": "1", "nonce": "n", "iat": int(time.time()),
            "exp": int(time.time()) + 60, "groups": ["lesen"],
        }  # fmt: skip
        self.id_token: object = None
        self.discovery = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
        }  # fmt: skip

    def sign(self, *, key=None, alg: str = "RS256", **claims) -> None:
        registry = jwt.JWSRegistry(algorithms=["RS256", "HS256", "none"])
        merged = {name: value for name, value in (self.claims | claims).items() if value is not None}
        self.id_token = jwt.encode({"alg": alg, "kid": "one"}, merged, key or self.key, registry=registry)

    def provider(self) -> Provider:
        oidc = OidcConfig(issuer=self.issuer, client_id="wegewart", roles=ROLES)
        transport = httpx.MockTransport(self._answer)
        return Provider(
            oidc, redirect_uri=CALLBACK, secret=None, client=lambda: httpx.Client(transport=transport)
        )  # fmt: skip

    def finish(self) -> dict[str, object]:
        return self.provider().claims(code="c", nonce="n", verifier="v")

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"id_token": self.id_token, "access_token": "a"})
        if request.url.path == "/keys":
            return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})
        return httpx.Response(200, json=self.discovery)


@pytest.fixture
def liar():
    return Liar()


def test_a_good_id_token_is_believed(liar):
    liar.sign(aud=["wegewart", "other"], azp="wegewart")
    assert liar.finish()["groups"] == ["lesen"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.test"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": ["wegewart", "other"]},
        {"aud": ["wegewart", "other"], "azp": "other"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1_000_000},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"sub": None},
        {"exp": "soon"},
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_login_is_refused(liar, claims):
    liar.sign(**claims)
    with pytest.raises(PeopleError, match="ID token"):
        liar.finish()


def test_an_id_token_of_another_key_is_refused(liar):
    liar.sign(key=RSAKey.generate_key(2048, {"kid": "one"}))
    with pytest.raises(PeopleError, match="does not hold"):
        liar.finish()


def test_a_signature_that_anybody_can_make_is_refused(liar):
    liar.sign(alg="HS256", key=OctKey.import_key("the secret that we share with it"))
    with pytest.raises(PeopleError, match="does not hold"):
        liar.finish()
    liar.id_token = "eyJhbGciOiJub25lIn0." + liar.id_token.split(".")[1] + "."
    with pytest.raises(PeopleError, match="does not hold"):
        liar.finish()


@pytest.mark.parametrize("rubbish", [None, 7, "", "a.b", "a.b.c", "\x00", "é.é.é", "..."])
def test_rubbish_instead_of_an_id_token_is_refused(liar, rubbish):
    liar.id_token = rubbish
    with pytest.raises(PeopleError, match="ID token"):
        liar.finish()


def test_keys_that_the_provider_changed_are_asked_for_again(liar):
    provider = liar.provider()
    liar.sign()
    provider.claims(code="c", nonce="n", verifier="v")
    liar.key = RSAKey.generate_key(2048, {"kid": "one"})
    liar.sign()
    assert provider.claims(code="c", nonce="n", verifier="v")["sub"] == "1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": "http://id.test/token"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_astray_is_refused(liar, wrong):
    liar.discovery |= wrong
    with pytest.raises(PeopleError, match="identity provider"):
        liar.provider().address(state="s", nonce="n", verifier="v")


def test_groups_may_be_nested_or_one_or_none():
    provider = Provider(
        OidcConfig(issuer="https://id.test", role_claim="realm_access.roles", roles=ROLES), redirect_uri="", secret=None
    )
    assert provider.role({"realm_access": {"roles": ["lesen", "leiten", 7, None]}}) == "admin"
    assert provider.role({"realm_access": {"roles": "pruefen"}}) == "reviewer"
    for none in ({}, {"realm_access": None}, {"realm_access": {"roles": {"lesen": 1}}}, {"realm_access": "leiten"}):
        assert provider.role(none) is None


def test_settings_that_would_leave_a_door_open_are_one_line():
    good = OidcConfig(issuer="https://id.test", client_id="wegewart", roles=ROLES)
    assert problem(PeopleConfig(login="oidc", public_url=HOME, oidc=good), http_host="0.0.0.0") is None
    assert problem(PeopleConfig(), http_host="0.0.0.0") is None
    assert problem(PeopleConfig(login="off"), http_host="127.0.0.1") is None
    assert "people.login" in str(problem(PeopleConfig(login="off"), http_host="0.0.0.0"))
    bad = OidcConfig(issuer="http://id.test", client_id="wegewart", roles=ROLES)
    assert "is not https" in str(problem(PeopleConfig(login="oidc", public_url=HOME, oidc=bad), http_host="::"))
    assert "roles" in str(
        problem(PeopleConfig(login="oidc", public_url=HOME, oidc=OidcConfig(issuer="https://id.test", client_id="w")),
                http_host="::")
    )  # fmt: skip
    assert "public_url" in str(problem(PeopleConfig(login="oidc", oidc=good), http_host="::"))
    assert "issuer" in str(problem(PeopleConfig(login="oidc"), http_host="::"))
