# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Cutting a picture and putting it together again gives the picture."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from messages.chunks import CHUNK_BYTES, MAX_CHUNKS, chunk_bytes, chunk_count, chunk_of
from messages.envelope import MAX_PICTURE_BYTES
from messages.types import Part


@given(st.integers(1, 5 * CHUNK_BYTES))
def test_the_chunks_are_the_picture(size: int) -> None:
    picture = bytes(size)[:-1] + b"e"
    chunks = [chunk_of(picture, number) for number in range(chunk_count(size))]
    assert b"".join(chunks) == picture
    assert [len(chunk) for chunk in chunks] == [chunk_bytes(size, number) for number in range(len(chunks))]
    assert chunk_bytes(size, len(chunks)) <= 0


def test_an_acknowledgement_can_name_every_chunk_of_the_largest_picture() -> None:
    part = Part(sha256="0" * 64, bytes=MAX_PICTURE_BYTES, have=tuple(range(MAX_CHUNKS)))
    assert msgspec.json.decode(msgspec.json.encode(part), type=Part) == part
