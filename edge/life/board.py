# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the computer's board says of heat and supply: Raspberry Pi and Jetson, as far as the kernel tells.

Certain by the kernel's sources: thermal zones and cooling devices of any board; `rpi_volt` of the Raspberry Pi; the
bits of `get_throttled`; `soctherm_oc` of Jetson Orin. What a Jetson's three event counts stand for is Orin's (under-
voltage, average and sudden over-current); Xavier's differ. None of it has met a board yet (docs/verified.md).

`get_throttled` lies in sysfs with Raspberry Pi's own kernels, where newer ones call it deprecated; `vcgencmd` is asked
where it does not. Only its bits for "now" are used: the kernel clears those for "has occurred" every other second.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SYS = Path("/sys")
_VCGENCMD = ("vcgencmd", "get_throttled")
#: A sensor outside of this is broken or switched off, degrees Celsius.
_PLAUSIBLE_C = (-55.0, 150.0)
_NOT_A_NAME = re.compile(r"[^a-z0-9]+")

_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _SOFT_LIMIT = 1, 2, 4, 8


@dataclass(frozen=True)
class BoardState:
    """One look. `events`: counts that the board keeps, by name; `slowed_by`: what holds the processor back now."""

    temperatures_c: dict[str, float]
    events: dict[str, int]
    under_voltage: bool = False
    slowed_by: tuple[str, ...] = ()

    @property
    def hottest_c(self) -> float | None:
        """Of all zones; None where there is none."""
        return max(self.temperatures_c.values(), default=None)


class Board:
    """Reads sysfs below `root`. What is not there, or cannot be read now, is left out; nothing is raised.

    `vcgencmd`: gives that program's answer, None where there is none.
    """

    def __init__(self, root: Path = SYS, *, vcgencmd: Callable[[], str | None] | None = None) -> None:
        self._root = root
        self._vcgencmd: Callable[[], str | None] | None = vcgencmd or ask_vcgencmd

    def look(self) -> BoardState:
        """One look at everything; some milliseconds."""
        bits = self._throttled()
        slowed = [name for bit, name in _SLOWED if bits & bit]
        slowed += [name for name, state in self._cooling() if state]
        return BoardState(
            temperatures_c=dict(self._temperatures()),
            events=dict(self._events()),
            under_voltage=bool(bits & _UNDER_VOLTAGE) or self._alarm(),
            slowed_by=tuple(dict.fromkeys(slowed)),
        )

    def _temperatures(self) -> Iterator[tuple[str, float]]:
        for zone in sorted(self._root.glob("class/thermal/thermal_zone*")):
            kind, milli = _text(zone / "type"), _number(zone / "temp")
            if kind is None or milli is None:  # a zone that is switched off cannot be read
                continue
            value_c = milli / 1000.0
            if _PLAUSIBLE_C[0] < value_c < _PLAUSIBLE_C[1]:
                yield _name(kind), value_c

    def _cooling(self) -> Iterator[tuple[str, int]]:
        """Cooling devices that slow something down, and how much; fans slow nothing down."""
        for device in sorted(self._root.glob("class/thermal/cooling_device*")):
            kind, state = _text(device / "type"), _number(device / "cur_state")
            if kind is not None and state is not None and "fan" not in kind.lower():
                yield _name(kind), state

    def _chips(self, name: str) -> Iterator[Path]:
        return (chip for chip in sorted(self._root.glob("class/hwmon/hwmon*")) if _text(chip / "name") == name)

    def _alarm(self) -> bool:
        return any(_number(chip / "in0_lcrit_alarm") for chip in self._chips("rpi_volt"))

    def _events(self) -> Iterator[tuple[str, int]]:
        for chip in self._chips("soctherm_oc"):
            for file in sorted(chip.glob("oc*_event_cnt")):
                number = _number(file)
                if number is not None:
                    yield file.name.removesuffix("_event_cnt"), number

    def _throttled(self) -> int:
        for file in self._root.glob("devices/platform/soc*/*firmware/get_throttled"):
            bits = _bits(_text(file))
            if bits is not None:
                return bits
        bits = None if self._vcgencmd is None else _bits(self._vcgencmd())
        if bits is None:
            self._vcgencmd = None  # no Raspberry Pi: not asked again
        return bits or 0


_SLOWED = ((_CAPPED, "frequency_capped"), (_THROTTLED, "throttled"), (_SOFT_LIMIT, "soft_temperature_limit"))


def ask_vcgencmd() -> str | None:
    """The answer of Raspberry Pi's own program; None where it is not there or may not ask."""
    try:
        done = subprocess.run(_VCGENCMD, capture_output=True, text=True, timeout=2, check=False)  # noqa: S603 - fixed
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _bits(text: str | None) -> int | None:
    """`throttled=0x50005` of vcgencmd and `50005` of sysfs are the same."""
    try:
        return None if text is None else int(text.rpartition("=")[2], 16)
    except ValueError:
        return None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _number(file: Path) -> int | None:
    text = _text(file)
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _name(text: str) -> str:
    """As gauges are named."""
    return _NOT_A_NAME.sub("_", text.lower()).strip("_")[:40] or "unnamed"
