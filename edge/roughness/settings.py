# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the roughness stage must be told of its vehicle, and the figures of the written rule."""

from __future__ import annotations

from dataclasses import dataclass

#: The name of the rule. Whoever changes a figure below that is marked "rule" gives it a new name.
RULE = "wegewart-roughness-1"


@dataclass(frozen=True)
class RoughnessSettings:
    """The vehicle and the rule "wegewart-roughness-1".

    Axles are measured from the antenna, forward and to the left. `speed_exponent` p: acceleration grows with speed as
    v^p, as was measured with many phones (G. Alessandroni et al., "A study on the influence of speed on road roughness
    sensing: the SmartRoadSense case", Sensors 17 (2017) 305). On a road whose height has the power spectrum G(n) ~ n^-w
    (ISO 8608: w = 2) a linear vehicle at speed v meets G(f) = G(n = f/v) / v ~ v^(w-1) f^-w, so its acceleration's RMS
    grows as v^((w-1)/2): 0.5 for w = 2, between 0.25 and 1.0 for the w of 1.5 to 3 of real roads.
    """

    front_axle_forward_m: float = 2.0
    rear_axle_forward_m: float = -1.5
    axles_left_m: float = 0.0
    track_width_m: float = 1.7
    full_scale_mps2: float = 39.2
    """What the sensor measures at most (4 g); a peak near it is cut off."""

    reference_speed_mps: float = 50 / 3.6  # rule
    speed_exponent: float = 0.5  # rule
    section_m: float = 10.0  # rule
    min_speed_mps: float = 15 / 3.6  # rule: slower sections and shocks are not judged
    band_hz: tuple[float, float] = (0.5, 30.0)  # rule: of the RMS
    blow_hz: tuple[float, float] = (4.0, 30.0)  # rule: of shocks; leaves the body's own bounce (1 to 2 Hz) out
    shock_floor_mps2: float = 1.5  # rule: a shock's peak is above this
    shock_factor: float = 4.5  # rule: and above this many times the RMS of the last seconds,
    pair_factor: float = 3.5  # rule: or above this where both axles felt it, a wheelbase apart

    stretch_m: float = 100.0
    stretch_s: float = 60.0
    wait_m: float = 30.0
    """A camera's defect may become an observation after its wheels' blow: shocks wait for so much way."""
    confirming: frozenset[str] = frozenset({"pothole"})
    """Classes of observation that a shock confirms."""

    def __post_init__(self) -> None:
        if self.wheelbase_m < 0.5:
            raise ValueError("the front axle must lie at least 0.5 m before the rear axle")

    @property
    def wheelbase_m(self) -> float:
        """From axle to axle."""
        return self.front_axle_forward_m - self.rear_axle_forward_m

    @property
    def middle_forward_m(self) -> float:
        """The middle between the axles, from the antenna."""
        return (self.front_axle_forward_m + self.rear_axle_forward_m) / 2
