# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a revision says holds; what it leaves out stays as it was observed; all but the place stays anyway."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from depot.revising import corrected
from messages.types import LinePosition, Observation, Revision
from tests.depot import samples
from tests.messages.strategies import messages

LINE = LinePosition(line="U79", chainage_m=1200.0, error_m=3.0)
SEEN = samples.observation(line=LINE)


def test_without_a_revision_it_lies_where_it_said():
    assert corrected(SEEN, None) is SEEN


@pytest.mark.parametrize("field", ["position", "line", "heading_deg"])
def test_what_a_revision_leaves_out_stays_as_observed(field):
    full = samples.revision(line=msgspec.structs.replace(LINE, chainage_m=1190.0), heading_deg=1.0)
    without = corrected(SEEN, msgspec.structs.replace(full, **{field: None}))
    assert getattr(without, field) == getattr(SEEN, field)
    changed = [name for name in ("position", "line", "heading_deg") if getattr(without, name) != getattr(SEEN, name)]
    assert changed == [name for name in ("position", "line", "heading_deg") if name != field]


@given(messages(Observation), messages(Revision))
def test_only_the_place_changes_and_only_a_new_position_is_called_revised(seen, revision):
    moved = corrected(seen, revision)
    assert msgspec.structs.replace(moved, position=None, line=None, heading_deg=None) == msgspec.structs.replace(
        seen, position=None, line=None, heading_deg=None
    )
    if revision.position is None:
        assert moved.position == seen.position
    else:
        assert moved.position == msgspec.structs.replace(revision.position, revised=True)
