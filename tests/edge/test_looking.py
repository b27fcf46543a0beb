# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""One picture of each place that was asked for: the best of a pass, of the place alone, and none without a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import cv2
import numpy as np
import pytest

from edge.asked import AskedPlaces
from edge.asked_view import Eye, sight
from edge.defects.tracker import Tracker, TrackerSettings
from edge.geometry import offset_lonlat
from edge.judging import Judge, Verdict
from edge.looking import Looked, Looking
from edge.privacy.anonymise import hidden_share
from edge.sampling.coverage import CoverageLog
from edge.sampling.quality import Limits
from edge.simulator import default_camera
from edge.types import Box, Detection, Frame, Pose
from messages.types import AskedPlace, Command, ModelRef

#: What is seen in the frame taken after so many metres.
Boxes: TypeAlias = dict[float, Sequence[Detection]]

CAMERA = default_camera()
NOW, UNTIL, LATER = "2026-11-22T12:00:00Z", "2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z"
MODEL = ModelRef(name="street", version="1", sha256="0" * 64)
HERE = (6.76, 51.43)
#: The place lies 20 m north of `HERE`.
LON, LAT = offset_lonlat(*HERE, 0.0, 20.0)
NOISE = np.random.default_rng(1).integers(0, 256, (540, 960, 3), dtype=np.uint8)


def judge(surface: str = "road") -> Judge:
    return Judge(surface, MODEL, None, Tracker(TrackerSettings(), None), CoverageLog(), Limits())  # type: ignore[arg-type]


ROAD = judge()


def pose(driven_m: float) -> Pose:
    """On the way north towards the place."""
    lon, lat = offset_lonlat(*HERE, 0.0, driven_m)
    return Pose(
        time_s=driven_m, odom_x_m=driven_m, odom_y_m=0.0, odom_yaw_deg=0.0, distance_m=driven_m, speed_mps=9.0,
        lon=lon, lat=lat, error_m=0.6, heading_deg=0.0, method="gnss",
    )  # fmt: skip


def looking(*cases: str, **changes) -> Looking:
    places = AskedPlaces(None)
    place = AskedPlace(**({"radius_m": 0.4, "lon": LON, "lat": LAT, "error_m": 0.5} | changes))
    for case in cases:
        places.ask(f"command-{case}", Command(action="look", case=case, place=place, until=UNTIL))
    return Looking(places, Eye(CAMERA))


def drive(
    eyes: Looking,
    *,
    boxes: Boxes | None = None,
    private: Boxes | None = None,
    reason: str | None = None,
    utc: str | None = NOW,
    until_m: float = 25.0,
) -> list[Looked]:
    """A frame every two metres; what was told, with each taken as delivered."""
    told: list[Looked] = []
    for driven in np.arange(0.0, until_m, 2.0).tolist():
        at = pose(driven)
        frame = Frame(NOISE, time_s=driven, index=int(driven), name=f"{driven:g}")
        verdict = Verdict(ROAD, reason, tuple((boxes or {}).get(driven, ())), tuple((private or {}).get(driven, ())))  # type: ignore[arg-type]
        eyes.see(frame, at, verdict, utc=utc, horizon_row=100.0)
        for looked in eyes.passed(at):
            eyes.done(looked)
            told.append(looked)
    return told


def at_place(driven_m: float, *, beside_px: float = 0.0) -> Box:
    """A small box on the place."""
    ahead = 20.0 - driven_m
    u, v = CAMERA.road_to_pixel(ahead, 0.0) or (0.0, 0.0)
    return u - 20 + beside_px, v - 10, u + 20 + beside_px, v + 10


def test_without_a_question_there_is_no_picture():
    eyes = looking()
    assert drive(eyes) == []
    assert list(eyes.finish()) == []
    assert not eyes.counters


def test_one_picture_of_a_pass_the_finest_with_all_of_the_place_in_it_and_none_on_the_next():
    eyes = looking("17")
    (looked,) = drive(eyes)
    ahead = 20.0 - looked.time_s
    chances = {d: sight(looked.asked.place, pose(d), Eye(CAMERA)) for d in np.arange(0.0, 20.0, 2.0).tolist()}
    whole = [d for d, seen in chances.items() if seen is not None and seen.whole]
    assert looked.time_s == max(whole)
    assert ahead < 14
    assert looked.frames_judged == sum(seen is not None for seen in chances.values())
    assert (looked.found, looked.model) == ((), MODEL)
    assert len(eyes.places) == 0
    assert drive(eyes) == []


def test_what_the_model_sees_at_the_place_is_told_and_what_it_sees_beside_is_not():
    eyes = looking("17")
    boxes = {
        10.0: [Detection("pothole", 0.6, at_place(10.0))],
        12.0: [Detection("alligator_crack", 0.9, at_place(12.0, beside_px=-400))],
    }
    (looked,) = drive(eyes, boxes=boxes)
    assert looked.found == ("pothole",)


def test_only_the_place_is_sharp_and_the_picture_says_so():
    """Red when the rectangle around the patch is sharp: its upper corners show what stands beside the road."""
    (looked,) = drive(looking("17"))
    picture = cv2.imdecode(np.frombuffer(looked.picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert (picture.shape[1], picture.shape[0]) == (looked.picture.width, looked.picture.height)
    assert looked.picture.anonymised.method == "mosaic-outside-place-1"
    x1, y1, x2, y2 = (round(v) for v in looked.picture.box)
    middle = picture[y1 + 5 : y2 - 5, (x1 + x2) // 2 - 20 : (x1 + x2) // 2 + 20]
    corner = picture[y1 : y1 + 12, x1 : x1 + 12]
    detail = [float(np.abs(np.diff(part.astype(np.int16), axis=1)).mean()) for part in (middle, corner)]
    assert detail[0] > 30
    assert detail[1] < 15


def test_while_a_car_or_a_person_is_on_the_place_no_picture_is_taken():
    eyes = looking("17")
    everywhere = {d: [Detection("vehicle", 0.4, at_place(d))] for d in np.arange(0.0, 25.0, 2.0).tolist() if d < 18}
    assert drive(eyes, private=everywhere) == []
    assert eyes.counters["looks_hidden"] > 0
    assert len(eyes.places) == 1, "the next pass may do better"
    but_one = {d: found for d, found in everywhere.items() if d != 8.0}
    (looked,) = drive(eyes, private=but_one)
    assert (looked.time_s, looked.frames_judged) == (8.0, 1)


def test_a_parked_car_beside_the_place_becomes_mosaic_and_much_of_it_is_no_chance():
    """Red when nothing of the patch may be taken: beside parked cars no picture would ever come."""
    for taken, pictures in ((0.1, 1), (0.4, 0)):
        eyes = looking("17")
        cars = {}
        for driven in np.arange(0.0, 20.0, 2.0).tolist():
            seen = sight(next(iter(eyes.places.now(NOW))).place, pose(driven), Eye(CAMERA))
            if seen is not None:
                left, top, right, bottom = seen.box
                inner = right - taken * (right - left)
                cars[driven] = [Detection("vehicle", 0.5, (inner, top - 40, right, bottom))]
        told = drive(eyes, private=cars)
        assert len(told) == pictures, taken
        assert all(looked.picture.anonymised.vehicles == 1 for looked in told)


def test_what_people_and_vehicles_take_of_a_patch_counts_with_their_margin():
    patch = ((400.0, 300.0), (500.0, 300.0), (520.0, 400.0), (380.0, 400.0))
    assert hidden_share(960, 540, patch, [Detection("person", 0.5, (700, 200, 760, 420))]) == 0
    assert hidden_share(960, 540, patch, [Detection("person", 0.5, (525, 250, 560, 420))]) > 0, "the margin"
    assert hidden_share(960, 540, patch, [Detection("pothole", 0.5, (400, 300, 450, 350))]) == 0
    assert hidden_share(960, 540, patch, [Detection("vehicle", 0.5, (300, 200, 600, 500))]) == 1
    assert hidden_share(960, 540, tuple((u + 5000, v) for u, v in patch), []) == 1, "nothing of it is in the picture"


@pytest.mark.parametrize("reason", ["dark", "blurred", "blocked", "overexposed", "too_fast", "no_model"])
def test_a_frame_that_cannot_be_judged_gives_no_picture(reason: str):
    eyes = looking("17")
    assert drive(eyes, reason=reason) == []
    assert len(eyes.places) == 1


@pytest.mark.parametrize("utc", [None, LATER])
def test_when_its_time_is_over_or_not_known_no_picture_is_taken(utc: str | None):
    assert drive(looking("17"), utc=utc) == []


def test_on_another_surface_or_without_a_calibration_nothing_is_taken():
    eyes = Looking(looking("17").places, None)
    assert not eyes.can_look
    assert drive(eyes) == []
    wall = looking("17")
    frame = Frame(NOISE, time_s=10.0, index=1, name="10")
    wall.see(frame, pose(10.0), Verdict(judge("lining"), None), utc=NOW, horizon_row=None)
    assert list(wall.finish()) == []


def test_what_is_withdrawn_while_it_is_in_view_is_not_told():
    eyes = looking("17")
    drive(eyes, until_m=12.0)
    eyes.places.ask("command-18", Command(action="look", case="17"))
    assert list(eyes.finish()) == []


def test_the_end_of_a_drive_and_turning_off_end_the_pass_too():
    for end in ("finish", "turn", "unknown"):
        eyes = looking("17", heading_deg=0.0)
        assert drive(eyes, until_m=14.0) == []
        at = replace(pose(12.0), heading_deg=90.0) if end == "turn" else replace(pose(12.0), lon=None)
        told = list(eyes.finish() if end == "finish" else eyes.passed(at))
        assert [looked.asked.case for looked in told] == ["17"], end


def test_two_cases_at_one_place_get_one_picture_each():
    assert sorted(looked.asked.case for looked in drive(looking("17", "18"))) == ["17", "18"]
