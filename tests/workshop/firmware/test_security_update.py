# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Security fixes: only when due, never while driving, and read-only again in the end, whatever comes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workshop.firmware.programs_of_the_device import PI, load

update = load(PI / "usr/lib/wegewart/security-update")

NOW_S = 10_000.0
WEEK_S = 7 * 86_400


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    made: list[tuple[str, ...]] = []
    monkeypatch.setattr(update, "run", lambda *command: made.append(command) or 0)
    return made


def vehicle(
    folder: Path, *, standing_since_s: float | None, age_s: float = WEEK_S + 1, beat_s: float = NOW_S
) -> object:
    """A vehicle with memory over its root."""
    switch = folder / "overlay/var/lib/wegewart-root/readonly"
    switch.parent.mkdir(parents=True)
    switch.touch()
    os.utime(switch, (time.time() - age_s, time.time() - age_s))
    beat = folder / "run/wegewart/daemon.json"
    beat.parent.mkdir(parents=True)
    beat.write_text(json.dumps({"monotonic_s": beat_s, "pid": 7, "standing_since_s": standing_since_s}))
    return update.Root(folder)


def test_a_parked_vehicle_boots_for_it_once_a_week(tmp_path: Path, calls: list[tuple[str, ...]]) -> None:
    root = vehicle(tmp_path, standing_since_s=NOW_S - 700)
    assert update.ask(root, due=False, now_s=NOW_S) == "booting to install security fixes"
    there = tmp_path / "overlay/var/lib/wegewart-root"
    assert [path.name for path in there.iterdir()] == ["writable-once"]
    overlay = str(tmp_path / "overlay")
    assert calls == [
        ("mount", "-o", "remount,rw", "root", overlay),
        ("sync",),
        ("mount", "-o", "remount,ro", "root", overlay),
        ("systemctl", "reboot"),
    ]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"standing_since_s": None}, "not parked"),
        ({"standing_since_s": NOW_S - 30}, "not parked"),
        ({"standing_since_s": NOW_S - 700, "beat_s": NOW_S - 60}, "not parked"),
        ({"standing_since_s": NOW_S - 700, "beat_s": NOW_S + 60}, "not parked"),
        ({"standing_since_s": NOW_S - 700, "age_s": WEEK_S - 60}, "not a week yet"),
        ({"standing_since_s": NOW_S - 700, "age_s": -86_400}, "not a week yet"),
    ],
    ids=[
        "drives",
        "stands only since a moment",
        "daemon is silent",
        "beat of another boot",
        "done this week",
        "clock is behind",
    ],
)
def test_it_boots_for_nothing_else(
    options: dict[str, float], reason: str, tmp_path: Path, calls: list[tuple[str, ...]]
) -> None:
    assert reason in update.ask(vehicle(tmp_path, **options), due=False, now_s=NOW_S)
    assert calls == []
    assert (tmp_path / "overlay/var/lib/wegewart-root/readonly").exists()


def test_a_technician_need_not_wait_for_the_week_but_for_the_vehicle(
    tmp_path: Path, calls: list[tuple[str, ...]]
) -> None:
    root = vehicle(tmp_path, standing_since_s=None, age_s=60)
    assert "not parked" in update.ask(root, due=True, now_s=NOW_S)
    root.beat.write_text(json.dumps({"monotonic_s": NOW_S, "standing_since_s": 0.0}))
    assert "booting" in update.ask(root, due=True, now_s=NOW_S)


def test_a_root_that_cannot_be_written_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = vehicle(tmp_path, standing_since_s=0.0)
    monkeypatch.setattr(update, "run", lambda *_: 32)
    with pytest.raises(OSError, match="cannot be made writable"):
        update.ask(root, due=True, now_s=NOW_S)
    assert (tmp_path / "overlay/var/lib/wegewart-root/readonly").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"monotonic_s": "x"}', '{"standing_since_s": 1}'])
def test_a_heartbeat_that_cannot_be_read_is_none(content: str, tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(content)
    assert update.read_beat(path) is None


# ---- the boot in which it is installed


@pytest.fixture
def opened(tmp_path: Path) -> object:
    switch = tmp_path / "var/lib/wegewart-root/writable-once"
    switch.parent.mkdir(parents=True)
    switch.touch()
    return update.Root(tmp_path)


def state(root: object) -> list[str]:
    return sorted(path.name for path in root._here.iterdir())  # type: ignore[attr-defined]


def step(code: int) -> tuple[str, ...]:
    return (sys.executable, "-c", f"raise SystemExit({code})")


def test_after_the_installation_the_next_boot_is_read_only(opened: object) -> None:
    assert "are installed" in update.install(opened, lambda: True, steps=(step(0), step(0)))
    assert state(opened) == ["readonly", "updated"]


def test_a_failure_is_said_and_the_next_boot_is_read_only_all_the_same(opened: object) -> None:
    said = update.install(opened, lambda: True, steps=(step(0), step(100), step(0)))
    assert "ended with 100" in said
    assert state(opened) == ["readonly"]


def test_after_cuts_it_goes_on_and_gives_up_after_three_boots(opened: object) -> None:
    switch = opened._here / "writable-once"  # type: ignore[attr-defined]
    for boot in (1, 2, 3):
        assert opened.boots() == boot  # type: ignore[attr-defined]
        assert switch.exists(), "the next boot must be writable to mend what is half installed"
    assert "given up after 3 boots" in update.install(opened, lambda: True, steps=(step(0),))
    assert state(opened) == ["readonly"]
    assert (opened._here / "readonly").read_text() == ""  # type: ignore[attr-defined]


def test_it_stops_when_the_vehicle_moves_and_begins_again_when_it_stands(
    opened: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The program ends at SIGTERM after the package in hand; unattended-upgrade does so.
    monkeypatch.setattr(update, "POLL_S", 0.01)
    log = tmp_path / "log"
    program = (
        "import signal, sys, time\n"
        f"log = open({str(log)!r}, 'a')\n"
        "signal.signal(signal.SIGTERM, lambda *_: (log.write('stopped\\n'), log.flush(), sys.exit(0)))\n"
        "log.write('begun\\n'); log.flush()\n"
        f"for _ in range(1 if open({str(log)!r}).read().count('begun') > 1 else 3000): time.sleep(0.01)\n"
        "log.write('done\\n')\n"
    )

    def drives_away_once_it_has_begun() -> Callable[[], bool]:
        moved = iter([False] * 3)

        def parked() -> bool:
            begun = log.exists() and "begun" in log.read_text()
            return next(moved, True) if begun else True

        return parked

    said = update.install(opened, drives_away_once_it_has_begun(), steps=((sys.executable, "-c", program),))
    assert "are installed" in said
    assert log.read_text().split() == ["begun", "stopped", "begun", "done"]


def test_a_wrong_call_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert update.main(["everything"]) == 2
    assert "security-update ask" in capsys.readouterr().err
