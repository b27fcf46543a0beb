# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What belongs to one pass of one vehicle. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from depot.cases.records import Seen

#: The vehicle itself reports a defect anew only on another pass: after more than this, and some way.
PASS_S = 60.0
#: A stretch that was looked at took at most so long.
STRETCH_S = 300.0


def is_same_pass(a: Seen, b: Seen) -> bool:
    """Whether one vehicle saw both on one pass, so that they are two defects by its own word."""
    if a.vehicle is None or a.vehicle != b.vehicle or a.boot is None or a.boot != b.boot:
        return False
    if a.monotonic_s is None or b.monotonic_s is None:
        return False
    return abs(a.monotonic_s - b.monotonic_s) <= PASS_S


def count_passes(moments: Iterable[tuple[str, str, float]]) -> int:
    """How many passes these are: (vehicle, boot, seconds within the boot)."""
    count, before = 0, None
    for now in sorted(moments):
        if before is None or now[:2] != before[:2] or now[2] - before[2] > PASS_S:
            count += 1
        before = now
    return count


def moment(seen: Seen) -> tuple[str, str, float]:
    """When within which boot; a report is a pass of its own."""
    if seen.report is not None:
        return "", seen.report, 0.0
    return seen.vehicle or "", seen.boot or "", seen.monotonic_s or 0.0


def saw(vehicle: str, boot: str, stretch_end_s: float, seen: Iterable[Seen]) -> bool:
    """Whether one of these sightings is of the pass that ended a stretch then."""
    return any(
        one.vehicle == vehicle
        and one.boot == boot
        and one.monotonic_s is not None
        and -STRETCH_S - PASS_S <= one.monotonic_s - stretch_end_s <= PASS_S
        for one in seen
    )
