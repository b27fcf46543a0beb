# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Puts sightings into the cases that they show, or opens new ones."""

from __future__ import annotations

from depot.cases.ports import Placing
from depot.cases.records import Seen
from depot.store.database import Change


def join_report(change: Change, seen: Seen, placing: Placing) -> int:
    """Put a citizen's report (`seen.report` is set) into the case that it shows, or open one; give its number.

    Idempotent by `seen.report`: what is joined already stays where it is.
    """
    raise NotImplementedError
