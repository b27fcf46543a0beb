# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a vehicle believes: The Update Framework's client for bundles and for the depot's repository."""

from edge.update.trusted.bundle import Verified, open_bundle, wish
from edge.update.trusted.mirror import Fetched, fetch
from edge.update.trusted.refusal import FetchError, Reason, UntrustedError

__all__ = ["FetchError", "Fetched", "Reason", "UntrustedError", "Verified", "fetch", "open_bundle", "wish"]
