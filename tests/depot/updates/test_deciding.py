# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a roll-out decides, alone and over whole stories of what vehicles do."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depot.updates.deciding import Decision, answered, decide, joining, plan, standing, standings
from depot.updates.records import BAD, UNDER_WAY, USUAL, Member, Rollout, Step, Vehicle

R = "2026.11.2"
OLD = "2026.11.1"
START = datetime(2026, 11, 22, 9, tzinfo=timezone.utc)
STEPS = (Step(group="canary", hold_h=2.0), Step(share=0.2, hold_h=1.0, most_failed=0.5), Step(share=1.0, hold_h=0.0))


def at(minutes: float) -> str:
    return (START + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fleet(count: int = 10, canaries: int = 1) -> list[Vehicle]:
    return [
        Vehicle(f"bus-{number:02}", "canary" if number < canaries else "fleet", online=True, release=OLD)
        for number in range(count)
    ]


class Story:
    """A roll-out over time: `vehicles` as the depot knows them, a look a minute."""

    def __init__(self, vehicles: list[Vehicle], steps: tuple[Step, ...] = STEPS) -> None:
        self.vehicles = {vehicle.name: vehicle for vehicle in vehicles}
        self.rollout = Rollout(7, R, steps, "running", 0, at(0))
        self.members: dict[str, Member] = {}
        self.minute = 0.0
        self.told: list[tuple[float, str]] = []
        self.last = Decision(self.rollout)

    def look(self, minutes: float = 1.0, hindrance: str | None = None) -> Decision:
        self.minute += minutes
        self.last = decide(
            self.rollout, list(self.vehicles.values()), self.members, at(self.minute), hindrance=hindrance
        )
        self.rollout = self.last.rollout
        self.members.update({member.vehicle: member for member in (*self.last.joined, *self.last.wishes)})
        self.told += [(self.minute, member.vehicle) for member in self.last.wishes]
        return self.last

    def names(self) -> list[str]:
        """Who was told in the last look."""
        return [member.vehicle for member in self.last.wishes]

    def set(self, name: str, **changes: object) -> None:
        self.vehicles[name] = replace(self.vehicles[name], **changes)  # type: ignore[arg-type]

    def says(self, name: str, state: str, reason: str = "") -> None:
        runs = R if state in {"pending", "active"} else OLD
        self.minute += 0.001
        self.set(
            name, update_release=R, update_state=state, update_reason=reason, update_noted_utc=at(self.minute),
            release=runs,
        )  # fmt: skip

    def answers(self, name: str, answer: str = "ok") -> None:
        self.members[name] = answered(self.members[name], at(self.minute), ok=answer == "ok", text="no updater")

    def phase(self, name: str) -> str:
        return standings(self.rollout, self.vehicles.values(), self.members)[name].phase


def test_the_canary_goes_first_alone_and_is_told_once() -> None:
    story = Story(fleet())
    story.look()
    assert story.names() == ["bus-00"]
    story.answers("bus-00")
    for _ in range(300):
        story.look()
    assert story.told == [(1.0, "bus-00")]
    assert (story.rollout.step, story.phase("bus-00")) == (0, "taken")


def test_the_next_step_begins_once_all_have_it_and_the_time_is_over() -> None:
    story = Story(fleet())
    story.look()
    story.says("bus-00", "active")
    for minute in range(125):
        story.look()
        assert (story.rollout.step == 0) == (minute < 120), minute
    # 20 % of ten are two, and the canary is one of them.
    assert len(story.members) == 2
    assert story.told[-1][1] != "bus-00"


def test_what_breaks_the_time_makes_it_begin_anew() -> None:
    vehicles = fleet(canaries=2)
    story = Story([vehicles[0], replace(vehicles[1], online=False), *vehicles[2:]])
    story.look()
    story.says("bus-00", "active")
    story.look(100)
    story.set("bus-01", online=True)  # the other canary comes back from the yard
    story.look()
    assert story.names() == ["bus-01"]
    story.says("bus-01", "active")
    story.look(100)
    story.look(100)
    assert story.rollout.step == 0
    story.look(21)
    assert story.rollout.step == 1


def test_a_vehicle_that_was_told_and_went_away_is_waited_for() -> None:
    story = Story(fleet(canaries=2))
    story.look()
    story.says("bus-00", "active")
    story.answers("bus-01")
    story.set("bus-01", online=False)
    story.look(10_000)
    assert (story.rollout.step, story.rollout.complete_utc) == (0, None)


def test_a_vehicle_that_never_was_there_holds_nothing_up_but_keeps_the_last_step_open() -> None:
    story = Story(fleet(3), (Step(share=1.0, hold_h=0.0),))
    story.set("bus-02", online=False)
    story.look()
    for name in ("bus-00", "bus-01"):
        story.says(name, "active")
    story.look()
    assert (story.rollout.state, story.phase("bus-02")) == ("running", "waiting")
    story.set("bus-02", online=True)
    story.look()
    assert story.names() == ["bus-02"]
    story.says("bus-02", "active")
    story.look()
    assert story.rollout.state == "done"


def test_more_failures_than_allowed_pause_it_and_name_who_failed() -> None:
    story = Story(fleet())
    story.look()
    story.says("bus-00", "failed", "self-test: 2 of 9 pictures judged otherwise")
    story.look()
    assert story.rollout.state == "paused"
    assert story.last.why is not None
    assert story.last.why.vehicles == {"bus-00": "self-test: 2 of 9 pictures judged otherwise"}
    assert story.look(1000).wishes == ()


def test_failures_within_the_limit_do_not_hold_it_up() -> None:
    story = Story(fleet(4), (Step(share=1.0, hold_h=0.0, most_failed=0.25),))
    story.look()
    story.says("bus-00", "failed")
    for name in ("bus-01", "bus-02", "bus-03"):
        story.says(name, "active")
    story.look()
    assert story.rollout.state == "done"


def test_a_failure_from_before_the_wish_is_not_counted() -> None:
    story = Story(fleet(1), (Step(share=1.0),))
    story.says("bus-00", "failed", "disk full")
    story.look()
    assert (story.rollout.state, story.names()) == ("running", ["bus-00"])
    story.look()
    assert story.rollout.state == "running"
    story.says("bus-00", "failed", "disk full")  # once more
    story.look()
    assert story.rollout.state == "paused"


def test_one_that_falls_silent_after_the_switch_counts_as_failed() -> None:
    for state in ("staged", "pending", "active"):
        story = Story(fleet())
        story.look()
        story.says("bus-00", state)
        story.set("bus-00", online=False, alarms={"offline": at(story.minute + 20)})
        story.look(30)
        assert story.rollout.state == "paused", state
        assert story.last.why is not None
        assert story.last.why.vehicles == {"bus-00": "offline"}


def test_an_alarm_from_before_the_wish_or_while_it_still_loads_is_not_the_releases_fault() -> None:
    story = Story(fleet())
    story.set("bus-00", alarms={"faults": at(-60)})
    story.look()
    story.says("bus-00", "active")
    assert story.look().rollout.state == "running"
    loading = Story(fleet())
    loading.look()
    loading.answers("bus-00")
    loading.set("bus-00", online=False, alarms={"offline": at(20)})
    assert loading.look(30).rollout.state == "running"


def test_an_excused_vehicle_neither_holds_up_nor_counts() -> None:
    story = Story(fleet(3), (Step(share=1.0, hold_h=0.0),))
    story.look()
    story.says("bus-00", "failed")
    story.members["bus-00"] = replace(story.members["bus-00"], excused=True)
    for name in ("bus-01", "bus-02"):
        story.says(name, "active")
    story.look()
    assert (story.rollout.state, story.phase("bus-00")) == ("done", "excused")


def test_without_an_answer_it_is_told_again_less_and_less_often() -> None:
    story = Story(fleet(1), (Step(share=1.0),))
    for _ in range(400):
        story.look()
    minutes = [minute for minute, _ in story.told]
    gaps = [later - earlier for earlier, later in itertools.pairwise(minutes)]
    assert gaps[:6] == [1, 2, 4, 8, 16, 32]
    assert max(gaps) == 60


def test_a_vehicle_that_is_away_is_not_told() -> None:
    story = Story([replace(vehicle, online=False) for vehicle in fleet()])
    assert story.look().wishes == ()


def test_one_that_runs_it_already_or_a_later_one_is_left_alone() -> None:
    vehicles = fleet(3)
    story = Story(
        [replace(vehicles[0], release=R), replace(vehicles[1], is_newer=True), vehicles[2]],
        (Step(share=1.0, hold_h=0),),
    )
    story.look()
    assert story.names() == ["bus-02"]
    story.says("bus-02", "active")
    assert story.look().rollout.state == "done"


def test_a_refusal_counts_as_a_failure() -> None:
    story = Story(fleet())
    story.look()
    story.answers("bus-00", "refused")
    story.look()
    assert story.rollout.state == "paused"
    assert story.last.why is not None
    assert story.last.why.vehicles == {"bus-00": "no updater"}


def test_a_repository_that_nobody_could_load_from_pauses_it() -> None:
    decision = Story(fleet()).look(hindrance="metadata has expired")
    assert (decision.rollout.state, decision.wishes) == ("paused", ())
    assert decision.why is not None
    assert decision.why.reason == "repository"


@pytest.mark.parametrize(("share", "count", "wanted"), [(0.2, 10, 2), (0.07, 100, 7), (0.01, 3, 1), (1.0, 7, 7)])
def test_a_share_is_rounded_up(share: float, count: int, wanted: int) -> None:
    rollout = Rollout(1, R, (Step(share=share),), "running", 0)
    assert len(joining(rollout, fleet(count), [], 0)) == wanted


def test_each_roll_out_draws_its_vehicles_anew_and_always_the_same() -> None:
    def drawn(number: int) -> list[str]:
        return joining(Rollout(number, R, (Step(share=0.2),), "running", 0), fleet(30), [], 0)

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(number)) for number in range(10)}) == 10


@given(st.integers(1, 40), st.integers(0, 5), st.integers(1, 99))
def test_a_plan_names_every_vehicle_once(count: int, canaries: int, number: int) -> None:
    found = plan(Rollout(number, R, USUAL, "draft", 0), fleet(count, canaries))
    names = [name for names in found for name in names]
    assert sorted(names) == [vehicle.name for vehicle in fleet(count, canaries)]


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(
            [
                "ok",
                "refused",
                "staged",
                "pending",
                "active",
                "failed",
                "away",
                "back",
                "alarm",
                "calm",
                "retire",
                "look",
            ]
        ),
        st.sampled_from([0.1, 1.0, 7.0, 61.0, 150.0]),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_over_any_story_the_promises_hold(events: list[tuple[int, str, float]], most_failed: float) -> None:
    steps = (Step(group="canary", hold_h=2.0), *(replace_limit(step, most_failed) for step in STEPS[1:]))
    story = Story(fleet(8, 2), steps)
    for number, event, minutes in events:
        name = f"bus-{number:02}"
        if name in story.vehicles:
            happens(story, name, event)
        before, members = story.rollout, dict(story.members)
        decision = story.look(minutes)
        after = decision.rollout
        stand = standings(before, story.vehicles.values(), {**members, **{m.vehicle: m for m in decision.joined}})
        # 1. Only who is of this step or one before it, there, and neither has it nor is at it, is told.
        for wish in decision.wishes:
            assert story.vehicles[wish.vehicle].online
            assert stand[wish.vehicle].phase in {"waiting", "offered", "taken"}
            assert wish.step <= before.step
        # 2. Not told again before its time.
        for wish in decision.wishes:
            known = members.get(wish.vehicle)
            assert known is None or known.next_utc is None or known.next_utc <= at(story.minute)
        # 3. A next step only after everybody who can be reached is done with this one, for long enough.
        if after.step != before.step or after.state == "done":
            assert before.complete_utc is not None or before.steps[before.step].hold_h == 0
            assert not any(found.phase in UNDER_WAY for found in stand.values())
            assert not any(found.phase == "waiting" and story.vehicles[n].online for n, found in stand.items())
            assert after.step - before.step in {0, 1}
        if after.state == "done":
            assert not any(found.phase == "waiting" for found in stand.values())
        # 4. With more failures than allowed it never goes on.
        bad = sum(found.phase in BAD for found in stand.values())
        counted = sum(found.phase not in {"waiting", "excused"} for found in stand.values())
        if before.state == "running":
            too_many = counted > 0 and bad / counted > before.steps[before.step].most_failed + 1e-9
            assert (after.state == "paused") == too_many
        else:
            assert (decision.wishes, after) == ((), before)
        # 5. Nobody leaves a roll-out, and who joined keeps the step.
        assert all(story.members[known].step == member.step for known, member in members.items())


def replace_limit(step: Step, most_failed: float) -> Step:
    return Step(group=step.group, share=step.share, hold_h=step.hold_h, most_failed=most_failed)


def happens(story: Story, name: str, event: str) -> None:
    if event in {"ok", "refused"}:
        if name in story.members and story.members[name].wished_utc is not None:
            story.answers(name, event)
    elif event in {"staged", "pending", "active", "failed"}:
        story.says(name, event)
    elif event in {"away", "back"}:
        story.set(name, online=event == "back")
    elif event in {"alarm", "calm"}:
        story.set(name, alarms={"offline": at(story.minute)} if event == "alarm" else {})
    elif event == "retire" and len(story.vehicles) > 1:
        del story.vehicles[name]


def test_a_failed_trial_of_another_release_says_nothing_of_this_one() -> None:
    vehicle = Vehicle("bus", "fleet", online=True, release=OLD, update_release="2026.10.1", update_state="failed")
    assert standing(vehicle, Member("bus", 0), R).phase == "waiting"
    running = replace(vehicle, release=R)
    assert standing(running, Member("bus", 0), R).phase == "active"
