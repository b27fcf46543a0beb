# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-update`: what a technician types at a vehicle, and what its services run."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from edge.errors import WegewartError
from edge.update import recover
from edge.update.layout import Layout

if TYPE_CHECKING:
    from edge.config_update import UpdateConfig
    from edge.update.install import Updater

_EPILOG = """exit codes of install and watch:
  0 active, or nothing to do   3 staged: waits until the vehicle is parked
  4 refused, failed or gone back   5 on trial still, or another one is at work   2 arguments

Ohne --bundle wird genommen, was das Depot wünscht und was schon geladen ist."""
_REFUSED = 4
_CONFIG = Path("/etc/wegewart/vehicle.toml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _stop)
    try:
        code: int = options.command(options)
    except WegewartError as error:
        print(f"wegewart-update: {error}", file=sys.stderr)
        return error.exit_code if error.exit_code == 5 else _REFUSED
    except OSError as error:
        print(f"wegewart-update: {error}; who may write there is root", file=sys.stderr)
        return _REFUSED
    except KeyboardInterrupt:
        return 130
    return code


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Every step is safe to be cut short; the next call goes on."""
    sys.exit(5)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wegewart-update",
        description="Which release this vehicle runs: taken over signed, tried, confirmed, or given back.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    layout = Layout()
    parser.add_argument("--root", type=Path, default=layout.root, help="default: %(default)s")
    parser.add_argument("--incoming", type=Path, default=layout.incoming, help="default: %(default)s")
    parser.add_argument("--runtime", type=Path, default=layout.runtime, help=argparse.SUPPRESS)
    parser.add_argument("--config", type=Path, default=_CONFIG, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--lang", choices=["de", "en"], default="de", help="language of the lines (default: de)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    install = commands.add_parser("install", help="take over a release: the whole way, or what comes next of it")
    install.add_argument("--bundle", type=Path, metavar="DIR", help="a stick's bundle; not what the depot wishes")
    install.add_argument("--root-json", type=Path, metavar="FILE", help="first root of trust, on a new device only")
    install.add_argument("--now", action="store_true", help="do not wait until the vehicle is parked")
    install.add_argument("--allow-older", action="store_true", help="also a release older than the one that runs")
    install.add_argument("--again", action="store_true", help="also a release that failed here before")
    install.set_defaults(command=_install)
    watch = commands.add_parser("watch", help="go on watching a release on trial")
    watch.set_defaults(command=_watch)
    mend = commands.add_parser("recover", help="after a cut: mend what `current` leads to (before the daemon, at boot)")
    mend.set_defaults(command=lambda options: recover.main([str(options.root)]))
    status = commands.add_parser("status", help="what runs and what is under way")
    status.add_argument("--json", action="store_true", help="one line of JSON")
    status.set_defaults(command=_status)
    fetch = commands.add_parser("fetch", help="fetch what the depot wishes (service; not as root)")
    fetch.add_argument("--ca", type=Path, metavar="FILE", help="who may sign the depot's certificate (PEM)")
    fetch.set_defaults(command=_fetch)
    return parser


def _install(options: argparse.Namespace) -> int:
    from edge.update.install import Ask  # noqa: PLC0415 - numpy and tuf are slow to import, --help should not be

    ask = Ask(options.bundle, now=options.now, allow_older=options.allow_older, again=options.again)
    return _updater(options, options.root_json).install(ask)


def _watch(options: argparse.Namespace) -> int:
    return _updater(options, None).watch()


def _status(options: argparse.Namespace) -> int:
    import json  # noqa: PLC0415

    from edge.update.words import text  # noqa: PLC0415

    layout = Layout(options.root, options.incoming)
    seen, said = recover.look(layout.root), recover.read(layout.state)
    refused = recover.read(layout.refused)
    if options.json:
        found = {"current": seen.current, "updater": seen.updater, "complete": seen.complete}
        print(json.dumps({**found, "update": said, "refused": refused}))
        return 0
    print(text(options.lang, "runs", running=seen.current, others=", ".join(seen.complete) or "-"))
    if said:
        print(text(options.lang, f"is_{said.get('state')}", release=said.get("release"), reason=said.get("reason")))
    for release, reason in refused.items():
        print(text(options.lang, "failed_here", release=release, reason=reason))
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from edge.update.trusted import fetch  # noqa: PLC0415
    from edge.update.wishes import open_wish  # noqa: PLC0415

    layout = Layout(options.root, options.incoming)
    wanted = open_wish(layout)
    if wanted is None or wanted == recover.look(layout.root).current:
        return 0
    root = layout.trust / "root.json"
    held = [file.name for file in layout.cache.iterdir()] if layout.cache.is_dir() else []
    done = fetch(
        _config(options.config),
        wanted=wanted,
        into=layout.bundle,
        root=root.read_bytes() if root.is_file() else None,
        ca=options.ca,
        held=held,
    )
    print(f"{wanted}: {done.received_bytes} bytes; {'complete' if done.complete else done.why}")
    return 0


def _updater(options: argparse.Namespace, root_json: Path | None) -> Updater:
    from edge.update.device import this_device  # noqa: PLC0415
    from edge.update.install import Updater  # noqa: PLC0415
    from edge.update.ports import Bundle  # noqa: PLC0415
    from edge.update.proof import SelfTest  # noqa: PLC0415
    from edge.update.systemd import Systemd  # noqa: PLC0415
    from edge.update.trusted import open_bundle  # noqa: PLC0415

    layout = Layout(options.root, options.incoming, options.runtime)
    config = _config(options.config)
    root = root_json.read_bytes() if root_json is not None else None

    def opened(folder: Path) -> Bundle:
        return open_bundle(folder, trust=layout.trust, cache=layout.cache, now=None, root=root)

    return Updater(
        layout,
        config,
        this_device(config.board),
        opened,
        Systemd(layout.runtime),
        SelfTest(options.config),
        clock=time.monotonic,
        pause=time.sleep,
        say=lambda line: print(line, flush=True),
        lang=options.lang,
        utc=_utc,
    )


def _utc() -> str:
    from edge.life.ntp import kernel_is_synchronized  # noqa: PLC0415

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) if kernel_is_synchronized() else ""


def _config(file: Path) -> UpdateConfig:
    """`update` of the vehicle's file; the defaults where it cannot be read: an update may be what it needs."""
    from edge.config import load_config  # noqa: PLC0415
    from edge.config_update import UpdateConfig  # noqa: PLC0415

    try:
        return load_config(file).update
    except WegewartError as error:
        print(f"wegewart-update: {error}; goes on with the defaults", file=sys.stderr)
        return UpdateConfig()
