# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Commands of users and tokens: who has a shell on the server needs no login."""

from __future__ import annotations

import argparse
import getpass
import re
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import get_args

from depot.people import tokens, users
from depot.people.errors import PeopleError
from depot.people.roles import Role, UserRole
from depot.people.secret import new_password
from depot.people.users import NAME_PATTERN, UserChange
from depot.store.database import Change, Database

#: Opens the depot's database from the file of its configuration.
Open = Callable[[Path], Database]
_Do = Callable[[argparse.Namespace, Change], None]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser], open_database: Open) -> None:
    """Add `user` and `token` to the commands."""
    user = commands.add_parser("user", help="the people who may log in")
    _add_users(user.add_subparsers(required=True, metavar="COMMAND"), open_database)
    token = commands.add_parser("token", help="the machines that may ask: QGIS, Grafana, the citizens' channel")
    _add_tokens(token.add_subparsers(required=True, metavar="COMMAND"), open_database)


def _add_users(about: argparse._SubParsersAction[argparse.ArgumentParser], open_database: Open) -> None:
    new = about.add_parser("add", help="add a user; the password is asked for, or read from standard input")
    _name(new)
    new.add_argument("--role", choices=get_args(UserRole), required=True)
    new.add_argument("--title", default="", metavar="TEXT", help="how the page calls the person (the name)")
    new.add_argument("--language", choices=["de", "en"], help="language of the page (that of the depot)")
    _generate(new)
    _run(new, open_database, _add_user)

    _run(about.add_parser("list", help="all users"), open_database, _list_users)

    role = about.add_parser("role", help="give a user another role")
    _name(role)
    role.add_argument("role", choices=get_args(UserRole), metavar="ROLE", help=", ".join(get_args(UserRole)))
    _run(role, open_database, lambda options, change: _alter(options, change, UserChange(role=options.role)))

    password = about.add_parser("password", help="give a user a new password; all sessions of the user end")
    _name(password)
    _generate(password)
    _run(password, open_database, _set_password)

    for command, disabled in (("disable", True), ("enable", False)):
        parser = about.add_parser(command, help=f"{command} a user; nothing of what the user did changes")
        _name(parser)
        wanted = UserChange(disabled=disabled)
        _run(parser, open_database, lambda options, change, wanted=wanted: _alter(options, change, wanted))  # type: ignore[misc]


def _add_tokens(about: argparse._SubParsersAction[argparse.ArgumentParser], open_database: Open) -> None:
    new = about.add_parser("add", help="make a token and print it, this once")
    _name(new)
    new.add_argument("--role", choices=get_args(Role), required=True, help="reader: reads; reporter: hands photos in")
    new.add_argument("--days", type=_days, metavar="N", help="it holds so long (until it is revoked)")
    _run(new, open_database, _add_token)

    _run(about.add_parser("list", help="all tokens, without their text"), open_database, _list_tokens)

    revoke = about.add_parser("revoke", help="end a token at once")
    _name(revoke)
    _run(revoke, open_database, lambda options, change: tokens.revoke(change, options.name, who=_who()))


def _run(parser: argparse.ArgumentParser, open_database: Open, do: _Do) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")

    def run(options: argparse.Namespace) -> int:
        if "generate" in options:  # asked before the transaction: others would wait for who types
            options.password = _password(options)
        with closing(open_database(options.config)) as database, database.changing() as change:
            do(options, change)
        if getattr(options, "generate", False):
            print(options.password)
        return 0

    parser.set_defaults(run=run)


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=_checked_name, help="letters a-z, digits and . _ @ -")


def _generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--generate", action="store_true", help="make a password and print it, this once")


def _checked_name(text: str) -> str:
    if re.fullmatch(NAME_PATTERN, text) is None:
        raise argparse.ArgumentTypeError("small letters a-z, digits and . _ @ -, at most 63")
    return text


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3660:
        raise argparse.ArgumentTypeError("1 to 3660 days")
    return days


def _add_user(options: argparse.Namespace, change: Change) -> None:
    title = "".join(char for char in options.title if char.isprintable())[:100]
    users.add(
        change, who=_who(), name=options.name, title=title, role=options.role, language=options.language,
        password=options.password,
    )  # fmt: skip


def _list_users(_options: argparse.Namespace, change: Change) -> None:
    for user in users.every(change.connection):
        by = "oidc" if user.oidc else "password" if user.has_password else "no password"
        state = "disabled" if user.disabled else f"last login {user.login_utc or 'never'}"
        print(f"{user.name}\t{user.role}\t{by}\t{state}\t{user.title}")


def _alter(options: argparse.Namespace, change: Change, wanted: UserChange) -> None:
    users.alter(change, options.name, wanted, who=_who())


def _set_password(options: argparse.Namespace, change: Change) -> None:
    users.set_password(change, options.name, options.password, who=_who())


def _add_token(options: argparse.Namespace, change: Change) -> None:
    print(tokens.add(change, who=_who(), name=options.name, role=options.role, days=options.days))


def _list_tokens(_options: argparse.Namespace, change: Change) -> None:
    for token in tokens.every(change.connection):
        state = f"revoked {token.revoked_utc}" if token.revoked_utc else f"expires {token.expires_utc or 'never'}"
        print(f"{token.name}\t{token.role}\t{state}\tlast used {token.used_utc or 'never'}")


def _password(options: argparse.Namespace) -> str:
    """Asked for twice at a terminal, else the first line of standard input. Raises PeopleError."""
    if options.generate:
        return new_password()
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(f"Password of {options.name}: ")
    if getpass.getpass("Once more: ") != first:
        raise PeopleError("the two are not the same")
    return first


def _who() -> str:
    """Who does it, for the record of changes."""
    try:
        return f"shell:{getpass.getuser()}"
    except (OSError, KeyError):  # a user without a name
        return "shell"
