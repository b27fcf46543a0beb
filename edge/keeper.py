# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands beside the line of stages and observes it: runs before this one, heat, supply, ignition, network time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from edge.config import PowerConfig, VehicleConfig
from edge.delivery.port import Delivery
from edge.life.board import Board
from edge.life.condition import Condition
from edge.life.heat import HeatGovernor, HeatSettings, Pace
from edge.life.ignition import GpioWire, IgnitionLine, Power, read_voltage
from edge.life.ladder import LadderSettings
from edge.life.life import Life
from edge.life.ntp import LOOK_EVERY_S, NetworkTime
from edge.life.power import ShutdownSettings
from edge.life.rounds import Round, Rounds

_BOARD_EVERY_S, _POWER_EVERY_S = 2.0, 1.0
_MOVING_MPS = 0.5


class Keeper:
    """One run of a vehicle's daemon. `life`: the row of runs; `pace`: how often frames are looked at in this heat."""

    def __init__(
        self, config: VehicleConfig, *, board: Board | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Read how the run before ended; look at nothing yet.

        Raises:
            ConfigError: the library for the ignition line is not installed.
        """
        life = config.life
        self._config = config
        self._clock = clock
        self.life = Life(
            config.delivery.data,
            LadderSettings(life.camera_reopens, life.restarts, life.reboots_per_day, life.well_s, life.rest_s),
        )
        self.pace = Pace()
        self.network = NetworkTime()
        self._condition = Condition(board or Board(), HeatGovernor(HeatSettings(limit_c=config.heat.limit_c)))
        self._power: Power | None = None
        self._rounds: Rounds | None = None
        self._speed_mps: float | None = None

    def watch(self, delivery: Delivery) -> None:
        """Begin to look at the computer, in a thread of its own."""
        rounds = [Round(_BOARD_EVERY_S, self._condition.look), Round(LOOK_EVERY_S, self.network.look)]
        if self._config.power.chip is not None:
            self._power = _power(self._config.power, self._config.delivery.drain_s, self._is_moving, delivery)
            rounds.append(Round(_POWER_EVERY_S, self._power.look))
        self._rounds = Rounds(rounds)

    @property
    def is_to_switch_off(self) -> bool:
        """Whether the ignition has been off for long enough."""
        return self._power is not None and self._power.due

    def may_look(self) -> bool:
        """Whether a frame may be looked at now, as far as the heat allows."""
        return self.pace.allows(self._clock())

    def looked(self, began_s: float) -> None:
        """A look has just ended that began at `began_s`."""
        self.pace.looked(began_s, self._clock(), self._condition.share)

    def drives(self, speed_mps: float | None) -> None:
        """All goes well, at this speed."""
        self._speed_mps = speed_mps
        self.life.tick()

    def exit_code(self) -> int:
        """The process's last word after all is closed: 0, or that the computer is to be switched off."""
        return self._power.exit_code() if self._power is not None and self._power.due else 0

    def gauges(self) -> dict[str, float]:
        """For the health message."""
        return self._condition.gauges() | (self._power.gauges() if self._power is not None else {})

    def counters(self) -> dict[str, int]:
        """For the health message; those of `life` count over all runs."""
        return {**self.life.counters(), **self._condition.counters(), **self.network.counters()}

    def faults(self) -> tuple[str, ...]:
        """What is wrong now, one line each."""
        power = self._power.faults() if self._power is not None else ()
        return (*self.life.faults(), *self._condition.faults(), *power)

    def close(self) -> None:
        """Look no more. May be called twice."""
        if self._rounds is not None:
            self._rounds.close()
        if self._power is not None:
            self._power.close()

    def _is_moving(self) -> bool:
        return self._speed_mps is not None and self._speed_mps > _MOVING_MPS


def shutdown_settings(config: PowerConfig) -> ShutdownSettings:
    """The rules of switching off."""
    return ShutdownSettings(
        delay_s=config.delay_s,
        most_s=config.most_s,
        hold_up_s=config.hold_up_s,
        low_v=config.low_v,
        debounce_s=config.debounce_s,
        least_on_s=config.least_on_s,
    )


def _power(config: PowerConfig, drain_s: float, moving: Callable[[], bool], delivery: Delivery) -> Power:
    def is_drained() -> bool:
        counts = delivery.counts()
        return not counts.pending and not counts.pictures_pending

    assert config.chip is not None
    file = config.supply_file
    return Power(
        GpioWire(IgnitionLine(config.chip, config.line, active_low=config.active_low, bias=config.bias)),
        shutdown_settings(config),
        drain_s=drain_s,
        moving=moving,
        drained=is_drained,
        voltage=None if file is None else partial(read_voltage, file, config.supply_scale),
    )
