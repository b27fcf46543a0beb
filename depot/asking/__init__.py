# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Asks vehicles that pass a case's place for a picture of it, once it was ordered or repaired."""
