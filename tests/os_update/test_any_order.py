# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Whatever is done and wherever the power is cut, in any order: the device boots a complete system."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.os_update.pi import KINDS, Pi, Plan, torn_writes

_PI: list[Pi] = []
CUTS = st.builds(Plan, st.integers(-1, 7), st.sampled_from(["before", "after", "garbage", "1", "36", "62", "63"]))


class Device(RuleBasedStateMachine):
    """One device, from its first boot on."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.pi = Pi(self.folder)
        _PI.append(self.pi)
        self.versions = 0

    def teardown(self) -> None:
        self.pi.plan = Plan()
        self.pi.cut()
        assert self.pi.runs
        _PI.remove(self.pi)
        shutil.rmtree(self.folder)

    def _do(self, cut: Plan, action: object) -> str:
        self.pi.plan = Plan(cut.after, cut.how)
        said = self.pi.doing(action)
        self.pi.plan = Plan()
        return said

    @rule(cut=CUTS, kind=st.sampled_from(KINDS))
    def install(self, cut: Plan, kind: str) -> None:
        self.versions += 1
        offer = self.pi.offer(f"2026.{self.versions // 28 + 2:02d}.{self.versions % 28 + 1:02d}", kind)
        self._do(cut, lambda: self.pi.control.install(offer))

    @rule(cuts=st.tuples(CUTS, CUTS, CUTS))
    def a_whole_update(self, cuts: tuple[Plan, Plan, Plan]) -> None:
        self.install(cuts[0], "good")
        self.attempt(cuts[1])
        self.watch(cuts[2])

    @precondition(lambda self: self.pi.record().state in ("installed", "pending"))
    @rule(cut=CUTS)
    def attempt(self, cut: Plan) -> None:
        self._do(cut, self.pi.control.attempt)

    @precondition(lambda self: self.pi.boot().trial)
    @rule(cut=CUTS)
    def watch(self, cut: Plan) -> None:
        self._do(cut, self.pi.watch)

    @rule(
        question=st.sampled_from(["set-primary", "set-state-good", "set-state-bad"]),
        slot=st.sampled_from("AB"),
        cut=CUTS,
    )
    def rauc_asks(self, question: str, slot: str, cut: Plan) -> None:
        command, _, state = question.partition("-state-")
        asked = (command, slot) if not state else ("set-state", slot, state)
        self._do(cut, lambda: self.pi.ask(*asked))

    @rule()
    def power(self) -> None:
        self.pi.cut()

    @rule()
    def somebody_types_tryboot(self) -> None:
        self.pi.flag = True
        self.pi.power_on()

    @rule()
    def the_record_is_lost(self) -> None:
        (self.pi.folder / "data/state.json").unlink(missing_ok=True)

    @invariant()
    def a_complete_system_runs(self) -> None:
        assert self.pi.runs

    @invariant()
    def outside_a_trial_the_boot_loader_names_what_runs(self) -> None:
        if not self.pi.boot().trial:
            auto = self.pi.control.boot_loader()
            assert auto is not None
            assert auto.default == self.pi.boot().partition


def test_in_any_order_with_any_cut_it_boots_a_complete_system(monkeypatch: pytest.MonkeyPatch) -> None:
    torn_writes(_PI, monkeypatch)
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Device, settings=settings(max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=checks)
    )
