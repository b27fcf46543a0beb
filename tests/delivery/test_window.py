# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The send window: decisions without network or clock."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.delivery.window import Limits, Window, backoff_s


@dataclass(frozen=True)
class Item:
    key: str
    kind: str = "observation"
    size_bytes: int = 1000


def items(many: int, kind: str = "observation") -> list[Item]:
    return [Item(f"{kind}-{number}", kind) for number in range(many)]


def online(limits: Limits | None = None) -> Window:
    window = Window(limits or Limits())
    window.connected(0.0, session_present=False)
    return window


def send_all(window: Window, waiting: list[Item], now_s: float) -> list[Item]:
    chosen = window.choose(waiting, now_s)
    for item in chosen:
        window.sent(item, now_s)
    return chosen


def test_no_more_than_the_window_waits_for_the_broker() -> None:
    """Red without the `in_flight` term in `Window.room`."""
    window = online()
    assert send_all(window, items(50), 0.0) == items(20)
    assert window.room == 0
    window.taken("observation-0", 0.1)
    assert send_all(window, items(50), 0.1) == [items(50)[20]]


def test_a_depot_that_is_away_gets_no_more_than_its_share() -> None:
    """Red without the `open` term in `Window.room`: the broker's queue would overflow."""
    window = online()
    sent = 0
    for _ in range(30):
        chosen = send_all(window, items(500), 0.0)
        sent += len(chosen)
        for item in chosen:
            window.taken(item.key, 0.0)
    assert sent == Limits().open


def test_four_parts_of_pictures_at_most_are_under_way_so_that_facts_are_not_stuck_behind_them() -> None:
    """Red without the count of pictures in `Window.choose`."""
    window = online()
    assert len(send_all(window, items(9, "picture"), 0.0)) == 4
    assert send_all(window, [*items(9, "picture"), Item("fact")], 0.0) == [Item("fact")]


def test_a_smaller_receive_maximum_of_the_broker_is_kept() -> None:
    """Red without `min(...)` over the broker's receive maximum in `Window.connected`."""
    window = Window(Limits())
    window.connected(0.0, session_present=False, receive_maximum=5)
    assert len(send_all(window, items(50), 0.0)) == 4


def test_an_acknowledgement_that_overtakes_the_puback_makes_room() -> None:
    """Red without `self._in_flight.discard(key)` in `Window.answered`."""
    window = online()
    for item in send_all(window, items(20), 0.0):
        window.answered([item.key], 0.1)
    assert window.room == 20
    assert window.silent(1e6) is None


def test_what_the_broker_had_not_taken_is_sent_again_on_the_next_connection() -> None:
    """Red without the loop over `_in_flight` in `Window.lost`."""
    window = online()
    send_all(window, items(3), 0.0)
    window.taken("observation-0", 0.1)
    window.lost(1.0)
    window.connected(2.0, session_present=True)
    assert send_all(window, items(3), 2.0) == items(3)[1:]


def test_everything_is_sent_again_when_the_broker_has_forgotten_us() -> None:
    """Red without `if not session_present` in `Window.connected`: a wiped broker would lose what it had taken."""
    window = online()
    send_all(window, items(3), 0.0)
    for item in items(3):
        window.taken(item.key, 0.1)
    window.lost(1.0)
    window.connected(2.0, session_present=False)
    assert send_all(window, items(3), 2.0) == items(3)


def test_a_broker_that_takes_nothing_is_silent() -> None:
    """Red without the first `if` in `Window.silent`."""
    window = online()
    send_all(window, items(1), 100.0)
    assert window.silent(130.0) is None
    assert window.silent(130.5) == "broker"


def test_a_slow_link_has_time_for_a_large_picture() -> None:
    """Red without `transfer_s` in `Window.silent`: a picture could never get through a slow link."""
    window = online()
    window.sent(Item("large", "picture", 800_000), 0.0)
    assert window.silent(129.0) is None
    assert window.silent(131.0) == "broker"


def test_an_idle_link_is_not_silent() -> None:
    """Red when `silent` does not ask whether anything is under way."""
    assert online().silent(1e6) is None


def test_a_depot_that_acknowledges_nothing_is_silent_and_waited_for_longer_each_time() -> None:
    """Red without `self._silences += 1`: a dead depot would cost the whole window every minute."""
    window = online()
    now_s, waits = 0.0, []
    for _ in range(9):
        send_all(window, items(3), now_s)
        for item in items(3):
            window.taken(item.key, now_s)
        begin_s = now_s
        while window.silent(now_s) is None:
            now_s += 1.0
        waits.append(now_s - begin_s)
        window.lost(now_s, "depot")
        window.connected(now_s, session_present=True)
    assert waits[:3] == pytest.approx([60, 120, 240], abs=2)
    assert waits[-1] == pytest.approx(3600, abs=2)
    send_all(window, items(3), now_s)
    window.answered(["observation-0"], now_s)
    assert window.patience_s == 60


def test_a_silent_depot_is_noticed_although_the_link_flaps() -> None:
    """Red without `_waited_s`: each reconnect would start the patience anew, and what a broker lost stays lost."""
    window = online()
    send_all(window, items(1), 0.0)
    window.taken("observation-0", 0.0)
    now_s = 0.0
    for _ in range(4):
        now_s += 20.0
        if window.silent(now_s):
            break
        window.lost(now_s)
        now_s += 1000.0  # in a tunnel: does not count
        window.connected(now_s, session_present=True)
    assert window.silent(now_s) == "depot"
    window.lost(now_s, "depot")
    window.connected(now_s, session_present=True)
    assert send_all(window, items(1), now_s) == items(1)


def test_a_picture_that_breaks_the_link_again_and_again_rests_and_others_pass() -> None:
    """Red without `_rests_until_s`: a picture that the broker does not want would be tried for ever."""
    window, now_s, tries = online(), 0.0, 0
    poison, good = Item("poison", "picture"), Item("good", "picture")
    while now_s < 3600.0:
        if send_all(window, [poison], now_s):
            tries += 1
            window.lost(now_s)
            window.connected(now_s, session_present=True)
        now_s += 1.0
    assert tries == 3 + 5  # then after 1, 3, 7, 15, 31 minutes
    assert send_all(window, [good, poison], now_s) == [good]
    window.taken("good", now_s)
    assert send_all(window, [poison], 1e6) == [poison]
    window.taken("poison", 1e6)
    assert not window._broken
    assert not window._rests_until_s


def test_back_off_is_spread_over_the_whole_time_and_bounded() -> None:
    """Red when `uniform` does not begin at 0 or the cap of 60 s is gone."""
    bounds = [backoff_s(attempt, lambda low, high: low or high) for attempt in (1, 2, 5, 11, 1000)]
    assert bounds == pytest.approx([1.5, 2.25, 7.59375, 60.0, 60.0])
    assert 0.0 <= backoff_s(3) <= 1.5**3


STEPS = st.sampled_from(["send", "send", "send", "taken", "taken", "taken", "answered", "flap", "wiped"])


@settings(max_examples=300)
@given(st.lists(st.tuples(STEPS, st.integers(0, 30)), max_size=60))
def test_the_bounds_hold_in_any_order_of_things(script: list[tuple[str, int]]) -> None:
    """Red without any of the three bounds, or when `lost` forgets what was in flight."""
    limits = Limits(in_flight=3, open=4, pictures=2)
    window = online(limits)
    waiting = [Item(f"e{number}") for number in range(20)] + [Item(f"p{number}", "picture") for number in range(11)]
    taken: set[str] = set()
    for now, (what, which) in enumerate(script):
        now_s = float(now)
        if what == "send":
            chosen = send_all(window, waiting, now_s)
            taken -= {item.key for item in chosen}
        elif what in ("taken", "answered"):
            if not window.open:
                continue
            key = sorted(window.open)[which % len(window.open)]
            if what == "taken":
                taken.add(key)
                window.taken(key, now_s)
            else:
                waiting = [item for item in waiting if item.key != key]
                window.answered([key], now_s)
        else:
            window.lost(now_s)
            window.connected(now_s, session_present=what == "flap")
        assert len(window.open) <= limits.open
        assert len(window.open - taken) <= limits.in_flight
        assert sum(key.startswith("p") for key in window.open) <= limits.pictures
    for key in window.open:
        window.taken(key, 1e3)
    unsent = [item for item in waiting if item.key not in window.open and item.kind != "picture"]
    if unsent and len(window.open) < limits.open:
        assert window.choose(unsent, 1e3), "room, and something to send, but nothing is sent"
