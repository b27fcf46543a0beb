# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What cannot be done with users and tokens, for the command line and for HTTP alike."""

from __future__ import annotations

from depot.errors import DepotError


class PeopleError(DepotError):
    """One line why not; `status` is the HTTP status that says so."""

    exit_code = 8

    def __init__(self, text: str, *, status: int = 422) -> None:
        super().__init__(text)
        self.status = status
