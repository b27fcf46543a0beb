# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the camera sees: a rendered street, at its end the vehicle stops and stands; or rolls on for a while first."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

_STANDS_S = 900
#: A city's speed, and the length of a degree of latitude.
_ROLLS_MPS, _DEGREE_M = 10.0, 111_320.0


def parked_at_its_end(small_drive: Path, folder: Path, *, rolls_s: int = 0) -> Path:
    """The small drive, so many seconds straight on over the same picture, then a quarter of an hour at rest.

    Two pictures, one fix and ten looks at the odometer a second.
    """
    shutil.copytree(small_drive, folder)
    last, end_s = _last_frame(folder / "frames.csv")
    with (folder / "frames.csv").open("a") as lines:
        for number in range(1, 2 * (rolls_s + _STANDS_S)):
            name = f"{int(last[:6]) + number:06d}.jpg"
            (folder / "frames" / name).symlink_to(last)
            lines.write(f"{name},{end_s + number / 2:.4f}\n")
    track = _last_row(folder / "track.csv")
    lat, lon, heading = float(track[1]), float(track[2]), math.radians(float(track[3]))
    with (folder / "track.csv").open("a") as lines:
        for second in range(1, rolls_s + _STANDS_S):
            way = min(second, rolls_s) * _ROLLS_MPS / _DEGREE_M
            there = (
                f"{lat + way * math.cos(heading):.8f},{lon + way * math.sin(heading) / math.cos(math.radians(lat)):.8f}"
            )
            speed = _ROLLS_MPS if second < rolls_s else 0.0
            lines.write(f"{end_s + second:.3f},{there},{track[3]},{speed:.3f},1.50,\n")
    way_m = float(_last_row(folder / "odometry.csv")[1])
    with (folder / "odometry.csv").open("a") as lines:
        for tenth in range(1, 10 * (rolls_s + _STANDS_S)):
            lines.write(f"{end_s + tenth / 10:.3f},{way_m + min(tenth / 10, rolls_s) * _ROLLS_MPS:.2f},0.000\n")
    return folder


def _last_row(csv: Path) -> list[str]:
    return csv.read_text().splitlines()[-1].split(",")


def _last_frame(csv: Path) -> tuple[str, float]:
    name, time_s = _last_row(csv)
    return name, float(time_s)
