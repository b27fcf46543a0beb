# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Recordings as a camera: a folder of pictures or a video file.

Lossless: every readable frame is handed out, in order, once. A picture that cannot be read is counted in `bad`,
named in one log line and skipped; the drive goes on. A source that cannot be used at all raises `InputError`.
"""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from edge.cameras.frame_times import frame_key, read_frame_times
from edge.cameras.pictures import SUFFIXES, load_picture
from edge.errors import InputError
from edge.ports import EndOfRecording
from edge.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

DEFAULT_FPS = 10.0
#: Frames in a row that may fail to decode inside a video before it counts as over.
_MAX_BAD_IN_A_ROW = 30


class ReplayCamera(Protocol):
    """A camera on a recording, with its length where it is known."""

    dropped: int
    bad: int
    #: Frames in the recording; None where the file does not say.
    total: int | None
    #: Times of the first and the last frame, seconds; as near as the file says.
    span_s: tuple[float, float]

    def read(self) -> Frame:
        """The next frame; raises `EndOfRecording` after the last."""

    def close(self) -> None:
        """Release the file."""


class Pace:
    """Holds frames back to `factor` times real time, so that a recording looks live. None: as fast as it goes."""

    def __init__(
        self,
        factor: float | None,
        *,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._factor = factor
        self._now = now
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._start: tuple[float, float] | None = None

    def hold(self, time_s: float) -> None:
        """Wait until the frame of recording time `time_s` is due."""
        if self._factor is None:
            return
        if self._start is None:
            self._start = (time_s, self._now())
        due = self._start[1] + (time_s - self._start[0]) / self._factor
        if (delay := due - self._now()) > 0:
            self._wait(delay)

    def stop(self) -> None:
        """End a wait at once."""
        self._closed.set()


def open_replay(
    source: Path,
    *,
    times: Mapping[str, float] | None = None,
    fps: float | None = None,
    pace: float | None = None,
) -> ReplayCamera:
    """A camera for a picture folder or a video file.

    Args:
        source: folder or file.
        times: seconds by picture name, used for a folder that has no `frames.csv` of its own.
        fps: pictures per second where nothing gives their times, and over a video's own rate.
        pace: times real time; None: as fast as it goes.

    Raises:
        InputError: it is missing, empty or of no known kind.
    """
    if source.is_dir():
        return FolderCamera(folder=source, times=times, fps=fps or DEFAULT_FPS, pace=Pace(pace))
    if source.suffix.lower() in SUFFIXES:
        raise InputError(f"{source}: is one picture; give the folder that holds the drive's pictures, or a video")
    return VideoCamera(path=source, fps=fps, pace=Pace(pace))


class FolderCamera:
    """A folder of pictures (or its sub-folder `frames`) as a camera."""

    def __init__(
        self,
        *,
        folder: Path,
        times: Mapping[str, float] | None = None,
        fps: float = DEFAULT_FPS,
        pace: Pace | None = None,
    ) -> None:
        self.dropped = 0
        self._pace = pace or Pace(None)
        paths = _pictures_in(folder)
        own_times = read_frame_times(folder)
        chosen = times if own_times is None else own_times
        self._frames, self.bad = _schedule(folder, paths, chosen, fps)
        self.total: int | None = len(self._frames)
        self.span_s = (self._frames[0][0], self._frames[-1][0])
        self._next = 0

    def read(self) -> Frame:
        """The next readable picture.

        Raises:
            EndOfRecording: there is no more.
        """
        while self._next < len(self._frames):
            index, (time_s, path) = self._next, self._frames[self._next]
            self._next += 1
            picture, reason = load_picture(path)
            if picture is not None:
                self._pace.hold(time_s)
                return Frame(picture, time_s, index, path.name)
            self.bad += 1
            _log.warning("%s: %s; skipped", path, reason)
        raise EndOfRecording

    def close(self) -> None:
        """No more frames."""
        self._next = len(self._frames)
        self._pace.stop()


def _pictures_in(folder: Path) -> list[Path]:
    """The folder's pictures in natural order (2.jpg before 10.jpg)."""
    inner = folder / "frames"
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
        if not found and inner.is_dir():
            found = [path for path in inner.iterdir() if path.suffix.lower() in SUFFIXES]
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or 'cannot be read'}; give a folder of pictures") from None
    if not found:
        raise InputError(f"{folder}: holds no picture ({', '.join(sorted(SUFFIXES))}); give a folder of pictures")
    return sorted(found, key=lambda path: [(part.isdigit(), part.zfill(20)) for part in re.split(r"(\d+)", path.name)])


def _schedule(
    folder: Path, paths: list[Path], times: Mapping[str, float] | None, fps: float
) -> tuple[list[tuple[float, Path]], int]:
    """Give each picture its time: (time, path) in order of time, and how many pictures have none."""
    if not times:
        return [(index / fps, path) for index, path in enumerate(paths)], 0
    by_key = {frame_key(name): time_s for name, time_s in times.items()}
    timed = [(by_key[frame_key(path.name)], path) for path in paths if frame_key(path.name) in by_key]
    if not timed:
        raise InputError(
            f"{folder}: none of its {len(paths)} pictures is in the list of times "
            f"(pictures like {paths[0].name!r}, times for names like {next(iter(times))!r}); check the column 'frame'"
        )
    untimed, absent = len(paths) - len(timed), len(by_key) - len(timed)
    if untimed:
        _log.warning("%s: %d of %d pictures have no time; skipped", folder, untimed, len(paths))
    if absent > 0:
        _log.warning("%s: %d pictures of the list of times are missing; skipped", folder, absent)
    return sorted(timed, key=lambda pair: pair[0]), untimed + max(0, absent)


class VideoCamera:
    """A video file as a camera."""

    def __init__(self, *, path: Path, fps: float | None = None, pace: Pace | None = None) -> None:
        self.dropped = 0
        self.bad = 0
        self._path = path
        self._pace = pace or Pace(None)
        if not path.is_file():
            raise InputError(f"{path}: no such file; give a video file or a folder of pictures")
        _silence_decoder()
        try:
            self._video = cv2.VideoCapture(str(path))
        except cv2.error:
            raise InputError(f"{path}: not a video that can be decoded; convert it to MP4 (H.264)") from None
        own_fps = self._video.get(cv2.CAP_PROP_FPS)
        self._step_s = 1 / (fps or (own_fps if 0.1 <= own_fps <= 1000 else 25.0))
        self._own_times = fps is None
        count = self._video.get(cv2.CAP_PROP_FRAME_COUNT)
        self.total: int | None = int(count) if 0 < count < 1e9 else None
        self.span_s = (0.0, (self.total or 1) * self._step_s)
        self._index = 0
        self._time_s = -math.inf
        self._first = self._decode()
        if self._first is None:
            self._video.release()
            raise InputError(f"{path}: not a video that can be decoded; convert it to MP4 (H.264)")

    def read(self) -> Frame:
        """The next frame.

        Raises:
            EndOfRecording: there is no more.
        """
        frame, self._first = self._first or self._decode(), None
        if frame is None:
            self._report_end()
            raise EndOfRecording
        self._pace.hold(frame.time_s)
        return frame

    def _decode(self) -> Frame | None:
        """Decode on, over single broken frames; None at the end."""
        for failed in range(_MAX_BAD_IN_A_ROW):
            if not self._video.isOpened():
                return None
            try:
                good, picture = self._video.read()
            except cv2.error:
                good, picture = False, None
            if good and picture is not None:
                self.bad += failed
                return self._frame(picture)
        return None

    def _frame(self, picture: np.ndarray) -> Frame:
        index, self._index = self._index, self._index + 1
        time_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000 if self._own_times else index * self._step_s
        # Some containers give no time stamps or repeat them; time must go on.
        if not (math.isfinite(time_s) and time_s > self._time_s):
            time_s = self._time_s + self._step_s if index else 0.0
        self._time_s = time_s
        return Frame(np.asarray(picture, np.uint8), time_s, index, f"{self._path.name}#{index}")

    def _report_end(self) -> None:
        if self.total and self._index < 0.95 * self.total:
            missing, self.total = self.total - self._index, None
            self.bad += missing
            _log.warning("%s: ends after %d frames, %d are missing; it is cut off", self._path, self._index, missing)

    def close(self) -> None:
        """Release the file."""
        self._first = None
        self._index, self.total = 0, None
        self._pace.stop()
        self._video.release()


def _silence_decoder() -> None:
    """FFmpeg and OpenCV write their own lines about broken files; ours names the file and what to do."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
