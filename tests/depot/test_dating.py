# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A clock of the same boot dates what came without UTC. See also cases/test_following."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from depot.dating import dated
from messages.types import Clock, Time
from tests.depot import samples
from tests.messages.strategies import messages


@given(messages(Time), messages(Clock))
def test_any_clock_and_any_time_give_a_time_that_a_message_could_carry(time, clock):
    found = dated(time, clock)
    assert (found.boot, found.monotonic_s) == (time.boot, time.monotonic_s)
    assert found == time or (found.utc is not None and len(found.utc) == len("2026-05-04T09:58:32.500Z"))


@given(st.floats(-1e6, 1e6), st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"))
def test_at_its_own_moment_a_clock_tells_its_own_utc(monotonic_s, utc):
    clock = samples.clock(utc, monotonic_s=monotonic_s)
    assert dated(samples.undated(monotonic_s), clock).utc == utc


def test_a_time_of_another_boot_and_one_with_utc_stay_as_they_are():
    assert dated(samples.undated(boot="another"), samples.clock()).utc is None
    assert dated(samples.time_at(), samples.clock()) == samples.time_at()
    assert dated(samples.undated(), samples.clock("2026-02-30T10:00:00Z")).utc is None
