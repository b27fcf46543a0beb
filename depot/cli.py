# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The command `wegewart-depot`. Parts that have commands of their own keep them in their `cli.py`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from depot import config
from depot.commanding import send_command
from depot.errors import CommandError, DepotError
from depot.handover import cli as export_commands
from depot.keeping import cli as keeping_commands
from depot.people import cli as people_commands
from depot.roads import cli as roads_commands
from depot.store import cli as store_commands
from depot.store.database import Database
from depot.store.opening import open_database
from depot.store.picture_store import open_pictures
from depot.training import cli as training_commands
from depot.updates import cli as updates_commands
from messages.types import Command
from settings import explain

_EXIT_CODES = (
    "exit codes: 0 ended as asked, 2 configuration, 5 broker refuses the login, 6 store cannot be used,"
    " 7 the vehicle did not do it or did not answer, 8 proof, backup, user, training set or roll-out: see its line"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what a user can mend becomes one line on stderr and an exit code."""
    options = _parser().parse_args(arguments)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        return int(options.run(options))
    except DepotError as error:
        print(f"wegewart-depot: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of an export has had enough
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wegewart-depot",
        description="The depot of Wegewart: takes defects from the vehicles, keeps them and shows them on a map.",
        epilog=_EXIT_CODES,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("serve", help="take in from the broker and serve the page", epilog=_EXIT_CODES)
    _add_config(run)
    run.set_defaults(run=_serve)

    export_commands.add(commands)
    people_commands.add(commands, _open)
    roads_commands.add(commands, _open)
    keeping_commands.add(commands)
    store_commands.add(commands)
    updates_commands.add(commands)
    training_commands.add(commands)

    _add_command(commands.add_parser("command", help="tell a vehicle to do something", epilog=_EXIT_CODES))

    settings = commands.add_parser("config", help="about the configuration file")
    about = settings.add_subparsers(required=True, metavar="COMMAND")
    explained = about.add_parser("explain", help="print every key with meaning, bounds and default")
    explained.set_defaults(run=_explain)
    return parser


def _add_command(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("vehicle", metavar="VEHICLE", help="the vehicle's name")
    parser.add_argument(
        "--wait", type=_seconds, default=60.0, metavar="S", help="the command is valid, and waited for, so long (60)"
    )
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    picture = actions.add_parser("send-picture", help="send a picture again, if it is still on the vehicle")
    picture.add_argument("sha256", metavar="SHA256", help="as the case names it")
    actions.add_parser("restart", help="end the daemon cleanly; systemd starts it again")
    setting = actions.add_parser("set", help="change a setting until the next start")
    setting.add_argument("key", metavar="KEY", help="section.name, as `wegewart-edge config explain` prints it")
    setting.add_argument("value", metavar="VALUE")
    update = actions.add_parser("update", help="take a release; `rollout` does this for the whole fleet")
    update.add_argument("value", metavar="RELEASE", help="e.g. 2026.11.1, of the update repository")
    parser.set_defaults(run=_command)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("1 to 86400 seconds")
    return seconds


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the depot's configuration (TOML)")


def _serve(options: argparse.Namespace) -> int:
    from depot.serve import serve  # noqa: PLC0415 - all routes with it; the other commands start sooner without

    serve(config.read(options.config))
    return 0


def _open(path: Path) -> Database:
    """The database of a configuration, ready for use. Raises ConfigError, StoreError."""
    read = config.read(path)
    return open_database(read.database, read.data.folder, open_pictures(read.pictures, folder=read.data.folder))


def _command(options: argparse.Namespace) -> int:
    command = Command(
        action=options.action.replace("-", "_"),
        sha256=getattr(options, "sha256", None),
        key=getattr(options, "key", None),
        value=getattr(options, "value", None),
    )
    reply = send_command(config.read(options.config).broker, options.vehicle, command, wait_s=options.wait)
    text = "".join(char if char.isprintable() else "?" for char in reply.text)
    if not reply.ok:
        raise CommandError(f"vehicle {options.vehicle}: {text or 'it refuses'}")
    print(f"{options.vehicle}: {text or 'done'}")
    return 0


def _explain(_options: argparse.Namespace) -> int:
    print("\n".join(explain(config.Config)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
