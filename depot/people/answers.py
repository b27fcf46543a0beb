# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the routes about people answer: JSON without a trace in caches, and errors as one line."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import HTTPException, Response
from pydantic import BaseModel

from depot.people.errors import PeopleError


class Fault(BaseModel):
    """What went wrong, as one line."""

    detail: str


TEXTS = {
    400: "the body is no JSON, or not what the identity provider sends",
    401: "nobody is logged in",
    403: "the role does not allow it, or the request comes from another site",
    404: "there is none",
    409: "it collides with what is there",
    422: "a value does not fit",
    429: "too many tries",
    502: "the identity provider does not answer as it should",
}


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route declares of these."""
    return {status: {"model": Fault, "description": TEXTS[status]} for status in statuses}


def json_fault(status: int) -> dict[int | str, dict[str, Any]]:
    """The same for a route that else answers with a page."""
    content = {"application/json": {"schema": Fault.model_json_schema()}}
    return {status: {"content": content, "description": TEXTS[status]}}


def json(value: Any, *, status: int = 200) -> Response:
    """An answer that no cache keeps."""
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def refused(error: PeopleError) -> HTTPException:
    """The same refusal over HTTP."""
    return HTTPException(error.status, str(error))
