# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Releases for vehicles: build, sign, publish (docs/releases.md).

    scripts/release REPO init --keys KEYS            once; the keys then go into safes
    scripts/release REPO build                       from this checkout, commits only
    scripts/release REPO sign --keys SAFE
    scripts/release REPO publish --keys SERVER
    scripts/release REPO bundle OUT                  for a stick, for SSH, for a new card
    scripts/release REPO refresh --keys SERVER       every day, by a timer: within 7 days vehicles must hear of it
    scripts/release REPO list

REPO: the folder whose metadata/ and targets/ are served as static files. KEYS: folders elsewhere.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import product
from pathlib import Path

from messages.release import Board
from workshop.errors import WorkshopError
from workshop.release import client, draft, publishing
from workshop.release.building import Order, build
from workshop.release.bundle import bundle
from workshop.release.keys import OFFLINE, ONLINE, Ask, Keys
from workshop.release.listing import ending, lines
from workshop.release.lock import Computer
from workshop.release.store import Store

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_BOARDS: dict[str, tuple[Board, ...]] = {
    "aarch64": ("raspberry_pi_4", "raspberry_pi_5", "jetson_orin_nano"),
    "x86_64": ("pc",),
}
_DAYS = draft.Days()


def main(arguments: Sequence[str] | None = None, *, now: datetime | None = None) -> int:
    """Entry point; returns the exit code: 0 done, 1 one line says why not, 3 more is wanted (signatures, renewal)."""
    options = _parser().parse_args(arguments)
    now = (now or datetime.now(timezone.utc)).replace(microsecond=0)
    try:
        return _do(options, now)
    except (WorkshopError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="REPO", help="the repository's folder")
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    keyed = argparse.ArgumentParser(add_help=False)
    keyed.add_argument("--keys", type=Path, action="append", default=[], metavar="KEYS", help="folder; may be repeated")
    keyed.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="its first line opens every key; else each is asked for"
    )
    days = argparse.ArgumentParser(add_help=False)
    days.add_argument("--root-days", type=int, default=_DAYS.root, help="the root's life (default: %(default)s)")
    days.add_argument("--targets-days", type=int, default=_DAYS.targets, help="default: %(default)s")
    days.add_argument("--online-days", type=int, default=_DAYS.online, help="snapshot, timestamp; default: %(default)s")
    both = [keyed, days]
    init = actions.add_parser("init", parents=both, help="keys and a repository without a release")
    init.add_argument("--roots", type=int, default=3, help="root keys (default: %(default)s)")
    init.add_argument("--threshold", type=int, default=2, help="so many of them must sign (default: %(default)s)")
    _add_build(actions.add_parser("build", parents=[days], help="draft a release of this checkout"))
    revoke = actions.add_parser("revoke-release", parents=[days], help="draft that a release is offered no more")
    revoke.add_argument("id", metavar="ID")
    rotate = actions.add_parser("rotate", parents=both, help="draft that a new key takes an old one's place")
    rotate.add_argument("role", choices=[*OFFLINE, *ONLINE])
    rotate.add_argument("--old", metavar="DIGITS", help="which of a role's keys: the first digits of its id")
    renew = actions.add_parser("renew", parents=[days], help="draft the same again with a later end")
    renew.add_argument("role", choices=OFFLINE)
    actions.add_parser("sign", parents=[keyed], help="sign the drafts with the keys at hand")
    actions.add_parser("publish", parents=both, help="publish the signed drafts")
    actions.add_parser("refresh", parents=both, help="new snapshot and timestamp; daily, on the server")
    listed = actions.add_parser("list", help="releases, drafts, keys, and what ends when")
    listed.add_argument("--within", type=int, default=30, metavar="DAYS", help="exit code 3 if a signature ends within")
    verify = actions.add_parser("verify", help="check everything as a vehicle would that has never seen it")
    verify.add_argument("--url", help="address under which it is served, instead of the folder")
    verify.add_argument("--root", type=Path, metavar="FILE", help="first root.json, from elsewhere (KEYS/root.json)")
    out = actions.add_parser("bundle", help="write a release into a folder that travels")
    out.add_argument("out", type=Path, metavar="OUT")
    out.add_argument("--release", metavar="ID", help="default: the newest")
    out.add_argument("--machine", choices=list(_BOARDS), help="only the wheels for this one")
    out.add_argument("--python", metavar="3.N", help="only the wheels for this one")
    out.add_argument("--base", metavar="ID", help="only what a vehicle with this release lacks")
    return parser


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", metavar="ID", help="default: year.month.next")
    parser.add_argument("--machine", nargs="+", default=["aarch64"], choices=list(_BOARDS), help="default: aarch64")
    parser.add_argument(
        "--python", nargs="+", default=["3.13", "3.10"], help="default: 3.13 (Raspberry Pi OS) and 3.10 (Jetson)"
    )
    parser.add_argument("--model", nargs="+", type=Path, default=_packages(), metavar="FOLDER", dest="models")
    parser.add_argument("--app-of", metavar="ID", help="the software of this release; only the models are new")
    parser.add_argument("--checkout", type=Path, default=_CHECKOUT, help="default: the one of this program")
    parser.add_argument("--dirty", action="store_true", help="also with changes that are in no commit")
    parser.add_argument("--note-de", default="", metavar="TEXT", help="one line for technician and depot, German")
    parser.add_argument("--note-en", default="", metavar="TEXT", help="the same in English")


def _do(options: argparse.Namespace, now: datetime) -> int:
    days = _days(options)
    ask = _ask(getattr(options, "passphrase_file", None), twice=options.action in ("init", "rotate"))
    keys = Keys(getattr(options, "keys", []), ask)
    if options.action == "init":
        return _init(options, keys, now, days)
    store = Store(options.folder, _anchor(keys))
    with store.locked():
        match options.action:
            case "build":
                return _build(options, store, now, days)
            case "revoke-release":
                many = draft.take_back(store, now, days, options.id)
                print(f"drafted: {many} targets go with {options.id}; now sign and publish")
            case "rotate":
                fresh = draft.rotate(store, keys, now, days, options.role, old=options.old)
                print(f"drafted: key {fresh.keyid[:8]} of {options.role}; now sign with old and new keys, and publish")
            case "renew":
                draft.renew(store, now, days, options.role)
                print(f"drafted: {options.role} until {now.date()} + {getattr(days, options.role)} days; now sign")
            case "sign":
                return _sign(store, keys)
            case "publish":
                print(f"published: {', '.join(publishing.publish(store, keys, now, days))}")
            case "refresh":
                publishing.refresh(store, keys, now, days)
                print(f"refreshed: believed until {store.current().timestamp.signed.expires:%Y-%m-%d %H:%M} UTC")
                return _warn(store, now, within=14)
            case "list":
                print("\n".join(lines(store, now)))
                return _warn(store, now, within=options.within)
            case "verify":
                _verify(options, store)
            case _:
                _bundle(options, store)
    return 0


def _init(options: argparse.Namespace, keys: Keys, now: datetime, days: draft.Days) -> int:
    publishing.begin(options.folder, keys, now, days, number=options.roots, threshold=options.threshold)
    print(f"{keys.home}: {options.roots} root keys, of which {options.threshold} must sign, and one for targets:")
    print("each on its own medium, in its own safe; snapshot and timestamp: onto the server that refreshes")
    print(f"{keys.home / 'root.json'}: goes onto every vehicle; not secret, but nobody may exchange it")
    return 0


def _build(options: argparse.Namespace, store: Store, now: datetime, days: draft.Days) -> int:
    computers = tuple(Computer(machine, python) for machine, python in product(options.machine, options.python))
    boards = tuple(board for machine in options.machine for board in _BOARDS[machine])
    order = Order(
        checkout=options.checkout.resolve(),
        computers=computers,
        models=tuple(options.models),
        boards=boards,
        id=options.id,
        app_of=options.app_of,
        dirty=options.dirty,
        notes_de=options.note_de,
        notes_en=options.note_en,
    )
    made = build(store, order, now, days, lambda line: print(line, file=sys.stderr))
    print(f"{made.id}: number {made.number}, software {made.software}; drafted, now sign and publish")
    return 0


def _sign(store: Store, keys: Keys) -> int:
    """Say what is signed before anybody types a passphrase."""
    for line in draft.changes(store):
        print(line)
    missing = 0
    for one in draft.sign(store, keys):
        missing += one.missing
        print(f"{one.what}: {one.made} signatures" + (f", {one.missing} missing" if one.missing else "; complete"))
    return 3 if missing else 0


def _verify(options: argparse.Namespace, store: Store) -> None:
    anchor = options.root.read_bytes() if options.root is not None else None
    place = options.url.rstrip("/") if options.url else str(store.folder)
    many, size, until = client.check(place, anchor or (store.metadata / "1.root.json").read_bytes())
    print(f"{place}: {many} targets, {size / 1e6:.1f} MB, all as signed; good until {until:%Y-%m-%d %H:%M} UTC")
    if anchor is None:
        print("believed its own first root; --root KEYS/root.json checks that too", file=sys.stderr)


def _packages() -> list[Path]:
    """Every model package of this checkout."""
    return sorted(file.parent for file in (_CHECKOUT / "models").glob("*/model.toml"))


def _bundle(options: argparse.Namespace, store: Store) -> None:
    made = bundle(
        store,
        options.out,
        release=options.release,
        machine=options.machine,
        python=options.python,
        base=options.base,
    )
    print(f"{options.out}: {made.release}, {made.files} files, {made.size / 1e6:.2f} MB")
    print(f"vehicles take it until {made.until:%Y-%m-%d %H:%M} UTC; from then on: refresh, then bundle again")


def _warn(store: Store, now: datetime, within: int) -> int:
    found = ending(store, now, within)
    for line in found:
        print(f"release: {line}", file=sys.stderr)
    return 3 if found else 0


def _days(options: argparse.Namespace) -> draft.Days:
    days = draft.Days(
        *(getattr(options, f"{name}_days", getattr(_DAYS, name)) for name in ("root", "targets", "online"))
    )
    if not all(1 <= one <= 3650 for one in (days.root, days.targets, days.online)):
        raise WorkshopError("--root-days, --targets-days, --online-days: from 1 to 3650")
    return days


def _anchor(keys: Keys) -> bytes | None:
    """The first root as it lies beside the keys: a server cannot exchange that one."""
    path = keys.root
    return None if path is None else path.read_bytes()


def _ask(file: Path | None, *, twice: bool) -> Ask:
    def from_file(_: Path) -> bytes:
        assert file is not None
        first = file.read_bytes().partition(b"\n")[0].rstrip(b"\r")
        if not first:
            raise WorkshopError(f"--passphrase-file: the first line of {file} is empty")
        return first

    def typed(key: Path) -> bytes:
        if not sys.stdin.isatty():
            raise WorkshopError(f"{key}: needs its passphrase: from a terminal or by --passphrase-file")
        said = getpass.getpass(f"Passphrase of {key.name}: ")
        if twice and not key.exists() and getpass.getpass("Again: ") != said:
            raise WorkshopError(f"{key.name}: the two passphrases differ")
        return said.encode()

    return typed if file is None else from_file


if __name__ == "__main__":
    sys.exit(main())
