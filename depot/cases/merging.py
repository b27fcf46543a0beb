# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Merge and split by hand; what people joined or parted, the rules leave so."""

from __future__ import annotations

from collections.abc import Sequence

from depot.cases.ports import Placing
from depot.store.database import Change


class CannotJoinError(ValueError):
    """The cases are not such that this can be done; one line for the person who asked."""


def merge(change: Change, into: int, other: int, who: str, *, placing: Placing | None = None) -> None:
    """Put all sightings of `other` into `into`; `other` becomes `merged`. Recorded in the audit.

    Raises:
        CannotJoinError: they are the same, one does not exist, or one is itself merged already.
    """
    raise NotImplementedError


def split(change: Change, number: int, sightings: Sequence[int], who: str, *, placing: Placing | None = None) -> int:
    """Take sightings out of a case into a new one and give its number. Recorded in the audit.

    Raises:
        CannotJoinError: the case does not exist or is merged, a sighting is not its own, or none would stay.
    """
    raise NotImplementedError
