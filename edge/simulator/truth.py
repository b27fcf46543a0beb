# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What a simulated drive really holds: `truth.json`, written by the simulator, read by tests and benchmarks.

A defect is in clear view (`clear_view`) when in at least `CLEAR_FRAMES` frames all of these hold (`Sighting.clear`):
its box is at least `CLEAR_LONG_PX` long and `CLEAR_SHORT_PX` short, a crack's opening is at least
`CLEAR_OPENING_PX` wide in the picture, at least `CLEAR_SHARE` of it lies in the picture with nothing in front, the
picture is not darker there than `CLEAR_BRIGHTNESS`, and it stands out from its surroundings by `CLEAR_CONTRAST`.
Pixels are those of the rendered picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from edge.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
CLEAR_FRAMES = 2
CLEAR_LONG_PX, CLEAR_SHORT_PX = 36.0, 5.0
CLEAR_OPENING_PX = 0.7
CLEAR_SHARE = 0.7
CLEAR_BRIGHTNESS = 28.0
CLEAR_CONTRAST = 0.08

Box = tuple[float, float, float, float]


class Sighting(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing in one frame. `box`: x1, y1, x2, y2 of what lies in the picture, pixels.

    `visible_share`: how much of the whole thing lies in the picture with nothing in front (0 to 1);
    `brightness`: mean grey value within the box, 0 to 255; `contrast`: how much its own pixels differ from those around
    it beyond their grain, as a share of them.
    """

    frame: str
    box: Box
    visible_share: float
    distance_m: float
    brightness: float | None = None
    contrast: float | None = None
    clear: bool = False


class TrueDefect(msgspec.Struct, frozen=True, omit_defaults=True, rename={"label": "class"}):
    """A defect, or a decoy that is none. `s_m`, `t_m`: middle of its extent along the road and to the left of it.

    `length_m`: extent along the road; `width_m`: across it, on the lining along its profile; `z_m`: height above it;
    `opening_m`: a crack's width where it is wide (the upper quarter).
    """

    id: str
    label: str
    surface: Literal["road", "lining"]
    s_m: float
    t_m: float
    z_m: float
    lon: float
    lat: float
    length_m: float
    width_m: float
    depth_m: float | None = None
    opening_m: float | None = None
    clear_view: bool = False
    best_frame: str | None = None
    frames: tuple[Sighting, ...] = ()


class TrueObject(msgspec.Struct, frozen=True, omit_defaults=True, rename={"label": "class"}):
    """A person, a vehicle, a face or a plate; faces and plates name the thing they belong to."""

    id: str
    label: Literal["person", "vehicle", "face", "plate"]
    belongs_to: str | None = None
    text: str | None = None
    frames: tuple[Sighting, ...] = ()


class TrueFrame(msgspec.Struct, frozen=True):
    """Where the vehicle's origin (under its antenna) was at a capture."""

    frame: str
    t_s: float
    s_m: float
    lon: float
    lat: float
    heading_deg: float
    speed_mps: float
    in_tunnel: bool


class Sensors(msgspec.Struct, frozen=True):
    """What the sensors' errors were drawn from, and what was drawn."""

    gnss_error_m: float
    odometer_scale_error: float
    odometer_scale: float
    gyro_bias_dps: float


class Truth(msgspec.Struct, frozen=True):
    """Everything about one simulated drive. `camera`: the fields of `edge.geometry.Calibration`."""

    format: int
    seed: int
    km: float
    speed_kmh: float
    scene: str
    camera: dict[str, str | float | int]
    tunnel_m: tuple[float, float] | None
    sensors: Sensors
    frames: tuple[TrueFrame, ...]
    defects: tuple[TrueDefect, ...]
    decoys: tuple[TrueDefect, ...]
    objects: tuple[TrueObject, ...]


def is_clear(seen: Sighting) -> bool:
    """Whether one frame shows a defect clearly, as far as its box says (the renderer judges a crack's opening)."""
    wide, high = seen.box[2] - seen.box[0], seen.box[3] - seen.box[1]
    return (
        max(wide, high) >= CLEAR_LONG_PX
        and min(wide, high) >= CLEAR_SHORT_PX
        and seen.visible_share >= CLEAR_SHARE
        and (seen.brightness or 0.0) >= CLEAR_BRIGHTNESS
        and (seen.contrast or 0.0) >= CLEAR_CONTRAST
    )


def save(truth: Truth, path: Path) -> None:
    """Write `truth.json`: the same drive gives the same bytes."""
    path.write_bytes(msgspec.json.encode(truth) + b"\n")


def load(path: Path) -> Truth:
    """Read `truth.json`.

    Raises:
        InputError: there is none, or it is not one of ours.
    """
    try:
        truth = msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); name the truth.json of a simulated drive"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no truth of a simulated drive: {error}") from None
    if truth.format != FORMAT:
        raise InputError(f"{path}: format {truth.format}, this version reads {FORMAT}; simulate the drive again")
    return truth
