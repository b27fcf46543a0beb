# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The two systems A and B on one card, and which of them runs.

The card's identifier and its partition numbers are the same on every vehicle, so no file differs by vehicle
(`firmware_config/raspberry_pi/os_update/layout.sfdisk`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Identifier of the card's partition table, "WEGE" in ASCII.
DISK_ID = "57454745"


class Doubt(Exception):  # noqa: N818 - it is one, not an error of the program
    """Something does not fit together, so nothing is changed. One line: what, and what to do."""


@dataclass(frozen=True)
class Slot:
    """One system: its name at RAUC, the number of its boot partition (FAT) and of its root partition."""

    name: str
    boot: int
    root: int

    @property
    def other(self) -> Slot:
        """The one beside it."""
        return B if self.name == "A" else A


A = Slot("A", boot=2, root=5)
B = Slot("B", boot=3, root=6)
SLOTS = {slot.name: slot for slot in (A, B)}
BY_BOOT = {slot.boot: slot for slot in (A, B)}


@dataclass(frozen=True)
class Boot:
    """What the boot loader and the kernel say of the boot we are in."""

    #: The kernel's name for this boot.
    boot_id: str
    #: The boot partition that was taken; 0: the boot loader does not say.
    partition: int
    #: Booted by `reboot "0 tryboot"`: this once only.
    trial: bool
    #: `rauc.slot=` of the kernel's command line: whose root this is; empty without it.
    root: str


def running(boot: Boot) -> Slot:
    """The system that runs.

    Raises:
        Doubt: boot loader and kernel disagree, or one of them is silent.
    """
    slot = BY_BOOT.get(boot.partition)
    if slot is None:
        raise Doubt(
            f"the boot loader names boot partition {boot.partition}, this layout has 2 and 3; "
            "is it a card with two systems, and the boot loader's EEPROM new enough?"
        )
    if boot.root != slot.name:
        raise Doubt(f"boot partition {slot.boot} is of system {slot.name}, but the root is of {boot.root or 'nobody'}")
    return slot


def addressed(cmdline: str, slot: Slot) -> str:
    """A kernel command line made to start this slot; of the same length, whichever slot it was for.

    Raises:
        Doubt: it does not name root, boot partition and slot as this layout has them.
    """
    text = cmdline
    for pattern, number, what in (
        (rf"(?<=\broot=PARTUUID={DISK_ID}-0)[56](?!\S)", str(slot.root), f"root=PARTUUID={DISK_ID}-05"),
        (
            rf"(?<=\bPARTUUID={DISK_ID}-0)[23](?=:/boot/firmware:)",
            str(slot.boot),
            f"PARTUUID={DISK_ID}-02:/boot/firmware:",
        ),
        (r"(?<=\brauc\.slot=)[AB](?!\S)", slot.name, "rauc.slot=A"),
    ):
        text, found = re.subn(pattern, number, text)
        if found != 1:
            raise Doubt(
                f"cmdline.txt of the system has {found} times {what!r}, must have it once; it cannot be started"
            )
    return text
