# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""When a release on trial is good, and when a vehicle is parked: decisions over what was seen."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.heartbeat import Heartbeat
from edge.update.parked import not_parked
from edge.update.ports import Unit
from edge.update.trial import Limits, Sample, Verdict, judge

LIMITS = Limits(start_s=300, window_s=600)
RUNS = Unit("active", "running")
STARTS = Unit("activating", "start")


def beat(at_s: float, **changes: object) -> Heartbeat:
    """A daemon that was started at 0 and looks at a frame each second."""
    well = Heartbeat(
        monotonic_s=at_s, pid=7, release="2026.2.1", ready=True, frames=int(15 * at_s), looked=int(at_s), moved_m=at_s
    )
    return msgspec.structs.replace(well, **changes)


def well(until_s: float, start_s: float = 10.0) -> list[Sample]:
    return [
        Sample(float(at), RUNS if at >= start_s else STARTS, beat(float(at)) if at >= start_s else None)
        for at in range(0, int(until_s) + 1, 2)
    ]


def ends(samples: list[Sample]) -> tuple[float, Verdict]:
    """When the verdict falls, and which."""
    for count in range(1, len(samples) + 1):
        verdict = judge(samples[:count], "2026.2.1", LIMITS)
        if verdict.state != "open":
            return samples[count - 1].time_s, verdict
    return float("inf"), judge(samples, "2026.2.1", LIMITS)


def test_good_after_the_window_of_being_well() -> None:
    assert ends(well(1000)) == (610, Verdict("good", ready=True))


def test_open_before_and_ready_is_told() -> None:
    assert judge([], "2026.2.1", LIMITS) == Verdict("open")
    assert judge(well(8), "2026.2.1", LIMITS) == Verdict("open", ready=False)
    assert judge(well(20), "2026.2.1", LIMITS) == Verdict("open", ready=True)


def test_bad_at_once_when_the_service_failed() -> None:
    samples = [*well(20), Sample(22, Unit("failed", "failed", 0, "exit-code", 2), None)]
    assert ends(samples) == (22, Verdict("bad", reason="trial: its service failed (exit-code, exit status 2)"))


def test_bad_after_three_restarts() -> None:
    samples = [Sample(at, Unit("activating", "auto-restart", at // 30, "signal", 11), None) for at in range(0, 200, 2)]
    at_s, verdict = ends(samples)
    assert at_s == 90
    assert verdict.reason == "trial: it ended 3 times (signal, exit status 11)"


def test_bad_when_no_first_frame_was_looked_at_in_time() -> None:
    silent = [Sample(float(at), STARTS, None) for at in range(0, 400, 2)]
    alive = [Sample(float(at), STARTS, beat(at, ready=False, looked=0)) for at in range(0, 400, 2)]
    for samples in (silent, alive):
        assert ends(samples) == (300, Verdict("bad", reason="trial: it did not look at a first frame within 300 s"))


def test_bad_when_it_was_ready_ended_and_does_not_come_back() -> None:
    samples = well(100) + [Sample(float(at), STARTS, beat(100.0)) for at in range(102, 600, 2)]
    at_s, verdict = ends(samples)
    assert at_s == 160, "no word for a minute"
    assert (verdict.state, verdict.ready) == ("bad", True)


def test_the_old_daemon_may_say_farewell_and_then_must_be_gone() -> None:
    def old(until_s: int) -> list[Sample]:
        return [Sample(float(at), RUNS, beat(float(at), release="2026.1.1", pid=3)) for at in range(0, until_s, 2)]

    assert judge(old(60), "2026.2.1", LIMITS).state == "open"
    late = old(20) + [replace(sample, time_s=sample.time_s + 20) for sample in well(800, 0)]
    assert judge(late[:50], "2026.2.1", LIMITS).state == "open"
    at_s, verdict = ends(old(100))
    assert (at_s, verdict.reason) == (62, "trial: 2026.1.1 runs instead of it")


def test_a_heartbeat_from_before_the_trial_does_not_count() -> None:
    samples = [Sample(float(at), STARTS, beat(50.0)) for at in range(60, 400, 2)]
    assert ends(samples)[1] == Verdict("bad", reason="trial: it did not look at a first frame within 300 s")


def test_bad_when_it_falls_silent() -> None:
    samples = well(100) + [Sample(float(at), RUNS, beat(100.0)) for at in range(102, 300, 2)]
    assert ends(samples) == (160, Verdict("bad", ready=True, reason="trial: it has not said anything for 60 s"))


def test_bad_when_frames_stop() -> None:
    samples = well(100) + [Sample(float(at), RUNS, beat(at, frames=1500)) for at in range(102, 300, 2)]
    assert ends(samples) == (160, Verdict("bad", ready=True, reason="trial: no frame has come for 60 s"))


def test_bad_when_it_says_ready_and_looks_at_nothing() -> None:
    samples = [Sample(float(at), RUNS, beat(at, looked=0, moved_m=0.0)) for at in range(0, 300, 2)]
    reason = "trial: it said that it is ready and looked at nothing for 180 s"
    assert ends(samples) == (180, Verdict("bad", ready=True, reason=reason))


def test_bad_when_the_vehicle_moves_and_it_looks_at_nothing() -> None:
    samples = [Sample(float(at), RUNS, beat(at, looked=1, moved_m=10.0 * at)) for at in range(0, 300, 2)]
    reason = "trial: the vehicle moved 200 m and it looked at nothing"
    assert ends(samples) == (20, Verdict("bad", ready=True, reason=reason))


def test_bad_when_it_stops_looking_in_the_middle_of_a_drive() -> None:
    samples = well(300) + [
        Sample(float(at), RUNS, beat(at, looked=300, moved_m=10.0 * at)) for at in range(302, 400, 2)
    ]
    assert ends(samples)[1].reason.startswith("trial: the vehicle moved ")


def test_a_vehicle_that_stands_need_not_look() -> None:
    samples = [Sample(float(at), RUNS, beat(at, looked=1, moved_m=3.0)) for at in range(0, 700, 2)]
    assert ends(samples) == (600, Verdict("good", ready=True))


def test_one_restart_begins_the_window_anew() -> None:
    second = [
        Sample(float(at), replace(RUNS, restarts=1), beat(at, pid=8, frames=at - 390, looked=at - 399))
        for at in range(400, 1100, 2)
    ]
    assert ends(well(390) + second) == (1000, Verdict("good", ready=True))


def test_the_last_word_must_be_fresh_for_a_good_verdict() -> None:
    samples = [*well(600), Sample(625, RUNS, beat(600.0))]
    assert judge(samples, "2026.2.1", LIMITS).state == "open"


_beats = st.builds(
    Heartbeat,
    monotonic_s=st.floats(0, 2000),
    pid=st.integers(1, 3),
    release=st.sampled_from([None, "2026.1.1", "2026.2.1"]),
    ready=st.booleans(),
    frames=st.integers(0, 100),
    looked=st.integers(0, 100),
    moved_m=st.floats(0, 1000),
)
_units = st.builds(
    Unit, st.sampled_from(["active", "activating", "failed", "inactive"]), st.just("x"), st.integers(0, 5)
)


@given(st.lists(st.tuples(st.floats(0, 200), _units, st.none() | _beats), min_size=1, max_size=12))
def test_whatever_is_seen_there_is_a_verdict_and_a_good_one_was_earned(
    looks: list[tuple[float, Unit, Heartbeat | None]],
) -> None:
    now_s, samples = 0.0, []
    for passed_s, unit, said in looks:
        now_s += passed_s
        samples.append(Sample(now_s, unit, said))
    verdict = judge(samples, "2026.2.1", LIMITS)
    assert (verdict.state == "bad") == bool(verdict.reason)
    if verdict.state == "good":
        last = samples[-1]
        assert last.beat is not None
        assert last.beat.is_fresh(last.time_s)
        assert (last.beat.release, last.beat.ready) == ("2026.2.1", True)
        assert last.time_s - samples[0].time_s >= LIMITS.window_s
        assert last.unit.active != "failed"


# ---- parked


def standing(since_s: float | None, at_s: float = 995.0) -> Heartbeat:
    return beat(at_s, standing_since_s=since_s)


@pytest.mark.parametrize(
    ("said", "unit", "why"),
    [
        (standing(800.0), RUNS, None),
        (standing(900.0), RUNS, "the vehicle has been standing for 100 of 120 s"),
        (standing(None), RUNS, "the vehicle moves, or does not know that it stands"),
        (standing(800.0, at_s=980.0), RUNS, "the daemon runs and has not said for a while whether the vehicle stands"),
        (None, RUNS, "the daemon runs and has not said for a while whether the vehicle stands"),
        (None, STARTS, "the daemon runs and has not said for a while whether the vehicle stands"),
        (None, Unit(), None),
        (standing(None), Unit("failed", "failed"), None),
        (None, Unit("activating", "auto-restart", 3), None),
        (standing(None), Unit("active", "running", 3), "the vehicle moves, or does not know that it stands"),
    ],
)
def test_parked(said: Heartbeat | None, unit: Unit, why: str | None) -> None:
    assert not_parked(said, unit, 1000.0, 120.0) == why


def test_ready_without_one_look_is_never_good_however_short_the_window() -> None:
    samples = [Sample(float(at), RUNS, beat(float(at), looked=0)) for at in range(0, 400, 2)]
    verdicts = [judge(samples[:count], "2026.2.1", Limits(start_s=300, window_s=5)) for count in range(1, len(samples))]
    assert "good" not in {verdict.state for verdict in verdicts}
    assert verdicts[-1].state == "bad"
    assert "looked at nothing" in verdicts[-1].reason
