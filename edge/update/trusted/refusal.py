# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Why a bundle or a repository is not believed, and why a download came to no end."""

from __future__ import annotations

from typing import Literal, TypeAlias

from edge.errors import WegewartError

#: rollback: older than what was believed before. freeze: nobody has vouched lately that this is the newest.
#: mix_and_match: parts that do not belong together. endless: more bytes than stated or allowed. signature: not
#: signed by enough of the right keys, or content that is not what was signed. expired: root or targets are out of
#: date. truncated: fewer bytes than stated. missing: a file or a target is not there. bad_metadata: cannot be read.
Reason: TypeAlias = Literal[
    "rollback",
    "freeze",
    "mix_and_match",
    "endless",
    "signature",
    "expired",
    "truncated",
    "missing",
    "bad_metadata",
]


class UntrustedError(WegewartError):
    """A bundle, a repository or one of their files is refused; nothing of it was believed."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


class FetchError(WegewartError):
    """A download cannot go on now (network, disk, address); what has come stays, the next run goes on there."""
