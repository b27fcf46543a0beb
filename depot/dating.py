# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""When something was, once its vehicle knows the time."""

from __future__ import annotations

from datetime import datetime, timedelta

from messages.types import Clock, Time


def dated(time: Time, clock: Clock | None) -> Time:
    """The time with the UTC that a clock of the same boot gives it; as it is where it has one, or none can be told."""
    if clock is None or time.utc is not None or clock.time.utc is None or clock.time.boot != time.boot:
        return time
    try:
        moment = _parse(clock.time.utc) + timedelta(seconds=time.monotonic_s - clock.time.monotonic_s)
    except (ValueError, OverflowError):  # 30 February has the right form, too
        return time
    utc = moment.isoformat(timespec="milliseconds") + "Z"
    return Time(boot=time.boot, monotonic_s=time.monotonic_s, quality=clock.time.quality, utc=utc)


def _parse(utc: str) -> datetime:
    seconds, _, fraction = utc.removesuffix("Z").partition(".")
    # Python 3.10 reads 3 or 6 digits only.
    return datetime.fromisoformat(f"{seconds}.{fraction:0<6}")
