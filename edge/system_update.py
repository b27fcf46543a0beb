# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the operating system's update says of itself (`edge.os_update`, another program), for the depot."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from messages.types import SystemUpdate

STATE = Path("/data/wegewart-os/state.json")
#: Its record is some hundred bytes.
_MOST_BYTES = 65_536


class _Record(Struct):
    """The part of its record that the depot wants to know."""

    state: Literal["none", "writing", "installed", "pending", "active", "failed"]
    version: str = ""
    reason: str = ""


def system_update(path: Path = STATE) -> SystemUpdate | None:
    """What it is at; None where there is no such file, or none that can be read."""
    try:
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(_MOST_BYTES), type=_Record)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return SystemUpdate(state=found.state, version=found.version[:100], reason=" ".join(found.reason.split())[:500])
