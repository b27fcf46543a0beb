# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with backups."""

from __future__ import annotations

from depot.errors import DepotError


class BackupError(DepotError):
    """The backup cannot be written or read, or must not be brought back here; nothing was changed."""

    exit_code = 8
