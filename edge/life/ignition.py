# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The ignition's wire (terminal 15) on a GPIO line, and what follows from it.

Through libgpiod 2 (package gpiod, LGPL-2.1-or-later), which is loaded only where a vehicle has such a wire. The line is
read, not waited for: once a second is enough, and a wire that chatters costs nothing.
"""

from __future__ import annotations

import errno
import importlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from edge.errors import ConfigError
from edge.life.exits import POWER_OFF
from edge.life.power import Shutdown, ShutdownSettings

_log = logging.getLogger(__name__)

#: How often `Power.look` should be called, seconds.
LOOK_EVERY_S = 1.0


class Wire(Protocol):
    """Says whether the ignition is on."""

    def is_on(self) -> bool:
        """Now. Raises OSError: it cannot be read."""

    def close(self) -> None:
        """Release the line."""


@dataclass(frozen=True)
class IgnitionLine:
    """Which line of which chip. `active_low`: the line is low while the ignition is on (an optocoupler's way).

    `bias`: the resistor inside the chip; by default the one with which a broken wire says off.
    """

    chip: str
    line: int
    active_low: bool = False
    bias: Literal["as_is", "pull_up", "pull_down", "disabled"] = "pull_down"


class GpioWire:
    """A line that the kernel gave us. It is asked for anew after an error."""

    def __init__(self, line: IgnitionLine) -> None:
        """Only remember which; the first look asks for it.

        Raises:
            ConfigError: gpiod is not installed.
        """
        self._gpiod = load_gpiod()
        self._line = line
        self._request: Any = None

    def is_on(self) -> bool:
        """See `Wire.is_on`."""
        if self._request is None:
            self._request = self._ask()
        try:
            return bool(self._request.get_value(self._line.line))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """See `Wire.close`."""
        if self._request is not None:
            request, self._request = self._request, None
            request.release()

    def _ask(self) -> Any:
        lines = self._gpiod.line
        settings = self._gpiod.LineSettings(
            direction=lines.Direction.INPUT,
            bias=lines.Bias[self._line.bias.upper()],
            active_low=self._line.active_low,
        )
        chip, line = self._line.chip, self._line.line
        try:
            return self._gpiod.request_lines(chip, consumer="wegewart-ignition", config={line: settings})
        except (ValueError, NotImplementedError) as error:  # gpiod's words for EINVAL and EOPNOTSUPP
            raise OSError(errno.EINVAL, f"line {line} of {chip}: {error}") from None


def load_gpiod() -> Any:
    """The library.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module("gpiod")
    except ImportError:
        raise ConfigError("power.chip: needs gpiod, which is not installed; pip install 'wegewart[gpio]'") from None


def read_voltage(file: Path, volts_per_count: float) -> float | None:
    """Volts from a file of hwmon or iio, which hold whole numbers; None where it cannot be read."""
    try:
        return float(file.read_text(encoding="ascii")) * volts_per_count
    except (OSError, ValueError):
        return None


class Power:
    """Looks at the wire; may be asked from any thread.

    `due`: the computer is to be switched off: the daemon ends its drive, closes all, and ends with `exit_code()`.
    """

    def __init__(
        self,
        wire: Wire,
        settings: ShutdownSettings,
        *,
        drain_s: float,
        moving: Callable[[], bool],
        drained: Callable[[], bool],
        voltage: Callable[[], float | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = wire
        self._rule = Shutdown(settings, now_s=clock(), drain_s=drain_s)
        self._moving = moving
        self._drained = drained
        self._voltage = voltage
        self._clock = clock
        self._ignition: bool | None = None
        self._volts: float | None = None
        self.due = False

    def look(self) -> None:
        """One look; for a thread of its own (`edge.life.rounds`)."""
        self._ignition = self._read()
        self._volts = None if self._voltage is None else self._voltage()
        due = self._rule.update(
            self._clock(), self._ignition, moving=self._moving(), drained=self._drained(), supply_v=self._volts
        )
        if due and not self.due:
            _log.warning("the ignition has been off for %.0f s: switching off", self._rule.off_for_s(self._clock()))
        self.due = due

    def exit_code(self) -> int:
        """The last word of the process, after all is closed: whoever has turned the key meanwhile drives on."""
        return 0 if self._read() else POWER_OFF

    def gauges(self) -> dict[str, float]:
        """For the health message: `ignition_on` (0 or 1), `ignition_off_s`, `supply_v`, as far as known."""
        off_s = self._rule.off_for_s(self._clock())
        known = {
            "ignition_on": None if self._ignition is None else float(self._ignition),
            "ignition_off_s": None if off_s is None else round(off_s),
            "supply_v": None if self._volts is None else round(self._volts, 2),
        }
        return {name: value for name, value in known.items() if value is not None}

    def faults(self) -> tuple[str, ...]:
        """What is wrong, one line each."""
        fault = self._rule.fault
        return () if fault is None else (fault,)

    def close(self) -> None:
        """Release the line."""
        self._wire.close()

    def _read(self) -> bool | None:
        try:
            return self._wire.is_on()
        except OSError:
            return None
