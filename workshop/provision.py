# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`scripts/provision`: a key and a certificate for each vehicle, for the depot and for the broker.

Ein Schlüssel und ein Zertifikat für jedes Fahrzeug, für den Betriebshof und für den Broker.

    scripts/provision ORDNER init --name "Wegewart Duisburg"
    scripts/provision ORDNER broker mqtt.stadt.example
    scripts/provision ORDNER depot
    scripts/provision ORDNER vehicle wagen-7
    scripts/provision ORDNER revoke wagen-7 --reason gestohlen     dann broker/revoked.pem auf den Broker
    scripts/provision ORDNER renew --within 60
    scripts/provision ORDNER list
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from workshop.desk import Desk
from workshop.errors import WorkshopError

_DAYS = {"vehicle": 730, "depot": 730, "broker": 398}


def main(arguments: Sequence[str] | None = None, *, now: datetime | None = None) -> int:
    """Entry point; returns the exit code: 0 done, 1 one line says why not, 3 something ends soon (`list`)."""
    options = _parser().parse_args(arguments)
    now = (now or datetime.now(timezone.utc)).replace(microsecond=0)
    try:
        return _do(options, now)
    except (WorkshopError, OSError) as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/provision", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the fleet's folder; keep it off the network")
    parser.add_argument("--passphrase-file", type=Path, help="the authority's key is encrypted with its first line")
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    init = actions.add_parser("init", help="make an authority, or take over one that the city's has made for us")
    init.add_argument("--name", default="Wegewart", help="its name (default: %(default)s)")
    init.add_argument("--ca-cert", type=Path, help="PEM of an authority that is there")
    init.add_argument("--ca-key", type=Path, help="PEM of its key")
    vehicle = actions.add_parser("vehicle", help="key and certificate of a vehicle")
    vehicle.add_argument("name", metavar="NAME", help="as in vehicle.toml")
    vehicle.add_argument("--csr", type=Path, help="the vehicle's own request: its key never leaves it")
    broker = actions.add_parser("broker", help="key, certificate, access list and configuration of the broker")
    broker.add_argument("hosts", nargs="+", metavar="HOST", help="names or addresses by which vehicles call it")
    depot = actions.add_parser("depot", help="key and certificate of the depot")
    for one, kind in ((vehicle, "vehicle"), (broker, "broker"), (depot, "depot")):
        one.add_argument("--days", type=int, default=_DAYS[kind], help="valid for (default: %(default)s)")
    revoke = actions.add_parser("revoke", help="take back what was given out under a name: a stolen vehicle")
    revoke.add_argument("name", metavar="NAME")
    revoke.add_argument("--reason", default="", help="for the register")
    renew = actions.add_parser("renew", help="new keys and certificates for vehicles and depot where they end soon")
    renew.add_argument("--within", type=int, default=60, metavar="DAYS", help="default: %(default)s")
    listed = actions.add_parser("list", help="who has what, until when")
    listed.add_argument("--within", type=int, default=60, metavar="DAYS", help="exit code 3 if one ends within")
    return parser


def _do(options: argparse.Namespace, now: datetime) -> int:
    folder, passphrase = options.folder, _passphrase(options.passphrase_file)
    if options.action == "init":
        _init(options, now, passphrase)
        return 0
    if not 1 <= getattr(options, "days", 1) <= 3650:
        raise WorkshopError("--days: from 1 to 3650")
    desk = Desk(folder, now, passphrase)
    match options.action:
        case "vehicle" if options.csr is not None:
            print(desk.sign(options.csr, options.name, days=options.days))
        case "vehicle":
            print(desk.vehicle(options.name, days=options.days))
        case "depot":
            print(desk.depot(days=options.days))
        case "broker":
            print(desk.broker(options.hosts, days=options.days))
        case "revoke":
            many = desk.revoke(options.name, options.reason)
            print(f"{many} taken back; copy {folder / 'broker' / 'revoked.pem'} to the broker and restart it")
        case "renew":
            return _renew(desk, options.within)
        case _:
            return _list(desk, options.within)
    return 0


def _init(options: argparse.Namespace, now: datetime, passphrase: bytes | None) -> None:
    if (options.ca_cert is None) != (options.ca_key is None):
        raise WorkshopError("--ca-cert and --ca-key go together")
    if options.ca_cert is None:
        desk = Desk.make(options.folder, now, name=options.name, passphrase=passphrase)
    else:
        desk = Desk.take_over(
            options.folder, now, certificate=options.ca_cert, key=options.ca_key, passphrase=passphrase
        )
    print(f"{desk.folder / 'ca.pem'}; its key {desk.folder / 'ca.key'} belongs on a medium in a safe")
    if passphrase is None:
        print("the key is not encrypted: --passphrase-file does that", file=sys.stderr)


def _renew(desk: Desk, within: int) -> int:
    """A broker's certificate has host names that only its command is told."""
    left, ending = 0, list(desk.ending(within))
    if not ending:
        print(f"nothing ends within {within} days")
    for one in ending:
        if one.kind == "broker":
            print(f"broker {one.name} ends in {one.days} days: scripts/provision {desk.folder} broker {one.name} ...")
            left = 3
        elif one.kind == "depot":
            print(desk.depot(days=_DAYS["depot"]))
        else:
            print(desk.vehicle(one.name, days=_DAYS["vehicle"]))
    return left


def _list(desk: Desk, within: int) -> int:
    for one in desk.standing():
        state = "taken back" if one.revoked else f"ends in {one.days} days"
        print(f"{one.kind:8} {one.name:30} {one.until[:10]} {state}")
    return 3 if desk.ending(within) else 0


def _passphrase(path: Path | None) -> bytes | None:
    if path is None:
        return None
    first = path.read_bytes().partition(b"\n")[0].rstrip(b"\r")
    if not first:
        raise WorkshopError(f"--passphrase-file: the first line of {path} is empty")
    return first


if __name__ == "__main__":
    sys.exit(main())
