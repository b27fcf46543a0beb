# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the routes of routing and of reports take large bodies and answer."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import HTTPException, Request, Response
from pydantic import BaseModel


class Fault(BaseModel):
    """What went wrong, as one line."""

    detail: str


_TEXT = {
    400: "the body cannot be read",
    401: "nobody is logged in",
    403: "the role does not allow it",
    404: "there is none",
    409: "it collides with what is there",
    413: "the body is too large",
    422: "a value does not fit",
    503: "the store or the detector cannot be used now; the line says which",
}


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route declares of these."""
    return {status: {"model": Fault, "description": _TEXT[status]} for status in (*statuses, 503)}


def json(value: Any, *, status: int = 200, kind: str = "application/json") -> Response:
    """An answer."""
    return Response(msgspec.json.encode(value), status, media_type=kind)


async def limited_body(request: Request, most_bytes: int) -> bytes:
    """The body, read no further than it may be long. Raises HTTPException 413."""
    parts: list[bytes] = []
    total = 0
    async for part in request.stream():
        total += len(part)
        if total > most_bytes:
            raise HTTPException(413, f"the body is larger than {most_bytes} bytes")
        parts.append(part)
    return b"".join(parts)
