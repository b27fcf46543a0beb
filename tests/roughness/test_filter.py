# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The band-pass, for even and uneven samples."""

from __future__ import annotations

import math
import random

import pytest

from edge.roughness.band import Band


def gain(frequency_hz: float, rate_hz: float, *, uneven: float = 0.0) -> float:
    """How much of a swing comes through, after ten seconds."""
    band, rng, time_s, most = Band(0.5, 30.0), random.Random(1), 0.0, 0.0
    band.start(0.0)
    while time_s < 20:
        step = (1 + uneven * rng.uniform(-1, 1)) / rate_hz
        time_s += step
        value = band.step(math.sin(2 * math.pi * frequency_hz * time_s), step)
        if time_s > 10:
            most = max(most, abs(value))
    return most


@pytest.mark.parametrize("rate_hz", [100, 200, 400])
@pytest.mark.parametrize(("frequency_hz", "share"), [(0.05, 0.01), (0.5, 0.707), (2, 1), (12, 1), (30, 0.707)])
def test_what_lies_in_the_band_comes_through_and_slow_motion_does_not(
    frequency_hz: float, share: float, rate_hz: float
) -> None:
    assert gain(frequency_hz, rate_hz) == pytest.approx(share, abs=0.04)


def test_an_uneven_pace_does_no_harm() -> None:
    assert gain(5, 200, uneven=0.4) == pytest.approx(1, abs=0.04)
    assert gain(0.05, 200, uneven=0.4) == pytest.approx(0.01, abs=0.02)


@pytest.mark.parametrize("step_s", [1e-6, 0.001, 0.05, 5.0])
def test_no_step_makes_it_unstable(step_s: float) -> None:
    band = Band(0.5, 30.0)
    band.start(9.81)
    assert all(abs(band.step(9.81 + (-1) ** i, step_s)) < 5 for i in range(1000))


def test_gravity_is_gone_from_the_first_sample() -> None:
    band = Band(0.5, 30.0)
    band.start(9.81)
    assert [band.step(9.81, 0.005) for _ in range(3)] == [0, 0, 0]
