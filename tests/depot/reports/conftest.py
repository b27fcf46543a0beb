# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""A depot with a detector that says what a test wants, and a page for each role."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from PIL import Image

from depot.config import Config
from depot.people.guard import Person
from depot.people.roles import Role
from depot.reports.config import ReportsConfig
from depot.reports.judging import Box, Judged
from depot.reports.routes import make_router
from depot.routing import defaults
from depot.services import Services
from depot.store.database import Database
from depot.store.pictures import PictureFolder
from tests.depot.routing.conftest import Browser

NOW = "2026-11-04T09:30:12.250Z"


def jpeg(colour: tuple[int, int, int] = (90, 95, 98), size: tuple[int, int] = (64, 48), exif: bytes = b"") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def crop(colour: tuple[int, int, int] = (10, 20, 30)) -> dict[str, Any]:
    """As the vehicles' detector gives one."""
    return {
        "jpeg": base64.b64encode(jpeg(colour, (40, 30))).decode(),
        "width": 40,
        "height": 30,
        "box": [10, 10, 30, 20],
        "anonymised": {"method": "mosaic-outside-defect-1", "area_share": 0.8},
    }


def found(label: str = "pothole", box: Box = (40, 40, 60, 60), score: float = 0.8) -> dict[str, Any]:
    """A detection in a picture of 100 x 100."""
    made: dict[str, Any] = {"class": label, "score": score, "box": box}
    return made if label in ("person", "vehicle") else made | {"safe": crop()}


def judged(*detections: dict[str, Any], **more: Any) -> Judged:
    import msgspec

    told = {"width": 100, "height": 100, "detections": detections, **more}
    return msgspec.json.decode(json.dumps(told).encode(), type=Judged)


class FakeDetector:
    """Says the same of every photo; `raises` instead, where it is set."""

    def __init__(self) -> None:
        self.answer = judged(found())
        self.raises: Exception | None = None
        self.asked: list[tuple[bytes, Box | None]] = []

    def judge(self, photo: bytes, keep: Box | None = None) -> Judged:
        self.asked.append((photo, keep))
        if self.raises is not None:
            raise self.raises
        return self.answer


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


@pytest.fixture
def pictures(tmp_path: Path) -> PictureFolder:
    return PictureFolder(tmp_path / "pictures")


@pytest.fixture
def page(database: Database, pictures: PictureFolder, detector: FakeDetector) -> Callable[..., Browser]:
    """Makes a client that is logged in in a role; `settings` and `name` as needed."""
    defaults.seed(database, "duisburg")
    database.now_utc = lambda: NOW

    def client(role: Role | None = "reporter", settings: ReportsConfig | None = None, name: str = "app") -> Browser:
        settings = settings or ReportsConfig()
        services = Services(Config(), database, pictures, lambda: None, lambda: False)
        app = FastAPI()

        @app.middleware("http")
        async def enter(request: Request, handle: Callable[[Request], Any]) -> Response:
            request.state.person = None if role is None else Person(name, role)
            answer: Response = await handle(request)
            return answer

        app.include_router(make_router(services, settings, detector))
        return Browser(app)

    return client
