# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Errors that a user can cause, each with the exit code that README documents."""

from __future__ import annotations


class WegewartError(Exception):
    """Base: one line that says what, where, why and what to do."""

    exit_code = 1


class ConfigError(WegewartError):
    """The configuration is wrong."""

    exit_code = 2


class InputError(WegewartError):
    """A picture, video or track cannot be read."""

    exit_code = 3


class ModelError(WegewartError):
    """A model package is refused."""

    exit_code = 4


class BrokerError(WegewartError):
    """The broker is not there or refuses us."""

    exit_code = 5


class StoreError(WegewartError):
    """The outbox or the depot's store cannot be used."""

    exit_code = 6
