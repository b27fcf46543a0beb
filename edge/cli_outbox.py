# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge outbox`: look into a vehicle's outbox, bring in what a damaged one still holds.

    wegewart-edge outbox show /var/lib/wegewart
    systemctl stop wegewart-edge
    wegewart-edge outbox salvage /var/lib/wegewart/outbox.db.bad --into /var/lib/wegewart
    systemctl start wegewart-edge

`show` only reads, also while the daemon runs. `salvage` reads the damaged file page by page (see
`edge.delivery.salvage`), with the log `FILE.bad-wal` where it lies beside it, and enters every waiting event that the
outbox does not have; pictures come along from the `outbox.db.pictures` folder beside the damaged file. The damaged
file is not changed. Events keep their ids: what the depot already has, it drops, so nothing is shown twice and the
command may be repeated. It belongs into the outbox of the same vehicle. The daemon does the same by itself when it
sets a store aside; the command is for a card from another device, and for a file that was set aside earlier.

Plain sqlite3 reads an outbox as well:

    sqlite3 -readonly outbox.db "SELECT kind, state, count(*) FROM event GROUP BY kind, state"
    sqlite3 -readonly outbox.db "SELECT id, payload FROM event WHERE state = 'pending' LIMIT 5"
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any, TypeAlias

from edge.errors import InputError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name

_NAME = "outbox.db"
_STATES = ("pending", "acknowledged", "refused", "lost")
_MB = 1_000_000


def add(commands: Commands) -> None:
    """The command and its actions."""
    outbox = commands.add_parser("outbox", help="look into the outbox, bring in what a damaged one still holds")
    actions = outbox.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="what waits, what the depot has, what was set aside; also while driving")
    show.add_argument("folder", type=Path, metavar="DIR", help="the vehicle's data folder (delivery.data)")
    show.add_argument("--json", action="store_true", help="one line of JSON")
    show.set_defaults(command=_show)
    salvage = actions.add_parser("salvage", help="enter what can be read of a damaged store; stop the daemon first")
    salvage.add_argument("file", type=Path, metavar="FILE.bad", help="the damaged store; it is not changed")
    salvage.add_argument("--into", type=Path, required=True, metavar="DIR", help="data folder of the same vehicle")
    salvage.set_defaults(command=_salvage)


def _show(options: argparse.Namespace) -> int:
    folder: Path = options.folder
    path = folder / _NAME
    if not path.exists() and not list(folder.glob(f"{_NAME}.bad*")):
        raise InputError(f"{folder}: holds no {_NAME}; give the folder that delivery.data names")
    told = _told(path)
    if options.json:
        print(json.dumps(told), flush=True)
        return 0
    print(f"{path}, {told['size_mb']:.1f} MB; {told['free_mb']:.0f} MB of the disk are free")
    if told["fault"]:
        print(f"  CANNOT BE OPENED, read page by page: {told['fault']}")
    print(f"  {'':12}{'waiting':>10}{'acknowledged':>14}{'refused':>10}{'lost':>8}")
    for kind, states in {**told["events"], "picture": told["pictures"]}.items():
        numbers = [states.get(state, 0) for state in _STATES]
        print("  {:12}{:>10}{:>14}{:>10}{:>8}".format(kind, *numbers))
    if told["oldest_waiting"]:
        print(f"  oldest waiting: {told['oldest_waiting']}")
    life = told["life"]
    print(
        f"  over {life['starts']} starts: {life['confirmed']} confirmed, {life['acknowledged']} acknowledged,"
        f" {life['refused']} refused, {life['dropped']} dropped for want of room"
    )
    for bad in told["set_aside"]:
        print(f"  set aside: {bad}; read it with: wegewart-edge outbox salvage {bad} --into {folder}")
    return 0


def _told(path: Path) -> dict[str, Any]:
    from edge.delivery.database import KINDS, stand_in  # noqa: PLC0415 - slow to import, --help should not be

    fault = None
    try:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(database):
            told = _asked(database, KINDS)
    except sqlite3.Error as error:
        fault = str(error)
        with contextlib.closing(stand_in(path)) as database:
            told = _asked(database, KINDS)
    about = os.statvfs(path.parent)
    bad = sorted(file for file in path.parent.glob(f"{_NAME}.bad*") if not file.name.endswith(("-wal", "-shm")))
    return {
        "fault": fault,
        **told,
        "size_mb": round(path.stat().st_size / _MB, 3) if path.exists() else 0.0,
        "free_mb": round(about.f_bavail * about.f_frsize / _MB, 1),
        "set_aside": [str(file) for file in bad],
    }


def _asked(database: sqlite3.Connection, kinds: tuple[str, ...]) -> dict[str, Any]:
    events: dict[str, dict[str, int]] = {kind: {} for kind in kinds}
    for kind, state, many in database.execute("SELECT kind, state, count(*) FROM event GROUP BY kind, state"):
        events.setdefault(kind, {})[state] = many
    pictures = dict(database.execute("SELECT state, count(*) FROM picture GROUP BY state").fetchall())
    oldest = database.execute("SELECT id FROM event WHERE state = 'pending' ORDER BY seq LIMIT 1").fetchone()
    # `dropped` came later: a store that the daemon has not opened since does not have it.
    added = any(column[1] == "dropped" for column in database.execute("PRAGMA table_info(boot)"))
    names = ("confirmed", "acknowledged", "refused", *(("dropped",) if added else ()))
    totals = ", ".join(f"ifnull(sum({name}), 0)" for name in names)
    life = database.execute(f"SELECT ifnull(sum(number > 0), 0), {totals} FROM boot").fetchone()  # noqa: S608
    return {
        "events": events,
        "pictures": pictures,
        "oldest_waiting": oldest and oldest[0],
        "life": {"dropped": 0, **dict(zip(("starts", *names), life, strict=True))},
    }


def _salvage(options: argparse.Namespace) -> int:
    from edge.delivery.outbox import Outbox  # noqa: PLC0415
    from edge.delivery.salvage import FoundEvent, scan  # noqa: PLC0415

    file, into = options.file, options.into
    if not file.is_file():
        raise InputError(f"{file}: is not a file")
    if file.resolve() == (into / _NAME).resolve():
        raise InputError(f"{file}: is the outbox itself; the daemon sets it aside when it is damaged")
    if not into.is_dir():
        raise InputError(f"{into}: is not a folder; give the one that delivery.data names")
    found = {event.id: event.vehicle for event in scan(file) if isinstance(event, FoundEvent)}
    if not found:
        raise InputError(f"{file}: not one event can be read in it")
    with contextlib.closing(Outbox(into / _NAME)) as outbox:
        taken = outbox.salvage(file)
    vehicles = ", ".join(sorted(set(found.values())))
    print(f"{file}: {len(found)} events of {vehicles} can be read")
    print(f"{taken.events} of them waited and were not known here, {taken.pictures} pictures came along; sent when the")
    print("daemon starts. What the depot already has, it drops.")
    return 0
