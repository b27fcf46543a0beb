# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Recovery: what is decided from what is seen, and that it works with nothing but Python's standard library."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.update import recover
from edge.update.layout import COMPLETE, Layout
from edge.update.recover import MOST_STARTS, Journal, Note, Point, Seen
from messages.types import Update
from tests.update.world import Depot, Vehicle

OLD, NEW = "2026.1.1", "2026.2.1"
BOTH = (NEW, OLD)


def after(seen: Seen) -> Seen:
    """What recovery makes of it."""
    current, updater, journal = seen.current, seen.updater, seen.journal
    for action in recover.decide(seen):
        if isinstance(action, Point):
            current, updater = (action.release, updater) if action.link == "current" else (current, action.release)
        if isinstance(action, Note):
            journal = action.journal
    return replace(seen, current=current, updater=updater, journal=journal)


# ---- decisions


def test_a_device_in_order_is_left_alone() -> None:
    assert recover.decide(Seen(NEW, NEW, BOTH, None, "b")) == ()
    assert recover.decide(Seen(None, None, (), None, "b")) == ()


def test_a_link_that_leads_nowhere_is_mended_with_what_the_updater_runs_from() -> None:
    assert after(Seen(None, OLD, BOTH, None, "b")).current == OLD
    assert after(Seen(None, None, BOTH, None, "b")) == Seen(NEW, NEW, BOTH, None, "b")


def test_a_switch_that_did_not_happen_is_staged_again() -> None:
    found = after(Seen(OLD, OLD, BOTH, Journal(NEW, "trial", OLD, 1, "a", by_hand=True), "b"))
    assert found == Seen(OLD, OLD, BOTH, Journal(NEW, "staged", by_hand=True), "b")


def test_starts_of_a_release_on_trial_that_never_got_ready_are_counted_and_then_it_goes_back() -> None:
    seen = Seen(NEW, OLD, BOTH, Journal(NEW, "trial", OLD, 1, "boot-1"), "boot-1")
    for boot in range(2, MOST_STARTS + 1):
        seen = after(replace(seen, boot=f"boot-{boot}"))
        assert seen.journal is not None
        assert (seen.current, seen.journal.starts) == (NEW, boot)
    seen = after(replace(seen, boot="boot-9"))
    assert (seen.current, seen.journal) == (OLD, None)


def test_recovery_twice_in_one_boot_counts_once() -> None:
    seen = after(Seen(NEW, OLD, BOTH, Journal(NEW, "trial", OLD, 1, "boot-1"), "boot-2"))
    assert after(seen) == seen


def test_a_release_that_got_ready_each_time_is_never_given_back_for_power_cuts() -> None:
    seen = Seen(NEW, OLD, BOTH, Journal(NEW, "trial", OLD, 1, "boot-0"), "boot-0")
    for boot in range(1, 20):
        assert seen.journal is not None
        seen = after(replace(seen, journal=replace(seen.journal, starts=0), boot=f"boot-{boot}"))
        assert seen.current == NEW


def test_a_release_that_lost_its_parts_on_trial_is_left() -> None:
    found = after(Seen(None, OLD, (OLD,), Journal(NEW, "trial", OLD, 1, "b"), "b"))
    assert found == Seen(OLD, OLD, (OLD,), None, "b")


def test_going_back_without_the_one_before_takes_another_one() -> None:
    found = after(Seen(NEW, NEW, (NEW, "2025.9.1"), Journal(NEW, "back", OLD, 1, "b", "trial: x"), "b"))
    assert (found.current, found.journal) == ("2025.9.1", None)


def test_going_back_with_nothing_else_stays() -> None:
    assert after(Seen(NEW, NEW, (NEW,), Journal(NEW, "back", OLD), "b")) == Seen(NEW, NEW, (NEW,), None, "b")


class Device(RuleBasedStateMachine):
    """A device without a disk: releases come, cuts fall between any two steps, verdicts are good and bad."""

    def __init__(self) -> None:
        super().__init__()
        self.complete: list[str] = []
        self.current: str | None = None
        self.updater: str | None = None
        self.journal: Journal | None = None
        self.refused: set[str] = set()
        self.confirmed: set[str] = set()
        self.said = ""
        self.boot = 0
        self.unready = 0
        self.last = 0

    def seen(self) -> Seen:
        def whole(name: str | None) -> str | None:
            return name if name in self.complete else None

        good = sorted(self.complete, key=lambda name: (name not in self.refused, name), reverse=True)
        return Seen(whole(self.current), whole(self.updater), tuple(good), self.journal, f"boot-{self.boot}")

    def do(self, plan: recover.Plan, cut: int) -> bool:
        """Whether it was done to its end; a cut is followed by a boot."""
        for number, action in enumerate(plan):
            if number == cut:
                self.power(0)
                return False
            if isinstance(action, Note):
                self.journal = action.journal
            elif isinstance(action, Point) and action.link == "current":
                self.current = action.release
            elif isinstance(action, Point):
                self.updater = action.release
            elif isinstance(action, recover.Say):
                self.said = action.state
            elif isinstance(action, recover.Refuse):
                self.refused.add(action.release)
        return True

    @initialize()
    def first(self) -> None:
        self.build(99)
        self.switch(99)

    @rule(cut=st.integers(0, 5))
    def build(self, cut: int) -> None:
        if self.journal is not None and self.journal.step == "trial":
            return
        self.last += 1
        name = f"2026.1.{self.last:04}"
        if not self.do((Note(Journal(name, "building")),), cut):
            return
        if cut != 1:
            self.complete.append(name)
        if cut in (1, 2):
            self.power(0)
        else:
            self.do(recover.stage(name, self.current), cut - 3)

    @precondition(lambda self: self.journal is not None and self.journal.step == "staged")
    @rule(cut=st.integers(0, 5))
    def switch(self, cut: int) -> None:
        assert self.journal is not None
        release, previous = self.journal.release, self.current
        self.unready = 1
        if self.do(recover.switch(release, previous, f"boot-{self.boot}"), cut) and previous is None:
            self.confirmed.add(release)
            self.do(recover.confirm(release), 99)

    @precondition(lambda self: self.on_trial())
    @rule()
    def ready(self) -> None:
        assert self.journal is not None
        self.unready = 0
        self.journal = replace(self.journal, starts=0)

    @precondition(lambda self: self.on_trial() and self.unready == 0)
    @rule(cut=st.integers(0, 6))
    def good(self, cut: int) -> None:
        assert self.journal is not None
        self.confirmed.add(self.journal.release)
        self.do(recover.confirm(self.journal.release), cut)

    @precondition(lambda self: self.on_trial())
    @rule(cut=st.integers(0, 7))
    def bad(self, cut: int) -> None:
        assert self.journal is not None
        to = recover.way_back(self.seen())
        if to is not None:
            release = self.journal.release
            self.do((*recover.back(self.journal, to, "trial: x"), *recover.done()), cut)
            if cut >= 1:
                assert self.current != release
                assert release in self.refused

    @rule(cut=st.integers(0, 8))
    def power(self, cut: int) -> None:
        """Off and on; another cut may fall into the recovery itself."""
        self.boot += 1
        self.unready += self.on_trial()
        if cut:
            self.do(recover.decide(self.seen()), cut)
        self.do(recover.decide(self.seen()), 99)

    @precondition(lambda self: len(self.complete) > 1)
    @rule(which=st.randoms(use_true_random=False))
    def damage(self, which) -> None:
        """The disk loses a release."""
        lost = which.choice(self.complete)
        self.complete.remove(lost)
        self.power(0)

    def on_trial(self) -> bool:
        return self.journal is not None and self.journal.step == "trial" and self.current == self.journal.release

    @invariant()
    def it_starts(self) -> None:
        assert not self.complete or self.current in self.complete
        assert not self.complete or self.updater in self.complete

    @invariant()
    def nothing_is_half_done(self) -> None:
        assert self.journal is None or self.journal.step in ("staged", "trial")
        assert self.journal is None or self.journal.release in self.complete

    @invariant()
    def it_does_not_try_for_ever(self) -> None:
        assert self.journal is None or self.journal.starts <= MOST_STARTS
        assert not self.on_trial() or self.unready <= MOST_STARTS


Device.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestDevice = Device.TestCase


# ---- the file


def test_it_needs_the_standard_library_alone() -> None:
    tree = ast.parse(Path(recover.__file__).read_text(encoding="utf-8"))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def test_its_names_are_those_of_the_layout(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.own.mkdir()
    for folder in (layout.releases / OLD, layout.apps / "a", layout.models / "m"):
        folder.mkdir(parents=True)
    assert set(recover.leftovers(tmp_path)) == {layout.releases / OLD, layout.apps / "a", layout.models / "m"}
    recover.perform(tmp_path, Note(Journal(OLD, "staged")))
    recover.perform(tmp_path, Point("current", OLD))
    recover.perform(tmp_path, Point("updater", OLD))
    recover.perform(tmp_path, recover.Refuse(OLD, "x"))
    recover.perform(tmp_path, recover.Say(OLD, "active", OLD))
    assert layout.current.resolve() == layout.updater.resolve() == layout.releases / OLD
    assert all(file.is_file() for file in (layout.journal, layout.state, layout.refused))
    assert Layout().root == recover.ROOT
    assert recover._COMPLETE == COMPLETE


def test_a_systems_python_without_our_packages_runs_the_copy(vehicle: Vehicle, depot: Depot) -> None:
    vehicle.layout.current.unlink()
    (vehicle.layout.apps / "half").mkdir()
    copy = vehicle.layout.own / "recover.py"
    command = [sys.executable, "-I", "-S", str(copy), str(vehicle.layout.root)]
    done = subprocess.run(command, capture_output=True, text=True, env={}, check=True)
    assert vehicle.starts() == OLD
    assert f"point current {OLD}" in done.stdout
    assert not (vehicle.layout.apps / "half").exists()


def test_what_it_says_is_what_the_depot_reads(tmp_path: Path) -> None:
    (tmp_path / "update").mkdir()
    recover.perform(tmp_path, recover.Say(NEW, "failed", OLD, "trial: x", 3))
    read = msgspec.json.decode(Layout(tmp_path).state.read_bytes(), type=Update)
    assert read == Update(release=NEW, state="failed", running=OLD, reason="trial: x", attempts=3)
    assert Layout(tmp_path).state.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "current").unlink(),
        lambda root: ((root / "current").unlink(), (root / "current").symlink_to("releases/2026.7.7")),
        lambda root: ((root / "current").unlink(), (root / "current").symlink_to("current")),
        lambda root: ((root / "current").unlink(), (root / "current").mkdir()),
        lambda root: ((root / "current").unlink(), (root / "current").write_text("?")),
        lambda root: (root / "releases" / NEW / "COMPLETE").unlink(),
        lambda root: (root / "current" / "bin").resolve().with_name("COMPLETE").unlink(),
        lambda root: (root / "updater").unlink(),
        lambda root: (root / "update" / "journal.json").write_bytes(b"\0" * 200),
        lambda root: (root / "update" / "journal.json").write_text("[" * 100_000),
        lambda root: (root / "update" / "journal.json").write_text('{"release": "../..", "step": "back"}'),
        lambda root: (root / "update" / "journal.json").mkdir(),
        lambda root: (root / "update" / "state.json").write_bytes(b"\xff"),
        lambda root: (root / "update" / "refused.json").write_text("[]"),
        lambda root: (root / "current.new").symlink_to("nowhere"),
        lambda root: (root / "apps" / "file").write_text(""),
        lambda root: (root / "releases" / NEW / "release.json").write_bytes(b"\0"),
        lambda root: (root / "releases" / "loop").symlink_to("loop"),
    ],
)
def test_whatever_is_spoilt_the_device_starts(vehicle: Vehicle, depot: Depot, spoil) -> None:
    assert vehicle.install(depot.publish(NEW, 2)) == 0
    spoil(vehicle.layout.root)
    assert recover.main([str(vehicle.layout.root)]) == 0
    assert vehicle.starts() in (OLD, NEW)
    assert recover.look(vehicle.layout.root).updater is not None


def test_an_empty_device_and_one_that_is_not_there_end_well(tmp_path: Path) -> None:
    assert recover.main([str(tmp_path)]) == 0
    assert recover.main([str(tmp_path / "none" / "at" / "all")]) == 0
    assert recover.main(["/proc/1/nothing"]) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_disk_that_cannot_be_written_ends_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "update").mkdir()
    (tmp_path / "update" / "journal.json").write_text(json.dumps({"release": OLD, "step": "building"}))
    (tmp_path / "update").chmod(0o500)
    assert recover.main([str(tmp_path)]) == 0
    (tmp_path / "update").chmod(0o700)
    assert "failed" in capsys.readouterr().out


def test_the_journal_survives_writing_and_reading(tmp_path: Path) -> None:
    (tmp_path / "update").mkdir()
    for step in ("building", "staged", "trial", "back"):
        journal = Journal(NEW, step, OLD, 2, "boot", "why", by_hand=True)
        recover.perform(tmp_path, Note(journal))
        assert recover.look(tmp_path, "b").journal == journal
