# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How an older database becomes a newer one (Alembic). `depot.store.migration` runs them."""
