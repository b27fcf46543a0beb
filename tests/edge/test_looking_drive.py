# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A rendered street, driven before and after the crew was there, with a picture asked for."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.asked import AskedPlaces
from edge.delivery.jsonl import JsonlSink
from edge.geometry import east_north
from edge.simulator import Again, Day, simulate
from edge.simulator.truth import TrueDefect, load
from messages.envelope import decode
from messages.types import AskedPlace, Command, Look, Observation
from tests.edge.driven import Drive

#: A street with a pothole in our lane, 12 m from everything else.
SEED, HOLE = 17, "d0004"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street") / "before"
    simulate(folder, seed=SEED, km=0.08, scene="street")
    return folder


@pytest.fixture(scope="module")
def hole(street: Path) -> TrueDefect:
    return next(defect for defect in load(street / "truth.json").defects if defect.id == HOLE)


@pytest.fixture(scope="module")
def mended_street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("street") / "after"
    day = Day(number=1, start_utc=datetime(2026, 7, 1, 5, 0, tzinfo=timezone.utc))
    simulate(folder, seed=SEED, km=0.08, scene="street", again=Again(day, mended=frozenset({HOLE})))
    return folder


def drive(folder: Path, out: Path, *asked: Command) -> tuple[list[Look], list[Observation], AskedPlaces]:
    places = AskedPlaces(None)
    for number, command in enumerate(asked):
        places.ask(f"command-{number}", command)
    sink = JsonlSink(out, vehicle="kehr-3")
    Drive(folder, sink, places).run()
    sink.close()
    told = [decode(line).data for line in out.read_bytes().splitlines()]
    return [e for e in told if isinstance(e, Look)], [e for e in told if isinstance(e, Observation)], places


def ask(hole: TrueDefect, **changes) -> Command:
    place = AskedPlace(**({"radius_m": 0.5, "lon": hole.lon, "lat": hole.lat, "error_m": 0.3} | changes))
    return Command(action="look", case="17", place=place, until="2026-12-31T00:00:00Z")


def is_near(seen: Observation, hole: TrueDefect) -> bool:
    assert seen.position is not None
    return float(np.hypot(*east_north(seen.position.lon, seen.position.lat, hole.lon, hole.lat))) < 4


def test_before_the_repair_the_picture_shows_the_hole_and_says_so(street: Path, hole: TrueDefect, tmp_path: Path):
    (look,), seen, places = drive(street, tmp_path / "o.jsonl", ask(hole))
    assert any(is_near(one, hole) for one in seen)
    assert (look.asked, look.found) == ("command-0", ("pothole",))
    assert look.frames_judged >= 2
    assert look.position is not None
    assert (look.position.lon, look.position.lat) == (hole.lon, hole.lat)
    assert 0.3 < look.position.error_m < 2
    assert len(places) == 0
    jpeg = (tmp_path / "o.jsonl.pictures" / f"{look.picture.sha256}.jpg").read_bytes()
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[:2] == (look.picture.height, look.picture.width)
    assert look.picture.anonymised.area_share > 0.5


def test_after_the_repair_it_shows_the_place_and_finds_nothing(mended_street: Path, hole: TrueDefect, tmp_path: Path):
    (look,), seen, _ = drive(mended_street, tmp_path / "o.jsonl", ask(hole))
    assert not any(is_near(one, hole) for one in seen)
    assert look.found == ()
    assert look.time.utc is not None
    assert look.time.utc.startswith("2026-07-01T05:00:")


def test_without_a_question_no_picture_but_of_defects_leaves_the_vehicle(street: Path, tmp_path: Path):
    looks, seen, _ = drive(street, tmp_path / "o.jsonl")
    pictures = {path.stem for path in (tmp_path / "o.jsonl.pictures").glob("*.jpg")}
    assert looks == []
    assert pictures == {one.picture.sha256 for one in seen if one.picture is not None}


def test_somewhere_else_it_is_still_asked_for_at_the_end(street: Path, hole: TrueDefect, tmp_path: Path):
    looks, _, places = drive(street, tmp_path / "o.jsonl", ask(hole, lat=hole.lat + 0.01))
    assert looks == []
    assert len(places) == 1
