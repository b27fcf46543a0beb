# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A drive that never ends, as fast as it is asked for: a circle of road with a defect every 40 m.

Camera, positions and detector of it. The pictures are a rough grey road with noise, each a little different; the
detector says where the defects truly are, so that it costs nothing and everything behind it has its normal work.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from edge.calibration_file import calibration_text
from edge.geometry import Calibration
from edge.ports import Detector
from edge.types import Detection, Fix, Frame, Measurement, Odometry, Picture

SPEED_MPS = 10.0
FRAMES_PER_SECOND = 10.0
RADIUS_M = 2000.0
CENTRE = (6.76, 51.43)
DEFECT_EVERY_M = 40.0
ODOMETRY_PER_SECOND = 10
METRES_PER_DEGREE = math.pi * 6_371_008.8 / 180
LABELS = ("pothole", "longitudinal_crack", "transverse_crack", "alligator_crack")
#: A drive may begin on any day; its clock does not begin at 0.
UTC_S = 1_795_000_000.0

CALIBRATION = Calibration(
    id="endless",
    width=960,
    height=540,
    fx=753.45,
    fy=753.45,
    cx=480.0,
    cy=270.0,
    height_m=2.1,
    pitch_deg=12.0,
    forward_m=1.5,
    pitch_error_deg=0.1,
)


class EndlessCamera:
    """Ten frames for each second of drive time; `now_s` is the drive time of the newest."""

    dropped = 0
    bad = 0

    def __init__(self) -> None:
        dice = np.random.default_rng(3)
        size = (CALIBRATION.height // 4, CALIBRATION.width // 4, 1)
        rough = [cv2.resize(dice.normal(110, 18, size), (CALIBRATION.width, CALIBRATION.height)) for _ in range(8)]
        self._roads = [np.repeat(np.clip(r, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2) for r in rough]
        self._index = 0
        self.now_s = 0.0

    def read(self) -> Frame:
        """The next frame; never waits."""
        index = self._index
        self._index += 1
        self.now_s = index / FRAMES_PER_SECOND
        shift = (index * 101 % CALIBRATION.height, index * 37 % CALIBRATION.width)  # no two pictures are the same
        picture = np.roll(self._roads[index % len(self._roads)], shift, axis=(0, 1))
        return Frame(np.ascontiguousarray(picture), self.now_s, index, f"endless {index}")

    def close(self) -> None:
        """Nothing to release."""


class EndlessPositions:
    """A fix each second, 1 m wrong, and wheel and gyro ten times a second."""

    def __init__(self) -> None:
        self._next = 0
        self._dice = random.Random(5)  # noqa: S311 - noise, no secret

    def until(self, time_s: float) -> Sequence[Measurement]:
        """See `PositionSource.until`."""
        found: list[Measurement] = []
        while self._next / ODOMETRY_PER_SECOND <= time_s:
            now_s = self._next / ODOMETRY_PER_SECOND
            # To the left, so counter-clockwise.
            found.append(Odometry(now_s, SPEED_MPS * now_s, yaw_rate_dps=-math.degrees(SPEED_MPS / RADIUS_M)))
            if self._next % ODOMETRY_PER_SECOND == 0:
                found.append(self._fix(now_s))
            self._next += 1
        return found

    def _fix(self, time_s: float) -> Fix:
        angle = SPEED_MPS * time_s / RADIUS_M
        east_m = RADIUS_M * math.cos(angle) + self._dice.gauss(0, 1)
        north_m = RADIUS_M * math.sin(angle) + self._dice.gauss(0, 1)
        return Fix(
            time_s,
            lon=CENTRE[0] + east_m / (METRES_PER_DEGREE * math.cos(math.radians(CENTRE[1]))),
            lat=CENTRE[1] + north_m / METRES_PER_DEGREE,
            error_m=1.5,
            heading_deg=math.degrees(-angle) % 360,
            speed_mps=SPEED_MPS,
            utc_s=UTC_S + time_s,
            quality="autonomous",
        )

    def close(self) -> None:
        """Nothing to release."""


class TrueDetector:
    """Says where the defects of the newest frame are. With `also`, that model judges every picture, for its cost only.

    `package` and `precision` are those of the shipped model, for the birth message.
    """

    def __init__(self, camera: EndlessCamera, shipped: Detector, *, also: bool) -> None:
        self.package, self.precision = shipped.package, shipped.precision  # type: ignore[attr-defined]
        self._camera = camera
        self._also = shipped if also else None

    def detect(self, picture: Picture) -> Sequence[Detection]:
        """What `boxes` says."""
        if self._also is not None:
            self._also.detect(picture)
        return boxes(self._camera.now_s)


def boxes(time_s: float, every_m: float = DEFECT_EVERY_M) -> list[Detection]:
    """The true boxes of the defects from 2 to 20 m ahead."""
    at_m = SPEED_MPS * time_s
    first = math.ceil((at_m + 2.0) / every_m)
    last = math.floor((at_m + 20.0) / every_m)
    found = (_box(number, number * every_m - at_m) for number in range(first, last + 1))
    return [detection for detection in found if detection is not None]


def _box(number: int, ahead_m: float) -> Detection | None:
    half_length_m, half_width_m = 0.3 + 0.05 * (number % 5), 0.25 + 0.05 * (number % 3)
    left_m = (number * 7 % 5 - 2) * 0.6 + ahead_m**2 / (2 * RADIUS_M)
    corners = [
        CALIBRATION.road_to_pixel(ahead_m + x_m, left_m + y_m)
        for x_m in (-half_length_m, half_length_m)
        for y_m in (-half_width_m, half_width_m)
    ]
    seen = [corner for corner in corners if corner is not None]
    xs, ys = [u for u, _ in seen], [v for _, v in seen]
    box = (min(xs), min(ys), max(xs), max(ys))
    if len(seen) < 4 or box[0] < 0 or box[1] < 0 or box[2] > CALIBRATION.width or box[3] > CALIBRATION.height:
        return None
    return Detection(LABELS[number % len(LABELS)], 0.85, box)


def record(folder: Path, frames: int, *, every_m: float = DEFECT_EVERY_M) -> None:
    """Write the beginning of a drive as a recording that `wegewart-edge replay` takes, the defects as dark spots."""
    camera, positions = EndlessCamera(), EndlessPositions()
    (folder / "frames").mkdir(parents=True)
    times, track = ["frame,t_s"], ["t_s,lat,lon,heading_deg,speed_mps,error_m"]
    for _ in range(frames):
        frame = camera.read()
        for spot in boxes(camera.now_s, every_m):
            x1, y1, x2, y2 = spot.box
            middle, size = ((x1 + x2) / 2, (y1 + y2) / 2), (x2 - x1, y2 - y1)
            cv2.ellipse(frame.picture, (middle, size, 0.0), (25, 25, 25), -1)
        cv2.imwrite(str(folder / "frames" / f"{frame.index:06d}.jpg"), frame.picture)
        times.append(f"{frame.index:06d}.jpg,{frame.time_s:.3f}")
        fixes = (measured for measured in positions.until(frame.time_s) if isinstance(measured, Fix))
        track += [f"{f.time_s:.3f},{f.lat:.8f},{f.lon:.8f},{f.heading_deg:.2f},{f.speed_mps},1.5" for f in fixes]
    (folder / "frames.csv").write_text("\n".join(times) + "\n", encoding="utf-8")
    (folder / "track.csv").write_text("\n".join(track) + "\n", encoding="utf-8")
    (folder / "calibration.toml").write_text(calibration_text(CALIBRATION), encoding="utf-8")
