# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-depot user` and `token`, as whoever runs the server types them."""

from __future__ import annotations

import argparse
import io

import pytest
from sqlalchemy import select

from depot.people.cli import add
from depot.people.config import PeopleConfig
from depot.people.errors import PeopleError
from depot.store.database import Database
from depot.store.tables import audit
from tests.depot.people.house import PASSWORD, House


class Shell:
    def __init__(self, url: str) -> None:
        self._parser = argparse.ArgumentParser()
        add(self._parser.add_subparsers(required=True), lambda _path: Database(url))

    def __call__(self, *words: str) -> int:
        options = self._parser.parse_args([*words, "--config", "depot.toml"])
        return options.run(options)


@pytest.fixture
def shell(database, database_url, cheap_passwords):
    return Shell(database_url)


@pytest.fixture
def house(database, shell):
    return House(database, PeopleConfig())


def test_the_first_admin_is_made_on_the_server_and_gets_in(shell, house, capsys):
    assert shell("user", "add", "anna", "--role", "admin", "--title", "Anna Müller", "--generate") == 0
    password = capsys.readouterr().out.strip()
    assert len(password) == 23
    browser = house.browser()
    assert browser.log_in("anna", password).json()["title"] == "Anna Müller"
    assert browser.get("/api/users").status_code == 200


def test_a_password_may_come_from_a_pipe(shell, house, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    shell("user", "add", "anna", "--role", "viewer")
    assert house.browser().log_in("anna").status_code == 200


def test_a_password_that_will_not_do_is_one_line(shell, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("kurz\n"))
    with pytest.raises(PeopleError, match="12 to 1000 characters"):
        shell("user", "add", "anna", "--role", "viewer")


def test_roles_passwords_and_who_may_log_in_are_changed(shell, house, capsys):
    house.user("anna", role="viewer")
    browser = house.browser()
    browser.log_in("anna")
    shell("user", "role", "anna", "dispatcher")
    assert browser.get("/may/dispatch").status_code == 200
    shell("user", "password", "anna", "--generate")
    password = capsys.readouterr().out.strip()
    assert browser.get("/may/read").status_code == 401
    shell("user", "disable", "anna")
    assert house.browser().log_in("anna", password).status_code == 401
    shell("user", "enable", "anna")
    assert house.browser().log_in("anna", password).status_code == 200
    shell("user", "list")
    assert capsys.readouterr().out.startswith("anna\tdispatcher\tpassword\tlast login 2026-11-22T08:00:00.000Z\tAnna")


def test_tokens_are_made_listed_and_revoked(shell, house, capsys):
    shell("token", "add", "qgis", "--role", "reader", "--days", "30")
    text = capsys.readouterr().out.strip()
    assert house.browser().get("/may/read", Authorization=f"Bearer {text}").status_code == 200
    shell("token", "list")
    listed = capsys.readouterr().out
    assert listed.startswith("qgis\treader\texpires 20")
    assert text not in listed
    shell("token", "revoke", "qgis")
    assert house.browser().get("/may/read", Authorization=f"Bearer {text}").status_code == 401


def test_a_password_that_was_given_to_nobody_is_not_printed(shell, house, capsys):
    house.user("anna")
    with pytest.raises(PeopleError, match="is taken"):
        shell("user", "add", "anna", "--role", "viewer", "--generate")
    assert capsys.readouterr().out == ""


def test_the_record_says_who_had_the_shell(shell, house, database, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "karl")
    shell("token", "add", "qgis", "--role", "reader")
    with database.reading() as connection:
        assert connection.scalars(select(audit.c.who)).all() == ["shell:karl"]


@pytest.mark.parametrize(
    "words",
    [
        ("user", "add", "Anna", "--role", "admin", "--generate"),
        ("user", "add", "anna", "--role", "reporter", "--generate"),
        ("user", "add", "rule:x", "--role", "admin", "--generate"),
        ("token", "add", "qgis", "--role", "reader", "--days", "0"),
        ("user", "role", "anna", "god"),
    ],
    ids=" ".join,
)
def test_what_is_typed_wrong_is_refused(words):
    with pytest.raises(SystemExit):
        Shell("sqlite://")(*words)


def test_who_is_not_there_is_one_line(shell):
    for words in (("user", "role", "anna", "viewer"), ("user", "disable", "anna"), ("token", "revoke", "qgis")):
        with pytest.raises(PeopleError, match="there is no"):
            shell(*words)
