# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A process over the time of a drive: memory, descriptors, threads, bytes written, and how fast they grow."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

#: This share of the drive, and at most so long, is left out: caches fill, the allocator finds its size.
WARM_UP_SHARE, WARM_UP_S = 0.25, 3600.0


@dataclass(frozen=True)
class Sample:
    """The process at one moment of the drive."""

    drive_s: float
    real_s: float
    rss_mib: float
    descriptors: int
    threads: int
    written_bytes: int
    outbox_bytes: int


def sample(drive_s: float, outbox: Path) -> Sample:
    """Look at ourselves."""
    process = Path("/proc/self")
    pages = int((process / "statm").read_text().split()[1])
    written = next(
        int(line.split()[1]) for line in (process / "io").read_text().splitlines() if line.startswith("write_bytes")
    )
    return Sample(
        drive_s=round(drive_s, 1),
        real_s=round(time.monotonic(), 2),
        rss_mib=pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        descriptors=sum(1 for _ in (process / "fd").iterdir()),
        threads=sum(1 for _ in (process / "task").iterdir()),
        written_bytes=written,
        outbox_bytes=sum(path.stat().st_size for path in outbox.glob("outbox.db*") if path.is_file()),
    )


def slope(samples: Sequence[Sample], value: Callable[[Sample], float]) -> tuple[float, float]:
    """Least squares: growth of a value for each hour of drive time, and the standard error of that."""
    hours = [s.drive_s / 3600 for s in samples]
    values = [value(s) for s in samples]
    many = len(samples)
    if many < 3:
        return float("nan"), float("nan")
    mid_h, mid = sum(hours) / many, sum(values) / many
    spread = sum((h - mid_h) ** 2 for h in hours)
    grows = sum((h - mid_h) * (v - mid) for h, v in zip(hours, values, strict=True)) / spread
    rest = sum((v - mid - grows * (h - mid_h)) ** 2 for h, v in zip(hours, values, strict=True))
    return grows, (rest / (many - 2) / spread) ** 0.5


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """What comes after the warm-up."""
    from_s = min(WARM_UP_S, WARM_UP_SHARE * samples[-1].drive_s)
    return [s for s in samples if s.drive_s >= from_s]
