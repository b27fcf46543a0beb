# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge doctor`: is this vehicle fit to drive? The last step of fitting, and what the health timer runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from edge.config import VehicleConfig
    from edge.doctor.finding import Finding

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no public name

_EPILOG = """exit codes: 0 fit to drive (warnings possible), 1 at least one fault, 2 configuration

Jede Zeile: Urteil, Teil, was gefunden wurde, und hinter dem Pfeil, was zu tun ist."""


def add(commands: Commands) -> None:
    """Add the command."""
    doctor = commands.add_parser(
        "doctor",
        help="is this vehicle fit to drive? One line for each part, and what to do",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor.add_argument("--config", type=Path, required=True, metavar="FILE", help="the vehicle's configuration (TOML)")
    doctor.add_argument("--lang", choices=["de", "en"], default="de", help="language of the lines (default: de)")
    doctor.add_argument("--json", action="store_true", help="one line of JSON per part")
    doctor.add_argument("--quick", action="store_true", help="only what does not disturb a running daemon")
    doctor.add_argument(
        "--wait", type=float, default=20.0, metavar="S", help="how long sensors get to speak (default: %(default)s)"
    )
    doctor.add_argument(
        "--tell", action="store_true", help="where the daemon has failed, tell the depot what is wrong (health timer)"
    )
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from edge.config import load_config  # noqa: PLC0415 - numpy is slow to import, --help should not be
    from edge.doctor.computer import SERVICE  # noqa: PLC0415
    from edge.doctor.visit import visit  # noqa: PLC0415
    from edge.errors import ConfigError  # noqa: PLC0415
    from edge.last_good import find  # noqa: PLC0415

    try:
        config = load_config(options.config)
    except ConfigError as error:
        known = find() if options.tell else None
        if known is not None:
            _tell(known, str(error))
        raise
    faults: list[Finding] = []
    for finding in visit(config, quick=options.quick, wait_s=options.wait):
        print(json.dumps(finding.as_dict()) if options.json else finding.line(options.lang), flush=True)
        if finding.grade == "bad":
            faults.append(finding)
    # A daemon that runs, or will be started again, speaks for itself.
    if options.tell and any(fault.part is SERVICE for fault in faults):
        _tell(config, *(f"{fault.part.en}: {fault.text.en}" for fault in faults))
    return 1 if faults else 0


def _tell(config: VehicleConfig, *faults: str) -> None:
    """A daemon that has failed for good cannot say so itself."""
    import time  # noqa: PLC0415

    from edge.standby import TELL_S, standing_by  # noqa: PLC0415
    from edge.uplinks import open_uplink  # noqa: PLC0415

    # Without a keeper: that would count this as a run of the daemon.
    with standing_by(
        lambda: open_uplink(config, (), "none"), None, drain_s=config.delivery.drain_s, clock=time.monotonic
    ) as standby:
        standby.wait_online(TELL_S)
        standby.tell(*faults)
