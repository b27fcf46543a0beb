# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Board and governor together: what health says of heat and supply, and at which pace to look."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from edge.life.board import Board, BoardState
from edge.life.heat import HeatGovernor

#: How often `Condition.look` should be called, seconds: an under-voltage may be over in two.
LOOK_EVERY_S = 2.0
#: An event is a fault for so long, seconds.
_RECENT_S = 300.0
#: What a board's event counts stand for (Jetson Orin).
_EVENTS = {"oc1": "under-voltage", "oc2": "over-current for a while", "oc3": "sudden over-current"}
#: Only these hold the processor back because of heat; a cap may come from the supply.
_BY_SUPPLY = ("frequency_capped", "throttled")


class Condition:
    """Looks at the board; what it found may be asked for from any thread.

    Counters: `under_voltages` and `throttlings` (looks at which one had begun), `supply_events` (the board's own counts
    since we look), `heat_steps`. Gauges: `temperature_c` (the hottest), `temperature_*_c` by zone, `pace_share`.
    """

    def __init__(self, board: Board, governor: HeatGovernor, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._governor = governor
        self._clock = clock
        self._state = BoardState({}, {})
        self._counts: Counter[str] = Counter(under_voltages=0, throttlings=0, supply_events=0)
        self._low_s: float | None = None
        self._event_s: dict[str, float] = {}

    @property
    def share(self) -> float:
        """0 to 1: how much of the full pace the heat allows."""
        return self._governor.share

    def look(self) -> None:
        """One look; for a thread of its own (`edge.life.rounds`)."""
        now_s, before, state = self._clock(), self._state, self._board.look()
        by_heat = bool(state.slowed_by) and not (state.under_voltage and set(state.slowed_by) <= set(_BY_SUPPLY))
        self._governor.update(now_s, state.hottest_c, slowed=by_heat)
        if state.under_voltage:
            self._low_s = now_s
        self._counts["under_voltages"] += state.under_voltage and not before.under_voltage
        self._counts["throttlings"] += bool(state.slowed_by) and not before.slowed_by
        for name, number in state.events.items():
            more = number - before.events.get(name, number)
            if more > 0:
                self._counts["supply_events"] += more
                self._event_s = {**self._event_s, name: now_s}
        self._state = state

    def gauges(self) -> dict[str, float]:
        """For the health message."""
        state = self._state
        gauges = {f"temperature_{name}_c": round(value, 1) for name, value in state.temperatures_c.items()}
        if state.hottest_c is not None:
            gauges["temperature_c"] = round(state.hottest_c, 1)
        return {**gauges, "pace_share": self.share}

    def counters(self) -> dict[str, int]:
        """For the health message."""
        return {**self._counts, "heat_steps": self._governor.steps}

    def faults(self) -> tuple[str, ...]:
        """What is wrong, one line each."""
        state, now_s = self._state, self._clock()
        recent = [name for name, at_s in self._event_s.items() if now_s - at_s <= _RECENT_S]
        events = ", ".join(_EVENTS.get(name, name) for name in sorted(recent))
        is_low = self._low_s is not None and now_s - self._low_s <= _RECENT_S
        hottest = "" if state.hottest_c is None else f" at {state.hottest_c:.0f} degrees"
        found = (
            "under-voltage in the last 5 minutes: check supply and cable" if is_low else None,
            f"the board reports {events} in the last 5 minutes: check supply and cable" if events else None,
            f"the processor slows itself down: {', '.join(state.slowed_by)}" if state.slowed_by else None,
            f"looks less often because of the heat: {self.share:.0%} of the pace{hottest}" if self.share < 1 else None,
        )
        return tuple(fault for fault in found if fault)
