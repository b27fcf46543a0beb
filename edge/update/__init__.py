# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Which release a vehicle runs: taken over signed, tried, confirmed, or given back.

The device always starts a complete release. `layout.py` says what lies where, docs/updates.md why.
"""
