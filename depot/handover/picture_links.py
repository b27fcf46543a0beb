# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""Links to anonymised pictures that need no login: for the city's own system, signed and bounded in time."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Response
from sqlalchemy import insert, select

from depot.handover.answers import Fault
from depot.handover.tables import handover_keys
from depot.handover.times import parse
from depot.services import Services
from depot.store.database import Database
from depot.store.tables import pictures
from messages.topics import SHA256_PATTERN

#: Days that a link holds.
DAYS = 180
_NAME = "pictures"
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "the picture", "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}},
    **{
        status: {"model": Fault, "description": text}
        for status, text in {
            403: "the signature is wrong, or the link is too old",
            404: "this picture has not arrived",
            410: "this picture was deleted by the rules of retention",
            422: "a parameter is wrong",
            503: "the store cannot be used now",
        }.items()
    },
}


class PictureLinks:
    """Makes and checks links."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._key: bytes | None = None

    def link(self, base_url: str, sha256: str) -> str:
        """A link that holds for `DAYS`, the same all day. Raises StoreError."""
        today = self._now().replace(hour=0, minute=0, second=0, microsecond=0)
        until = int((today + timedelta(days=DAYS + 1)).timestamp())
        return f"{base_url}/open311/v2/pictures/{sha256}.jpg?until={until}&signature={self._sign(sha256, until)}"

    def holds(self, sha256: str, until: int, signature: str) -> bool:
        """Whether we made this link and it is not too old. Raises StoreError."""
        good = hmac.compare_digest(signature.encode(), self._sign(sha256, until).encode())
        return good and self._now().timestamp() <= until

    def _now(self) -> datetime:
        now = parse(self._database.now_utc())
        assert now is not None
        return now

    def _sign(self, sha256: str, until: int) -> str:
        if self._key is None:
            self._key = self._kept()
        return hmac.new(self._key, f"{sha256} {until}".encode(), hashlib.sha256).hexdigest()

    def _kept(self) -> bytes:
        wanted = select(handover_keys.c.value).where(handover_keys.c.name == _NAME)
        with self._database.reading() as connection:
            key = connection.execute(wanted).scalar()
        if key is None:
            with self._database.changing() as change:  # the lock: two processes make one key
                key = change.connection.execute(wanted).scalar()
                if key is None:
                    key = secrets.token_hex(32)
                    change.connection.execute(insert(handover_keys).values(name=_NAME, value=key))
        return bytes.fromhex(key)


def router(services: Services, links: PictureLinks) -> APIRouter:
    """The public route: who has the link may see the picture."""
    routes = APIRouter(tags=["Open311"])

    @routes.get("/open311/v2/pictures/{sha256}.jpg", responses=_RESPONSES, response_class=Response)
    def picture(
        sha256: Annotated[str, Path(pattern=f"^{SHA256_PATTERN}$")],
        until: Annotated[int, Query(ge=0, le=2**40)],
        signature: Annotated[str, Query(pattern="^[0-9a-f]{64}$")],
    ) -> Response:
        """An anonymised picture by a signed link."""
        if not links.holds(sha256, until, signature):
            raise HTTPException(403, "the link is wrong or too old")
        with services.database.reading() as connection:
            row = connection.execute(select(pictures.c.expired_utc).where(pictures.c.sha256 == sha256)).first()
        if row is not None and row.expired_utc is not None:
            raise HTTPException(410, "this picture was deleted by the rules of retention")
        content = None if row is None else services.pictures.read(sha256)
        if content is None:
            raise HTTPException(404, "this picture has not arrived")
        return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})

    return routes
