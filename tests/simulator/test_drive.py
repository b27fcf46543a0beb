# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import math
import sys
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import InputError
from edge.geometry import Calibration, east_north, to_earth
from edge.simulator import Again, Day, default_camera, simulate
from edge.simulator.truth import CLEAR_FRAMES, CLEAR_LONG_PX, CLEAR_SHARE, TrueDefect, load
from edge.types import RoadPoint

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CAMERA = default_camera()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _rows(path: Path) -> list[dict[str, str]]:
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    return [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]


def _vehicle_point(drive, frame: str, thing: TrueDefect) -> RoadPoint:
    """Where a thing lies in the vehicle's frame, from WGS 84 alone, as a consumer would work it out."""
    at = next(f for f in drive.truth.frames if f.frame == frame)
    east, north = east_north(thing.lon, thing.lat, at.lon, at.lat)
    heading = math.radians(at.heading_deg)
    return RoadPoint(
        east * math.sin(heading) + north * math.cos(heading), north * math.sin(heading) - east * math.cos(heading)
    )


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second", "third")]
    for folder, seed in zip(folders, (3, 3, 4), strict=True):
        simulate(folder, seed=seed, km=0.03, frame_every_m=6.0)
    names = sorted(str(p.relative_to(folders[0])) for p in folders[0].rglob("*") if p.is_file())
    assert "truth.json" in names
    assert "frames/000004.jpg" in names
    for name in names:
        assert _digest(folders[0] / name) == _digest(folders[1] / name), name
    assert _digest(folders[0] / "truth.json") != _digest(folders[2] / "truth.json")
    assert _digest(folders[0] / "frames/000004.jpg") != _digest(folders[2] / "frames/000004.jpg")


def test_the_same_road_again_after_the_crew_was_there(tmp_path: Path) -> None:
    simulate(tmp_path / "before", seed=3, km=0.04, frame_every_m=8.0, scene="street")
    before = load(tmp_path / "before" / "truth.json")
    gone = next(defect for defect in before.defects if defect.label == "pothole" and defect.frames)
    day = Day(number=1, start_utc=datetime(2026, 7, 1, 5, 0, tzinfo=timezone.utc))
    again = Again(day, mended=frozenset({gone.id}))
    simulate(tmp_path / "after", seed=3, km=0.04, frame_every_m=8.0, scene="street", again=again)
    after = load(tmp_path / "after" / "truth.json")
    assert [d.id for d in after.defects] == [d.id for d in before.defects if d.id != gone.id]
    patch = next(d for d in after.decoys if d.id == f"{gone.id}-mended")
    assert (patch.label, patch.frames != ()) == ("patch", True)
    assert (patch.s_m, patch.t_m) == pytest.approx((gone.s_m, gone.t_m), abs=0.01)
    rows = [(tmp_path / name / "track.csv").read_text().splitlines() for name in ("before", "after")]
    assert rows[1][1].endswith("2026-07-01T05:00:00.000Z")
    assert rows[0][1].split(",")[1] != rows[1][1].split(",")[1], "another day, other errors"


def test_a_defect_projected_by_the_calibration_lies_in_its_box(drive) -> None:
    checked = 0
    for defect in (*drive.truth.defects, *drive.truth.decoys):
        for seen in defect.frames:
            if seen.visible_share < 0.95:
                continue
            point = _vehicle_point(drive, seen.frame, defect)
            pixel = CAMERA.road_to_pixel(point.x_m, point.y_m, defect.z_m)
            assert pixel is not None
            x1, y1, x2, y2 = seen.box
            assert x1 - 1 <= pixel[0] <= x2 + 1, (defect.id, seen, pixel)
            assert y1 - 1 <= pixel[1] <= y2 + 1, (defect.id, seen, pixel)
            checked += 1
    assert checked > 50


def test_a_pothole_is_drawn_where_the_truth_says(drive) -> None:
    """Its pixels differ from the road's on all sides: a check of the renderer against the projection."""
    darker = []
    for defect in drive.truth.defects:
        for seen in defect.frames:
            if defect.label != "pothole" or not seen.clear:
                continue
            grey = cv2.imread(str(drive.folder / "frames" / seen.frame), cv2.IMREAD_GRAYSCALE)
            x1, y1, x2, y2 = (round(v) for v in seen.box)
            wide, high = (x2 - x1) // 4, (y2 - y1) // 4
            inside = grey[y1 + high : y2 - high, x1 + wide : x2 - wide]
            margin = grey[y1 : y2 + 1, max(0, x1 - 2 * wide) : x1 - wide // 2]
            darker.append(abs(float(inside.mean()) - float(margin.mean())) / float(margin.mean()))
    assert len(darker) >= 3
    assert np.median(darker) > 0.1


def test_boxes_lie_inside_the_picture_and_shares_between_0_and_1(drive) -> None:
    things = (*drive.truth.defects, *drive.truth.decoys, *drive.truth.objects)
    for thing in things:
        for seen in thing.frames:
            x1, y1, x2, y2 = seen.box
            assert 0 <= x1 < x2 <= CAMERA.width
            assert 0 <= y1 < y2 <= CAMERA.height
            assert 0 < seen.visible_share <= 1
            assert (drive.folder / "frames" / seen.frame).is_file()


def test_clear_view_means_what_its_page_says(drive) -> None:
    for defect in drive.truth.defects:
        clear = [seen for seen in defect.frames if seen.clear]
        assert defect.clear_view == (len(clear) >= CLEAR_FRAMES)
        for seen in clear:
            assert seen.visible_share >= CLEAR_SHARE
            assert max(seen.box[2] - seen.box[0], seen.box[3] - seen.box[1]) >= CLEAR_LONG_PX
    assert any(d.clear_view for d in drive.truth.defects)
    assert sum(drive.summary.clear_view.values()) == sum(d.clear_view for d in drive.truth.defects)


def test_every_frame_is_a_picture_of_the_cameras_size_with_a_time(drive) -> None:
    rows = _rows(drive.folder / "frames.csv")
    assert [r["frame"] for r in rows] == [f.frame for f in drive.truth.frames] == [f"{i:06d}.jpg" for i in range(41)]
    times = [float(r["t_s"]) for r in rows]
    assert times[0] == 0.0
    assert np.allclose(np.diff(times), 3.0 / (50 / 3.6), atol=1e-3)
    for row in rows[::10]:
        picture = cv2.imread(str(drive.folder / "frames" / row["frame"]))
        assert picture.shape == (CAMERA.height, CAMERA.width, 3)
        assert 30 < picture.mean() < 220


def test_there_is_no_fix_in_the_tunnel_and_there_are_fixes_outside(drive) -> None:
    start, end = drive.truth.tunnel_m
    speed = drive.truth.speed_kmh / 3.6
    away = [float(r["t_s"]) * speed for r in _rows(drive.folder / "track.csv")]
    assert not [s for s in away if start <= s <= end]
    assert len([s for s in away if s < start]) > 15
    assert [s for s in away if s > end]


def test_the_odometer_stays_within_its_stated_error(drive) -> None:
    sensors, speed = drive.truth.sensors, drive.truth.speed_kmh / 3.6
    assert sensors.odometer_scale_error == 0.005
    for row in _rows(drive.folder / "odometry.csv"):
        true = float(row["t_s"]) * speed
        assert abs(float(row["distance_m"]) - true) <= 2 * sensors.odometer_scale_error * true + 0.05


def test_the_gyro_turns_as_the_road_does(drive) -> None:
    rows = _rows(drive.folder / "odometry.csv")
    turned = sum(float(r["yaw_rate_dps"]) - drive.truth.sensors.gyro_bias_dps for r in rows[1:]) / 20.0
    first, last = drive.truth.frames[0], drive.truth.frames[-1]
    true = (last.heading_deg - first.heading_deg + 180) % 360 - 180
    assert abs(true) > 1.0, "this drive has no bend to judge by"
    assert turned == pytest.approx(true, abs=1.0)


def test_the_written_calibration_is_the_one_that_was_rendered_with(drive) -> None:
    fields = tomllib.loads((drive.folder / "calibration.toml").read_text(encoding="utf-8"))
    assert Calibration(**fields) == CAMERA
    assert Calibration(**drive.truth.camera) == CAMERA


def test_the_coco_export_names_real_pictures_and_agrees_with_the_truth(drive) -> None:
    coco = json.loads((drive.folder / "instances.json").read_text(encoding="utf-8"))
    names = {c["id"]: c["name"] for c in coco["categories"]}
    assert sorted(names.values()) == [
        "alligator_crack", "longitudinal_crack", "person", "pothole", "transverse_crack", "vehicle",
    ]  # fmt: skip
    images = {image["id"]: image for image in coco["images"]}
    assert len(images) == len(coco["images"]) == drive.summary.frames
    for image in images.values():
        assert (drive.folder / image["file_name"]).is_file()
        assert set(image["annotated_classes"]) == set(names.values())
    assert len({a["id"] for a in coco["annotations"]}) == len(coco["annotations"])
    for a in coco["annotations"]:
        x, y, wide, high = a["bbox"]
        image = images[a["image_id"]]
        assert x >= 0 < wide
        assert y >= 0 < high
        assert x + wide <= image["width"] + 0.2
        assert y + high <= image["height"] + 0.2
        assert a["iscrowd"] in (0, 1)
    found = Counter(names[a["category_id"]] for a in coco["annotations"])
    road = [d for d in drive.truth.defects if d.surface == "road"]
    assert found["pothole"] == sum(len(d.frames) for d in road if d.label == "pothole") > 0
    assert found["vehicle"] > 0


def test_there_are_decoys_people_with_faces_and_cars_with_plates(drive) -> None:
    assert {"manhole", "patch", "gully", "puddle"} <= {d.label for d in drive.truth.decoys}
    by_kind = Counter(o.label for o in drive.truth.objects)
    assert by_kind["vehicle"] > 3
    assert by_kind["plate"] > 3
    assert by_kind["person"] > 0
    plates = [o for o in drive.truth.objects if o.label == "plate"]
    owners = {o.id for o in drive.truth.objects if o.label == "vehicle"}
    assert {o.belongs_to for o in plates} <= owners
    assert all(o.text is not None and o.text.startswith("QX ") for o in plates)


def test_standing_still_gives_more_frames_of_the_same_place(tmp_path: Path) -> None:
    simulate(tmp_path / "d", seed=1, km=0.05, frame_every_m=5.0, stop_at_m=30.0, stop_s=3.0, scene="street")
    frames = load(tmp_path / "d/truth.json").frames
    standing = [f for f in frames if f.speed_mps == 0.0]
    assert len(standing) >= 7
    assert {f.s_m for f in standing} == {30.0}
    pictures = [cv2.imread(str(tmp_path / "d/frames" / f.frame)).astype(float) for f in standing[-2:]]
    assert 0 < np.abs(pictures[0] - pictures[1]).mean() < 6, "only the sensor's noise differs"
    fixes = _rows(tmp_path / "d/track.csv")
    assert any(r["heading_deg"] == "" for r in fixes), "a receiver that stands has no heading"


def test_a_drive_in_a_tunnel_has_lining_defects_and_no_fix(tmp_path: Path) -> None:
    simulate(tmp_path / "d", seed=2, km=0.05, frame_every_m=6.0, scene="tunnel")
    truth = load(tmp_path / "d/truth.json")
    assert _rows(tmp_path / "d/track.csv") == []
    assert all(f.in_tunnel for f in truth.frames)
    lining = [d for d in truth.defects if d.surface == "lining"]
    assert {d.label for d in lining} <= {"crack", "spalling", "water_leakage"}
    assert any(seen.visible_share > 0.8 for d in lining for seen in d.frames)


def test_a_street_without_a_tunnel_has_fixes_all_the_way(tmp_path: Path) -> None:
    simulate(tmp_path / "d", seed=2, km=0.04, frame_every_m=10.0, scene="street")
    truth = load(tmp_path / "d/truth.json")
    assert truth.tunnel_m is None
    assert all(d.surface == "road" for d in truth.defects)
    times = [float(r["t_s"]) for r in _rows(tmp_path / "d/track.csv")]
    assert np.allclose(np.diff(times), 0.2)


def test_another_camera_sees_the_same_defects_elsewhere_in_its_picture(tmp_path: Path) -> None:
    camera = Calibration(
        "tilted", 640, 360, 420.0, 420.0, 320.0, 180.0, 2.6, 9.0, roll_deg=2.0, yaw_deg=3.0, left_m=0.3
    )
    simulate(tmp_path / "d", seed=3, km=0.03, frame_every_m=6.0, calibration=camera, scene="street")
    truth = load(tmp_path / "d/truth.json")
    frames = {f.frame: f for f in truth.frames}
    checked = 0
    for defect in truth.defects:
        for seen in defect.frames:
            at = frames[seen.frame]
            middle = camera.pixel_to_road((seen.box[0] + seen.box[2]) / 2, (seen.box[1] + seen.box[3]) / 2)
            if seen.visible_share < 0.95 or seen.distance_m > 12 or middle is None:
                continue
            lon, lat = to_earth(at.lon, at.lat, at.heading_deg, middle)
            assert math.hypot(*east_north(lon, lat, defect.lon, defect.lat)) < 0.6 * max(
                defect.length_m, defect.width_m
            )
            checked += 1
    assert checked > 3


def test_progress_counts_up_to_all_frames(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    simulate(tmp_path / "d", seed=1, km=0.02, frame_every_m=10.0, progress=lambda *done: calls.append(done))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"km": 0.0}, "km"),
        ({"km": float("nan")}, "km"),
        ({"km": 1000.0}, "km"),
        ({"speed_kmh": -5.0}, "speed_kmh"),
        ({"speed_kmh": 400.0}, "speed_kmh"),
        ({"frame_every_m": 0.0}, "frame_every_m"),
        ({"seed": -1}, "seed"),
        ({"scene": "moon"}, "moon"),
        ({"stop_at_m": 500.0}, "stop_at_m"),
        ({"stop_s": float("inf")}, "stop_s"),
    ],
)
def test_an_option_out_of_bounds_is_refused_in_one_line_that_names_it(tmp_path: Path, options, word: str) -> None:
    with pytest.raises(InputError) as refused:
        simulate(tmp_path / "d", **{"seed": 1, "km": 0.05, **options})
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "d").exists()


def test_a_folder_with_other_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(InputError, match="holds other files"):
        simulate(tmp_path, seed=1, km=0.02)
    assert (tmp_path / "holiday.jpg").read_bytes() == b"precious"


def test_a_path_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        simulate(tmp_path / "file", seed=1, km=0.02)


def test_a_shorter_drive_over_an_older_one_leaves_no_old_frames(tmp_path: Path) -> None:
    simulate(tmp_path / "d", seed=1, km=0.03, frame_every_m=10.0)
    simulate(tmp_path / "d", seed=1, km=0.02, frame_every_m=10.0)
    assert sorted(p.name for p in (tmp_path / "d/frames").iterdir()) == ["000000.jpg", "000001.jpg", "000002.jpg"]
