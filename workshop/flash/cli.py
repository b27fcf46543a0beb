# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`scripts/flash`: an operating system onto a card, and the card made one vehicle's.

Schreibt ein Betriebssystem auf eine Karte und macht sie zu der eines Fahrzeugs.

    lsblk                                                                     welches Gerät ist die Karte?
    scripts/flash raspios.img.xz /dev/sdX --vehicle wagen-7 --site stadt.toml --fleet FLOTTE --dry-run
    sudo scripts/flash raspios.img.xz /dev/sdX --vehicle wagen-7 --site stadt.toml --fleet FLOTTE
    sudo scripts/flash raspios.img.xz /dev/sdX --vehicle wagen-7,wagen-8 --site stadt.toml --fleet FLOTTE --many
    scripts/flash --explain                                                   jeder Schlüssel der Standortdatei
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from messages.topics import is_vehicle_name
from settings import SettingsError, explain, read_tables
from workshop.errors import WorkshopError
from workshop.flash.image import Image
from workshop.flash.payload import Order
from workshop.flash.session import Session, Wish, World
from workshop.flash.site import Site, load_site
from workshop.flash.terminal import Terminal
from workshop.flash.words import FlashError, Lang, refuse


def main(arguments: Sequence[str] | None = None, *, world: World | None = None) -> int:
    """Entry point; returns the exit code: 0 done, 1 one line says why not, 2 wrong arguments, 130 broken off."""
    options = _parser().parse_args(arguments)
    lang: Lang = options.lang
    try:
        return _do(options, Terminal(lang), world)
    except FlashError as error:
        why = error.words.say(lang)
    except (WorkshopError, SettingsError, OSError) as error:
        why = str(error)
    except KeyboardInterrupt:
        broken = "abgebrochen; eine angefangene Karte startet nicht", "broken off; a card that was begun does not start"
        print(f"\nflash: {broken[lang == 'en']}", file=sys.stderr)
        return 130
    print(f"flash: {why}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/flash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("image", type=Path, nargs="?", metavar="IMAGE", help=".img, .img.xz, .img.gz, .img.zst or .zip")
    parser.add_argument(
        "device", type=Path, nargs="?", metavar="DEVICE", help="/dev/sdX, /dev/mmcblk0, or an image file"
    )
    parser.add_argument(
        "--vehicle", metavar="ID", help="its name; with --many several (a,b,c) or a .csv with a column vehicle"
    )
    parser.add_argument("--site", type=Path, metavar="FILE", help="the site file (docs/flash.md; --explain)")
    parser.add_argument(
        "--fleet", type=Path, metavar="FOLDER", help="the folder of scripts/provision: key and certificate"
    )
    parser.add_argument(
        "--vehicle-config", type=Path, metavar="FILE", help="vehicle.toml or its template, not the site's"
    )
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="the first release (scripts/release REPO bundle)")
    parser.add_argument("--root-json", type=Path, metavar="FILE", help="whose signature on releases counts (TUF)")
    parser.add_argument("--serial", metavar="S", help="for scripts: the device's serial (or name, if it has none)")
    parser.add_argument(
        "--register", type=Path, metavar="FILE", help="a line for each card (default: cards.jsonl, in FLEET)"
    )
    parser.add_argument("--any-size", action="store_true", help="also devices of more than 2 TB")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say all that would be done, write nothing")
    how.add_argument("--many", action="store_true", help="one card after the other")
    how.add_argument("--verify-only", action="store_true", help="compare a card that has not started yet with IMAGE")
    how.add_argument("--explain", action="store_true", help="print every key of the site file")
    parser.add_argument(
        "--lang", choices=["de", "en"], default="de", help="language of the lines (default: %(default)s)"
    )
    return parser


def _do(options: argparse.Namespace, terminal: Terminal, world: World | None) -> int:
    if options.explain:
        for line in explain(Site, None if options.site is None else read_tables(options.site)):
            print(line)
        return 0
    wanted = ("image", "device") if options.verify_only else ("image", "device", "vehicle", "site")
    missing = [name for name in wanted if getattr(options, name) is None]
    if missing:
        refuse(f"es fehlt: {', '.join(missing)} (--help)", f"missing: {', '.join(missing)} (--help)")
    session = Session(_wish(options), terminal, world)
    if options.verify_only:
        session.verify()
        return 0
    vehicles = _vehicles(options.vehicle)
    if options.many:
        if options.device.is_file() or not options.device.is_absolute():
            refuse(
                f"{options.device}: --many braucht ein Kartenlesegerät", f"{options.device}: --many needs a card reader"
            )
        left = session.flash_many(vehicles)
        if left:
            refuse(f"nicht geschrieben: {', '.join(left)}", f"not written: {', '.join(left)}")
        return 0
    if len(vehicles) > 1:
        refuse("mehrere Fahrzeuge: --many", "several vehicles: --many")
    if options.dry_run:
        return 0 if session.rehearse(vehicles[0]) else 1
    session.flash(vehicles[0])
    return 0


def _wish(options: argparse.Namespace) -> Wish:
    site = Site(ssh_keys=["-"]) if options.site is None else load_site(options.site)
    beside = options.fleet or (Path() if options.site is None else options.site.parent)
    return Wish(
        image=Image(options.image),
        device=options.device,
        order=Order(
            site=site,
            fleet=options.fleet,
            bundle=options.bundle,
            root_json=options.root_json,
            vehicle_config=options.vehicle_config,
        ),
        register=options.register or beside / "cards.jsonl",
        serial=options.serial,
        any_size=options.any_size,
    )


def _vehicles(given: str) -> list[str]:
    names = _from_csv(Path(given)) if given.endswith(".csv") else [name.strip() for name in given.split(",")]
    for name in names:
        if not is_vehicle_name(name) or name.endswith("-") or name in ("depot", "broker"):
            refuse(
                f"Fahrzeug {name!r}: Kleinbuchstaben, Ziffern, Bindestriche (nicht am Ende), höchstens 63;"
                " nicht depot, broker",
                f"vehicle {name!r}: lower-case letters, digits, hyphens (not last), at most 63; not depot, broker",
            )
    if not names or len(set(names)) < len(names):
        refuse("--vehicle: kein Name, oder einer doppelt", "--vehicle: no name, or one twice")
    return names


def _from_csv(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        rows = csv.DictReader([first, *file], delimiter=";" if ";" in first else ",")
        if "vehicle" not in (rows.fieldnames or []):
            refuse(f"{path}: keine Spalte vehicle", f"{path}: no column vehicle")
        return [name.strip() for row in rows if (name := row["vehicle"])]


if __name__ == "__main__":
    sys.exit(main())
