# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How an IIO device's numbers are to be read: scan elements, scales, mount matrix, which axis is up.

The kernel's words: Documentation/ABI/testing/sysfs-bus-iio and driver-api/iio/buffers. Acceleration comes in m/s2,
angular velocity in rad/s, turning counter-clockwise about the axis as seen from its tip.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

UpAxis: TypeAlias = Literal["x", "y", "z", "-x", "-y", "-z"]
"""Which axis of the device (after its mount matrix) points upwards in the vehicle."""

Vector: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Vector, Vector, Vector]

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_TYPE = re.compile(r"(be|le):([su])(\d+)/(\d+)(?:X(\d+))?>>(\d+)")
_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class Element:
    """One channel of a scan, as `le:s12/16>>4`: byte order, sign, valid bits, stored bits, shift; repeated.

    `size`: stored bytes of one.
    """

    name: str
    index: int
    big_endian: bool
    signed: bool
    bits: int
    size: int
    shift: int
    repeat: int = 1

    def value(self, data: bytes) -> int:
        """The number in its stored bytes."""
        raw = int.from_bytes(data, "big" if self.big_endian else "little") >> self.shift & (1 << self.bits) - 1
        return raw - (1 << self.bits) if self.signed and raw >> self.bits - 1 else raw


def element(name: str, index: str, text: str) -> Element:
    """Read `in_*_index` and `in_*_type`.

    Raises:
        ValueError: the kernel would not write this.
    """
    match = _TYPE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{name}: type {text.strip()[:40]!r} is not known")
    order, sign, bits, stored, repeat, shift = match.groups()
    found = Element(
        name, int(index), order == "be", sign == "s", int(bits), int(stored) // 8, int(shift), int(repeat or 1)
    )
    if found.size not in (1, 2, 4, 8, 16) or not 1 <= found.bits <= 8 * found.size - found.shift:
        raise ValueError(f"{name}: type {text.strip()[:40]!r} does not fit its storage")
    return found


class Layout:
    """Where each enabled element lies in a scan: in the order of their indices, each aligned to its own size."""

    def __init__(self, elements: Sequence[Element]) -> None:
        self._places: list[tuple[Element, int]] = []
        end, widest = 0, 1
        for item in sorted(elements, key=lambda item: item.index):
            size = item.size * item.repeat
            start = -(-end // item.size) * item.size
            self._places.append((item, start))
            end, widest = start + size, max(widest, item.size)
        #: Bytes of one scan.
        self.size = -(-end // widest) * widest

    def values(self, scan: bytes) -> dict[str, int]:
        """The numbers of one scan by the names of their elements; of a repeated one the first."""
        return {item.name: item.value(scan[start : start + item.size]) for item, start in self._places}


@dataclass(frozen=True)
class Scale:
    """(raw + offset) x scale."""

    offset: float = 0.0
    scale: float = 1.0

    def of(self, raw: float) -> float:
        """The number in its unit."""
        return (raw + self.offset) * self.scale


def mount_matrix(text: str) -> Matrix:
    """Read `mount_matrix`: "1, 0, 0; 0, 1, 0; 0, 0, 1".

    Raises:
        ValueError: it is no rotation or mirror.
    """
    rows = [[float(cell) for cell in row.split(",")] for row in text.strip().split(";")]
    if len(rows) != 3 or any(len(row) != 3 for row in rows):
        raise ValueError(f"mount matrix {text.strip()[:60]!r} is not 3 x 3")
    for i in range(3):
        for j in range(3):
            dot = sum(rows[i][k] * rows[j][k] for k in range(3))
            if not math.isclose(dot, float(i == j), abs_tol=0.02):
                raise ValueError(f"mount matrix {text.strip()[:60]!r} does not only turn")
    a, b, c = ((row[0], row[1], row[2]) for row in rows)
    return a, b, c


def along_up(values: Vector, matrix: Matrix, up: UpAxis) -> float:
    """The part of a vector along the axis that points upwards."""
    row = matrix[_AXES.index(up[-1])]
    turned = sum(m * v for m, v in zip(row, values, strict=True))
    return -turned if up.startswith("-") else turned
