# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING

import pytest

from edge.positioning.live import LivePositions
from edge.types import Fix
from tests.servers import wait_until

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

DEADLINE_S = 10.0


class FakeReceiver:
    """Connections whose readings a test puts in: lists of fixes, or an error that ends the connection."""

    def __init__(self) -> None:
        self.readings: queue.Queue[Sequence[Fix] | OSError] = queue.Queue()
        self.connections = 0
        self.closed = 0
        self.refuse = False

    def connect(self, counts: Counter[str]) -> FakeReceiver:
        self.connections += 1
        if self.refuse:
            raise ConnectionRefusedError("Connection refused")
        return self

    def read(self) -> Sequence[Fix]:
        try:
            item = self.readings.get(timeout=0.02)
        except queue.Empty:
            return []
        if isinstance(item, OSError):
            raise item
        return item

    def close(self) -> None:
        self.closed += 1


def fix(time_s: float) -> Fix:
    return Fix(time_s, 13.4, 52.5, 3.0)


@pytest.fixture
def receiver() -> FakeReceiver:
    return FakeReceiver()


@pytest.fixture
def source(receiver: FakeReceiver) -> Iterator[LivePositions]:
    source = LivePositions(connect=receiver.connect, name="receiver", jitter=lambda: 0.0)
    yield source
    source.close()


def test_fixes_are_handed_out_once_and_not_before_their_time(receiver: FakeReceiver, source: LivePositions) -> None:
    receiver.readings.put([fix(1.0), fix(2.0), fix(3.0)])
    wait_until(lambda: len(source._queue) == 3)
    assert [m.time_s for m in source.until(2.0)] == [1, 2]
    assert source.until(2.0) == []
    assert [m.time_s for m in source.until(9.0)] == [3]


def test_a_lost_connection_is_counted_closed_and_made_anew(receiver: FakeReceiver, source: LivePositions) -> None:
    receiver.readings.put(ConnectionResetError("reset"))
    wait_until(lambda: receiver.connections == 2 and source.state.connected)
    receiver.readings.put([fix(1.0)])
    wait_until(lambda: source.until(1.0))
    assert receiver.closed == 1
    assert source.state.counts == {"connection_lost": 1}


def test_an_old_fix_makes_the_source_stale_whatever_came_before(receiver: FakeReceiver, source: LivePositions) -> None:
    assert source.state.stale
    receiver.readings.put([fix(time.monotonic())])
    wait_until(lambda: not source.state.stale)
    receiver.readings.put([fix(time.monotonic() - 2.5)])
    wait_until(lambda: source.state.stale)
    assert source.state.fix_age_s > 2


def test_a_receiver_that_stays_away_does_not_fill_the_log(
    receiver: FakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.refuse = True
    source = LivePositions(connect=receiver.connect, name="receiver", jitter=lambda: 0.0)
    wait_until(lambda: receiver.connections > 20)
    source.close()
    lines = [record for record in caplog.records if "Connection refused" in record.message]
    assert 1 <= len(lines) <= 2 + 2 * receiver.connections // 8


def test_waits_grow_and_are_spread_by_chance(monkeypatch: pytest.MonkeyPatch, receiver: FakeReceiver) -> None:
    receiver.refuse = True
    source = LivePositions(connect=receiver.connect, name="receiver", jitter=lambda: 0.0)
    source.close()
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 10:
            source._stop.set()
        return source._stop.is_set()

    source._stop.clear()
    monkeypatch.setattr(source._stop, "wait", wait)
    monkeypatch.setattr(source, "_jitter", lambda: 0.5)
    source._run()
    assert waits == [0.5, 1, 2, 4, 8, 15, 15, 15, 15, 15]


def test_closing_twice_is_allowed_and_ends_the_connection(receiver: FakeReceiver, source: LivePositions) -> None:
    wait_until(lambda: source.state.connected)
    source.close()
    source.close()
    assert receiver.closed == 1
    assert not source.state.connected
