# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How long things are kept, and how all of it is saved and brought back: retention, backup, restore."""
