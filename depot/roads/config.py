# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Section `roads` of the depot's configuration."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from depot.errors import ConfigError
from depot.sections import Section


class RoadsConfig(Section, frozen=True):
    """How what vehicles looked at is laid on the city's roads and written down as proof of inspection."""

    timezone: Annotated[
        str, Meta(min_length=1, max_length=50, description="whose calendar the days of the proof follow")
    ] = "Europe/Berlin"
    within_m: Annotated[
        float, Meta(ge=5, le=100, description="metres that a vehicle's path may lie beside a road's line")
    ] = 25.0
    seal_after_h: Annotated[
        float,
        Meta(ge=0, le=720, description="hours after a day's end until it is written into the proof; later: a revision"),
    ] = 6.0
    look_valid_days: Annotated[
        int, Meta(ge=1, le=3650, description="days that a section without open cases counts as looked at")
    ] = 180


def zone(config: RoadsConfig) -> ZoneInfo:
    """The time zone.

    Raises:
        ConfigError: there is none of this name, or the system has no table of time zones.
    """
    try:
        return ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(
            f"roads.timezone: {config.timezone!r} is not known here; a name like Europe/Berlin, from the package tzdata"
        ) from None
