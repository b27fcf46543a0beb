# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How much the depot takes in, and whether killing it loses anything: real Mosquitto, real database, real processes."""
