# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""CloudEvents 1.0, structured JSON mode: one self-contained payload for MQTT 5 and 3.1.1 alike.

`source` + `id` is the key of an event. Ids come from vehicle, boot and counter, never from the wall
clock, so they are unique on any clock.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from messages.types import (
    Ack,
    Clock,
    Command,
    Coverage,
    Health,
    Look,
    Message,
    Name,
    Observation,
    Reply,
    Revision,
    Roughness,
    Status,
    Utc,
)

CONTENT_TYPE = "application/cloudevents+json"
#: No event is larger; pictures travel on their own topic.
MAX_EVENT_BYTES = 64_000
MAX_PICTURE_BYTES = 2_000_000

AnyMessage: TypeAlias = (
    Observation | Look | Revision | Clock | Coverage | Roughness | Health | Status | Ack | Command | Reply
)

TYPES: dict[str, type[Message]] = {
    "wegewart.observation.v1": Observation,
    "wegewart.look.v1": Look,
    "wegewart.revision.v1": Revision,
    "wegewart.clock.v1": Clock,
    "wegewart.coverage.v1": Coverage,
    "wegewart.roughness.v1": Roughness,
    "wegewart.health.v1": Health,
    "wegewart.status.v1": Status,
    "wegewart.ack.v1": Ack,
    "wegewart.command.v1": Command,
    "wegewart.reply.v1": Reply,
}
_NAMES = {kind: name for name, kind in TYPES.items()}
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(kind) for name, kind in TYPES.items()}


class MessageError(ValueError):
    """A payload that is not one of our messages; `reason` is a short name to count by."""

    def __init__(self, reason: str, detail: str) -> None:
        # A stranger's bytes may be quoted in it: one line, short enough for logs and for `Refusal.reason`.
        super().__init__(f"{reason}: {' '.join(detail[:300].split())}")
        self.reason = reason


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One CloudEvent with its decoded message."""

    id: str
    source: str
    data: AnyMessage
    time: str | None = None

    @property
    def vehicle(self) -> str:
        """The vehicle's name, from the source."""
        return self.source.rpartition("/")[2]


class _Wire(msgspec.Struct, kw_only=True, omit_defaults=True):
    specversion: str
    id: Name
    source: Name
    type: Name
    data: msgspec.Raw
    time: Utc | None = None
    datacontenttype: str = "application/json"


_wire_decoder = msgspec.json.Decoder(_Wire)
_encoder = msgspec.json.Encoder()


def source_of(vehicle: str) -> str:
    """The CloudEvents source of a vehicle."""
    return f"wegewart/{vehicle}"


def event_id(boot: str, counter: int) -> str:
    """An id unique within one vehicle's source; sorts in the order of confirmation within a boot."""
    return f"{boot}-{counter:08d}"


def kind_of(message: Message) -> str:
    """Last level of the topic that carries such a message: `observation`, `revision`, ..."""
    return kind_of_type(_NAMES[type(message)])


def kind_of_type(name: str) -> str:
    """The same from the type's name: wegewart.observation.v1 -> observation."""
    return name.split(".")[1]


def encode(event: Event) -> bytes:
    """The bytes that go on the wire and into the outbox; what `decode` would refuse never gets there.

    Raises:
        MessageError: larger than `MAX_EVENT_BYTES`, a value out of bounds, a number that is not finite.
    """
    payload = _encoder.encode(
        _Wire(
            specversion="1.0",
            id=event.id,
            source=event.source,
            type=_NAMES[type(event.data)],
            time=event.time,
            data=msgspec.Raw(_encoder.encode(event.data)),
        )
    )
    if len(payload) > MAX_EVENT_BYTES:
        raise MessageError("too_large", f"{len(payload)} bytes, at most {MAX_EVENT_BYTES} are sent")
    # JSON has no NaN: it would become null, and in an optional field look like "not known".
    if decode(payload) != event:
        raise MessageError("not_finite", f"a number in {_NAMES[type(event.data)]} is NaN or infinite")
    return payload


def decode(payload: bytes) -> Event:
    """Read and check one event.

    Raises:
        MessageError: for anything that is not a valid message of a known type. Never anything else.
    """
    if len(payload) > MAX_EVENT_BYTES:
        raise MessageError("too_large", f"{len(payload)} bytes, at most {MAX_EVENT_BYTES} are read")
    try:
        wire = _wire_decoder.decode(payload)
        if wire.specversion != "1.0":
            raise MessageError("wrong_version", f"specversion {wire.specversion[:20]!r}, 1.0 is read")
        decoder = _DECODERS.get(wire.type)
        if decoder is None:
            raise MessageError("unknown_type", f"type {wire.type!r}")
        data = decoder.decode(wire.data)
    except msgspec.ValidationError as error:
        raise MessageError("invalid", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError("not_json", str(error)) from None
    return Event(id=wire.id, source=wire.source, time=wire.time, data=data)
