# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a release is not taken over."""

from __future__ import annotations

from edge.errors import WegewartError


class RefusedError(WegewartError):
    """One line in plain English; its first word says what kind (rollback, wrong_hardware, selftest, space, ...).

    `for_good`: the release itself failed here and is not tried again by itself. `passing`: it may go well later.
    """

    exit_code = 4

    def __init__(self, reason: str, *, for_good: bool = False, passing: bool = False) -> None:
        super().__init__(" ".join(reason.split())[:480])
        self.for_good, self.passing = for_good, passing
