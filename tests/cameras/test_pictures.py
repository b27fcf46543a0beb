# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cameras.pictures import is_complete, load_picture
from tests.cameras.pictures import encoded, textured

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = [".jpg", ".png", ".webp"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_whole_picture_is_read_as_bgr(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(encoded(suffix))
    picture, reason = load_picture(path)
    assert reason == ""
    assert picture is not None
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_picture_is_refused_although_the_decoder_would_fill_it_up(
    tmp_path: Path, suffix: str, share: float
) -> None:
    data = encoded(suffix)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[: int(share * len(data))])
    picture, reason = load_picture(path)
    assert picture is None
    assert reason == "the file is cut off"


def test_a_thumbnail_in_front_does_not_hide_that_the_picture_is_cut_off() -> None:
    thumbnail, whole = encoded(shade=30), encoded(shade=90)
    exif = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    picture = whole[:2] + exif + whole[2:]
    assert is_complete(picture)
    assert not is_complete(picture[:-40])


def test_a_film_behind_the_picture_as_phones_write_it_does_no_harm() -> None:
    assert is_complete(encoded() + b"\xff\xda\x00\x02some film" + bytes(range(256)))


def test_a_progressive_jpeg_with_restart_marks_is_complete() -> None:
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2]
    _, data = cv2.imencode(".jpg", textured(), options)
    assert is_complete(data.tobytes())
    assert not is_complete(data.tobytes()[:-2])


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\nIEND\xae\x42\x60\x82"])
def test_what_is_no_picture_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    picture, reason = load_picture(path)
    assert picture is None
    assert reason


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    assert load_picture(tmp_path / "a.jpg") == (None, "No such file or directory")


@given(st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xda\x00\x02", b"\x89PNG\r\n\x1a\n", b"RIFF"]), st.binary())
def test_no_bytes_break_the_check(head: bytes, data: bytes) -> None:
    assert is_complete(head + data) in (True, False)
