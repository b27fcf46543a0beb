# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What the OpenAPI document says of answers: schemas from the types that are encoded."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Response

from depot.review.answers import Problem

_WHY = {
    400: "the body cannot be read",
    401: "nobody is logged in",
    403: "the role does not allow it",
    404: "there is none",
    409: "it changed meanwhile, or what there is now does not allow it",
    410: "it has expired",
    422: "a parameter is none",
    503: "the store cannot be read now, or ingest has stopped",
}


def answers(kind: type, *codes: int, media_type: str = "application/json") -> dict[int | str, dict[str, Any]]:
    """For `responses=`: 200 with a type, and the codes of errors; 401, 403, 422 and 503 always."""
    problem = {"application/json": {"schema": schema_of(Problem)}}
    wrong: dict[int | str, dict[str, Any]] = {
        code: {"description": _WHY[code], "content": problem} for code in sorted({401, 403, 422, 503, *codes})
    }
    good: dict[str, Any] = {"description": _first_line(kind), "content": {media_type: {"schema": schema_of(kind)}}}
    return {200: good} | wrong


def schema_of(kind: type) -> dict[str, Any]:
    """The JSON Schema of a type, whole in itself."""
    schema = msgspec.json.schema(kind)
    found: dict[str, Any] = _resolved(schema, schema.get("$defs", {}))
    return found


def _resolved(part: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_resolved(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
    resolved = {name: _resolved(value, definitions) for name, value in part.items() if name != "$defs"}
    alike = resolved.get("prefixItems")
    if alike and all(each == alike[0] for each in alike):  # older readers know `items` only
        del resolved["prefixItems"]
        resolved["items"] = alike[0]
    return resolved


def _first_line(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).strip().partition("\n")[0]


def reply(value: Any, *, status: int = 200, media_type: str = "application/json") -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, media_type=media_type)
