# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The command `rollout`: roll-outs from a shell on the server, where no login is needed."""

from __future__ import annotations

import argparse
import getpass
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from depot import config
from depot.config import Config
from depot.store.database import Database
from depot.store.opening import open_database
from depot.store.picture_store import open_pictures
from depot.updates import keeping, showing
from depot.updates.records import USUAL, Step
from depot.updates.repository import Offer, Repository

_STEP = re.compile(
    r"(?P<whom>[a-z][a-z0-9-]{0,39}|\d{1,3}(?:\.\d+)?%)(?::(?P<hours>\d+(?:\.\d+)?)(?::(?P<failed>\d+)%)?)?"
)
_STEP_HELP = "GROUP or N%%, then :HOURS to hold and :FAILED%% at most; again for the next step (canary, 20%%, 100%%)"
_Do = Callable[[argparse.Namespace, Database, Config, Offer], None]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `wegewart-depot`."""
    about = commands.add_parser("rollout", help="bring a release to the vehicles, step by step")
    inner = about.add_subparsers(required=True, metavar="COMMAND")
    _run(inner.add_parser("list", help="all roll-outs"), _list)
    show = inner.add_parser("show", help="one roll-out with its vehicles")
    show.add_argument("number", type=int, metavar="NUMBER")
    _run(show, _show)
    start = inner.add_parser("start", help="start a draft, or make a roll-out of a release and start it")
    start.add_argument("what", metavar="RELEASE|NUMBER", help="e.g. 2026.11.1, or the number of a draft")
    start.add_argument("--step", type=_step, action="append", metavar="STEP", help=_STEP_HELP)
    _run(start, _start)
    for action, text in (("pause", "tell nobody any more for now"), ("stop", "end it for good")):
        parser = inner.add_parser(action, help=f"{text}; who has the wish already carries it out")
        parser.add_argument("number", type=int, metavar="NUMBER")
        _run(parser, lambda options, database, read, offer, action=action: _act(options, database, read, offer, action))  # type: ignore[misc]
    resume = inner.add_parser("resume", help="go on, without those that failed")
    resume.add_argument("number", type=int, metavar="NUMBER")
    resume.add_argument("--retry", action="store_true", help="tell those that failed once more")
    _run(resume, lambda options, database, read, offer: _act(options, database, read, offer, "resume"))


def _run(parser: argparse.ArgumentParser, do: _Do) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")

    def run(options: argparse.Namespace) -> int:
        read = config.read(options.config)
        pictures = open_pictures(read.pictures, folder=read.data.folder)
        with closing(open_database(read.database, read.data.folder, pictures)) as database:
            do(options, database, read, Repository(read.updates.repository).offer())
        return 0

    parser.set_defaults(run=run)


def _step(text: str) -> Step:
    match = _STEP.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no step: canary:24:0% or 20%:24:10%")
    whom, hold_h, failed = match["whom"], float(match["hours"] or 24), int(match["failed"] or 0) / 100
    if whom.endswith("%"):
        return Step(share=float(whom[:-1]) / 100, hold_h=hold_h, most_failed=failed)
    return Step(group=whom, hold_h=hold_h, most_failed=failed)


def _list(_options: argparse.Namespace, database: Database, read: Config, offer: Offer) -> None:
    with database.reading() as connection:
        for found in showing.every_rollout(connection, offer, read.fleet, database.now_utc(), 200):
            print(_line(found))


def _line(found: dict[str, Any]) -> str:
    counts = ", ".join(f"{number} {phase}" for phase, number in sorted(found["counts"].items()))
    at = f"step {found['step'] + 1}/{len(found['steps'])}"
    return f"{found['number']}\t{found['release']}\t{found['state']}\t{at}\t{counts or 'nobody yet'}"


def _show(options: argparse.Namespace, database: Database, read: Config, offer: Offer) -> None:
    _print(database, read, offer, options.number)


def _print(database: Database, read: Config, offer: Offer, number: int) -> None:
    with database.reading() as connection:
        found = showing.one_rollout(connection, number, offer, read.fleet, database.now_utc())
    print(_line(found))
    why = found["why"]
    if why is not None:
        about = "; ".join(f"{name}: {_printable(text)}" for name, text in why.vehicles.items())
        print(f"\t{why.reason}: {_printable(why.text) or about}")
    for vehicle in found["vehicles"]:
        print(f"\t{vehicle['vehicle']}\t{vehicle['phase']}\t{_printable(vehicle['text'])}".rstrip())


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _start(options: argparse.Namespace, database: Database, read: Config, offer: Offer) -> None:
    with database.changing() as change:
        if options.what.isdigit():
            number = int(options.what)
        else:
            steps = tuple(options.step or USUAL)
            number = keeping.make(change, offer, release=options.what, steps=steps, who=_who())
        keeping.act(change, number, "start", who=_who(), offer=offer, config=read.fleet)
    _print(database, read, offer, number)


def _act(options: argparse.Namespace, database: Database, read: Config, offer: Offer, action: keeping.Action) -> None:
    retry = getattr(options, "retry", False)
    with database.changing() as change:
        keeping.act(change, options.number, action, who=_who(), offer=offer, config=read.fleet, retry=retry)
    _print(database, read, offer, options.number)


def _who() -> str:
    """Who does it, for the record of changes."""
    try:
        return f"shell:{getpass.getuser()}"
    except (OSError, KeyError):  # a user without a name
        return "shell"
