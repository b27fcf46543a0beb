# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Who may do what at the depot: users, roles, sessions, login, and the record of every change."""
