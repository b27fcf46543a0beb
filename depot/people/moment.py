# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reckoning with times as the depot writes them: RFC 3339 text in UTC with milliseconds and Z."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


def later(utc: str, span: timedelta) -> str:
    """The time `span` after `utc` (before, where negative)."""
    moment = datetime.fromisoformat(utc.replace("Z", "+00:00")) + span
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
