# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Looks at the computer, on a thread of their own."""

from __future__ import annotations

import logging
import threading

from edge.life.rounds import Round, Rounds


def test_each_look_is_made_again_and_again_and_one_that_fails_stops_no_other(caplog):
    seen, enough = [], threading.Event()

    def fails() -> None:
        raise RuntimeError("broken sensor")

    def works() -> None:
        seen.append(1)
        if len(seen) == 3:
            enough.set()

    with caplog.at_level(logging.ERROR):
        rounds = Rounds([Round(0.01, fails), Round(0.01, works)])
        assert enough.wait(20)
        rounds.close()
    rounds.close()
    assert rounds.mistakes >= 2
    assert len(caplog.records) == 1


def test_without_looks_there_is_nothing_to_do():
    Rounds([]).close()
