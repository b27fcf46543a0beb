# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cases leave the depot: exports, OGC interfaces, Open311, webhooks, e-mail."""
