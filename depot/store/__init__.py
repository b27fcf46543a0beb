# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the depot keeps: events once each, what is derived from them, pictures, vehicles; in SQLite or PostgreSQL.

`opening` opens it, `appending` takes in, `database` is what every other part reads and changes.
"""
