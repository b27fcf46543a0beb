# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What RAUC asks of a boot loader (`bootloader=custom`): rauc-backend COMMAND [SLOT [good|bad]].

`set-primary` does not activate: it only says what is tried next. Only a system that ran well on trial is activated.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from edge.os_update.control import Control
from edge.os_update.slots import SLOTS, Doubt

USAGE = "rauc-backend get-primary | get-current | set-primary A|B | get-state A|B | set-state A|B good|bad"


def answer(control: Control, arguments: Sequence[str]) -> int:
    """One question of RAUC's; the exit code. What it wants to know goes to stdout, a refusal's reason to stderr."""
    try:
        match list(arguments):
            case ["get-primary"]:
                print(control.primary().name)
            case ["get-current"]:
                print(control.running().name)
            case ["set-primary", name] if name in SLOTS:
                control.wrote(SLOTS[name])
            case ["get-state", name] if name in SLOTS:
                print("good" if control.is_good(SLOTS[name]) else "bad")
            case ["set-state", name, "bad"] if name in SLOTS:
                _bad(control, name)
            case ["set-state", name, "good"] if name in SLOTS:
                _good(control, name)
            case _:
                print(f"usage: {USAGE}", file=sys.stderr)
                return 2
    except (Doubt, OSError) as problem:
        print(f"wegewart-os: {problem}", file=sys.stderr)
        return 1
    return 0


def _bad(control: Control, name: str) -> None:
    if SLOTS[name] == control.running() and control.on_trial():
        control.leave("marked bad by hand")
    else:
        control.writes(SLOTS[name])


def _good(control: Control, name: str) -> None:
    """Of the system on trial: keep it. Of any other: it must be so already."""
    if SLOTS[name] == control.running() and control.on_trial():
        control.keep()
    elif not control.is_good(SLOTS[name]):
        raise Doubt(f"system {name} is not known to be complete, saying so does not make it")
