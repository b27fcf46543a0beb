# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""All tables of the depot: importing this module makes every part's tables known to `METADATA`."""

from __future__ import annotations

import importlib
import importlib.util

from depot.store.tables import METADATA

#: Packages that have tables of their own.
PARTS = ("store.ingest", "cases", "people", "keeping", "routing", "reports", "roads", "fleet", "updates", "handover")

for _part in PARTS:
    _name = f"depot.{_part}_tables" if "." in _part else f"depot.{_part}.tables"
    if importlib.util.find_spec(_name) is not None:
        importlib.import_module(_name)

__all__ = ["METADATA"]
