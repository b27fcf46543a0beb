# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What is tried when a stage stalls again and again, what the depot learns of it, and that it is not for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.life.ladder import LadderSettings, Reopening
from edge.life.life import FILE, Life

SETTINGS = LadderSettings(reopens=2, restarts=3, reboots=2, well_s=600.0, rest_s=600.0)


class Vehicle:
    """A computer that runs the daemon again and again, as systemd does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_s = 100.0
        self.boots = 0
        self.life: Life
        self.begin()
        self.now_s += 90_000.0  # not its first day
        self.life.ended()
        self.begin()

    def begin(self) -> Life:
        self.life = Life(self.folder, SETTINGS, computer=f"boot-{self.boots}", clock=lambda: self.now_s)
        return self.life

    def boot(self) -> None:
        self.boots += 1
        self.now_s = 30.0

    def stall(self, after_s: float = 20.0) -> None:
        """One run that stalls, and what comes of it at the next start."""
        self.now_s += after_s
        self.life.tick()
        self.life.stalled("camera", "stage camera has not moved for 15 s")
        if self.begin().start.reboot:
            self.boot()
            self.begin()


def test_a_stage_that_stalls_for_ever_boots_the_computer_twice_a_day_of_operation_and_then_only_rests(tmp_path):
    vehicle = Vehicle(tmp_path)
    rested = 0
    for _ in range(200):
        rested += vehicle.life.start.rest_s > 0
        vehicle.stall(20.0 + vehicle.life.start.rest_s)
    hours = (200 * 20 + rested * 600) / 3600
    assert rested > 150
    assert 24 < hours < 48
    assert vehicle.boots == 4  # two in the first day of operation, two in the second


def test_the_depot_sees_counts_over_all_runs_and_why_the_last_one_ended(tmp_path):
    vehicle = Vehicle(tmp_path)
    vehicle.stall()
    vehicle.stall()
    counters = vehicle.life.counters()
    assert (counters["stalls_camera"], counters["ends_stalled"], counters["reboots_asked"]) == (2, 2, 0)
    assert vehicle.life.faults() == ("2 runs in a row failed, the last one: stage camera has not moved for 15 s",)
    vehicle.stall()
    assert vehicle.life.counters()["reboots_asked"] == 1
    assert vehicle.life.faults() == ()  # after the boot nothing has failed yet


def test_a_run_that_goes_well_ends_the_row(tmp_path):
    vehicle = Vehicle(tmp_path)
    for _ in range(10):
        vehicle.stall(700.0)
    assert vehicle.boots == 0
    assert vehicle.life.start.rest_s == 0


def test_whoever_ends_the_daemon_wants_the_next_start_to_try_at_once(tmp_path):
    vehicle = Vehicle(tmp_path)
    while vehicle.life.start.rest_s == 0:
        vehicle.stall()
    vehicle.life.ended()
    assert vehicle.begin().start.rest_s == 0
    assert vehicle.life.faults() == ()


@pytest.mark.parametrize(
    ("power_cut", "kind", "row"), [(False, "ends_killed", 1), (True, "ends_power_lost", 0)], ids=["killed", "cut off"]
)
def test_an_end_that_could_not_speak_is_found_at_the_next_start(tmp_path, power_cut, kind, row):
    vehicle = Vehicle(tmp_path)
    if power_cut:
        vehicle.boot()
    life = vehicle.begin()
    assert life.counters()[kind] == 1
    assert len(life.faults()) == row


def test_who_is_killed_again_and_again_boots_the_computer_too(tmp_path):
    vehicle = Vehicle(tmp_path)
    starts = [vehicle.begin().start.reboot for _ in range(3)]
    assert starts == [False, False, True]


def test_only_the_first_word_about_an_end_counts(tmp_path):
    vehicle = Vehicle(tmp_path)
    assert vehicle.life.stalled("inference", "it hangs") == 8
    vehicle.life.crashed("because it was closed")
    vehicle.life.ended()
    life = vehicle.begin()
    assert life.counters()["ends_stalled"] == 1
    assert "ends_crashed" not in life.counters()
    assert life.faults() == ("1 runs in a row failed, the last one: it hangs",)


def test_without_a_record_no_boot_is_asked_for(tmp_path, monkeypatch):
    vehicle = Vehicle(tmp_path)
    for _ in range(2):
        vehicle.stall()

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.life.record.write_durably", full)
    vehicle.life.stalled("camera", "again")
    monkeypatch.undo()
    life = Life(tmp_path, SETTINGS, computer="boot-0", clock=lambda: vehicle.now_s)  # finds itself killed: row of 3
    assert life.start.reboot
    monkeypatch.setattr("edge.life.record.write_durably", full)
    vehicle.folder = tmp_path
    cannot = Life(tmp_path, SETTINGS, computer="boot-0", clock=lambda: vehicle.now_s)
    assert not cannot.start.reboot
    assert cannot.start.rest_s == 600
    assert "No space left on device" in cannot.faults()[-1]


@pytest.mark.parametrize("content", [b"", b"\0" * 300, b'{"row": "many"}', b"\xff\xfe", b"[]"])
def test_a_damaged_record_is_begun_anew(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    life = Life(tmp_path, SETTINGS, computer="c", clock=lambda: 1.0)
    assert life.counters()["ends_record_lost"] == 1
    assert Life(tmp_path, SETTINGS, computer="c", clock=lambda: 1.0).counters()["ends_killed"] == 1


def test_runs_that_never_learnt_their_utc_are_named_until_the_depot_can_date_them(tmp_path):
    vehicle = Vehicle(tmp_path)
    assert vehicle.life.undated("00001-a") == ()
    assert vehicle.begin().undated("00002-b") == ("00001-a",)
    vehicle.life.dated()
    assert vehicle.begin().undated("00003-c") == ()
    vehicle.boot()  # another monotonic clock
    assert vehicle.begin().undated("00004-d") == ()


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=100))
def test_a_camera_is_opened_anew_at_most_twice_in_ten_minutes(waits):
    reopening, now_s, allowed = Reopening(SETTINGS), 0.0, []
    for wait_s in waits:
        now_s += wait_s
        if reopening.allowed(now_s):
            allowed.append(now_s)
    assert allowed[0] == waits[0]
    assert all(later - first >= 600 for first, later in zip(allowed, allowed[2:], strict=False))
    assert reopening.count == len(allowed)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["stall", "kill", "end", "boot"]), st.floats(1, 5000)), max_size=60))
def test_whatever_happens_at_most_two_boots_are_asked_for_in_a_day_of_operation(tmp_path_factory, events):
    vehicle = Vehicle(tmp_path_factory.mktemp("record"))
    operated_s, asked = 0.0, []
    for kind, seconds in events:
        vehicle.now_s += seconds
        operated_s += seconds
        if kind == "stall":
            vehicle.life.stalled("store", "x")
        elif kind == "end":
            vehicle.life.ended()
        elif kind == "boot":
            vehicle.boot()
        if vehicle.begin().start.reboot:
            asked.append(operated_s)
            vehicle.boot()
            vehicle.begin()
    assert all(third - first >= 86_400 for first, third in zip(asked, asked[2:], strict=False))


@pytest.mark.parametrize("damage", [None, b"\0" * 100])
def test_a_disk_that_forgets_the_record_cannot_make_the_computer_boot_for_ever(tmp_path, damage):
    vehicle = Vehicle(tmp_path)
    if damage is None:
        (tmp_path / FILE).unlink()
    else:
        (tmp_path / FILE).write_bytes(damage)
    vehicle.begin()
    for _ in range(20):
        vehicle.stall()
    assert vehicle.boots == 0
    assert vehicle.life.start.rest_s == 600
