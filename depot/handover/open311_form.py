# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""What somebody posts to our Open311 endpoint: a plain form, small, read in memory.

Forms with files (multipart) are not taken: reading one may put it on the disk, and a photo must be made anonymous
first.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from pydantic import BaseModel, Field, ValidationError

_KIND = "application/x-www-form-urlencoded"
_MOST_BYTES, _MOST_FIELDS = 100_000, 100
Text = Annotated[str, Field(max_length=4000)]


class Posted(BaseModel):
    """A report. Other fields of the standard (names, addresses, `media_url`, `attribute[...]`) are not kept."""

    service_code: Annotated[str, Field(min_length=1, max_length=100)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    long: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    description: Text = ""
    api_key: Annotated[str, Field(max_length=200, description="a token of the role reporter")] = ""


#: For the API's description.
DESCRIBED: dict[str, Any] = {
    "requestBody": {"required": True, "content": {_KIND: {"schema": Posted.model_json_schema()}}}
}


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of the form; read once, then kept with the request. Raises HTTPException 400, 413."""
    known: dict[str, str] | None = getattr(request.state, "open311_fields", None)
    if known is not None:
        return known
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise HTTPException(400, f"a form is wanted: {_KIND}")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, f"a report may have {_MOST_BYTES} bytes")
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise HTTPException(400, "the form cannot be read: UTF-8, at most 100 fields") from None
    request.state.open311_fields = fields
    return fields


def posted(fields: dict[str, str]) -> Posted:
    """The report in these fields. Raises HTTPException 400."""
    try:
        return Posted.model_validate({name: value for name, value in fields.items() if value})
    except ValidationError as error:
        first = error.errors()[0]
        raise HTTPException(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
