# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The section `asking` of the configuration."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from depot.sections import Section


class AskingConfig(Section, frozen=True):
    """Pictures from later passes: of places whose case was ordered or repaired. Nothing else is ever asked for."""

    pictures: Annotated[bool, Meta(description="ask vehicles for them")] = True
    for_days: Annotated[
        int, Meta(ge=5, le=60, description="a vehicle looks for a place so long; then it is asked anew")
    ] = 14
    again_hours: Annotated[
        int, Meta(ge=1, le=720, description="after a picture that still shows a defect, ask again after so long")
    ] = 20
    repaired_days: Annotated[
        int, Meta(ge=1, le=3650, description="after a repair, ask for so long if no picture comes")
    ] = 60
    vehicles: Annotated[int, Meta(ge=1, le=10, description="vehicles that are asked for one place at a time")] = 3
    places: Annotated[
        int, Meta(ge=1, le=64, description="places that one vehicle is asked for at a time; it takes 64 at most")
    ] = 48
