# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The scripted clerk of `benchmarks.retraining` decides by what is there, and its streets lie apart."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from benchmarks.retraining.clerk import decide
from benchmarks.retraining.streets import APART_DEG, Street, network, street_at
from depot.cases.records import Case
from edge.geometry import offset_lonlat
from edge.simulator.route import ORIGIN
from edge.simulator.truth import FORMAT, Sensors, TrueDefect, TrueFrame, Truth, save

#: What the receiver says of the whole drive, metres east and north.
ERROR_M = (2.0, -1.5)


def defect(name: str, label: str, along_m: float, length_m: float = 0.5) -> TrueDefect:
    lon, lat = offset_lonlat(*ORIGIN, 0.0, along_m)
    return TrueDefect(name, label, "road", along_m, 0.0, 0.0, lon, lat, length_m, 0.5, best_frame="000000.jpg")


def truth(*defects: TrueDefect) -> Truth:
    frames = tuple(
        TrueFrame(f"{n:06d}.jpg", n * 1.0, 10.0 * n, *offset_lonlat(*ORIGIN, 0.0, 10.0 * n), 0.0, 10.0, in_tunnel=False)
        for n in range(9)
    )
    return Truth(FORMAT, 4001, 0.1, 36.0, "street", {}, None, Sensors(1.5, 0.0, 1.0, 0.0), frames, defects, (), ())


def case(number: int, label: str, along_m: float, right_m: float = 0.0) -> Case:
    lon, lat = offset_lonlat(*ORIGIN, ERROR_M[0] + right_m, ERROR_M[1] + along_m)
    return Case(
        number=number, changed=number, state="new", defect_class=label, surface="road", sightings=1, passes=1,
        vehicles=1, looks_without=0, opened_utc="2026-11-23T00:00:00.000Z", pinned=False, reports=0, lon=lon, lat=lat,
        heading_deg=0.0, score=0.8,
    )  # fmt: skip


HOLES = tuple(defect(f"d{n}", "pothole", 20.0 * n) for n in range(1, 7))
SEEN = [case(n, "pothole", 20.0 * n) for n in range(1, 7)]


def test_a_case_at_a_defect_of_its_kind_is_confirmed_and_every_other_one_is_none():
    manhole, crack_at_a_hole = case(7, "pothole", 70.0), case(8, "alligator_crack", 40.0)
    said = decide(truth(*HOLES), [*SEEN, manhole, crack_at_a_hole])
    assert said.confirmed == (1, 2, 3, 4, 5, 6)
    assert said.rejected == (7, 8)


def test_a_false_alarm_metres_from_a_defect_is_no_defect_however_wrong_the_receiver_is():
    right_where_the_hole_truly_is = case(7, "pothole", 40.0 - ERROR_M[1], -ERROR_M[0])
    assert decide(truth(*HOLES), [*SEEN, right_where_the_hole_truly_is]).rejected == (7,)


def test_a_second_case_of_a_defect_is_confirmed_too():
    assert decide(truth(*HOLES), [*SEEN, case(7, "pothole", 40.5)]).confirmed == (1, 2, 3, 4, 5, 6, 7)


def test_a_crack_of_another_type_is_a_crack_and_is_called_by_its_own():
    long = defect("d9", "longitudinal_crack", 150.0, length_m=4.0)
    said = decide(truth(*HOLES, long), [*SEEN, case(7, "transverse_crack", 151.5)])
    assert (said.confirmed[-1], said.renamed, said.rejected) == (7, {7: "longitudinal_crack"}, ())


def test_with_few_defects_the_receivers_error_is_not_guessed():
    assert decide(truth(HOLES[0]), [case(1, "pothole", 20.0 + 3.0)]).rejected == (1,)


def test_every_street_lies_where_its_number_says(tmp_path: Path):
    drives = [tmp_path / str(seed) for seed in (4001, 4002)]
    for drive in drives:
        drive.mkdir()
        save(truth(*HOLES), drive / "truth.json")
        (drive / "track.csv").write_text(f"t_s,lat,lon,utc\n0.0,{ORIGIN[1]},{ORIGIN[0]},2026-06-15T06:30:00Z\n")
    city = [Street(number, drive) for number, drive in enumerate(drives)]
    with city[1].track(tmp_path).open() as file:
        (row,) = csv.DictReader(file)
    assert abs(float(row["lon"]) - ORIGIN[0] - APART_DEG) < 1e-7
    assert (row["lat"], row["utc"]) == (str(ORIGIN[1]), "2026-06-15T06:30:00Z")
    for street in city:
        assert {street_at(city, one.lon) for one in street.truth().defects} == {street}
    lines = json.loads(network(city))["features"]
    assert [line["properties"]["name"] for line in lines] == ["Teststraße 4001", "Teststraße 4002"]
    assert lines[1]["geometry"]["coordinates"][0][0] - lines[0]["geometry"]["coordinates"][0][0] - APART_DEG < 1e-9
