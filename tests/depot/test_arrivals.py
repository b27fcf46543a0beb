# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The queue between the network and the writer: bounded in number and bytes, in order, closed for both at once."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from depot.arrivals import Arrival, Arrivals
from tests.servers import wait_until


def arrival(size: int, token: object = None) -> Arrival:
    return Arrival("t", bytes(size), token)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(1, 10), st.integers(1, 100))
def test_all_come_out_in_order_in_batches_within_the_bounds(sizes, most, most_bytes):
    queue = Arrivals(1000, 10**6)
    for number, size in enumerate(sizes):
        assert queue.put(arrival(size, number))
    taken = []
    while len(taken) < len(sizes):
        batch = queue.take(most, most_bytes)
        assert 1 <= len(batch) <= most
        assert len(batch) == 1 or sum(len(each.payload) for each in batch) <= most_bytes
        taken += batch
    assert [each.token for each in taken] == list(range(len(sizes)))


def _fill(queue: Arrivals, size: int) -> tuple[threading.Thread, list[bool]]:
    """Put without end in a thread of its own; what each was answered."""
    answers: list[bool] = []

    def work() -> None:
        while True:
            answers.append(queue.put(arrival(size)))
            if not answers[-1]:
                return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, answers


def test_large_ones_wait_long_before_the_number_is_reached():
    """Red without the bound in bytes: 1,000 pictures of 2 MB would be 2 GB."""
    queue = Arrivals(1000, 100)
    thread, answers = _fill(queue, 40)
    wait_until(lambda: len(answers) == 3, what="the third one began while there was room")
    thread.join(0.1)
    assert thread.is_alive()
    assert len(answers) == 3, "now it waits"
    assert len(queue.take(1000, 10**6)) == 3
    queue.close()
    thread.join(10)
    assert answers[-1] is False


def test_closing_lets_both_go():
    queue = Arrivals(1, 10**6)
    thread, _ = _fill(queue, 1)
    queue.close()
    thread.join(10)
    assert not thread.is_alive()
    assert queue.take(1, 1) == []
    assert queue.put(arrival(1)) is False
