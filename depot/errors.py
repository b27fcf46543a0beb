# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors that whoever runs the depot can cause or mend, each with the exit code that README documents."""

from __future__ import annotations


class DepotError(Exception):
    """Base: one line that says what, where, why and what to do."""

    exit_code = 1


class ConfigError(DepotError):
    """The configuration is wrong."""

    exit_code = 2


class BrokerError(DepotError):
    """The broker refuses our login."""

    exit_code = 5


class CommandError(DepotError):
    """A vehicle did not do what it was told, or did not say so."""

    exit_code = 7


class StoreError(DepotError):
    """The store cannot be used now: disk full, no rights, damaged, or made by a newer depot."""

    exit_code = 6
