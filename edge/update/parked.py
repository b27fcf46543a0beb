# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""May the vehicle change its release now? Decision only.

Not for safety, nothing of ours moves the vehicle, but for the road: a restart on a drive is a stretch not looked at.
Where the daemon does not work anyway, nothing is lost, and a new release may be what it needs.
"""

from __future__ import annotations

from edge.heartbeat import Heartbeat
from edge.update.ports import Unit

#: Starts by systemd after which a daemon without heartbeat counts as one that does not run.
_GIVEN_UP = 3


def not_parked(beat: Heartbeat | None, unit: Unit, now_s: float, parked_s: float) -> str | None:
    """Why not, in one line; None: it may. `now_s`: monotonic, `parked_s`: how long it must have been standing."""
    speaks = beat is not None and beat.is_fresh(now_s)
    if unit.active in ("inactive", "failed") or (unit.restarts >= _GIVEN_UP and not speaks):
        return None
    if beat is None or not speaks:
        return "the daemon runs and has not said for a while whether the vehicle stands"
    if beat.standing_since_s is None:
        return "the vehicle moves, or does not know that it stands"
    stands_s = now_s - beat.standing_since_s
    if stands_s < parked_s:
        return f"the vehicle has been standing for {stands_s:.0f} of {parked_s:.0f} s"
    return None
