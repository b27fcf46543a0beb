# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the depot tells the vehicle: carried out, answered, held within bounds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge.asked import AskedPlaces
from edge.asked_view import Eye
from edge.config import VehicleConfig
from edge.delivery.commands import Order
from edge.looking import Looking
from edge.orders import Orders
from edge.sampling.sampler import Sampler
from edge.simulator import default_camera
from messages.types import AskedPlace, Command


class Told:
    """A delivery that has commands and notes the answers."""

    def __init__(self, *commands: Command) -> None:
        self._orders = [Order(str(number), command) for number, command in enumerate(commands)]
        self.replies: dict[str, tuple[bool, str]] = {}

    def commands(self) -> list[Order]:
        orders, self._orders = self._orders, []
        return orders

    def reply(self, order: str, *, ok: bool, text: str) -> None:
        self.replies[order] = (ok, text)


def carry_out(*commands: Command, wishes: Path | None = None) -> tuple[Told, Orders, Sampler, threading.Event]:
    told, sampler, stop = Told(*commands), Sampler(every_m=2.0), threading.Event()
    orders = Orders(VehicleConfig(vehicle="bus-7"), told, sampler, restart=stop.set, wishes=wishes)  # type: ignore[arg-type]
    orders.carry_out()
    return told, orders, sampler, stop


def test_a_restart_is_answered_and_ends_the_run():
    told, _, _, stop = carry_out(Command(action="restart"))
    assert told.replies == {"0": (True, "restarting")}
    assert stop.is_set()


def test_a_setting_within_its_bounds_holds_at_once():
    told, orders, sampler, stop = carry_out(
        Command(action="set", key="sampling.every_m", value="4"),
        Command(action="set", key="delivery.health_s", value="5.5"),
    )
    assert [ok for ok, _ in told.replies.values()] == [True, True]
    assert (sampler.every_m, orders.health_s, stop.is_set()) == (4.0, 5.5, False)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("sampling.every_m", "4000", "sampling.every_m"),
        ("sampling.every_m", "often", "sampling.every_m"),
        ("defects.min_certainty", "0", "cannot be set from the depot"),
        ("delivery.bytes_per_day", "5000000", "writes into a file"),
    ],
)
def test_what_is_not_allowed_is_refused_with_a_reason_and_changes_nothing(key: str, value: str, said: str):
    told, orders, sampler, _ = carry_out(Command(action="set", key=key, value=value))
    ((ok, text),) = told.replies.values()
    assert not ok
    assert said in text
    assert (sampler.every_m, orders.health_s) == (2.0, VehicleConfig(vehicle="b").delivery.health_s)


def test_a_command_without_what_it_needs_is_refused():
    told, *_ = carry_out(Command(action="set"))
    assert not told.replies["0"][0]


def test_a_place_to_look_at_is_kept_or_refused_with_a_reason():
    place = AskedPlace(radius_m=0.5, lon=6.7, lat=51.4)
    command = Command(action="look", case="17", place=place, until="2026-12-01T00:00:00Z")
    told, *_ = carry_out(command)
    assert told.replies["0"] == (False, "without a calibrated camera nobody knows where in a picture a place is")
    told, looking = Told(command, Command(action="look")), Looking(AskedPlaces(None), Eye(default_camera()))
    Orders(VehicleConfig(vehicle="b"), told, Sampler(every_m=2.0), restart=print, looking=looking).carry_out()  # type: ignore[arg-type]
    assert [ok for ok, _ in told.replies.values()] == [True, False]
    assert [asked.case for asked in looking.places.now("2026-11-22T00:00:00Z")] == ["17"]
