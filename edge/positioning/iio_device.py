# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What Linux tells of an Industrial I/O device in sysfs, and what can be set there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from edge.positioning.iio_scan import IDENTITY, Element, Matrix, Scale, UpAxis, along_up, element, mount_matrix
from edge.positioning.merged import TurnRate
from edge.types import Acceleration

SYSFS, DEV = Path("/sys/bus/iio/devices"), Path("/dev")
Kind: TypeAlias = Literal["accel", "anglvel"]
_KINDS: tuple[Kind, ...] = ("accel", "anglvel")
_AXES = ("x", "y", "z")

Moved: TypeAlias = Acceleration | TurnRate


@dataclass(frozen=True)
class IioPlace:
    """Which device: its name (`lsm6dsox_accel`), its folder's name (`iio:device0`), or empty for the first fitting one.

    `up`: the axis that points upwards, after the device's own mount matrix. `rate_hz`: samples a second asked of it.
    `kinds`: what is taken of it, where another device gives the rest.
    """

    device: str = ""
    up: UpAxis = "z"
    rate_hz: float = 100.0
    kinds: tuple[Kind, ...] = _KINDS
    sysfs: Path = SYSFS
    dev: Path = DEV


def find_device(place: IioPlace) -> Path:
    """The device's folder in sysfs.

    Raises:
        OSError: there is none that measures acceleration or turning and is called so.
    """
    for folder in sorted(place.sysfs.glob("iio:device*")):
        if not any((folder / f"in_{kind}_{axis}_raw").exists() for kind in place.kinds for axis in _AXES):
            continue
        if place.device in ("", folder.name, read_text(folder / "name", "")):
            return folder
    raise FileNotFoundError(f"{place.sysfs}: no IIO device {place.device or 'with acceleration or turn rate'}")


class Body:
    """From raw numbers of a device's axes to the vehicle's vertical acceleration and turn rate."""

    def __init__(self, device: Path, up: UpAxis, kinds: tuple[Kind, ...] = _KINDS) -> None:
        self._up = up
        self._scales: dict[str, dict[str, Scale]] = {}
        self._matrices: dict[str, Matrix] = {}
        for kind in kinds:
            axes = [axis for axis in _AXES if (device / f"in_{kind}_{axis}_raw").exists()]
            if not axes:
                continue
            self._scales[kind] = {axis: _scale(device, kind, axis) for axis in axes}
            text = next((t for t in (read_text(device / n, "") for n in _matrix_names(kind)) if t), "")
            self._matrices[kind] = mount_matrix(text) if text else IDENTITY
        #: Names of the channels, without `_raw`.
        self.channels = [f"in_{kind}_{axis}" for kind, axes in self._scales.items() for axis in axes]

    def moved(self, time_s: float, raw: dict[str, int]) -> list[Moved]:
        """What one sample says."""
        found: list[Moved] = []
        for kind, scales in self._scales.items():
            x, y, z = (scales[a].of(raw[f"in_{kind}_{a}"]) if a in scales else 0.0 for a in _AXES)
            up = along_up((x, y, z), self._matrices[kind], self._up)
            # Counter-clockwise from above is a turn to the left.
            found.append(Acceleration(time_s, up) if kind == "accel" else TurnRate(time_s, -math.degrees(up)))
        return found


def elements(device: Path) -> list[Element]:
    """All channels that a scan may have."""
    folder = device / "scan_elements"
    return [
        element(
            path.name[: -len("_en")],
            read_text(folder / f"{path.name[:-3]}_index"),
            read_text(folder / f"{path.name[:-3]}_type"),
        )
        for path in sorted(folder.glob("in_*_en"))
    ]


def _matrix_names(kind: str) -> tuple[str, ...]:
    return f"in_{kind}_mount_matrix", "in_mount_matrix", "mount_matrix"


def _scale(device: Path, kind: str, axis: str) -> Scale:
    """Of the axis, else common to all axes."""

    def number(what: str, default: str) -> float:
        common = read_text(device / f"in_{kind}_{what}", default)
        return float(read_text(device / f"in_{kind}_{axis}_{what}", common))

    return Scale(number("offset", "0"), number("scale", "1"))


def set_rate(device: Path, rate_hz: float) -> None:
    """The slowest rate that the device has and that is fast enough."""
    for prefix in ("", *(f"in_{kind}_" for kind in _KINDS)):
        path = device / f"{prefix}sampling_frequency"
        if not path.exists():
            continue
        known = [
            float(word)
            for word in read_text(device / f"{prefix}sampling_frequency_available", "").split()
            if _is_number(word)
        ]
        rate = min((r for r in known if r >= rate_hz), default=max(known, default=rate_hz))
        write_text(path, f"{rate:g}")


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def own_trigger(device: Path) -> str:
    """The name of the trigger that the device's own driver made: `NAME-devN`."""
    name = read_text(device / "name", "")
    for folder in sorted(device.parent.glob("trigger*")):
        trigger = read_text(folder / "name", "")
        if name and trigger.startswith(f"{name}-dev"):
            return trigger
    raise OSError(f"{device}: no trigger of its own")


def read_text(path: Path, default: str | None = None) -> str:
    """An attribute of sysfs; the default, where one is given, if it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        if default is None:
            raise
        return default


def write_text(path: Path, text: str) -> None:
    """Set an attribute of sysfs."""
    path.write_text(text, encoding="ascii")
