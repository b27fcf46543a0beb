# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the technician sees while bytes go."""

from __future__ import annotations

import io

import pytest

from workshop.flash.terminal import Meter, Terminal
from workshop.flash.words import FlashError, Words

MB = 1_000_000


def test_a_line_has_share_bytes_rate_and_time_left() -> None:
    meter = Meter(1000 * MB)
    assert meter.line(0, 50.0, live=True) is None
    assert meter.line(250 * MB, 60.0, live=True) == " 25 %, 250/1000 MB, 25 MB/s, 0:30"


def test_a_person_sees_it_twice_a_second_and_the_end_once() -> None:
    meter = Meter(100 * MB)
    shown = [meter.line(n * MB, n / 10, live=True) for n in [*range(101), 100]]
    assert sum(line is not None for line in shown) == 20
    assert shown[100] is not None
    assert shown[101] is None


def test_a_log_gets_a_line_for_every_tenth() -> None:
    meter = Meter(100 * MB)
    assert sum(meter.line(n * MB, n / 10, live=False) is not None for n in range(101)) == 10


def test_an_image_of_unknown_size_shows_bytes_and_rate() -> None:
    meter = Meter(None)
    meter.line(0, 0.0, live=True)
    assert meter.line(30 * MB, 2.0, live=True) == "30 MB, 15 MB/s"


def test_nobody_who_answers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(FlashError) as caught:
        Terminal("de", io.StringIO()).ask(Words("?", "?"))
    assert "--serial" in caught.value.words.en


def test_german_unless_english_is_wanted() -> None:
    said = io.StringIO()
    Terminal("de", said).say(Words("fertig", "done"))
    Terminal("en", said).say(Words("fertig", "done"))
    assert said.getvalue() == "fertig\ndone\n"
