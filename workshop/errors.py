# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors that whoever works at the desk can cause or mend."""

from __future__ import annotations


class WorkshopError(Exception):
    """One line that says what, where, why and what to do."""

    exit_code = 1
