# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures that retention has let go and whose bytes are still to be taken away: a cut in between loses none."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from depot.store.tables import METADATA

removals = Table("removals", METADATA, Column("sha256", Text, primary_key=True))
