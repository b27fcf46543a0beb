# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-os`: the system's update, by hand and by systemd. Every refusal is one line and the exit code 1."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from edge.os_update import backend
from edge.os_update.board import RaspberryPi
from edge.os_update.control import Control
from edge.os_update.health import HeartbeatFile, Look
from edge.os_update.rauc import Rauc
from edge.os_update.record import Record, Store
from edge.os_update.slots import Doubt
from edge.os_update.watch import watch

#: Set by a technician who stands beside the vehicle; without it the daemon must say so.
_PARKED = "--parked"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    control = Control(store=Store(), machine=RaspberryPi(), installer=Rauc())
    return run(control, options, look=look)


def rauc_main() -> int:
    """What RAUC starts."""
    control = Control(store=Store(), machine=RaspberryPi(), installer=Rauc())
    return backend.answer(control, sys.argv[1:])


def look() -> Look:
    """One look at the daemon, now."""
    return HeartbeatFile().look(time.monotonic())


def run(
    control: Control,
    options: argparse.Namespace,
    *,
    look: Callable[[], Look],
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """One command; the exit code."""
    try:
        _COMMANDS[options.command](control, options, look, wait)
    except (Doubt, OSError) as problem:
        print(f"wegewart-os: {problem}", file=sys.stderr)
        return 1
    return 0


def _status(control: Control, options: argparse.Namespace, *_: object) -> None:
    record, slot, problem, warning = control.record(), _running(control), control.problem(), control.warning()
    if options.json:
        print(json.dumps({**asdict(record), "running": slot, "problem": problem, "warning": warning}))
        return
    print(f"running: {slot or 'unknown'}")
    print(f"update: {said(record)}")
    for kind, line in (("problem", problem), ("warning", warning)):
        if line:
            print(f"{kind}: {line}")


def said(record: Record) -> str:
    """The record in one line."""
    where = f" in system {record.slot}" if record.slot else ""
    version = f" {record.version}" if record.version else ""
    return f"{record.state}{version}{where}" + (f": {record.reason}" if record.reason else "")


def _running(control: Control) -> str:
    try:
        return control.running().name
    except Doubt:
        return ""


def _install(control: Control, options: argparse.Namespace, look: Callable[[], Look], _: object) -> None:
    _need_parked(options, look)
    print(said(control.install(options.bundle.resolve(), again=options.again, older=options.older)))


def _try(control: Control, options: argparse.Namespace, look: Callable[[], Look], _: object) -> None:
    if options.if_waiting and (control.record().state not in ("installed", "pending") or control.on_trial()):
        return
    try:
        _need_parked(options, look)
    except Doubt:
        if options.if_waiting:
            return  # the timer asks again
        raise
    control.attempt()
    print("reboots into the new system, once")


def _back(control: Control, *_: object) -> None:
    control.wrote(control.running().other)
    print(said(control.record()))


def _forget(control: Control, *_: object) -> None:
    control.wrote(control.running())
    print(said(control.record()))


def _boot(control: Control, *_: object) -> None:
    print(said(control.at_boot()))


def _keep(control: Control, *_: object) -> None:
    print(said(control.keep()))


def _watch(control: Control, _: object, look: Callable[[], Look], wait: Callable[[float], None]) -> None:
    print(f"trial: {watch(control, look, wait)}")


def _need_parked(options: argparse.Namespace, look: Callable[[], Look]) -> None:
    if not options.parked and not look().parked:
        raise Doubt(f"the daemon does not say that the vehicle is parked; if you stand beside it: {_PARKED}")


_COMMANDS: dict[str, Callable[..., None]] = {
    "status": _status,
    "install": _install,
    "try": _try,
    "boot": _boot,
    "watch": _watch,
    "keep": _keep,
    "back": _back,
    "forget": _forget,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wegewart-os", description="update of the operating system: two systems, by turns"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    status = commands.add_parser("status", help="what runs, what waits, what failed and why")
    status.add_argument("--json", action="store_true")
    install = commands.add_parser("install", help="verify a bundle and write it into the system that does not run")
    install.add_argument("bundle", type=Path)
    install.add_argument("--again", action="store_true", help="also a version that failed here")
    install.add_argument("--older", action="store_true", help="also a version older than one that was kept here")
    attempt = commands.add_parser("try", help="boot the installed system once")
    attempt.add_argument(
        "--if-waiting", action="store_true", help="only if one waits and the vehicle is parked (timer)"
    )
    for parked in (install, attempt):
        parked.add_argument(_PARKED, action="store_true", help="the vehicle is parked, I stand beside it")
    commands.add_parser("boot", help="judge the boot we are in (systemd)")
    commands.add_parser("watch", help="keep the system on trial when it is well, else leave it (systemd)")
    commands.add_parser("keep", help="keep the system on trial now, whatever the daemon says")
    commands.add_parser("back", help="have the system that ran before tried next")
    commands.add_parser("forget", help="stay with the running system; what was installed is not tried")
    return parser
