# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the vehicle moves along its line: steady, or with one stop on the way."""

from __future__ import annotations

import numpy as np

from edge.simulator.noise import Floats

#: Braking and pulling away, metres per second squared.
BRAKING = 1.5
STEP_S = 0.01


class Motion:
    """Distance over time. Starts rolling at full speed, ends where the drive ends."""

    def __init__(self, length_m: float, speed_mps: float, stop_at_m: float | None = None, stop_s: float = 0.0) -> None:
        self._speed = speed_mps
        if stop_at_m is None:
            self._t = np.array([0.0, length_m / speed_mps])
            self._s = np.array([0.0, length_m])
        else:
            self._t, self._s = self._with_stop(length_m, speed_mps, stop_at_m, stop_s)
        self.duration_s = float(self._t[-1])

    @staticmethod
    def _with_stop(length_m: float, speed: float, stop_m: float, stop_s: float) -> tuple[Floats, Floats]:
        ramp_s = speed / BRAKING
        ramp_m = speed * ramp_s / 2
        # A stop nearer to the start than the braking distance begins with the vehicle already braking.
        before_m = max(0.0, stop_m - ramp_m)
        braking = np.arange(0.0, ramp_s, STEP_S)
        way = speed * braking - BRAKING * braking**2 / 2 + stop_m - ramp_m
        keep = way >= 0.0
        braking, way = braking[keep], way[keep]
        braking = braking - braking[0] + before_m / speed
        leave = braking[-1] + STEP_S + stop_s
        pulling = np.arange(0.0, ramp_s, STEP_S)
        t = np.concatenate([[0.0] if before_m > 0 else [], braking, [braking[-1] + STEP_S], leave + pulling])
        s = np.concatenate([[0.0] if before_m > 0 else [], way, [stop_m], stop_m + BRAKING * pulling**2 / 2])
        end_s, end_m = leave + ramp_s, stop_m + ramp_m
        t, s = np.append(t, end_s), np.append(s, end_m)
        if end_m < length_m:
            t, s = np.append(t, end_s + (length_m - end_m) / speed), np.append(s, length_m)
        rows = 1 + int(np.count_nonzero(s[:-1] < length_m))
        return t[:rows], s[:rows]

    def distance(self, t_s: Floats) -> Floats:
        """Metres run at times."""
        run: Floats = np.interp(t_s, self._t, self._s)
        return run

    def speed(self, t_s: Floats) -> Floats:
        """Metres per second at times."""
        half = STEP_S
        run = self.distance(np.clip(t_s + half, 0, self.duration_s)) - self.distance(np.clip(t_s - half, 0, None))
        speed: Floats = run / (np.clip(t_s + half, 0, self.duration_s) - np.clip(t_s - half, 0, None))
        return speed

    def frame_times(self, every_m: float) -> Floats:
        """Capture times: a steady camera that takes one frame every `every_m` metres at full speed."""
        every_s = every_m / self._speed
        return np.arange(int(self.duration_s / every_s + 1e-9) + 1) * every_s
