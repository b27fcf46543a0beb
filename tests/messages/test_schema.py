# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""The published schema says what the code reads: same document, same messages, same refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messages.envelope import TYPES, Event, MessageError, decode, encode
from messages.schema import asyncapi
from tests.messages.strategies import events, leaves, replaced

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.json"
DOCUMENT = json.loads(json.dumps(asyncapi()))


def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = {"components": DOCUMENT["components"], "$ref": f"#/components/messages/{name.split('.')[1]}/payload"}
    return jsonschema.Draft202012Validator(schema)


VALIDATORS = {name: validator(name) for name in TYPES}


def test_the_committed_document_is_up_to_date() -> None:
    assert json.loads(FILE.read_text(encoding="utf-8")) == DOCUMENT, "python -m messages.schema > docs/asyncapi.json"


@pytest.mark.parametrize("name", TYPES)
def test_the_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(VALIDATORS[name].schema)


@pytest.mark.parametrize("name", TYPES)
def test_every_message_that_is_sent_is_valid_by_the_schema(name: str) -> None:
    @settings(max_examples=30)
    @given(events(TYPES[name]))
    def check(event: Event) -> None:
        VALIDATORS[name].validate(json.loads(encode(event)))

    check()


@settings(max_examples=100)
@given(st.sampled_from(list(TYPES)), st.data())
def test_what_the_schema_refuses_is_not_read(name: str, data: st.DataObject) -> None:
    wire: Any = json.loads(encode(data.draw(events(TYPES[name]))))
    path, _ = data.draw(st.sampled_from(leaves(wire)))
    broken = replaced(wire, path, data.draw(st.sampled_from([-1, 10**9, "", "x" * 600, True, []])))
    if not VALIDATORS[name].is_valid(broken):
        with pytest.raises(MessageError):
            decode(json.dumps(broken).encode())


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [
            reference for key, item in value.items() for reference in ([item] if key == "$ref" else references(item))
        ]
    return [reference for item in value for reference in references(item)] if isinstance(value, list) else []


def test_every_reference_in_the_document_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        target = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
