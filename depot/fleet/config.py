# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Section `fleet` of the depot's configuration: what alarms begin with, until somebody sets them on the page."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from depot.sections import Section


class FleetConfig(Section, frozen=True):
    """When a vehicle counts as online, and the thresholds that alarms begin with."""

    online_s: Annotated[float, Meta(ge=30, le=86_400, description="seconds without a word until it counts as away")] = (
        180.0
    )
    readings_h: Annotated[int, Meta(ge=1, le=720, description="hours that readings of health are kept")] = 48
    offline_s: Annotated[float, Meta(ge=60, le=1e6, description="alarm: seconds without a word")] = 900.0
    position_age_s: Annotated[
        float, Meta(ge=30, le=1e6, description="alarm: seconds since the last place, while it moves")
    ] = 600.0
    position_error_m: Annotated[float, Meta(ge=1, le=1000, description="alarm: metres that its place may be off")] = (
        25.0
    )
    temperature_c: Annotated[float, Meta(ge=30, le=120, description="alarm: degrees Celsius of the hottest sensor")] = (
        80.0
    )
    disk_free_mb: Annotated[float, Meta(ge=1, le=1e6, description="alarm: megabytes free below this")] = 1000.0
    queue_age_s: Annotated[
        float, Meta(ge=60, le=1e7, description="alarm: seconds that events wait on the vehicle at most")
    ] = 3600.0
    frame_rate_fps: Annotated[float, Meta(ge=0.01, le=1000, description="alarm: frames a second below this")] = 1.0
    update_waits_h: Annotated[
        float, Meta(ge=0.1, le=8760, description="alarm: hours that a release is staged or on trial")
    ] = 24.0
    update_behind_days: Annotated[
        float, Meta(ge=0.1, le=3650, description="alarm: days that a vehicle is behind the release of the fleet")
    ] = 7.0
    repository_days: Annotated[
        float, Meta(ge=0, le=365, description="alarm: days until the update repository's timestamp expires, below this")
    ] = 3.0
    repository_keys_days: Annotated[
        float, Meta(ge=0, le=3650, description="alarm: days until what the keys in the safe signed expires, below this")
    ] = 30.0
