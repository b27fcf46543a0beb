# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The places that the depot asks to see: few, kept over a restart, forgotten when their time is over."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.asked import MOST, AskedPlaces
from messages.types import AskedPlace, Command, LinePosition
from tests.messages.strategies import messages

PLACE = AskedPlace(radius_m=0.5, lon=6.76, lat=51.43, error_m=0.7)
UNTIL, BEFORE, AFTER = "2026-12-01T00:00:00Z", "2026-11-30T23:59:59.900Z", "2026-12-01T00:00:00.100Z"


def look(case: str = "17", place: AskedPlace | None = PLACE, until: str | None = UNTIL) -> Command:
    return Command(action="look", case=case, place=place, until=until)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "asked.json"


def test_what_was_asked_for_is_there_after_a_restart_until_it_was_answered(path: Path):
    places = AskedPlaces(path)
    said = places.ask("command-1", look())
    assert "case 17" in said
    assert UNTIL in said
    after = AskedPlaces(path)
    assert [(asked.id, asked.place) for asked in after.now(BEFORE)] == [("command-1", PLACE)]
    after.answered("command-1")
    assert AskedPlaces(path).now(BEFORE) == ()


def test_its_time_is_over_by_the_vehicles_own_utc_and_unknown_time_is_no_time(path: Path):
    places = AskedPlaces(path)
    places.ask("command-1", look())
    assert places.now(None) == ()
    assert len(places.now(BEFORE)) == 1
    assert places.now(AFTER) == ()
    assert len(AskedPlaces(path)) == 0, "also on the disk"


def test_a_new_one_for_the_same_case_takes_its_place_and_a_withdrawal_leaves_none(path: Path):
    places = AskedPlaces(path)
    places.ask("command-1", look())
    places.ask("command-2", look())
    places.ask("command-3", look("18"))
    assert [asked.id for asked in AskedPlaces(path).now(BEFORE)] == ["command-2", "command-3"]
    assert "no picture" in places.ask("command-4", look(place=None, until=None))
    assert [asked.id for asked in AskedPlaces(path).now(BEFORE)] == ["command-3"]
    places.ask("command-5", look("99", place=None))  # nothing to withdraw is no error


def test_nobody_can_have_a_whole_street_filmed(path: Path):
    places = AskedPlaces(path)
    for number in range(MOST):
        places.ask(f"command-{number}", look(str(number)))
    with pytest.raises(ValueError, match=f"{MOST} places"):
        places.ask("command-x", look("x"))
    places.ask("command-y", look("3"))  # in place of another one
    assert len(AskedPlaces(path)) == MOST


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (Command(action="look", place=PLACE, until=UNTIL), "without a case"),
        (look(until=None), "until"),
        (look(until="2026-02-30T00:00:00Z"), "until"),
        (look(place=AskedPlace(radius_m=1, lon=6.7)), "neither coordinates nor a line"),
        (look(place=AskedPlace(radius_m=1, lon=6.7, lat=51.4, surface="lining")), "clock"),
    ],
)
def test_what_nobody_could_find_is_refused_in_one_line(path: Path, command: Command, said: str):
    with pytest.raises(ValueError, match=said):
        AskedPlaces(path).ask("command-1", command)
    assert not path.exists()


def test_what_cannot_be_written_down_is_not_carried_out(tmp_path: Path):
    places = AskedPlaces(tmp_path / "nowhere" / "asked.json")
    with pytest.raises(ValueError, match="cannot be written down"):
        places.ask("command-1", look())
    assert len(places) == 0


def test_an_answer_that_cannot_be_noted_is_not_given_again_in_this_run(path: Path):
    places = AskedPlaces(path)
    places.ask("command-1", look())
    path.with_name(path.name + ".tmp").mkdir()  # in the way of writing
    places.answered("command-1")
    assert places.now(BEFORE) == ()
    assert len(AskedPlaces(path)) == 1, "a restart looks again: a picture twice is better than none"


@pytest.mark.parametrize(
    "content", [b"", b"[", b"\xff", b'[{"id": 1}]', b'[{"id":"a","case":"1","until":"soon","place":{"radius_m":1}}]']
)
def test_a_damaged_list_is_an_empty_one(path: Path, content: bytes):
    path.write_bytes(content)
    places = AskedPlaces(path)
    assert len(places) == 0
    places.ask("command-1", look())
    assert len(AskedPlaces(path)) == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), messages(Command)), max_size=12))
def test_any_commands_leave_at_most_one_place_for_each_case(given_orders):
    places = AskedPlaces(None)
    for identity, command in given_orders:
        before = places.now("0001-01-01T00:00:00Z")
        try:
            said = places.ask(identity, command)
        except ValueError:
            assert places.now("0001-01-01T00:00:00Z") == before, "a refusal changes nothing"
        else:
            assert said
    kept = places.now("0001-01-01T00:00:00Z")
    assert len({asked.case for asked in kept}) == len(kept)
    assert all(asked.place.lon is not None or asked.place.line is not None for asked in kept)


def test_a_place_on_a_lining_is_told_by_its_line_and_hour(path: Path):
    line = LinePosition(line="U79", chainage_m=3210.0, error_m=1.0)
    place = AskedPlace(radius_m=1.0, surface="lining", line=line, clock=2.5)
    AskedPlaces(path).ask("command-1", look(place=place))
    (asked,) = AskedPlaces(path).now(BEFORE)
    assert asked.place == place
