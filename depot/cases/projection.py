# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Follows the events: sightings, better places, dates, passes that looked, blows to the wheels."""

from __future__ import annotations

from collections.abc import Sequence

from depot.cases.ports import Placing, StoredEvent
from depot.store.database import Change


class CaseProjection:
    """A `Projection` that keeps cases and sightings."""

    def __init__(self, placing: Placing) -> None:
        """`placing` says where a case lies in the city's terms and who is to act."""

    def project(self, change: Change, events: Sequence[StoredEvent]) -> None:
        """See `Projection`."""
        raise NotImplementedError
