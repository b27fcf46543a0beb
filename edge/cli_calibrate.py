# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""`wegewart-edge calibrate`: print a board, find out about the lens, find out how the camera sits on the vehicle."""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from edge.calibration.board import Board
from edge.calibration.flow import Step
from edge.calibration.from_drive import Mounted, mount_from_motion
from edge.calibration.intrinsics import find_intrinsics
from edge.calibration.marks import read_marks
from edge.calibration.printed import board_page, paper, pdf, png
from edge.calibration.still import mount_from_lane, mount_from_points
from edge.calibration.views import View, choose, look
from edge.calibration_file import calibration_text, intrinsics_text, load_intrinsics, named
from edge.cameras.replay import open_replay
from edge.errors import ConfigError, InputError
from edge.geometry import Calibration
from edge.lens import Intrinsics
from edge.ports import EndOfRecording
from edge.sources import mount_from_drive, recorded_track, straight_steps
from edge.types import Frame

#: Of a video, one frame in this time is looked at, seconds.
_VIDEO_EVERY_S = 0.25
#: Pairs of frames that the mounting is taken from.
_PAIRS = 60
#: A height measured by hand, metres; and how far the drive's own may differ from it.
_BY_HAND_M, _AGREE_SHARE = 0.02, 0.15
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
#: Why a picture of the board is left out, and what to do.
_WHY = {
    "no board": "no board found, or too little of it; light it evenly, without glare, and check --board and --squares",
    "blurred": "blurred; hold board and camera still, give more light, fix the focus",
    "alike": "nearly the same view as another one; move the board or tilt it",
    "size": "of another size than the first picture; take all with the settings that the vehicle runs with",
}


def print_board(options: argparse.Namespace) -> int:
    """`calibrate board`."""
    board = _board(options)
    if not 50 <= options.dpi <= 1200:
        raise ConfigError(f"--dpi {options.dpi:g}: must be from 50 to 1200")
    writers = {".png": png, ".pdf": pdf}
    writer = writers.get(options.out.suffix.lower())
    if writer is None:
        raise ConfigError(f"--out {options.out}: must end in .pdf or .png")
    picture, dots_per_m = board_page(board, options.dpi)
    high, wide = (side / dots_per_m for side in picture.shape)
    _write(options.out, writer(picture, dots_per_m))
    print(
        f"{options.out}: {board.text}; {wide * 1000:.0f} x {high * 1000:.0f} mm, fits {paper(wide, high) or 'no paper'}"
        "; print it at 100 %, glue it on something flat and stiff, measure a square"
    )
    return 0


def lens(options: argparse.Namespace) -> int:
    """`calibrate intrinsics`."""
    board, day = _board(options), _day(options)
    views, size, left_out = _views(options.source, board)
    views, alike = choose(views, size[0])
    left_out["alike"] = len(alike)
    for view in alike if options.source.is_dir() else []:
        print(f"{options.source / view.name}: left out: {_WHY['alike']}")
    try:
        found = find_intrinsics(views, board, width=size[0], height=size[1], name=_name(options))
    except InputError as error:
        raise InputError(f"{options.source}: {error}{_counted(left_out)}") from None
    result = named(found.intrinsics, _name(options), day)
    method = f"{board.text}; {found.views} views, {100 * found.coverage:.0f} % of the picture"
    _write(options.out, intrinsics_text(result, method=method, date=day).encode())
    print(
        f"{options.out}: {result.id}: focal length {result.fx:.1f} +- {result.fx * result.focal_error_share:.1f} px,"
        f" middle {result.cx:.1f}, {result.cy:.1f} +- {result.centre_error_px:.1f} px; corners off by"
        f" {found.error_px:.2f} px, in views held out {found.held_out_px:.2f} px; {found.views} views in"
        f" {100 * found.coverage:.0f} % of the picture{_counted(left_out, len(found.dropped))}"
    )
    return 0


def mount(options: argparse.Namespace) -> int:
    """`calibrate mount`."""
    day, name = _day(options), _name(options)
    ways = {"SOURCE": options.source, "--points": options.points, "--lane": options.lane}
    given = [word for word, value in ways.items() if value is not None]
    if len(given) != 1:
        raise ConfigError("calibrate mount: give one of SOURCE (a drive), --points (marks) or --lane twice (a lane)")
    _check_bounds(options)
    intrinsics = load_intrinsics(options.intrinsics) if options.intrinsics else None
    if intrinsics is None and options.source is None:
        raise ConfigError(f"{given[0]}: needs --intrinsics; make it with 'wegewart-edge calibrate intrinsics'")
    if intrinsics is None:
        found, method = _by_drive_alone(options, name), "straight drive, lens not known"
    elif options.source is not None:
        found, method = _by_drive(options, intrinsics, name)
    elif options.points is not None:
        marks = read_marks(options.points)
        found, method = mount_from_points(marks, intrinsics, name=name), f"{len(marks)} marks on the ground"
    else:
        found, method = _by_lane(options, intrinsics, name), f"lane of {options.lane_width_m:g} m"
    result = named(found, name, day)
    lens_of = f"; lens {intrinsics.id}" if intrinsics else ""
    _write(options.out, calibration_text(result, method=method + lens_of, date=day).encode())
    print(f"{options.out}: {result.id}: {_in_words(result)}; from: {method}")
    return 0


def _by_drive(options: argparse.Namespace, intrinsics: Intrinsics, name: str) -> tuple[Calibration, str]:
    track = recorded_track(options.source, options.track)
    steps = straight_steps(options.source, track, _PAIRS) if track.fixes or track.odometry else iter(())
    first = next(steps, None)
    if first is not None:
        try:
            intrinsics = intrinsics.scaled(first.after.shape[1], first.after.shape[0])
        except ValueError as error:
            raise ConfigError(f"{options.intrinsics}: {error}; calibrate the lens at the size it runs at") from None
    all_steps: Iterator[Step] = itertools.chain([first] if first else [], steps)
    place, by_hand = (options.forward_m, options.left_m), options.height_m
    try:
        found = mount_from_motion(
            all_steps, intrinsics, name=name, place_m=place, height_m=(by_hand, _BY_HAND_M) if by_hand else None
        )
    except InputError as error:
        raise InputError(f"{options.source}: {error}") from None
    if by_hand and abs(found.drive_height_m - by_hand) > _AGREE_SHARE * by_hand:
        raise InputError(
            f"--height-m {by_hand:g}: the drive says {found.drive_height_m:.2f} +- {found.drive_height_error_m:.2f} m;"
            " measure again from the road to the lens, or check the odometer"
        )
    return found.calibration, _drive_in_words(found)


def _drive_in_words(found: Mounted) -> str:
    return (
        f"straight drive, {found.pairs} pairs of frames, {found.points} points, off by {found.spread_px:.1f} px; height"
        f" by the drive alone {found.drive_height_m:.3f} +- {found.drive_height_error_m:.3f} m"
    )


def _by_drive_alone(options: argparse.Namespace, name: str) -> Calibration:
    if options.height_m is None:
        raise ConfigError("--height-m: is needed where the lens is not known; or give --intrinsics")
    track = recorded_track(options.source, options.track)
    found = mount_from_drive(options.source, track, options.height_m, name=name)
    if found is None:
        raise InputError(
            f"{options.source}: the mounting cannot be found from this recording; it needs a track or odometry and at"
            " least 100 m straight ahead on a road with visible texture, by day"
        )
    return replace(found, forward_m=options.forward_m, left_m=options.left_m)


def _by_lane(options: argparse.Namespace, intrinsics: Intrinsics, name: str) -> Calibration:
    if len(options.lane) != 2 or options.lane_width_m is None:
        raise ConfigError("--lane: give it twice, left and right line, and --lane-width-m")
    lines = []
    for text in options.lane:
        try:
            u1, v1, u2, v2 = (float(part) for part in text.split(","))
        except ValueError:
            raise ConfigError(f"--lane {text}: must be four numbers u1,v1,u2,v2, pixels") from None
        lines.append((u1, v1, u2, v2))
    if not all(math.isfinite(value) for line in lines for value in line):
        raise ConfigError(f"--lane {options.lane[0]} {options.lane[1]}: must be numbers")
    place = (options.forward_m, options.left_m)
    return mount_from_lane(lines, options.lane_width_m, intrinsics, name=name, roll_deg=options.roll_deg, place_m=place)


def _in_words(result: Calibration) -> str:
    return (
        f"height {result.height_m:.3f} +- {result.height_error_m:.3f} m, pitch {result.pitch_deg:.2f} +-"
        f" {result.mount_pitch_error_deg:.2f} deg, roll {result.roll_deg:.2f} +- {result.mount_roll_error_deg:.2f} deg,"
        f" yaw {result.yaw_deg:.2f} +- {result.mount_yaw_error_deg:.2f} deg, focal length {result.fx:.0f} +-"
        f" {result.fx * result.focal_error_share:.0f} px, nods by {result.pitch_error_deg:.2f} deg"
    )


def _check_bounds(options: argparse.Namespace) -> None:
    for name, low, high in (
        ("height_m", 0.1, 10.0),
        ("lane_width_m", 1.0, 20.0),
        ("roll_deg", -30.0, 30.0),
        ("forward_m", -30.0, 30.0),
        ("left_m", -5.0, 5.0),
    ):
        value = getattr(options, name)
        if value is not None and not low <= value <= high:
            raise ConfigError(f"--{name.replace('_', '-')} {value:g}: must be from {low:g} to {high:g}")


def _views(source: Path, board: Board) -> tuple[list[View], tuple[int, int], Counter[str]]:
    """The views of the board in a folder or a video, the pictures' size, and how many were left out why."""
    views: list[View] = []
    left_out: Counter[str] = Counter()
    size: tuple[int, int] | None = None
    for frame in _frames(source):
        here = (frame.picture.shape[1], frame.picture.shape[0])
        size = size or here
        seen = look(board, frame.picture, frame.name) if here == size else "size"
        if isinstance(seen, View):
            views.append(seen)
            continue
        left_out[seen] += 1
        if source.is_dir():
            print(f"{source / frame.name}: left out: {_WHY[seen]}")
    return views, size or (1, 1), left_out


def _frames(source: Path) -> Iterator[Frame]:
    camera = open_replay(source)
    due_s = -math.inf
    try:
        while True:
            frame = camera.read()
            if source.is_dir() or frame.time_s >= due_s:
                due_s = frame.time_s + _VIDEO_EVERY_S
                yield frame
    except EndOfRecording:
        return
    finally:
        camera.close()


def _counted(left_out: Counter[str], wrong: int = 0) -> str:
    parts = [f"{count} {why}" for why, count in left_out.items() if count] + ([f"{wrong} wrong"] if wrong else [])
    return f"; left out: {', '.join(parts)}" if parts else ""


def _board(options: argparse.Namespace) -> Board:
    found = re.fullmatch(r"(\d{1,3})x(\d{1,3})", options.squares)
    if found is None:
        raise ConfigError(f"--squares {options.squares}: must be columns x rows of squares, like 11x8")
    square_m = options.square_mm / 1000
    marker_m = round(0.73 * square_m, 4) if options.marker_mm is None else options.marker_mm / 1000
    board = Board(options.board, int(found[1]), int(found[2]), square_m, marker_m, options.dictionary)
    board.check()
    return board


def _name(options: argparse.Namespace) -> str:
    if not _NAME.fullmatch(options.name):
        raise ConfigError(f"--name {options.name!r}: use letters, digits, points, hyphens, 80 at most")
    return str(options.name)


def _day(options: argparse.Namespace) -> dt.date:
    if options.date is None:
        return dt.datetime.now(dt.timezone.utc).date()
    try:
        return dt.date.fromisoformat(options.date)
    except ValueError:
        raise ConfigError(f"--date {options.date}: must be a day like 2026-11-22") from None


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from None
