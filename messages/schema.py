# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The messages as JSON Schema and as an AsyncAPI 3 document, made from the types themselves.

    python -m messages.schema > docs/asyncapi.json

The committed file is what other systems read; a test says when it is out of date.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from messages.chunks import CHUNK_BYTES, MAX_CHUNKS
from messages.envelope import CONTENT_TYPE, MAX_EVENT_BYTES, MAX_PICTURE_BYTES, TYPES, kind_of_type
from messages.topics import KINDS, NUMBER_PATTERN, PREFIX, SHA256_PATTERN, SIZE_PATTERN, VEHICLE_PATTERN
from messages.types import Name, Utc

_REF = "#/components/schemas/{name}"
_FROM_DEPOT = ("ack", "command")
_RETAINED = ("status",)
_AT_MOST_ONCE = ("health",)
_VEHICLE = {"vehicle": {"description": f"The vehicle's name: {VEHICLE_PATTERN}"}}


def schemas() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of every message type and its parts, by name."""
    _, parts = msgspec.json.schema_components(TYPES.values(), ref_template=_REF)
    return dict(sorted(parts.items()))


def event_schema(name: str) -> dict[str, Any]:
    """JSON Schema of the whole event, a CloudEvent in structured JSON mode, that carries messages of type `name`."""
    (short, time), _ = msgspec.json.schema_components((Name, Utc))
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": short | {"description": "with `source` the key of the event"},
            "source": short | {"description": "wegewart/{vehicle}"},
            "type": {"const": name},
            "time": {"anyOf": [time, {"type": "null"}]},
            "datacontenttype": {"const": "application/json"},
            "data": {"$ref": _REF.format(name=TYPES[name].__name__)},
        },
    }


def _message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "contentType": CONTENT_TYPE,
        "summary": str(TYPES[name].__doc__).split("\n", maxsplit=1)[0],
        "payload": event_schema(name),
    }


def _channels() -> dict[str, Any]:
    channels: dict[str, Any] = {
        kind: {
            "address": f"{PREFIX}/{{vehicle}}/{kind}",
            "parameters": _VEHICLE,
            "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        }
        for kind in KINDS
    }
    sha256 = {"sha256": {"description": f"SHA-256 of the picture's bytes: {SHA256_PATTERN}"}}
    channels["picture"] = {
        "address": f"{PREFIX}/{{vehicle}}/picture/{{sha256}}",
        "parameters": _VEHICLE | sha256,
        "messages": {"picture": {"$ref": "#/components/messages/picture"}},
    }
    channels["chunk"] = {
        "address": f"{PREFIX}/{{vehicle}}/chunk/{{sha256}}/{{bytes}}/{{number}}",
        "parameters": _VEHICLE
        | sha256
        | {
            "bytes": {"description": f"size of the whole picture, at most {MAX_PICTURE_BYTES}: {SIZE_PATTERN}"},
            "number": {"description": f"0 to {MAX_CHUNKS - 1}: {NUMBER_PATTERN}"},
        },
        "messages": {"chunk": {"$ref": "#/components/messages/chunk"}},
    }
    return channels


def _operation(kind: str) -> dict[str, Any]:
    return {
        "action": "receive" if kind in _FROM_DEPOT else "send",
        "channel": {"$ref": f"#/channels/{kind}"},
        "bindings": {"mqtt": {"qos": 0 if kind in _AT_MOST_ONCE else 1, "retain": kind in _RETAINED}},
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document, from the vehicle's point of view: it sends observations and receives `ack`."""
    messages = {kind_of_type(name): _message(name) for name in TYPES}
    messages["picture"] = {
        "name": "picture",
        "contentType": "image/jpeg",
        "summary": f"The bytes of a picture that an observation or a look names, at most {MAX_PICTURE_BYTES}.",
        "payload": {"type": "string", "format": "binary"},
    }
    messages["chunk"] = {
        "name": "chunk",
        "contentType": "application/octet-stream",
        "summary": (
            f"{CHUNK_BYTES} bytes of a picture from {CHUNK_BYTES} times the number on; the last one ends with the"
            " picture. Empty, with the number 0: asks what the depot has. `ack` answers each."
        ),
        "payload": {"type": "string", "format": "binary"},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Wegewart",
            "version": PREFIX.rpartition("/")[2],
            "license": {"name": "Apache-2.0"},
            "description": (
                "What vehicles and the depot say to each other over MQTT 5 or 3.1.1. "
                f"An event has at most {MAX_EVENT_BYTES} bytes. `source` + `id` is its key: the same event may come "
                "twice and counts once. Only `ack` lets a vehicle delete. Unknown fields are ignored."
            ),
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": _channels(),
        "operations": {kind: _operation(kind) for kind in (*KINDS, "picture", "chunk")},
        "components": {"messages": messages, "schemas": schemas()},
    }


if __name__ == "__main__":
    print(json.dumps(asyncapi(), indent=2, ensure_ascii=False))
