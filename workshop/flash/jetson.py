# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is different on a Jetson: NVIDIA's own images know nothing of cloud-init.

The boot partition is the EFI one. Named CIDATA, cloud-init finds the vehicle's files on it, if the image has
cloud-init: docs/flash.md says how such an image is made once. One without would start, ask for a keyboard, and never be
a vehicle.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from workshop.flash.partitions import Partition
from workshop.flash.words import refuse

_WANTED = "/usr/bin/cloud-init"


def check_root(path: Path, partitions: tuple[Partition, ...]) -> None:
    """Look for cloud-init in the root partition (ext4, the largest) of an image file or card.

    Raises:
        FlashError: it is not there, or there is no such partition.
    """
    root = max((one for one in partitions if not one.fat), key=lambda one: one.size, default=None)
    found = "" if root is None else _stat(path, root.start)
    if "Inode:" not in found:
        refuse(
            f"das Jetson-Abbild enthält kein cloud-init ({_WANTED}), das Fahrzeug würde nie eingerichtet;"
            " ein Abbild damit machen: docs/flash.md, Abschnitt Jetson",
            f"the Jetson image holds no cloud-init ({_WANTED}), the vehicle would never be set up;"
            " make an image with it: docs/flash.md, section Jetson",
        )


def _stat(path: Path, start: int) -> str:
    program = shutil.which("debugfs", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        refuse("debugfs fehlt: sudo apt install e2fsprogs", "debugfs is missing: sudo apt install e2fsprogs")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [program, "-R", f"stat {_WANTED}", f"{path}?offset={start}"], capture_output=True, text=True, check=False
    )
    return done.stdout
