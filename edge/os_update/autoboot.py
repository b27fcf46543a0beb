# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""autoboot.txt: which boot partition the Raspberry Pi's boot loader takes, and which one for a single trial.

Every text we write has the same length and differs in two digits only. So a write that was cut, however the bytes of
old and new are mixed, is still a whole file that names a boot partition.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.os_update.slots import SLOTS, Doubt, Slot

#: The boot loader reads no more.
MOST_BYTES = 512
NAME = "autoboot.txt"


@dataclass(frozen=True)
class Autoboot:
    """The boot partitions: always, and once after `reboot "0 tryboot"`."""

    default: int
    trial: int

    def render(self) -> bytes:
        """The file."""
        text = f"[all]\ntryboot_a_b=1\nboot_partition={self.default}\n[tryboot]\nboot_partition={self.trial}\n"
        return text.encode("ascii")


def starting(slot: Slot) -> Autoboot:
    """The file that always starts this slot, and tries the other one."""
    return Autoboot(slot.boot, slot.other.boot)


def parse(content: bytes) -> Autoboot:
    """What the file says.

    Raises:
        Doubt: it is not one of the two files that we write, so what the boot loader makes of it is not for us to guess.
    """
    for slot in SLOTS.values():
        if content == starting(slot).render():
            return starting(slot)
    raise Doubt(f"{NAME} is none that we wrote: {content[:MOST_BYTES].decode('ascii', 'backslashreplace')!r}")
