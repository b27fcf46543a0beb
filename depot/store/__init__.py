# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the depot keeps: events once each, the cases and coverage made from them, pictures, vehicles.

`port` says what any store can do; `sqlite` is the one that needs no server.
"""
