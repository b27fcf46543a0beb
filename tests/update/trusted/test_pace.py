# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Downloads keep to bytes a second and bytes a day, over restarts too."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.update.trusted.pace import STEP, EndedError, Pace


class Time:
    """Moves only while somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.day = "2027-01-15"
        self.stop = False

    def wait(self, seconds: float) -> bool:
        self.now_s += seconds
        return self.stop


def pace(time: Time, file: Path, rate: float = 0, daily: int = 0) -> Pace:
    return Pace(
        bytes_per_s=rate,
        bytes_per_day=daily,
        file=file,
        wait=time.wait,
        monotonic=lambda: time.now_s,
        today=lambda: time.day,
    )


@given(rate=st.floats(1, 1e7), pieces=st.lists(st.integers(1, 100_000), min_size=1, max_size=200))
def test_the_average_never_exceeds_the_cap(rate: float, pieces: list[int]) -> None:
    time = Time()
    limited = pace(time, Path("none"), rate)
    for piece in pieces:
        count = limited.ask(piece)
        assert 1 <= count <= piece
        limited.took(count)
    assert limited.received <= rate * time.now_s * 1.001 + 16 * 1024


@given(rate=st.floats(1000, 1e6))
def test_the_cap_is_used(rate: float) -> None:
    time = Time()
    limited = pace(time, Path("none"), rate)
    while limited.received < 10 * rate:
        limited.took(limited.ask(1 << 20))
    assert time.now_s < 12


def test_without_a_cap_nothing_waits() -> None:
    time = Time()
    free = pace(time, Path("none"))
    for _ in range(100):
        free.took(free.ask(10**9))
    assert time.now_s == 0


def test_a_day_s_allowance_ends_the_run_and_outlives_a_restart(tmp_path: Path) -> None:
    time, file = Time(), tmp_path / "spent.json"
    first = pace(time, file, daily=100)
    first.took(first.ask(60))
    first.save()
    second = pace(time, file, daily=100)
    assert second.ask(60) == 40
    second.took(40)
    with pytest.raises(EndedError, match="allowance"):
        second.ask(1)
    second.save()
    with pytest.raises(EndedError):
        pace(time, file, daily=100).ask(1)
    time.day = "2027-01-16"
    assert pace(time, file, daily=100).ask(1000) == 100


def test_the_sum_is_kept_on_the_way_too(tmp_path: Path) -> None:
    time, file = Time(), tmp_path / "spent.json"
    cut = pace(time, file, daily=10 * STEP)
    for _ in range(40):
        cut.took(STEP // 10)  # and then the power goes
    again = pace(time, file, daily=3 * STEP)
    with pytest.raises(EndedError):
        again.ask(1)


@pytest.mark.parametrize("content", [b"", b"{", b'{"day": 1}', b"\xff"])
def test_a_damaged_sum_begins_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spent.json").write_bytes(content)
    assert pace(Time(), tmp_path / "spent.json", daily=100).ask(1000) == 100


def test_a_stop_ends_every_wait() -> None:
    time = Time()
    time.stop = True
    for rate in (0, 10.0):
        with pytest.raises(EndedError, match="stopped"):
            pace(time, Path("none"), rate).ask(10**6)
