# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.cameras.frame_times import frame_key, read_frame_times
from edge.cameras.replay import FolderCamera, Pace, VideoCamera, open_replay
from edge.errors import InputError
from edge.ports import EndOfRecording
from tests.cameras.pictures import encoded, read_all, textured, write_pictures, write_video

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_replayed_in_natural_order_with_every_picture_once(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["frame10.jpg", "frame9.PNG", "frame100.webp", "note.jpeg"])
    camera = open_replay(tmp_path, fps=2)
    frames = read_all(camera)
    assert [frame.name for frame in frames] == ["frame9.PNG", "frame10.jpg", "frame100.webp", "note.jpeg"]
    assert [frame.time_s for frame in frames] == [0, 0.5, 1, 1.5]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert (camera.bad, camera.dropped, camera.total) == (0, 0, 4)


def test_a_broken_picture_is_counted_named_once_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_pictures(tmp_path, ["0.jpg", "1.jpg", "2.jpg"])
    (tmp_path / "1.jpg").write_bytes(encoded()[:-50])
    camera = open_replay(tmp_path)
    assert [frame.name for frame in read_all(camera)] == ["0.jpg", "2.jpg"]
    assert camera.bad == 1
    assert [record.message for record in caplog.records] == [f"{tmp_path / '1.jpg'}: the file is cut off; skipped"]


def test_times_come_from_frames_csv_and_set_the_order(tmp_path: Path) -> None:
    write_pictures(tmp_path / "frames", ["000000.jpg", "000001.jpg", "000002.jpg"])
    (tmp_path / "frames.csv").write_text("frame,t_s,other\n000000.jpg,3.5,x\n1,2.5,x\nframes/000002.jpg,4.5,x\n")
    for source in (tmp_path, tmp_path / "frames"):
        frames = read_all(open_replay(source, times={"000000.jpg": 99.0}))
        assert [(frame.name, frame.time_s) for frame in frames] == [
            ("000001.jpg", 2.5),
            ("000000.jpg", 3.5),
            ("000002.jpg", 4.5),
        ]


def test_times_of_a_track_are_used_where_the_folder_has_none(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.jpg", "b.jpg"])
    frames = read_all(open_replay(tmp_path, times={"b.jpg": 1.0, "a.jpg": 2.0}))
    assert [(frame.name, frame.time_s) for frame in frames] == [("b.jpg", 1.0), ("a.jpg", 2.0)]


def test_pictures_without_time_and_times_without_picture_are_counted(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.jpg", "b.jpg", "c.jpg"])
    camera = open_replay(tmp_path, times={"a.jpg": 1.0, "gone1.jpg": 2.0, "gone2.jpg": 3.0})
    assert [frame.name for frame in read_all(camera)] == ["a.jpg"]
    assert camera.bad == 4


def test_times_that_fit_no_picture_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.jpg"])
    with pytest.raises(InputError, match=r"none of its 1 pictures .*'a.jpg'.*'z.jpg'.*column 'frame'"):
        open_replay(tmp_path, times={"z.jpg": 1.0})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: needs the columns"),
        ("frame,time\n1,2\n", r"line 1: needs the columns"),
        ("frame,t_s\n1,soon\n2,nan\n", r"gives no picture a time"),
    ],
)
def test_an_unusable_frames_csv_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    write_pictures(tmp_path, ["1.jpg"])
    (tmp_path / "frames.csv").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        open_replay(tmp_path)
    assert "\n" not in str(caught.value)


def test_bad_lines_of_frames_csv_are_left_out_with_their_line_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "frames.csv").write_text("frame,t_s\na,1\nb,soon\na,3\nc\n")
    assert read_frame_times(tmp_path) == {"a": 1.0}
    assert "line 3" in caplog.text
    assert "3 such lines" in caplog.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_frames_csv_breaks_the_reader(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "frames.csv").write_bytes(b"frame,t_s\na,1\n" + body)
    times = read_frame_times(tmp_path)
    assert times is not None
    assert times["a"] == 1.0


@given(st.text(max_size=30))
def test_no_name_breaks_the_key_of_a_frame(name: str) -> None:
    assert isinstance(frame_key(name), str)


def test_keys_ignore_folder_suffix_and_leading_zeros() -> None:
    assert frame_key("frames/000012.jpg") == frame_key("12.png") == frame_key(" 12 ") == "12"
    assert frame_key("0000_030565m.jpg") == "0000_030565m"


@pytest.mark.parametrize("kind", ["missing", "empty folder", "one picture", "text as video", "empty video"])
def test_a_source_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    source = tmp_path / {"one picture": "a.jpg", "empty folder": "folder"}.get(kind, "a.mp4")
    if kind == "empty folder":
        source.mkdir()
    elif kind != "missing":
        source.write_bytes({"one picture": encoded(), "text as video": b"hello", "empty video": b""}[kind])
    with pytest.raises(InputError) as caught:
        open_replay(source)
    assert str(source) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "give" in str(caught.value) or "convert" in str(caught.value)


def test_a_video_is_replayed_frame_by_frame_with_its_own_times(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", frames=20, fps=10)
    camera = open_replay(tmp_path / "a.mp4")
    frames = read_all(camera)
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 10 for i in range(20)], abs=1e-3)
    assert frames[3].name == "a.mp4#3"
    assert abs(float(frames[10].picture.mean()) - float(textured(50).mean())) < 5
    assert (camera.bad, camera.total) == (0, 20)


def test_a_given_frame_rate_overrides_that_of_the_video(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", frames=4, fps=10)
    assert [frame.time_s for frame in read_all(open_replay(tmp_path / "a.mp4", fps=2))] == [0, 0.5, 1, 1.5]


def test_frames_that_a_cut_off_video_lacks_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_video(tmp_path / "a.avi", frames=40)
    data = (tmp_path / "a.avi").read_bytes()
    (tmp_path / "a.avi").write_bytes(data[: len(data) // 2])
    camera = open_replay(tmp_path / "a.avi")
    frames = read_all(camera)
    assert 0 < len(frames) < 40
    if camera.total is None:  # the header still knew the full length
        assert len(frames) + camera.bad == 40
        assert "cut off" in caplog.text
    with pytest.raises(EndOfRecording):
        camera.read()
    assert len(caplog.records) <= 1


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_closed_replay_is_over_and_may_be_closed_again(tmp_path: Path, kind: str) -> None:
    write_pictures(tmp_path, ["0.jpg", "1.jpg"])
    write_video(tmp_path / "a.mp4")
    camera = FolderCamera(folder=tmp_path) if kind == "folder" else VideoCamera(path=tmp_path / "a.mp4")
    camera.read()
    camera.close()
    camera.close()
    with pytest.raises(EndOfRecording):
        camera.read()


def test_pace_holds_frames_back_to_a_multiple_of_real_time(tmp_path: Path) -> None:
    now, waits = [100.0], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    write_pictures(tmp_path, ["0.jpg", "1.jpg", "2.jpg"])
    camera = FolderCamera(folder=tmp_path, fps=2, pace=Pace(5, now=lambda: now[0], wait=wait))
    assert camera.read().index == 0
    now[0] += 0.04  # the reader is busy meanwhile
    camera.read()
    now[0] += 1.0  # the reader is late: no wait
    camera.read()
    assert waits == pytest.approx([0.06])


def test_a_picture_is_not_shared_between_frames(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["0.jpg", "1.jpg"])
    first, second = read_all(open_replay(tmp_path))
    before = second.picture.copy()
    first.picture[:] = 0
    assert np.array_equal(second.picture, before)
