# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Updates in the vehicle's configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from edge.config_sensors import Section


class UpdateConfig(Section, frozen=True):
    """Where releases come from, how fast, and when the vehicle may change to one."""

    repository: Annotated[
        str | None, Meta(description="address of the depot's update repository, https://; not set: only by hand")
    ] = None
    board: Annotated[
        Literal["auto", "raspberry_pi_4", "raspberry_pi_5", "jetson_orin_nano", "pc"],
        Meta(description="the computer; auto: as its device tree says"),
    ] = "auto"
    bytes_per_s: Annotated[
        float, Meta(ge=0, le=1e9, description="download at most at this rate, bytes/s; 0: no limit")
    ] = 100_000.0
    bytes_per_day: Annotated[int, Meta(ge=0, le=10**12, description="download at most, bytes a day; 0: no limit")] = 0
    parked_s: Annotated[
        float, Meta(ge=0, le=86_400, description="the vehicle must have been standing for so long, seconds")
    ] = 120.0
    start_s: Annotated[
        float, Meta(ge=10, le=3600, description="a release on trial must look at its first frame within, seconds")
    ] = 300.0
    window_s: Annotated[
        float, Meta(ge=5, le=86_400, description="a release on trial must then be well for so long, seconds")
    ] = 600.0
    keep: Annotated[int, Meta(ge=1, le=10, description="releases kept beside the one that runs")] = 2
