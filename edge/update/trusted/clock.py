# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""By which time metadata is judged to be expired.

The latest of
1. the time that somebody trusted told (`now`, say from the receiver); without one this computer's clock,
2. the moment at which the newest timestamp that was believed was signed (`messages.release.ISSUED` in it, signed
   with it; counts only as long as the newest root vouches for the timestamp's key, so that new keys heal one that
   was dated too late),
3. the date of this software.

So a vehicle whose clock stands at 1970 never takes metadata that expired before what it saw last (a freeze), and
one whose clock is ahead refuses good metadata, says by which time it judged, and takes it once the clock is right:
nothing that an untrusted clock said is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from tuf.api.metadata import Timestamp

from messages.release import ISSUED

#: The date of this software. `scripts/release build` writes the commit's own into what vehicles get; this one is for
#: a checkout, and never beyond today.
BUILT = datetime(2026, 11, 1, tzinfo=timezone.utc)
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Judged:
    """A time to judge by, and whose it is."""

    time: datetime
    source: str

    def __str__(self) -> str:
        return f"{self.time:{_FORMAT}} ({self.source})"


def system_now() -> datetime:
    """This computer's clock: nobody vouches for it."""
    return datetime.now(timezone.utc)


def judge_by(now: datetime | None, issued: datetime | None, built: datetime = BUILT) -> Judged:
    """The time to judge by: see above. All times carry their zone."""
    first = Judged(system_now(), "this computer's clock") if now is None else Judged(now, "the trusted time")
    known = [first, Judged(built, "the date of this software")]
    if issued is not None:
        known.append(Judged(issued, "when the newest timestamp was signed"))
    return max(known, key=lambda judged: judged.time)


def issued(timestamp: Timestamp) -> datetime | None:
    """When a timestamp was signed, as it says; None where it does not, or not before it expires."""
    text = timestamp.unrecognized_fields.get(ISSUED)
    try:
        moment = datetime.strptime(str(text), _FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return moment if moment < timestamp.expires else None
