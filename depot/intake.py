# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Judges what arrived from the broker: a good event, a good picture, or a refusal with its reason.

Pure: no network, no disk, no clock. Whatever bytes come in, one of the three comes out; never an exception.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from PIL import Image

from messages import chunks, envelope, topics
from messages.types import Clock, Coverage, Health, Look, Name, Observation, Revision, Roughness, Status

#: Pixels of the largest picture that is opened: a small file can claim a huge one.
MAX_PIXELS = 50_000_000
Image.MAX_IMAGE_PIXELS = None  # Pillow would only warn, and much later

#: What vehicles say; `ack` and `command` are the depot's own.
_FROM_VEHICLES = (Observation, Look, Revision, Clock, Coverage, Roughness, Health, Status)

Reason = Literal[
    "unknown_topic", "wrong_topic", "wrong_vehicle", "too_large", "wrong_version", "unknown_type", "invalid",
    "not_json", "wrong_hash", "not_a_jpeg", "wrong_chunk", "rejected_by_store",
]  # fmt: skip


@dataclass(frozen=True)
class Accepted:
    """A checked event with the bytes that it came as."""

    event: envelope.Event
    payload: bytes

    @property
    def vehicle(self) -> str:
        """Who sent it."""
        return self.event.vehicle


@dataclass(frozen=True)
class Picture:
    """A JPEG whose hash is that of its topic. Width and height in pixels."""

    vehicle: str
    sha256: str
    content: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Chunk:
    """A part of a picture of `size` bytes, not yet known to be one. Empty: the vehicle asks what we have of it."""

    vehicle: str
    sha256: str
    size: int
    number: int
    content: bytes

    def is_whole(self, numbers: Sequence[int]) -> bool:
        """Whether chunks of these numbers, each once, are all of the picture."""
        return len(numbers) == chunks.chunk_count(self.size)


@dataclass(frozen=True)
class Refused:
    """What will never be stored. `id`: what the vehicle can look up (event id or picture hash), if readable."""

    reason: str
    detail: str
    vehicle: str | None = None
    id: str | None = None


Intake: TypeAlias = Accepted | Picture | Chunk | Refused


class _OnlyId(msgspec.Struct):
    id: Name


def judge(topic: str, payload: bytes) -> Intake:
    """Judge one message."""
    place = topics.parse(topic)
    if place is None:
        return Refused("unknown_topic", topic[:200])
    if place.size is not None:
        return _judge_chunk(place, payload)
    if place.sha256 is not None:
        return judge_picture(place.vehicle, place.sha256, payload)
    try:
        event = envelope.decode(payload)
    except envelope.MessageError as error:
        return Refused(error.reason, str(error), place.vehicle, _id_of(payload))
    if b"\\u0000" in payload:
        return Refused("invalid", "a text with the character U+0000, which no database keeps", place.vehicle, event.id)
    if event.source != envelope.source_of(place.vehicle):
        detail = f"source {event.source!r} on the topic of {place.vehicle!r}"
        return Refused("wrong_vehicle", detail, place.vehicle, event.id)
    if not isinstance(event.data, _FROM_VEHICLES) or envelope.kind_of(event.data) != place.kind:
        detail = f"a {type(event.data).__name__} on the topic {place.kind!r}"
        return Refused("wrong_topic", detail, place.vehicle, event.id)
    return Accepted(event, payload)


def _id_of(payload: bytes) -> str | None:
    """The id of an event that could not be read as a whole, so that the vehicle learns which one it was."""
    try:
        return msgspec.json.decode(payload, type=_OnlyId).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _judge_chunk(place: topics.Topic, content: bytes) -> Chunk | Refused:
    sha256, size, number = place.sha256 or "", place.size or 0, place.number or 0
    if size > envelope.MAX_PICTURE_BYTES:
        detail = f"a picture of {size} bytes, at most {envelope.MAX_PICTURE_BYTES} are stored"
        return Refused("too_large", detail, place.vehicle, sha256)
    is_question = number == 0 and not content
    if not is_question and len(content) != max(0, chunks.chunk_bytes(size, number)):
        detail = f"chunk {number} of {size} bytes has {len(content)} bytes, not {chunks.chunk_bytes(size, number)}"
        return Refused("wrong_chunk", detail, place.vehicle, sha256)
    if number >= chunks.chunk_count(size):
        return Refused("wrong_chunk", f"{size} bytes have no chunk {number}", place.vehicle, sha256)
    return Chunk(place.vehicle, sha256, size, number, content)


def judge_picture(vehicle: str, sha256: str, content: bytes) -> Picture | Refused:
    """Whether these bytes are the JPEG of that hash."""
    if len(content) > envelope.MAX_PICTURE_BYTES:
        detail = f"{len(content)} bytes, at most {envelope.MAX_PICTURE_BYTES} are stored"
        return Refused("too_large", detail, vehicle, sha256)
    if hashlib.sha256(content).hexdigest() != sha256:
        return Refused("wrong_hash", f"the picture's bytes do not have the hash {sha256}", vehicle, sha256)
    try:
        width, height = _open_jpeg(content)
    except Exception as error:  # noqa: BLE001 - a decoder fed with strangers' bytes may raise anything
        return Refused("not_a_jpeg", f"not a JPEG that opens: {error}", vehicle, sha256)
    return Picture(vehicle, sha256, content, width, height)


def _open_jpeg(content: bytes) -> tuple[int, int]:
    """Width and height of a JPEG that was read to its end.

    Raises:
        OSError, ValueError and others: it is none, is cut off or is too large.
    """
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ValueError(f"{width}x{height} pixels, at most {MAX_PIXELS} are opened")
        image.draft("L", (width // 8, height // 8))  # all of the file is read, an eighth of it computed
        image.load()
    return width, height
