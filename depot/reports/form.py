# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads multipart/form-data with one photo, all of it in memory: what a citizen sent is never written to a disk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from fastapi import HTTPException, Request
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

#: The name of the photo's field.
PICTURE = "picture"
_MOST_FIELDS = 20
_MOST_FIELD_BYTES = 16_000


class _InMemory(MultiPartParser):
    #: The framework's own bound would put larger files on the disk. How much comes at all, `_bounded` says.
    spool_max_size = 2**40


async def read_form(request: Request, most_bytes: int) -> tuple[dict[str, str], bytes | None]:
    """The fields, and the photo's bytes where there is one. Raises HTTPException 413 or 422."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(422, "a form is wanted: multipart/form-data")
    parser = _InMemory(
        request.headers,
        _bounded(request, most_bytes),
        max_files=1,
        max_fields=_MOST_FIELDS,
        max_part_size=_MOST_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(422, f"the form cannot be read: {error.message}") from None
    try:
        return await _taken_apart(form)
    finally:
        await form.close()


async def _taken_apart(form: FormData) -> tuple[dict[str, str], bytes | None]:
    photo = form.get(PICTURE)
    if isinstance(photo, str):
        raise HTTPException(422, f"{PICTURE}: send it as a file")
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    if len(fields) + (photo is not None) != len(form.multi_items()):
        raise HTTPException(422, f"each field once, and one file, {PICTURE!r}")
    content = None if photo is None else await photo.read()
    return fields, content or None  # a browser sends an empty file where none was chosen


def described(fields: type[BaseModel], *, needs_picture: bool) -> dict[str, Any]:
    """The form for the API's description."""
    schema = fields.model_json_schema()
    schema["properties"][PICTURE] = {"type": "string", "format": "binary", "description": "JPEG, PNG or WebP"}
    if needs_picture:
        schema["required"] = [*schema.get("required", []), PICTURE]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


async def _bounded(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    total = 0
    async for part in request.stream():
        total += len(part)
        if total > most_bytes:
            raise HTTPException(413, f"a picture may have {most_bytes} bytes")
        yield part
