# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""How the routes of roads and fleet ask and answer, and what the API's description says of it."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any, TypeAlias

import msgspec
from fastapi import HTTPException, Path, Query, Response

GEOJSON = "application/geo+json"
#: Free words in an address: without control characters (PostgreSQL keeps no NUL).
WORD = r"^[^\x00-\x1f\x7f]*$"
Word: TypeAlias = Annotated[str, Query(min_length=1, max_length=100, pattern=WORD)]
Named: TypeAlias = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
After: TypeAlias = Annotated[int, Query(ge=0, le=2**53, description="only what changed after this")]
Area: TypeAlias = Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")]

_PROBLEM = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}},
}
_WHY = {
    400: "what was sent cannot be read",
    401: "nobody is logged in",
    403: "the role does not allow it",
    404: "there is none",
    409: "it is in no state for this",
    413: "what was sent is too large",
    422: "a parameter is none",
    503: "the store cannot be read now",
}


def described(what: str, media_type: str, *codes: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: 200 with its kind, and the errors; 401, 403, 422 and 503 always."""
    schema = {"type": "string"} if media_type.startswith("text/") else {"type": "object"}
    found: dict[int | str, dict[str, Any]] = {200: {"description": what, "content": {media_type: {"schema": schema}}}}
    for code in sorted({401, 403, 422, 503, *codes}):
        found[code] = {"description": _WHY[code], "content": {"application/json": {"schema": _PROBLEM}}}
    return found


def json(value: Any, media_type: str = "application/json") -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), media_type=media_type)


def day_of(text: str | None, name: str) -> str | None:
    """A day of an address. Raises HTTPException 422."""
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, f"{name}: {text} is no day") from None
    if not 1970 < found.year < 9999:  # time zones reach over both ends
        raise HTTPException(422, f"{name}: {text} lies beyond all inspections")
    return text


def box_of(text: str | None) -> tuple[float, float, float, float] | None:
    """A bbox of an address; west may exceed east over the date line. Raises HTTPException 422."""
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise HTTPException(422, "bbox: four numbers are wanted: west,south,east,north in degrees") from None
    if not all(map(math.isfinite, (west, south, east, north))) or not -90 <= south <= north <= 90:
        raise HTTPException(422, "bbox: degrees, and south must not lie north of north")
    return (west, south, east, north)
