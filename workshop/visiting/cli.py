# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Ein Paket ins Fahrzeug bringen / bring a bundle to vehicles (docs/technician.md).

    scripts/update-vehicle /media/ich/STICK --bundle PAKET     auf einen Stick / onto a stick
    scripts/update-vehicle technik@wagen-7 --bundle PAKET      über SSH, bis es gesund läuft / over SSH, until healthy
    scripts/update-vehicle wagen-7 wagen-8 --bundle PAKET      einer nach dem anderen / one after another

Ende / exit code: 0 läuft und ist gesund / runs and is healthy; 1 nicht gegangen / did not work; 4 vom Fahrzeug
abgelehnt oder zurückgenommen / refused or taken back by the vehicle; 5 dort arbeitet ein anderer / another one is at
work there; 255 keine Verbindung / no connection.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from workshop.errors import WorkshopError
from workshop.visiting import parcel, stick
from workshop.visiting.line import Address, OpenSsh
from workshop.visiting.visit import Outcome, Places, Visit
from workshop.visiting.words import Say


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code, of several vehicles the highest."""
    options = _parser().parse_args(arguments)
    try:
        bundle = parcel.read(options.bundle)
        Say(options.lang)("bundle", release=bundle.release, files=len(bundle.items), size=bundle.size / 1e6)
        outcomes = {where: _one(where, bundle, options) for where in options.where}
    except (WorkshopError, OSError) as error:
        print(f"update-vehicle: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # The vehicle goes on with what it has begun; the same command looks again.
        return 130
    if len(outcomes) > 1:
        print(f"--- {Say(options.lang).text('summary')}")
    for where, outcome in outcomes.items():
        print(f"{where}: {outcome.text}", file=sys.stderr if outcome.code else sys.stdout)
    return max(outcome.code for outcome in outcomes.values())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/update-vehicle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "where", nargs="+", metavar="HOST|/media/STICK", help="[user@]host, or where a stick is mounted"
    )
    parser.add_argument("--bundle", type=Path, required=True, help="made by: scripts/release REPO bundle BUNDLE")
    parser.add_argument(
        "--now", action="store_true", help="nicht aufs Abstellen warten / do not wait until it is parked"
    )
    parser.add_argument(
        "--allow-older", action="store_true", help="auch eine ältere als die laufende / also an older one"
    )
    parser.add_argument(
        "--again", action="store_true", help="auch eine, die dort scheiterte / also one that failed there"
    )
    parser.add_argument("--lang", choices=["de", "en"], default="de", help="default: de")
    parser.add_argument("--wait", type=float, default=60.0, metavar="MINUTES", help="for the verdict; default: 60")
    parser.add_argument("--port", type=int, help="of the vehicle's SSH")
    parser.add_argument("--identity", type=Path, metavar="FILE", help="secret key for SSH")
    parser.add_argument("--ssh-option", action="append", default=[], metavar="NAME=VALUE", help="as ssh -o; repeatable")
    places = Places()
    parser.add_argument("--updater", default=places.updater, help=argparse.SUPPRESS)
    parser.add_argument("--state", default=places.state, help=argparse.SUPPRESS)
    parser.add_argument("--to", default=places.parcel, help=argparse.SUPPRESS)
    return parser


def _one(where: str, bundle: parcel.Parcel, options: argparse.Namespace) -> Outcome:
    say = Say(options.lang, where)
    try:
        if where.startswith(("/", ".")):
            return _onto_stick(Path(where), bundle, Say(options.lang))
        address = Address(where, options.port, options.identity, tuple(options.ssh_option))
        places = Places(options.to, options.updater, options.state)
        asked = tuple(
            f"--{name.replace('_', '-')}" for name in ("now", "allow_older", "again") if getattr(options, name)
        )
        visit = Visit(lambda: OpenSsh(address), bundle, say, places=places, asked=asked, wait_s=60 * options.wait)
        return visit.go()
    except WorkshopError as error:
        return Outcome(error.exit_code, str(error).removeprefix(f"{where}: "))
    except OSError as error:
        return Outcome(1, f"{error.filename or where}: {error.strerror}")


def _onto_stick(folder: Path, bundle: parcel.Parcel, say: Say) -> Outcome:
    # A folder of this computer's own disk would look like success.
    if not folder.is_mount():
        return Outcome(1, say.text("no_stick", folder=folder))
    return Outcome(0, say.text("written", folder=stick.write(bundle, folder)))


if __name__ == "__main__":
    sys.exit(main())
