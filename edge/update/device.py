# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which computer this is, and whether a release was made for it."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from edge.update.refusal import RefusedError
from messages.release import Board, Release, Variant

_DEVICE_TREE = Path("/proc/device-tree/model")
_NAMES: tuple[tuple[str, Board], ...] = (
    ("Raspberry Pi 4", "raspberry_pi_4"),
    ("Raspberry Pi Compute Module 4", "raspberry_pi_4"),
    ("Raspberry Pi 5", "raspberry_pi_5"),
    ("Raspberry Pi Compute Module 5", "raspberry_pi_5"),
    ("Orin Nano", "jetson_orin_nano"),
)


@dataclass(frozen=True)
class Device:
    """`machine` as `platform.machine()`, `python` as in "3.13"."""

    board: str
    machine: str
    python: str


def this_device(board: str = "auto", device_tree: Path = _DEVICE_TREE) -> Device:
    """The computer under us. `board`: as configured; auto: as its device tree says, a PC without one."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Device(_board(device_tree) if board == "auto" else board, platform.machine(), python)


def _board(device_tree: Path) -> str:
    try:
        model = device_tree.read_bytes().rstrip(b"\0").decode(errors="replace")
    except OSError:
        return "pc"
    return next((board for name, board in _NAMES if name in model), model[:60] or "unknown")


def variant(release: Release, device: Device) -> Variant:
    """The wheels that are made for this computer.

    Raises:
        RefusedError: there are none.
    """
    if device.board not in release.boards:
        known = "known boards: " + ", ".join(get_args(Board))
        made = ", ".join(release.boards)
        raise RefusedError(f"wrong_hardware: {release.id} is made for {made}, this is {device.board} ({known})")
    for one in release.variants:
        if (one.machine, one.python) == (device.machine, device.python):
            return one
    made = ", ".join(f"{one.machine} with Python {one.python}" for one in release.variants)
    raise RefusedError(
        f"wrong_hardware: {release.id} is made for {made}, this is {device.machine} with Python {device.python}"
    )
