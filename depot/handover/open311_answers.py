# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What other Open311 endpoints answer, in XML or JSON, to plain records. Pure; nothing of it is trusted."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from depot.handover.open311_words import Form

#: Records of one answer, and letters of one value, that are looked at.
_MOST_RECORDS, _MOST_LETTERS = 10_000, 10_000


class AnswerError(ValueError):
    """Neither XML nor JSON as the standard has it: one line."""


def records(form: Form, body: bytes) -> list[dict[str, str]]:
    """The records of an answer: its fields that have a text or a number.

    Raises:
        AnswerError: it is none.
    """
    found = _from_json(body) if form == "json" else _from_xml(body)
    return [{name: value[:_MOST_LETTERS] for name, value in one.items()} for one in found[:_MOST_RECORDS]]


def _from_json(body: bytes) -> list[dict[str, str]]:
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise AnswerError("the answer is no JSON") from None
    if isinstance(value, dict):  # some wrap the list: {"service_requests": [...]}
        lists = [inner for inner in value.values() if isinstance(inner, list)]
        value = lists[0] if len(lists) == 1 else [value]
    if not isinstance(value, list):
        raise AnswerError("the answer is no list of records")
    return [{str(name): text for name, inner in one.items() if (text := _text(inner)) is not None}
            for one in value if isinstance(one, dict)]  # fmt: skip


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _from_xml(body: bytes) -> list[dict[str, str]]:
    if b"<!DOCTYPE" in body[:2000] or b"<!ENTITY" in body:
        raise AnswerError("the answer declares XML entities")
    try:
        root = ET.fromstring(body)  # noqa: S314 - bounded in size, and entities were refused
    except (ET.ParseError, ValueError, LookupError):
        raise AnswerError("the answer is no XML") from None
    rows = [row for row in root if len(row)]
    return [{field.tag: field.text.strip() for field in row if field.text and field.text.strip()} for row in rows]
