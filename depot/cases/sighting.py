# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From a vehicle's message to a sighting. Pure."""

from __future__ import annotations

from depot.cases.records import Seen
from depot.dating import dated
from depot.revising import corrected
from messages.envelope import Event
from messages.types import Clock, Observation, Revision

_MIRRORED = {"left": "right", "right": "left"}


def seen_of(
    received: int,
    event: Event,
    *,
    revision: tuple[int, Revision] | None = None,
    clock: Clock | None = None,
    shock_mps2: float | None = None,
) -> Seen:
    """What an event of an `Observation` says once its vehicle knows better.

    Args:
        received: its number in `events`.
        event: the event itself.
        revision: the one that holds, with its number in `events`.
        clock: the one that holds for its boot.
        shock_mps2: the hardest blow that the wheels felt there.
    """
    first = event.data
    assert isinstance(first, Observation)
    seen = corrected(first, None if revision is None else revision[1])
    time = dated(seen.time, clock)
    place, line, size = seen.position, seen.line, seen.size
    return Seen(
        defect_class=seen.defect_class,
        received=received,
        vehicle=event.vehicle,
        boot=time.boot,
        score=seen.score,
        utc=time.utc,
        lon=None if place is None else place.lon,
        lat=None if place is None else place.lat,
        error_m=None if place is None else place.error_m,
        heading_deg=seen.heading_deg,
        line=None if line is None else line.line,
        chainage_m=None if line is None else line.chainage_m,
        length_m=None if size is None else size.length_m,
        width_m=None if size is None else size.width_m,
        size_error_m=None if size is None else size.error_m,
        grade=None if seen.severity is None else seen.severity.grade,
        picture=None if seen.picture is None else seen.picture.sha256,
        revision=None if revision is None else revision[0],
        surface=seen.surface,
        track=None if line is None else line.track,
        chainage_error_m=None if line is None else line.error_m,
        side=None if line is None else line.side,
        lining_clock=_clock(seen),
        monotonic_s=time.monotonic_s,
        shock_mps2=shock_mps2,
    )


def _clock(seen: Observation) -> float | None:
    """Hours on the lining, as seen in the direction of growing chainage where the sides tell the driving direction."""
    if seen.lining is None:
        return None
    side = None if seen.line is None else seen.line.side
    if side is not None and _MIRRORED.get(seen.lining.side) == side:
        return round((12 - seen.lining.clock) % 12, 2)
    return seen.lining.clock
