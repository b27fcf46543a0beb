# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A copy of the configuration that could be read last: with a wrong one nobody else knows where the depot is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from edge.config import VehicleConfig, load_config
from edge.errors import ConfigError

_NAME = "vehicle.last-good.toml"


def keep(file: Path, data: Path) -> None:
    """Copy a configuration that was read without error. A disk that takes nothing is no reason not to drive."""
    with contextlib.suppress(OSError):
        content, copy = file.read_bytes(), data / _NAME
        if copy.is_file() and copy.read_bytes() == content:
            return
        fresh = copy.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(copy)


def find(environment: Mapping[str, str] = os.environ) -> VehicleConfig | None:
    """The copy in systemd's state folder; None where there is none that can be read."""
    folder = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if not folder:
        return None
    try:
        return load_config(Path(folder) / _NAME)
    except ConfigError:
        return None
