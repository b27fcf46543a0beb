# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Nothing outside the defect is recognisable in what leaves the vehicle."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.privacy.anonymise import PrivacySettings, anonymise, mosaic
from edge.types import Detection

SETTINGS = PrivacySettings(jpeg_quality=95)


def noise(width: int = 1280, height: int = 720) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def detail(picture: np.ndarray) -> float:
    """Contrast between neighbouring pixels: high in noise, near zero inside mosaic blocks."""
    return float(np.abs(np.diff(picture.astype(np.int16), axis=1)).mean())


def test_the_defect_is_sharp_and_its_surroundings_are_not():
    safe = anonymise(noise(), (600, 400, 720, 460), [], SETTINGS, horizon_row=None)
    picture = decoded(safe.jpeg)
    x1, y1, x2, y2 = (round(v) for v in safe.box)
    assert detail(picture[y1:y2, x1:x2]) > 30
    assert detail(picture[:, : x1 - 40]) < 8
    assert detail(picture[:, x2 + 40 :]) < 8


def test_a_person_inside_the_sharp_part_is_taken_out():
    person = Detection("person", 0.3, (640, 400, 680, 460))
    safe = anonymise(noise(), (600, 400, 720, 460), [person], SETTINGS, horizon_row=None)
    picture = decoded(safe.jpeg)
    x1, y1, _, y2 = (round(v) for v in safe.box)
    assert detail(picture[y1:y2, x1 + 40 : x1 + 80]) < 12
    assert safe.anonymised.people == 1


def test_only_who_would_be_seen_is_counted_and_each_once():
    box = (600, 400, 720, 460)
    there, again = (Detection("person", 0.3, (640 + dx, 400, 680 + dx, 460)) for dx in (0, 4))
    beside = Detection("person", 0.3, (300, 300, 340, 460))  # in the mosaic, as everything there
    car = Detection("vehicle", 0.3, (710, 380, 790, 470))
    counted = anonymise(noise(), box, [there, again, beside, car], SETTINGS, horizon_row=None).anonymised
    assert (counted.people, counted.vehicles) == (1, 1)
    assert anonymise(noise(), box, [beside], SETTINGS, horizon_row=None).anonymised.people == 0


def test_a_text_on_a_plate_beside_the_defect_cannot_be_read():
    picture = np.full((720, 1280, 3), 120, np.uint8)
    # 130 x 28 pixels: a German plate 4 m away at 1000 px focal length.
    cv2.rectangle(picture, (760, 400), (890, 428), (255, 255, 255), -1)
    other = picture.copy()
    cv2.putText(picture, "DU AB 123", (764, 422), cv2.FONT_HERSHEY_SIMPLEX, 0.75, (0, 0, 0), 2)
    cv2.putText(other, "DU XY 798", (764, 422), cv2.FONT_HERSHEY_SIMPLEX, 0.75, (0, 0, 0), 2)
    one, two = (
        decoded(anonymise(p, (600, 400, 720, 460), [], SETTINGS, horizon_row=None).jpeg) for p in (picture, other)
    )
    assert np.abs(one.astype(int) - two.astype(int)).max() < 60  # not black against white anywhere
    plate = one[:, 300:]
    assert detail(plate) < 3


def test_nothing_above_the_horizon_is_in_the_crop():
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[:300] = 255
    for top in (320, 200):  # also where the box itself reaches above it
        safe = anonymise(picture, (600, top, 700, 360), [], SETTINGS, horizon_row=300)
        assert decoded(safe.jpeg).max() < 128


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 500),
    height=st.integers(1, 400),
    box=st.tuples(st.floats(-50, 500), st.floats(-50, 400), st.floats(0, 300), st.floats(0, 300)),
    horizon=st.none() | st.floats(-10, 500),
)
def test_any_box_in_any_picture_gives_a_jpeg_with_the_box_inside(width, height, box, horizon):
    x, y, w, h = box
    safe = anonymise(noise(width, height), (x, y, x + w, y + h), [], SETTINGS, horizon_row=horizon)
    assert decoded(safe.jpeg).shape[:2] == (safe.height, safe.width)
    x1, y1, x2, y2 = safe.box
    assert 0 <= x1 <= x2 <= safe.width + 1
    assert 0 <= y1 <= y2 <= safe.height + 1


def test_the_jpeg_carries_no_metadata():
    safe = anonymise(noise(), (600, 400, 720, 460), [], SETTINGS, horizon_row=None)
    assert b"Exif" not in safe.jpeg


@given(block=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_a_mosaic_block_is_flat(block, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    safe = mosaic(picture, block)
    assert safe.shape == picture.shape
    for y in range(0, 37, block):
        for x in range(0, 53, block):
            square = picture[y : y + block, x : x + block].reshape(-1, 3)
            assert np.abs(safe[y : y + block, x : x + block].reshape(-1, 3) - square.mean(axis=0)).max() <= 0.5
