# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How a large picture is cut: into chunks of one size, the last one shorter, numbered from 0.

One size for all, so that two chunks never overlap. An empty payload on the topic of chunk 0 is a question:
what does the depot have of this picture? Every chunk and every question is answered by an `Ack` that names
either the whole picture, or all chunks of it that are committed.
"""

from __future__ import annotations

from messages.envelope import MAX_PICTURE_BYTES

CHUNK_BYTES = 32_768


def chunk_count(size: int) -> int:
    """Chunks of a picture of `size` bytes."""
    return -(-size // CHUNK_BYTES)


def chunk_bytes(size: int, number: int) -> int:
    """Bytes of one chunk; 0 or less where there is no such chunk."""
    return min(CHUNK_BYTES, size - number * CHUNK_BYTES)


def chunk_of(content: bytes, number: int) -> bytes:
    """One chunk of a picture."""
    return content[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]


#: Most chunks that a picture can have.
MAX_CHUNKS = chunk_count(MAX_PICTURE_BYTES)
