# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""RFC 3339 times as others write them, to the UTC text that the depot's tables hold."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)


def parse(text: str) -> datetime | None:
    """A date and time; without a zone it is UTC. None where it is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    date, clock, fraction, offset = match.groups()
    offset = (offset or "Z").upper().replace("Z", "+00:00")
    offset = offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
    clock = clock if len(clock) == 8 else f"{clock}:00"
    try:
        time = datetime.fromisoformat(f"{date}T{clock}{(fraction or '.0')[:7]:0<7}{offset}")
        return time.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def write(time: datetime) -> str:
    """As the tables have it: UTC with Z and milliseconds."""
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def later(utc: str, seconds: float) -> str:
    """`seconds` after a time of the depot's clock."""
    time = parse(utc)
    assert time is not None
    return write(time + timedelta(seconds=seconds))


def at_most(time: datetime) -> str:
    """A text that sorts after every time of the tables in that second or before it.

    Tables hold whole seconds and fractions side by side, and "." sorts before "Z".
    """
    return time.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
