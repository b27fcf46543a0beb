# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixes are dated back by the receiver's latency."""

from __future__ import annotations

import pytest

from edge.positioning.late import LatePositions
from edge.positioning.replay import ReplayPositions
from edge.types import Fix


def test_a_fix_is_handed_out_at_the_time_that_it_was_measured():
    late = LatePositions(ReplayPositions([Fix(10.15, 6.7, 51.4, 1.0), Fix(11.15, 6.7, 51.4, 1.0)]), 0.15)
    assert late.until(9.99) == []
    assert [round(fix.time_s, 6) for fix in late.until(10.0)] == [10.0]
    assert [round(fix.time_s, 6) for fix in late.until(12.0)] == [11.0]


def test_a_receiver_cannot_know_the_future():
    with pytest.raises(ValueError, match="negative"):
        LatePositions(ReplayPositions([]), -0.1)
