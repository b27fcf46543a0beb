# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Read a recorded track, whatever its format: GPX, an NMEA log or CSV."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.positioning.nmea import read_nmea_track
from edge.positioning.track_csv import read_csv_odometry, read_csv_track
from edge.positioning.track_gpx import read_gpx_track

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.positioning.track import Track

_log = logging.getLogger(__name__)

_BY_SUFFIX: dict[str, Callable[[Path], Track]] = {
    ".gpx": read_gpx_track,
    ".csv": read_csv_track,
    ".tsv": read_csv_track,
    ".nmea": read_nmea_track,
    ".nma": read_nmea_track,
    ".ubx": read_nmea_track,
    ".log": read_nmea_track,
}
_HEAD_BYTES = 4096


def read_track(path: Path, *, odometry: Path | None = None) -> Track:
    """Read a track, and the odometry that was recorded with it; one log line for each kind of problem.

    Args:
        path: GPX, NMEA log or CSV; other suffixes are told apart by content.
        odometry: CSV with `t_s`, `distance_m` and, where there is a gyro, `yaw_rate_dps`, on the same time axis.

    Raises:
        InputError: a file cannot be read or nothing in it can be used.
    """
    reader = _BY_SUFFIX.get(path.suffix.lower()) or _by_content(path)
    track = reader(path)
    if odometry is not None:
        wheels = read_csv_odometry(odometry)
        track = replace(track, odometry=wheels.odometry, problems=track.problems + wheels.problems)
    for problem in track.problems:
        _log.warning("%s", problem.text)
    return track


def _by_content(path: Path) -> Callable[[Path], Track]:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'cannot be read'}; give a GPX, NMEA or CSV track") from None
    if b"<gpx" in head:
        return read_gpx_track
    if b"GGA," in head or b"RMC," in head:
        return read_nmea_track
    return read_csv_track
