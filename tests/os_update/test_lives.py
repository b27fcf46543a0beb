# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whole lives of a device: through updates, bad systems and cuts it always boots a complete system."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from edge.os_update.deciding import MOST_ATTEMPTS, Board
from tests.os_update.pi import Pi, Plan, torn_writes

NEW = "2026.11.22"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pi]:
    made: list[Pi] = []
    torn_writes(made, monkeypatch)

    def device(**settings: object) -> Pi:
        made.append(Pi(tmp_path / f"pi{len(made)}", **settings))  # type: ignore[arg-type]
        return made[-1]

    return device


@pytest.fixture
def pi(make: Callable[..., Pi]) -> Pi:
    return make()


def install(pi: Pi, kind: str, version: str = NEW) -> str:
    return pi.doing(lambda: pi.control.install(pi.offer(version, kind)))


def attempt(pi: Pi) -> str:
    return pi.doing(pi.control.attempt)


def test_a_good_system_is_kept_and_stays(pi: Pi) -> None:
    assert install(pi, "good") == ""
    assert (pi.record().state, pi.record().version, pi.runs) == ("installed", NEW, "2026.01.01")
    assert attempt(pi) == "rebooted"
    assert (pi.record().state, pi.runs) == ("pending", NEW)
    assert pi.watch() == "kept"
    assert pi.record().state == "active"
    pi.cut()
    assert (pi.runs, pi.record().state, pi.boot().trial) == (NEW, "active", False)


def test_the_next_update_goes_into_the_first_system_again(pi: Pi) -> None:
    for version in (NEW, "2026.12.01", "2026.12.24"):
        install(pi, "good", version)
        attempt(pi)
        assert pi.watch() == "kept"
        pi.cut()
        assert pi.runs == version


def test_a_kernel_that_never_boots_is_given_up_after_a_few_tries(pi: Pi) -> None:
    install(pi, "hangs")
    for number in range(1, MOST_ATTEMPTS + 1):
        assert pi.record().state in ("installed", "pending")
        assert attempt(pi) == "rebooted"
        assert pi.runs == "2026.01.01"
        assert pi.record().attempts == number
    assert pi.record().state == "failed"
    assert "never seen healthy" in pi.record().reason
    assert "no installed update" in attempt(pi)


def test_a_system_that_is_not_well_is_left_and_says_why(pi: Pi) -> None:
    install(pi, "ill")
    attempt(pi)
    assert pi.runs == NEW
    assert pi.doing(pi.watch) == "rebooted"
    assert (pi.runs, pi.record().state) == ("2026.01.01", "failed")
    assert "not healthy for 15 minutes" in pi.record().reason


def test_a_failed_version_is_not_installed_again_by_itself(pi: Pi) -> None:
    install(pi, "ill")
    attempt(pi)
    pi.doing(pi.watch)
    assert "was tried here and failed" in install(pi, "good")
    assert pi.doing(lambda: pi.control.install(pi.offer(NEW, "good"), again=True)) == ""


def test_an_older_version_is_refused_unless_it_is_asked_for(pi: Pi) -> None:
    install(pi, "good")
    attempt(pi)
    pi.watch()
    pi.cut()
    assert "is older than 2026.11.22" in install(pi, "good", "2026.10.01")
    assert pi.doing(lambda: pi.control.install(pi.offer("2026.10.01", "good"), older=True)) == ""


def test_a_system_without_a_broker_is_kept_after_a_day_over_several_trials(pi: Pi) -> None:
    install(pi, "lonely")
    trials = 0
    while pi.record().state != "active":
        attempt(pi)
        trials += 1
        looks = iter(range(8 * 60))  # switched off after eight hours

        def wait(_: float, looks: object = looks) -> None:
            if next(looks, None) is None:  # type: ignore[call-overload]
                raise KeyboardInterrupt

        from edge.os_update.watch import watch

        try:
            watch(pi.control, pi.look, wait)
        except KeyboardInterrupt:
            pi.cut()
            assert pi.runs == "2026.01.01"
    assert trials == 4
    pi.cut()
    assert pi.runs == NEW


def test_a_lost_activation_reboot_is_noticed_and_tried_again(pi: Pi) -> None:
    install(pi, "good")
    pi.plan = Plan(after=1)  # the record is written, the reboot is not done
    assert attempt(pi) == "cut"
    assert (pi.runs, pi.record().state) == ("2026.01.01", "pending")
    assert "was never seen: cut before the reboot" in pi.record().reason
    assert attempt(pi) == "rebooted"
    assert pi.watch() == "kept"


@pytest.mark.parametrize("how", ["before", "after", "garbage", "1", "36", "37", "65"])
def test_a_cut_within_the_commit_leaves_a_complete_system_and_the_update_ends_well(
    make: Callable[..., Pi], how: str
) -> None:
    for step in range(4):
        pi = make()
        install(pi, "good")
        attempt(pi)
        # saw, waits or keep: the first write is the record, the next autoboot.txt, then the record again
        pi.plan = Plan(step, how)
        result = pi.doing(pi.watch)
        assert pi.runs in (NEW, "2026.01.01")
        for _ in range(3):
            if pi.record().state == "active":
                break
            attempt(pi)
            pi.doing(pi.watch)
        assert (pi.record().state, pi.runs) == ("active", NEW), (step, how, result)
        pi.cut()
        assert pi.runs == NEW


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("how", ["before", "after"])
def test_a_cut_within_an_install_leaves_the_old_system_and_it_can_be_installed_again(
    pi: Pi, step: int, how: str
) -> None:
    pi.plan = Plan(step, how)
    assert install(pi, "good") == "cut"
    assert pi.runs == "2026.01.01"
    state = pi.record().state
    if state != "installed":
        assert "no installed update" in attempt(pi)
        assert install(pi, "good") == ""
    assert attempt(pi) == "rebooted"
    assert pi.watch() == "kept"


def test_the_system_on_trial_never_overwrites_the_proven_one(pi: Pi) -> None:
    install(pi, "good")
    attempt(pi)
    assert "runs on trial" in install(pi, "good", "2026.12.01")
    assert pi.system(2) == ("2026.01.01", "good")


def test_a_trial_that_nobody_asked_for_is_left_at_once(pi: Pi) -> None:
    install(pi, "ill")
    attempt(pi)
    pi.doing(pi.watch)
    pi.flag = True  # somebody types reboot "0 tryboot"
    pi.power_on()
    assert (pi.runs, pi.boot().trial) == ("2026.01.01", False)


def test_a_lost_record_makes_nothing_worse(pi: Pi) -> None:
    install(pi, "good")
    attempt(pi)
    (pi.folder / "data/state.json").write_bytes(b"\0" * 100)
    assert pi.doing(pi.watch) == "rebooted"
    assert (pi.runs, pi.record().reason) == ("2026.01.01", "on trial, but the record of it is lost")
    pi.flag = True
    pi.power_on()
    assert pi.runs == "2026.01.01"
    assert install(pi, "good") == ""
    assert (pi.folder / "data/state.bad").exists()


def test_a_technician_goes_back_to_the_system_before(pi: Pi) -> None:
    install(pi, "good")
    attempt(pi)
    pi.watch()
    pi.cut()
    assert pi.doing(lambda: pi.ask("set-primary", "A")) == ""
    assert attempt(pi) == "rebooted"
    assert (pi.runs, pi.watch()) == ("2026.01.01", "kept")
    pi.cut()
    assert pi.runs == "2026.01.01"


def test_an_installed_update_can_be_forgotten(pi: Pi) -> None:
    install(pi, "good")
    pi.ask("set-primary", "A")
    assert pi.record().state == "none"
    assert "no installed update" in attempt(pi)


@pytest.mark.parametrize(
    ("model", "date", "words"),
    [
        ("Raspberry Pi 4 Model B Rev 1.1", datetime(2021, 4, 29, tzinfo=timezone.utc), "too old (date 2021-04-29"),
        ("Raspberry Pi 5 Model B Rev 1.0", datetime(2024, 1, 5, tzinfo=timezone.utc), "needs 2024-05-13"),
        ("Raspberry Pi 4 Model B Rev 1.1", None, "date unknown"),
        ("Raspberry Pi 3 Model B", datetime(2026, 1, 1, tzinfo=timezone.utc), "is none of"),
    ],
)
def test_a_board_whose_boot_loader_cannot_is_refused_before_anything_is_written(
    make: Callable[..., Pi], model: str, date: datetime | None, words: str
) -> None:
    pi = make(board_now=Board(model, date))
    before = (pi.folder / "p3").read_bytes()
    assert words in install(pi, "good")
    assert (pi.folder / "p3").read_bytes() == before


def test_a_boot_loader_that_does_not_walk_is_told_of(make: Callable[..., Pi]) -> None:
    pi = make(board_now=Board("Raspberry Pi 4 Model B", datetime(2023, 1, 11, tzinfo=timezone.utc)))
    assert install(pi, "good") == ""
    assert "2025-08-13" in (pi.control.warning() or "")


def test_a_bundle_whose_boot_partition_would_start_another_root_is_refused(
    pi: Pi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.os_update.pi.CMDLINE", "root=/dev/mmcblk0p2 rootwait\n")
    assert "refused set-primary B" in install(pi, "good", "2025.02.02")
    assert pi.record().state == "failed"
    assert "no installed update" in attempt(pi)
