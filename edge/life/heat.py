# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fewer looks before the chip slows itself down. Decisions only.

A chip that throttles itself does so anywhere: in the middle of a picture, for the uplink as for the model. We rather
look less often, and the coverage says what was not seen. Guarantees, whatever the temperatures:

- A step up comes at least `recover_s` after the step before it, so the pace never swings faster than that.
- A step up that had to be taken back within `_LONGEST_S` doubles the wait before the next one (up to that): at a load
  that the housing cannot carry the pace settles.
- A step down comes at least `settle_s` after the one before it: its effect is waited for. Close to the limit that is
  a third.
"""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_S = 3600.0
#: So near to the limit it is urgent, kelvin.
_URGENT_K = 2.0


@dataclass(frozen=True)
class HeatSettings:
    """When to step. `limit_c`: not to be reached: below what the chip throttles at (Raspberry Pi: 80 degrees Celsius).

    `margin_k` below it we step down; `margin_k + band_k` below it, up again. `shares`: the pace of each step, as a
    share of the full one.
    """

    limit_c: float = 80.0
    margin_k: float = 6.0
    band_k: float = 7.0
    settle_s: float = 30.0
    recover_s: float = 180.0
    shares: tuple[float, ...] = (1.0, 0.7, 0.5, 0.35, 0.25, 0.1)


class HeatGovernor:
    """Gives the share of the full pace at which to look.

    `steps`: how often the pace was changed.
    """

    def __init__(self, settings: HeatSettings | None = None) -> None:
        self._settings = settings or HeatSettings()
        self._step = 0
        self._changed_s: float | None = None
        self._raised_s: float | None = None
        self._wait_s = self._settings.recover_s
        self.steps = 0

    @property
    def share(self) -> float:
        """0 to 1: how much of the full pace is allowed now."""
        return self._settings.shares[self._step]

    def update(self, now_s: float, hottest_c: float | None, *, slowed: bool = False) -> float:
        """Take in a look at the board.

        Args:
            now_s: monotonic.
            hottest_c: the hottest sensor; None where there is none: then the pace stays.
            slowed: the chip already holds itself back for its heat.

        Returns:
            The share.
        """
        since_s = float("inf") if self._changed_s is None else now_s - self._changed_s
        top_c = self._settings.limit_c - self._settings.margin_k
        hot = slowed or (hottest_c is not None and hottest_c >= top_c)
        if hot:
            urgent = slowed or (hottest_c is not None and hottest_c >= self._settings.limit_c - _URGENT_K)
            if since_s >= self._settings.settle_s / (3 if urgent else 1):
                self._down(now_s)
        elif hottest_c is not None and hottest_c <= top_c - self._settings.band_k and since_s >= self._wait_s:
            self._up(now_s)
        return self.share

    def _down(self, now_s: float) -> None:
        if self._step == len(self._settings.shares) - 1:
            return
        if self._raised_s is not None and now_s - self._raised_s <= _LONGEST_S:
            self._wait_s = min(_LONGEST_S, 2 * self._wait_s)
        self._raised_s = None
        self._change(now_s, +1)

    def _up(self, now_s: float) -> None:
        if self._step == 0:
            self._wait_s = self._settings.recover_s
            return
        self._raised_s = now_s
        self._change(now_s, -1)

    def _change(self, now_s: float, by: int) -> None:
        self._step += by
        self._changed_s = now_s
        self.steps += 1


class Pace:
    """Keeps looks to a share of the time, whatever a look costs and however fast the vehicle drives."""

    def __init__(self) -> None:
        self._free_s = float("-inf")

    def allows(self, now_s: float) -> bool:
        """Whether a frame may be looked at now; to be asked before the sampler is. `now_s`: monotonic."""
        return now_s >= self._free_s

    def looked(self, began_s: float, ended_s: float, share: float) -> None:
        """A look took from `began_s` to `ended_s`: the rest of its time is a pause."""
        self._free_s = ended_s + (ended_s - began_s) * (1 / share - 1)
