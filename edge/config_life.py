# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The vehicle's computer in its configuration: what to do after failures, in heat, when the ignition goes off."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from edge.config_sensors import Section


class LifeConfig(Section, frozen=True):
    """After failures: camera opened anew, process restarted, computer booted; never for ever."""

    camera_reopens: Annotated[
        int, Meta(ge=0, le=10, description="a camera that stalls is opened anew so often in 10 minutes")
    ] = 2
    restarts: Annotated[
        int, Meta(ge=2, le=50, description="after so many failed runs in a row the computer is booted")
    ] = 5
    reboots_per_day: Annotated[int, Meta(ge=0, le=10, description="at most, in 24 hours of operation")] = 2
    well_s: Annotated[float, Meta(ge=60, le=7200, description="a run that lasted so long was well, seconds")] = 600.0
    rest_s: Annotated[
        float, Meta(ge=60, le=7200, description="where boots did not help: pause before each further try, seconds")
    ] = 600.0


class HeatConfig(Section, frozen=True):
    """Looking less often before the chip throttles."""

    limit_c: Annotated[float, Meta(ge=50, le=110, description="temperature not to be reached, degrees Celsius")] = 80.0


class PowerConfig(Section, frozen=True):
    """Switching off cleanly after the ignition."""

    chip: Annotated[str | None, Meta(description="GPIO chip of the ignition's line; not set: no such line")] = None
    line: Annotated[
        int, Meta(ge=0, le=1023, description="GPIO line of the ignition; not one that gpio-shutdown has")
    ] = 27
    active_low: Annotated[bool, Meta(description="the line is low while the ignition is on")] = False
    bias: Annotated[
        Literal["as_is", "pull_up", "pull_down", "disabled"], Meta(description="the chip's own resistor")
    ] = "pull_down"
    delay_s: Annotated[float, Meta(ge=0, le=86_400, description="not off before this, seconds")] = 300.0
    most_s: Annotated[
        float, Meta(ge=0, le=108_000, description="from delay_s on once all is delivered, at this at the latest, s")
    ] = 1800.0
    hold_up_s: Annotated[
        float, Meta(ge=0, le=3600, description="so long the own supply lasts, seconds; 0: permanent feed")
    ] = 0.0
    low_v: Annotated[
        float, Meta(ge=0, le=120, description="below this supply only delay_s is waited for, volts; 0: not known")
    ] = 0.0
    supply_file: Annotated[Path | None, Meta(description="file that shows the supply's voltage; not set: none")] = None
    supply_scale: Annotated[float, Meta(gt=0, le=1000, description="volts per count of supply_file")] = 0.001
    debounce_s: Annotated[float, Meta(ge=0.5, le=30, description="the line must say the same for so long, s")] = 2.0
    least_on_s: Annotated[
        float, Meta(ge=0, le=86_400, description="stays on so long where the ignition was never on, seconds")
    ] = 3600.0
