# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Roles and what each may do. Each role may do all that the one before it may, save those for machines."""

from __future__ import annotations

from typing import Literal

Role = Literal["viewer", "reviewer", "dispatcher", "admin", "reporter", "reader"]
#: Those of people; the others are for machines with a token. Lowest first.
UserRole = Literal["viewer", "reviewer", "dispatcher", "admin"]
Permission = Literal[
    "read",  # cases, pictures, coverage, sections, exports
    "decide",  # confirm, reject, reopen, note, merge, split, class
    "dispatch",  # office, order, repaired, hand over, edit offices' rules and areas
    "fleet",  # vehicles with their faults; alarms' thresholds need "manage"
    "report",  # POST /api/reports
    "audit",  # read the record of changes
    "manage",  # users, tokens, settings, webhooks, retention
]

_VIEWER: frozenset[Permission] = frozenset({"read", "fleet"})
_REVIEWER: frozenset[Permission] = _VIEWER | {"decide", "report"}
_DISPATCHER: frozenset[Permission] = _REVIEWER | {"dispatch", "audit"}
_ADMIN: frozenset[Permission] = _DISPATCHER | {"manage"}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    "viewer": _VIEWER,
    "reviewer": _REVIEWER,
    "dispatcher": _DISPATCHER,
    "admin": _ADMIN,
    "reporter": frozenset({"report"}),  # the citizens' channel of the city: a machine that hands photos in
    "reader": frozenset({"read"}),  # QGIS, Grafana: a machine that only reads
}
