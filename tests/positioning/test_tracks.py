# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import InputError
from edge.positioning.replay import ReplayPositions
from edge.positioning.track import Track, overlap_problem
from edge.positioning.track_csv import parse_utc
from edge.positioning.tracks import read_track
from edge.types import Fix, Odometry
from tests.positioning.sentences import log

if TYPE_CHECKING:
    from pathlib import Path

ROW_M = 10 / 111_195  # degrees of latitude for 10 m
GPX_HEAD = '<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
GPX_TAIL = "</trkseg></trk></gpx>"


def csv_track(tmp_path: Path, text: str | bytes) -> Track:
    path = tmp_path / "track.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_track(path)


def rows(*changed: str, count: int = 8) -> str:
    """A drive north at 10 m/s; `changed` lines replace those of the same time."""
    lines = {s: f"{s},{52.5 + s * ROW_M:.7f},13.4" for s in range(count)}
    lines |= {int(float(line.split(",")[0])): line for line in changed}
    return "t_s,lat,lon\n" + "\n".join(lines.values()) + "\n"


def point(second: int, extra: str = "", *, stamp: str | None = None) -> str:
    when = f"<time>{stamp or f'2026-05-01T08:30:{second:02d}Z'}</time>"
    return f'<trkpt lat="{52.5 + second * ROW_M:.7f}" lon="13.4">{when}{extra}</trkpt>'


def gpx_track(tmp_path: Path, *points: str) -> Track:
    path = tmp_path / "track.gpx"
    path.write_text(GPX_HEAD + "".join(points) + GPX_TAIL, encoding="utf-8")
    return read_track(path)


# ---- CSV


@pytest.mark.parametrize(
    "head",
    [
        "t_s,lat,lon,heading_deg,speed_kmh",
        "Time_S , Latitude,lng,COURSE,Speed_kph",
        "t_s;latitude;longitude;heading;speed_kmh",
    ],
)
def test_columns_are_known_by_several_names(tmp_path: Path, head: str) -> None:
    separator = ";" if ";" in head else ","
    row = separator.join(["1.5", "52.5", "13.4", "370", "36"])
    (fix,) = csv_track(tmp_path, f"{head}\n{row}\n").fixes
    assert (fix.time_s, fix.lat, fix.lon, fix.heading_deg) == (1.5, 52.5, 13.4, 10)
    assert fix.speed_mps == pytest.approx(10)


def test_a_german_spreadsheet_with_decimal_commas_is_read(tmp_path: Path) -> None:
    text = "\ufeffZeit;t_s;lat;lon\r\nx;1,5;52,5;13,4\r\n"
    (fix,) = csv_track(tmp_path, text).fixes
    assert (fix.time_s, fix.lat, fix.lon) == (1.5, 52.5, 13.4)


def test_the_simulators_columns_are_read_with_error_and_utc(tmp_path: Path) -> None:
    text = "t_s,lat,lon,heading_deg,speed_mps,error_m,utc\n0.5,52.5,13.4,90,8.3,2.5,2026-05-01T08:30:00.5Z\n"
    track = csv_track(tmp_path, text)
    assert track.fixes == (Fix(0.5, 13.4, 52.5, 2.5, 90, 8.3, 1_777_624_200.5),)
    assert track.zero_utc_s == 1_777_624_200.0
    assert track.problems == ()


def test_made_up_columns_are_used_and_said_to_be_invented(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "frame,offset_m_real,dist_from_start_m,t_s_MADE_UP_at_50kmh,lat_MADE_UP,lon_MADE_UP,heading_deg_MADE_UP\n"
        "0000_030565m.jpg,30565,0,0.0,-29.45,-51.97,300\n0001_030570m.jpg,30570,5,0.36,-29.449978,-51.970045,300\n"
    )
    track = csv_track(tmp_path, text)
    assert track.invented
    assert track.frame_times == {"0000_030565m.jpg": 0.0, "0001_030570m.jpg": 0.36}
    assert track.odometry == (Odometry(0.0, 0.0), Odometry(0.36, 5.0))
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / 'track.csv'}: its positions are marked as invented (MADE_UP)"
    ]


def test_frames_keep_their_time_even_where_their_position_is_unusable(tmp_path: Path) -> None:
    track = csv_track(tmp_path, "frame,t_s,lat,lon\na.jpg,0,52.5,13.4\nb.jpg,1,,\nc.jpg,2,52.5,13.4\n")
    assert track.frame_times == {"a.jpg": 0, "b.jpg": 1, "c.jpg": 2}
    assert [fix.time_s for fix in track.fixes] == [0, 2]


@pytest.mark.parametrize(
    ("times", "seconds", "utc"),
    [
        (["2026-05-01T08:30:00Z", "2026-05-01T08:30:02.25Z"], [0, 2.25], 1_777_624_200),
        (["2026-05-01T10:30:00+02:00", "2026-05-01T08:30:01+00:00"], [0, 1], 1_777_624_200),
        (["1777624200", "1777624201.5"], [0, 1.5], 1_777_624_200),
        (["1777624200000", "1777624201500"], [0, 1.5], 1_777_624_200),
        (["100", "101.5"], [100, 101.5], None),
    ],
)
def test_times_may_be_iso_posix_milliseconds_or_plain_seconds(
    tmp_path: Path, times: list[str], seconds: list[float], utc: float | None
) -> None:
    text = "time,lat,lon\n" + "".join(f"{when},52.5,13.4\n" for when in times)
    track = csv_track(tmp_path, text)
    assert [fix.time_s for fix in track.fixes] == pytest.approx(seconds)
    assert track.zero_utc_s == utc
    assert track.problems == ()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_time_without_a_zone_is_utc_on_every_machine_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        # 29 March 2026, 02:30 does not exist in Berlin.
        track = csv_track(tmp_path, "utc,lat,lon\n2026-03-29T02:30:00,52.5,13.4\n2026-03-29 03:30:00,52.5,13.4\n")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [fix.utc_s for fix in track.fixes] == [1_774_751_400, 1_774_755_000]
    assert [(problem.name, problem.count) for problem in track.problems] == [("no_time_zone", 2), ("gap", 1)]


@pytest.mark.parametrize(
    ("line", "name", "left"),
    [
        ("3,abc,13.4", "bad_number", 7),
        ("3,,", "bad_number", 7),
        ("3,nan,13.4", "not_finite", 7),
        ("3,95.0,13.4", "out_of_range", 7),
        ("3,52.5,190", "out_of_range", 7),
        ("3,0,0", "null_island", 7),
        ("3,52.6,13.4", "teleport", 7),
        ("3,52.5", "short_line", 7),
        ('3,"52.5,13.4', "short_line", 7),
    ],
)
def test_each_bad_point_is_left_out_named_and_counted_with_its_line(
    tmp_path: Path, line: str, name: str, left: int
) -> None:
    track = csv_track(tmp_path, rows(line))
    assert [(problem.name, problem.count) for problem in track.problems] == [(name, 1)]
    assert f"{tmp_path / 'track.csv'}: line 5: " in track.problems[0].text
    assert "\n" not in track.problems[0].text
    assert len(track.fixes) == left


def test_wrong_order_is_sorted_and_said(tmp_path: Path) -> None:
    lines = rows().splitlines()
    lines[3], lines[4] = lines[4], lines[3]
    track = csv_track(tmp_path, "\n".join(lines))
    assert [fix.time_s for fix in track.fixes] == list(range(8))
    assert [(p.name, p.count) for p in track.problems] == [("out_of_order", 1)]


def test_a_time_that_stands_there_twice_is_used_once(tmp_path: Path) -> None:
    track = csv_track(tmp_path, rows() + "3,52.5,13.4\n3,52.5,13.4\n")
    assert [fix.time_s for fix in track.fixes] == list(range(8))
    assert ("duplicate", 2) in [(p.name, p.count) for p in track.problems]


def test_a_gap_is_named_with_its_length(tmp_path: Path) -> None:
    track = csv_track(tmp_path, rows("7,52.5006295,13.4") + "60,52.503,13.4\n")
    (problem,) = track.problems
    assert problem.name == "gap"
    assert "no position for 53 s" in problem.text


def test_a_jump_that_the_rest_of_the_drive_confirms_is_a_new_start(tmp_path: Path) -> None:
    far = "".join(f"{s},{53.0 + s * ROW_M},13.4\n" for s in range(8, 14))
    track = csv_track(tmp_path, rows() + far)
    assert len(track.fixes) == 14
    assert [(p.name, p.count) for p in track.problems] == [("jump", 1)]


def test_a_wrong_first_point_does_not_cost_the_drive(tmp_path: Path) -> None:
    track = csv_track(tmp_path, rows("0,48.1,11.5"))
    assert [fix.time_s for fix in track.fixes] == list(range(1, 8))
    assert [(p.name, p.count) for p in track.problems] == [("teleport", 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: no column 'lat'"),
        ("lat,lon\n1,2\n", r"line 1: no column 't_s' or 'utc'"),
        ("t_s,lat\n1,2\n", r"line 1: no column 'lon'"),
        ("t_s,lat,lon\n", r"track.csv; no usable position remains; give a GPX, NMEA or CSV track"),
        ("t_s,lat,lon\n1,abc,2\n", r"line 2: could not convert string to float: 'abc'.*no usable position"),
        ("utc,lat,lon\n1.5.2026,1,2\n", r"line 2: time '1.5.2026' is not ISO 8601 such as"),
    ],
)
def test_an_unusable_csv_is_refused_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        csv_track(tmp_path, text)
    assert str(tmp_path / "track.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_odometry_of_its_own_file_is_joined(tmp_path: Path) -> None:
    (tmp_path / "track.csv").write_text(rows())
    wheels = tmp_path / "odometry.csv"
    wheels.write_text("t_s,distance_m,yaw_rate_dps\n0,0,0.1\n0.2,2,\n0.1,1,x\n0.3,nan,0\n")
    track = read_track(tmp_path / "track.csv", odometry=wheels)
    assert track.odometry == (Odometry(0, 0, 0.1), Odometry(0.2, 2, None))
    assert [(p.name, p.count) for p in track.problems] == [("bad_number", 1), ("not_finite", 1)]
    wheels.write_text("t_s,distance_m\n")
    with pytest.raises(InputError, match=r"odometry.csv; no usable odometry"):
        read_track(tmp_path / "track.csv", odometry=wheels)


@pytest.mark.parametrize("name", ["no.csv", "no.gpx", "no.nmea", "no.xyz"])
def test_a_missing_track_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: No such file or directory; give a"):
        read_track(tmp_path / name)


# ---- GPX


def test_a_gpx_is_read_with_times_from_its_first_point(tmp_path: Path) -> None:
    track = gpx_track(tmp_path, *(point(s) for s in range(5)))
    assert [fix.time_s for fix in track.fixes] == [0, 1, 2, 3, 4]
    assert track.fixes[0].lat == 52.5
    assert track.zero_utc_s == 1_777_624_200
    assert track.problems == ()


def test_gpx_precision_and_extensions_are_used(tmp_path: Path) -> None:
    extra = (
        "<hdop>2</hdop><extensions><x:speed xmlns:x='u'>7.5</x:speed><x:course xmlns:x='u'>361</x:course></extensions>"
    )
    (fix,) = gpx_track(tmp_path, point(0, extra)).fixes
    assert (fix.error_m, fix.speed_mps, fix.heading_deg) == (6.0, 7.5, 1.0)


def test_gpx_times_of_another_zone_are_brought_to_utc_and_naive_ones_said(tmp_path: Path) -> None:
    track = gpx_track(tmp_path, point(0, stamp="2026-05-01T10:30:00+02:00"), point(1, stamp="2026-05-01T08:30:01"))
    assert [fix.time_s for fix in track.fixes] == [0, 1]
    assert [p.name for p in track.problems] == ["no_time_zone"]


def test_gpx_points_without_a_time_are_counted(tmp_path: Path) -> None:
    bare = '<trkpt lat="52.5" lon="13.4"/>'
    track = gpx_track(tmp_path, point(0), bare, bare, point(1))
    assert len(track.fixes) == 2
    assert [(p.name, p.count) for p in track.problems] == [("no_time", 2)]
    assert "point 2 has no time" in track.problems[0].text


@pytest.mark.parametrize(
    "text",
    ["", "no xml", "<gpx>", "<html></html>", GPX_HEAD + '<trkpt lat="x" lon="1"/>' + GPX_TAIL, GPX_HEAD + GPX_TAIL],
)
def test_an_unusable_gpx_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "track.gpx"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_track(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


# ---- whichever


def test_a_track_without_a_known_suffix_is_told_by_its_content(tmp_path: Path) -> None:
    texts = {"gpx": GPX_HEAD + point(0) + GPX_TAIL, "nmea": log(range(3)), "csv": rows()}
    for name, text in texts.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        assert read_track(path).fixes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([".csv", ".gpx", ".nmea", ".txt"]),
    st.sampled_from([b"", b"t_s,lat,lon\n", b"utc;lat;lon\n", GPX_HEAD.encode(), b"\xef\xbb\xbf", b"\xff\xfe"]),
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
)
def test_no_file_breaks_the_reader(tmp_path: Path, suffix: str, head: bytes, body: bytes) -> None:
    path = tmp_path / f"track{suffix}"
    path.write_bytes(head + body)
    try:
        usable, said = bool(read_track(path).fixes), str(path)
    except InputError as error:
        usable, said = True, str(error)
    assert usable
    assert str(path) in said
    assert "\n" not in said


cells = st.sampled_from(
    ["", "0", "1", "2.5", "-1", "52.5", "13.4", "nan", "inf", "1e999", "abc", '"', "1e300", "9" * 400]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(cells, min_size=1, max_size=6).map(",".join), max_size=8))
def test_no_cells_break_the_csv_reader_and_all_fixes_are_possible(tmp_path: Path, lines: list[str]) -> None:
    text = "t_s,lat,lon,heading,error_m,frame\n-5,52.5,13.4,0,3,a\n" + "\n".join(lines)
    fixes = csv_track(tmp_path, text).fixes
    assert [fix.time_s for fix in fixes] == sorted({fix.time_s for fix in fixes})
    assert all(abs(fix.lat) <= 90 and abs(fix.lon) <= 180 and fix.error_m > 0 for fix in fixes)


@pytest.mark.parametrize("text", ["", "x", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z", "99999-01-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not ISO 8601"):
        parse_utc(text)


@pytest.mark.parametrize(
    ("shift_s", "why"),
    [(0, None), (7200, "shifted by 2 h, so the time zone is wrong"), (5000, "the clocks do not agree")],
)
def test_a_track_that_does_not_cover_the_pictures_is_told_with_the_likely_cause(
    shift_s: float, why: str | None
) -> None:
    track = Track(tuple(Fix(shift_s + s, 13.4, 52.5, 3.0) for s in range(60)))
    problem = overlap_problem(track, 0.0, 55.0, "drive.gpx")
    assert (problem.text.rpartition(": ")[2] if problem else None) == why


# ---- replay


def test_a_replay_hands_out_each_measurement_once_in_order_of_time() -> None:
    fixes = [Fix(float(s), 13.4, 52.5, 3.0) for s in (2, 0, 1)]
    wheels = [Odometry(s / 2, float(s)) for s in range(5)]
    source = ReplayPositions(fixes, wheels)
    first, second = source.until(1.0), source.until(10.0)
    assert [(m.time_s, type(m)) for m in first] == [(0, Odometry), (0, Fix), (0.5, Odometry), (1, Odometry), (1, Fix)]
    assert [m.time_s for m in second] == [1.5, 2, 2]
    assert source.until(10.0) == []


def test_a_closed_replay_gives_nothing_more() -> None:
    source = ReplayPositions([Fix(0.0, 13.4, 52.5, 3.0)])
    source.close()
    source.close()
    assert source.until(1.0) == []
