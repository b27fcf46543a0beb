# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge.sampling.quality import Limits, measure, refuse
from edge.sampling.surroundings import SurroundingsSettings, brightness, limits_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.sampling import Reason
    from edge.types import Picture

LIMITS = Limits()


def asphalt(*, width: int = 960, height: int = 540, light: float = 110.0) -> Picture:
    """Road with grain of several sizes, as stones have, and a lane marking."""
    rng = np.random.default_rng(7)
    grey = np.full((height, width), light, np.float32)
    for size, strength in ((0.7, 8.0), (1.5, 5.0), (4.0, 6.0)):
        grain = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), size)
        grey += strength * light / 110 * grain / float(grain.std())
    grey[:, width // 2 : width // 2 + width // 60] += 0.6 * light
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def smeared(picture: Picture, share: float, *, upright: bool = True) -> Picture:
    """Motion blur over a share of the width."""
    size = max(3, int(picture.shape[1] * share) | 1)
    kernel = np.zeros((size, size), np.float32)
    if upright:
        kernel[:, size // 2] = 1 / size
    else:
        kernel[size // 2] = 1 / size
    return np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)


def defocused(picture: Picture, share: float = 0.003) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), picture.shape[1] * share), np.uint8)


def scaled_light(picture: Picture, factor: float) -> Picture:
    return np.clip(picture * factor, 0, 255).astype(np.uint8)


def verdict(picture: Picture, *, speed_mps: float | None = None, limits: Limits = LIMITS) -> Reason | None:
    return refuse(measure(picture, limits), limits, speed_mps=speed_mps)


def test_a_sharp_road_by_day_is_judged() -> None:
    assert verdict(asphalt()) is None


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda p: scaled_light(p, 0.08), "dark"),
        (np.zeros_like, "dark"),
        (lambda p: scaled_light(p, 4.0), "overexposed"),
        (lambda p: np.full_like(p, 90), "blocked"),
        (lambda p: smeared(p, 0.02), "blurred"),
        (lambda p: smeared(p, 0.02, upright=False), "blurred"),
        (defocused, "blurred"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_its_reason(spoil: Callable[[Picture], Picture], reason: Reason) -> None:
    assert verdict(spoil(asphalt())) == reason


def test_only_the_part_with_the_road_counts() -> None:
    picture = asphalt()
    picture[:270] = 255  # a white sky
    assert verdict(picture) is None
    assert verdict(picture, limits=Limits(top=0.0)) == "overexposed"


def test_sharpness_depends_neither_on_exposure_nor_on_hard_shadows() -> None:
    plain = measure(asphalt(), LIMITS).sharpness
    assert measure(scaled_light(asphalt(), 0.5), LIMITS).sharpness == pytest.approx(plain, rel=0.1)
    shadow = asphalt()
    shadow[:, :400] = scaled_light(shadow[:, :400], 0.3)
    assert verdict(shadow) is None


@pytest.mark.parametrize("width", [320, 640, 1280, 1920])
def test_one_set_of_limits_holds_for_every_picture_size(width: int) -> None:
    picture = np.asarray(cv2.resize(asphalt(width=640, height=360), (width, width * 9 // 16)), np.uint8)
    assert verdict(picture) is None
    assert verdict(smeared(picture, 0.02)) == "blurred"


def test_too_fast_is_refused_only_where_the_speed_is_known() -> None:
    assert verdict(asphalt(), speed_mps=40.0) == "too_fast"
    assert verdict(asphalt(), speed_mps=20.0) is None
    assert verdict(asphalt(), speed_mps=None) is None


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 500, 3), (500, 2, 3)])
def test_a_tiny_picture_gives_a_verdict_and_no_error(shape: tuple[int, int, int]) -> None:
    assert verdict(np.full(shape, 100, np.uint8)) == "blocked"


def test_a_part_outside_the_picture_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="shares of the height"):
        Limits(top=0.8, bottom=0.3)


# ---- real drives


def shared(path: str) -> Path:
    root = os.environ.get("WEGEWART_SHARED")
    if root is None or not (Path(root) / path).exists():
        pytest.skip(f"needs {path} under WEGEWART_SHARED")
    return Path(root) / path


def subway() -> list[Picture]:
    video = cv2.VideoCapture(str(shared("drive/subway/alex1.mp4")))
    pictures = []
    while video.grab():
        if int(video.get(cv2.CAP_PROP_POS_FRAMES)) % 20 == 0:
            pictures.append(np.asarray(video.retrieve()[1], np.uint8))
    video.release()
    assert len(pictures) > 10
    return pictures


def highway() -> list[Picture]:
    paths = sorted(shared("drive/br386_a/frames").glob("*.jpg"))[::10]
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in paths]


@pytest.mark.data
@pytest.mark.parametrize("limits", [Limits(), limits_for("tunnel")], ids=["street", "tunnel"])
@pytest.mark.parametrize("drive", [highway, subway])
def test_every_frame_of_the_real_drives_is_judged_the_lamp_lit_tunnel_too(
    drive: Callable[[], list[Picture]], limits: Limits
) -> None:
    assert {verdict(picture, limits=limits) for picture in drive()} == {None}


@pytest.mark.data
def test_a_real_tunnel_is_darker_above_than_a_real_street() -> None:
    settings = SurroundingsSettings()
    assert max(brightness(picture) for picture in subway()) < settings.dark_below - 10
    assert min(brightness(picture) for picture in highway()) > settings.light_from


@pytest.mark.data
@pytest.mark.parametrize("limits", [Limits(), limits_for("tunnel")], ids=["street", "tunnel"])
@pytest.mark.parametrize("drive", [highway, subway])
def test_real_drives_are_refused_when_spoilt(drive: Callable[[], list[Picture]], limits: Limits) -> None:
    pictures = drive()
    for spoil, reason in [
        (lambda p: smeared(p, 0.02), "blurred"),
        (defocused, "blurred"),
        (lambda p: scaled_light(p, 0.1), "dark"),
    ]:
        verdicts = [verdict(spoil(picture), limits=limits) for picture in pictures]
        assert verdicts.count(reason) >= 0.95 * len(verdicts)
