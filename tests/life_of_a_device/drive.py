# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the camera sees: a rendered street, at its end the vehicle stops and stands."""

from __future__ import annotations

import shutil
from pathlib import Path

_STANDS_S = 900


def parked_at_its_end(small_drive: Path, folder: Path) -> Path:
    """The small drive, then a quarter of an hour at rest, two pictures a second."""
    shutil.copytree(small_drive, folder)
    last, moved_s = _last(folder / "frames.csv")
    with (folder / "frames.csv").open("a") as lines:
        for number in range(1, 2 * _STANDS_S):
            name = f"{int(last[:6]) + number:06d}.jpg"
            (folder / "frames" / name).symlink_to(last)
            lines.write(f"{name},{moved_s + number / 2:.4f}\n")
    track = (folder / "track.csv").read_text().splitlines()[-1].split(",")
    with (folder / "track.csv").open("a") as lines:
        for second in range(1, _STANDS_S):
            lines.write(f"{moved_s + second:.3f},{track[1]},{track[2]},{track[3]},0.000,1.50,\n")
    odometry = (folder / "odometry.csv").read_text().splitlines()[-1].split(",")
    with (folder / "odometry.csv").open("a") as lines:
        for tenth in range(1, 10 * _STANDS_S):
            lines.write(f"{moved_s + tenth / 10:.3f},{odometry[1]},0.000\n")
    return folder


def _last(csv: Path) -> tuple[str, float]:
    name, time_s = csv.read_text().splitlines()[-1].split(",")
    return name, float(time_s)
