# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Streets and tunnels: what was looked at and when, and the indicative condition of sections."""
