# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Roll-outs on both databases, over HTTP and with vehicles that answer at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from depot.config import Config
from depot.errors import BrokerError
from depot.fleet.config import FleetConfig
from depot.fleet.routes import router as fleet_router
from depot.fleet.watching import FleetWatch
from depot.people.roles import Role
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import audit
from depot.updates.config import UpdatesConfig
from depot.updates.repository import Repository
from depot.updates.rolling import RollOuts, aims
from depot.updates.routes import router
from messages.types import Command, Reply
from tests.depot.fleet.garage import Clock, Vehicle
from tests.depot.roads.web import Web, services
from tests.depot.updates.made import MadeRepository, repository, soon

R1, R2 = "2026.11.1", "2026.11.2"
STEPS = [
    {"group": "canary", "hold_h": 2, "most_failed": 0},
    {"share": 0.2, "hold_h": 1, "most_failed": 0.2},
    {"share": 1, "hold_h": 0, "most_failed": 0.2},
]


class Town:
    """A depot with ten vehicles. `answers`: what a vehicle replies; one that is missing says nothing."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.clock = database.now_utc = Clock()
        self.made: MadeRepository = repository(folder, R1, R2)
        self.repository = Repository(folder)
        self.fleet = {name: Vehicle(database, self.clock, name) for name in (f"bus-{n}" for n in range(10))}
        self.runs = dict.fromkeys(self.fleet, R1)
        self.answers: dict[str, bool] = dict.fromkeys(self.fleet, True)
        self.sent: list[tuple[str, Command]] = []
        self.trouble: Exception | None = None
        self.rolling = RollOuts(database, self.repository, FleetConfig(), self.send)
        self.watch = FleetWatch(database, aims=aims(self.repository))
        self.hear()
        self.web().ask("PATCH", "/api/vehicles/bus-0", json={"group": "canary"})

    def web(self, role: Role = "admin") -> Web:
        config = Config(updates=UpdatesConfig(repository=self.made.folder))
        made = router(Services(config, self.database, None, lambda: "connected", lambda: False))  # type: ignore[arg-type]
        made.include_router(fleet_router(services(self.database)))
        return Web(made, role)

    def hear(self) -> None:
        """All are online and say what they run."""
        for name, vehicle in self.fleet.items():
            vehicle.runs(self.runs[name], "street")
        self.watch.run_once()

    def send(self, commands: Mapping[str, Command]) -> dict[str, Reply]:
        if self.trouble is not None:
            raise self.trouble
        self.sent += commands.items()
        return {
            name: Reply(command="x", ok=self.answers[name], text="no updater")
            for name in commands
            if name in self.answers
        }

    def told(self) -> list[str]:
        """Who was told since the last call."""
        found, self.sent = [name for name, _ in self.sent], []
        return sorted(found)

    def roll(self, minutes: float = 1.0) -> list[str]:
        """Time passes, and the depot looks; gives who was told."""
        self.clock.pass_s(60 * minutes)
        self.hear()
        self.rolling.run_once()
        return self.told()

    def take(self, *names: str) -> None:
        """These run the release from now on."""
        for name in names:
            self.runs[name] = R2
            self.fleet[name].updates(R2, "active")

    def start(self, steps: Any = STEPS, release: str = R2) -> int:
        number = int(self.ask("POST", "/api/rollouts", 200, {"release": release, "steps": steps})["number"])
        self.act(number, "start")
        return number

    def act(self, number: int, action: str, status: int = 200, **more: Any) -> Any:
        return self.ask("POST", f"/api/rollouts/{number}/actions", status, {"action": action, **more})

    def ask(self, method: str, path: str, status: int, body: Any = None) -> Any:
        answer = self.web().ask(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def shown(self, number: int) -> Any:
        return self.ask("GET", f"/api/rollouts/{number}", 200)

    def history(self, number: int) -> list[tuple[str, str]]:
        return [(line["who"], line["action"]) for line in reversed(self.shown(number)["history"])]


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    return Town(database, tmp_path / "repository")


def test_canary_then_a_fifth_then_all(town: Town) -> None:
    number = town.start()
    assert town.roll() == ["bus-0"]
    assert town.roll() == []
    town.take("bus-0")
    assert town.roll() == []
    assert town.roll(119) == []
    assert (town.roll(2), town.shown(number)["step"]) == ([], 1)
    (second,) = town.roll()
    town.take(second)
    town.roll()
    town.roll(60)
    rest = town.roll()
    assert sorted([*rest, "bus-0", second]) == sorted(town.fleet)
    town.take(*rest)
    town.roll()
    assert town.shown(number)["state"] == "done"
    assert town.shown(number)["counts"] == {"active": 10}
    assert town.roll(10_000) == []
    rule = "rule:roll-out"
    assert town.history(number) == [
        ("maria", "made"), ("maria", "start"), (rule, "step"), (rule, "step"), (rule, "done"),
    ]  # fmt: skip


def test_the_command_names_the_release(town: Town) -> None:
    town.start()
    town.clock.pass_s(60)
    town.rolling.run_once()
    assert town.sent == [("bus-0", Command(action="update", value=R2))]


def test_one_that_fails_pauses_it_and_a_person_goes_on_without_it(town: Town) -> None:
    number = town.start([{"share": 1, "hold_h": 0, "most_failed": 0}])
    assert len(town.roll()) == 10
    town.fleet["bus-3"].updates(R2, "failed", "self-test: 2 of 9 pictures judged otherwise")
    town.roll()
    shown = town.shown(number)
    assert (shown["state"], shown["why"]["reason"]) == ("paused", "failed")
    assert shown["why"]["vehicles"] == {"bus-3": "self-test: 2 of 9 pictures judged otherwise"}
    assert town.roll(1000) == []
    town.act(number, "resume")
    town.take(*(name for name in town.fleet if name != "bus-3"))
    town.roll()
    assert town.shown(number)["counts"] == {"active": 9, "excused": 1}
    assert town.shown(number)["state"] == "done"


def test_who_failed_is_told_once_more_where_a_person_says_so(town: Town) -> None:
    number = town.start([{"share": 1, "hold_h": 0, "most_failed": 0}])
    town.roll()
    town.fleet["bus-3"].updates(R2, "failed", "disk full")
    town.roll()
    town.act(number, "resume", retry=True)
    assert town.roll() == ["bus-3"]
    town.take(*town.fleet)
    town.roll()
    assert town.shown(number)["state"] == "done"


def test_one_vehicle_is_excused_or_told_anew_by_itself(town: Town) -> None:
    number = town.start([{"share": 1, "hold_h": 0, "most_failed": 0.5}])
    town.roll()
    town.fleet["bus-3"].updates(R2, "failed", "disk full")
    town.roll()
    path = f"/api/rollouts/{number}/vehicles/bus-3"
    town.ask("POST", path, 200, {"action": "offer"})
    assert town.roll() == ["bus-3"]
    shown = town.ask("POST", path, 200, {"action": "excuse"})
    assert shown["counts"]["excused"] == 1
    town.ask("POST", f"/api/rollouts/{number}/vehicles/ghost", 404, {"action": "excuse"})


def test_one_that_falls_silent_after_the_switch_pauses_it(town: Town) -> None:
    number = town.start()
    town.roll()
    town.fleet["bus-0"].updates(R2, "pending")
    silent = town.fleet.pop("bus-0")
    for _ in range(20):
        town.roll()
    assert town.shown(number)["why"]["vehicles"] == {"bus-0": "offline"}
    town.fleet["bus-0"] = silent
    town.take("bus-0")
    town.roll()
    town.act(number, "resume")
    town.roll()
    assert town.shown(number)["state"] == "running"


def test_a_broker_that_is_away_loses_no_wish(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    town.start()
    town.trouble = BrokerError("broker away")
    for _ in range(5):
        town.roll()
    town.trouble = None
    assert town.roll(60) == ["bus-0"]
    assert caplog.text.count("broker away") == 1


def test_a_vehicle_that_does_not_answer_is_told_again_less_often(town: Town) -> None:
    town.start()
    town.answers.clear()
    told = [minute for minute in range(20) if town.roll()]
    assert told == [0, 1, 3, 7, 15]


def test_who_cannot_be_updated_counts_as_failed(town: Town) -> None:
    town.answers["bus-0"] = False
    number = town.start()
    town.roll()
    town.roll()
    assert town.shown(number)["why"]["vehicles"] == {"bus-0": "no updater"}


def test_many_workers_tell_each_vehicle_once(town: Town) -> None:
    town.start([{"share": 1, "hold_h": 0}])
    town.clock.pass_s(60)
    workers = [RollOuts(town.database, town.repository, FleetConfig(), town.send) for _ in range(6)]
    threads = [threading.Thread(target=worker.run_once) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert town.told() == sorted(town.fleet)


def test_a_depot_that_dies_before_it_has_told_anybody_tells_them_later(town: Town) -> None:
    town.start()
    town.trouble = KeyboardInterrupt()  # type: ignore[assignment]  # whatever ends a process
    with pytest.raises(KeyboardInterrupt):
        town.roll()
    town.trouble = None
    assert town.roll(0.5) == []
    assert town.roll(1) == ["bus-0"]


def test_paused_and_stopped_nobody_is_told(town: Town) -> None:
    number = town.start()
    shown = town.act(number, "pause")
    assert (shown["state"], shown["why"]) == ("paused", {"reason": "person", "text": "maria", "vehicles": {}})
    assert town.roll(100) == []
    town.act(number, "resume")
    assert town.roll() == ["bus-0"]
    town.act(number, "stop")
    assert town.roll(10_000) == []
    for action in ("start", "pause", "resume", "stop"):
        assert "is stopped" in town.act(number, action, 409)["detail"]


def test_two_at_once_are_refused(town: Town) -> None:
    first = town.start()
    second = town.ask("POST", "/api/rollouts", 200, {"release": R1})["number"]
    assert f"roll-out {first} is running" in town.act(second, "start", 409)["detail"]
    town.act(first, "pause")
    town.act(second, "start")
    assert f"roll-out {second} is running" in town.act(first, "resume", 409)["detail"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"release": "2020.1.1"}, "no release 2020.1.1"),
        ({"release": R2, "steps": [{"group": "canary", "share": 0.5}]}, "one of them"),
        ({"release": R2, "steps": [{"hold_h": 1}]}, "one of them"),
        ({"release": R2, "steps": [{"share": 0.5}, {"share": 0.2}]}, "larger than the one before"),
        ({"release": R2, "steps": []}, "steps"),
        ({"release": R2, "steps": [{"share": 2}]}, "share"),
        ({"release": R2, "steps": [{"group": "Kanari"}]}, "group"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(town: Town, body: Any, word: str) -> None:
    answer = town.web().ask("POST", "/api/rollouts", json=body)
    assert answer.status_code == 422
    assert word in answer.text


def test_a_step_for_a_group_without_vehicles_does_not_start(town: Town) -> None:
    town.web().ask("PATCH", "/api/vehicles/bus-0", json={"group": "fleet"})
    made = town.ask("POST", "/api/rollouts", 200, {"release": R2})
    assert "canary" in town.act(made["number"], "start", 409)["detail"]


def test_a_draft_shows_whom_each_step_would_add(town: Town) -> None:
    made = town.ask("POST", "/api/rollouts", 200, {"release": R2, "steps": STEPS})
    assert (made["state"], made["plan"][0]) == ("draft", ["bus-0"])
    assert [len(names) for names in made["plan"]] == [1, 1, 8]
    town.act(made["number"], "start")
    town.roll()
    shown = town.shown(made["number"])
    assert [len(names) for names in shown["plan"]] == [0, 1, 8]
    town.take("bus-0")
    town.roll()
    town.roll(121)
    assert town.roll() == made["plan"][1]


def test_an_expired_repository_pauses_it_and_raises_an_alarm_before(town: Town) -> None:
    number = town.start()
    now = datetime(2026, 5, 4, 9, 30, tzinfo=timezone.utc)
    town.made.publish(expires=soon(2, now))
    town.roll()
    found = town.web().json("/api/alarms", open=True)["alarms"]
    assert [(alarm["vehicle"], alarm["rule"]) for alarm in found] == [("depot", "repository")]
    assert town.shown(number)["state"] == "running"
    town.roll(3 * 24 * 60)
    shown = town.shown(number)
    assert (shown["state"], shown["why"]["reason"]) == ("paused", "repository")
    assert "expired" in shown["why"]["text"]
    assert "expired" in town.act(number, "resume", 409)["detail"]
    town.made.publish()
    town.act(number, "resume")


def test_a_release_that_was_taken_back_is_brought_to_nobody_else(town: Town) -> None:
    number = town.start()
    town.made.remove(R2)
    town.made.publish()
    assert town.roll() == []
    assert f"no release {R2}" in town.shown(number)["why"]["text"]


def test_vehicles_behind_the_last_roll_out_raise_an_alarm_after_days(town: Town) -> None:
    town.start([{"share": 1, "hold_h": 0}])
    town.answers.pop("bus-9")
    town.roll()
    town.take(*(name for name in town.fleet if name != "bus-9"))
    town.roll(6 * 24 * 60)
    assert town.web().json("/api/alarms", open=True)["alarms"] == []
    town.roll(2 * 24 * 60)
    found = town.web().json("/api/alarms", open=True)["alarms"]
    assert [(alarm["vehicle"], alarm["rule"]) for alarm in found] == [("bus-9", "update_behind")]


def test_a_retired_vehicle_takes_no_part(town: Town) -> None:
    town.fleet.pop("bus-9")
    town.clock.pass_s(1)
    town.ask("PATCH", "/api/vehicles/bus-9", 200, {"retired": True})
    number = town.start([{"share": 1, "hold_h": 0}])
    assert len(town.roll()) == 9
    assert town.shown(number)["fleet"] == 9


def test_releases_are_shown_with_who_runs_them(town: Town) -> None:
    town.take("bus-1", "bus-2")
    town.hear()
    found = town.web("viewer").json("/api/releases")
    assert [(one["id"], one["vehicles"], one["notes"]["de"]) for one in found["releases"]] == [
        (R2, 2, "Stand 2"), (R1, 8, "Stand 1"),
    ]  # fmt: skip
    assert found["repository"]["problem"] is None
    assert found["repository"]["fresh_days"] > 1000


def test_only_who_manages_may_act_and_all_is_recorded(town: Town) -> None:
    for role in ("viewer", "reviewer", "dispatcher"):
        assert town.web(role).ask("POST", "/api/rollouts", json={"release": R2}).status_code == 403  # type: ignore[arg-type]
    number = town.start()
    assert town.web("viewer").get(f"/api/rollouts/{number}").status_code == 200
    assert town.web("reader").get(f"/api/rollouts/{number}").status_code == 403
    town.act(number, "stop")
    with town.database.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == "rollout")).all()
    assert [(row.who, row.action) for row in rows] == [("maria", "made"), ("maria", "start"), ("maria", "stop")]
    assert msgspec.json.decode(rows[2].before) == {"state": "running"}


def test_a_roll_out_that_nobody_made_is_not_found(town: Town) -> None:
    assert town.web().get("/api/rollouts/99").status_code == 404
    town.act(99, "start", 404)
